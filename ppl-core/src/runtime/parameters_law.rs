//! A law of recordings: an array that is a parameter of a distribution stands once on the tape.

use std::rc::Rc;

use crate::distributions::*;
use crate::rng::Key;
use crate::runtime::context::Run;
use crate::runtime::site::Site;
use crate::runtime::source::{Forward, FromInputs, FromPrior, Source};
use crate::tape::record::Tape;
use crate::tape::store::Precision;

const PROBS: [f64; 2] = [0.25, 0.75];
const OTHER: [f64; 2] = [1.25, 1.5];
const COUNTS: [f64; 2] = [3.0, 4.0];

/// Returns how often each of the arrays is a constant of a recording.
fn copies(tape: &Tape) -> Vec<usize> {
    let n_nodes = tape.records().nodes.len() as u32;
    let is_constant = |&node: &u32| tape.records().nodes[node as usize].def.name == "constant";
    let constants = (0..n_nodes).filter(is_constant).map(|node| tape.elements_of(node));
    let constants: Vec<Vec<f64>> = constants.collect();
    let count = |array: [f64; 2]| constants.iter().filter(|c| **c == array).count();
    [PROBS, OTHER, COUNTS]
        .map(count)
        .into_iter()
        .filter(|&n| n > 0)
        .collect()
}

macro_rules! each_array_stands_once {
    ($($dist:expr),* $(,)?) => {$(
        let sources: [Rc<dyn Source>; 3] = [Rc::new(FromPrior), Rc::new(Forward), Rc::new(FromInputs)];
        for source in sources {
            let run = Run::new(Tape::new(Precision::F64, Key::new(1)), source, Rc::default());
            let site = Site { name: "x", file: file!(), line: line!() };
            run.ctx().sample_from(site, $dist).unwrap();
            let found = copies(&run.tape);
            assert!(!found.is_empty() && found.iter().all(|&n| n == 1), "{}: {found:?}", stringify!($dist));
        }
    )*};
}

#[test]
fn an_array_parameter_stands_once_on_the_tape() {
    each_array_stands_once! {
        Normal(PROBS, OTHER), LogNormal(PROBS, OTHER), Laplace(PROBS, OTHER), Cauchy(PROBS, OTHER), Beta(PROBS, OTHER),
        Gamma(PROBS, OTHER), InverseGamma(PROBS, OTHER), Uniform(PROBS, OTHER), StudentT(OTHER, PROBS, 1),
        Exponential(OTHER), HalfNormal(OTHER), HalfCauchy(OTHER), Poisson(OTHER), Bernoulli::probs(PROBS),
        Bernoulli::logits(PROBS), Binomial::probs(COUNTS, PROBS), Categorical::probs(PROBS),
        Categorical::logits(OTHER), OneHotCategorical::probs(PROBS), Dirichlet(OTHER),
        MultivariateNormal::scale_tril(PROBS, ndarray::array![[1.0, 0.0], [0.5, 2.0]]),
        Normal(PROBS, OTHER).noncentered(), Normal(PROBS, OTHER).expand([3]), Normal(PROBS, OTHER).mask(1),
        Normal(0, 1).truncate(PROBS, OTHER), Dirichlet(OTHER).expand([3]),
    }
}
