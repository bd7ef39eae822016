//! The law of a distribution's own draws: their density by the noise is that at the value, with the same total derivatives.

use crate::distributions::noise::Noise;
use crate::ops::sum::SumTerm;
use crate::rng::Key;
use crate::tape::gradient::gradient;
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::store::Precision;
use crate::tape::var::Var;
use crate::tensor::shape::{Shape, size};
use crate::testing::op_check::compare;

/// Returns the log density of a draw at its value, and as a function of its noise; adds the latter, with weight 1.5, as a
/// term if that is asked for.
pub type Densities = for<'t> fn(&Noise<'t>, &[Var<'t>], bool) -> [Var<'t>; 2];

/// Checks the law at draws of shape `event`, given parameters with their shapes.
pub fn check(densities: Densities, params: &[(&[usize], Vec<f64>)], event: &[usize]) {
    for (precision, tolerance) in [(Precision::F64, 1e-9), (Precision::F32, 2e-3)] {
        let run = |way: usize| {
            let tape = Tape::new(precision, Key::new(23));
            let mut start = 0;
            let mut vars = Vec::new();
            for (shape, values) in params {
                vars.push(tape.input(start, &[], shape, values, false));
                start += size(shape);
            }
            let at = Noise {
                tape: &tape,
                stream: 5,
                dims: Default::default(),
                event: Shape::from_slice(event),
            };
            let each = densities(&at, &vars, way == 2);
            if way < 2 {
                tape.term(SumTerm::DEF, &[each[way]], &[], 0, 1.5, 0);
            }
            assert!(tape.take_error().is_none());
            (each[way.min(1)].elements(), tape.log_density(), gradient(&tape))
        };
        let (at_value, own, term) = (run(0), run(1), run(2));
        compare("densities of draws", &own.0, &at_value.0, tolerance, 1.0, &[]);
        compare("their derivatives", &own.2, &at_value.2, tolerance, 1.0, &[]);
        assert!(own.2.iter().any(|d| d.abs() > 1e-3), "{:?}", own.2);
        compare("their term", &[term.1], &[own.1], tolerance.max(1e-12), 1.0, &[]);
        compare("its derivatives", &term.2, &own.2, tolerance, 1.0, &[]);
    }
}

/// Checks the law for a distribution over numbers, at parameters of which each draw has its own copy.
pub fn check_numbers(densities: Densities, params: &[f64]) {
    const N: usize = 40;
    let params: Vec<(&[usize], Vec<f64>)> = params.iter().map(|&p| (&[N][..], vec![p; N])).collect();
    check(densities, &params, &[N]);
}

/// Writes the [`Densities`] of a distribution as a function of its parameters.
macro_rules! densities {
    (|$p:ident| $dist:expr) => {{
        fn densities<'t>(at: &$crate::distributions::noise::Noise<'t>, $p: &[Var<'t>], as_term: bool) -> [Var<'t>; 2] {
            let dist = $dist;
            let drawn = dist.drawn(at);
            if as_term {
                dist.drawn_term(at.tape, drawn, 1.5, 0);
            }
            [dist.log_prob(drawn.value), dist.drawn_log_prob(drawn)]
        }
        densities
    }};
}

pub(crate) use densities;
