//! Random recordings: each setting of the passes gives what the eager values and gradients are.

use crate::distributions::noise::Noise;
use crate::distributions::{Dist, Normal};
use crate::ops::gather::gather;
use crate::ops::sum::SumTerm;
use crate::ops::where_::where_;
use crate::rng::Key;
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::store::{Buffer, Precision};
use crate::tape::var::Var;
use crate::tensor::dims::Dims;
use crate::tensor::shape::Shape;
use crate::testing::op_check::check_recording;

/// Numbers that depend on the seed alone.
struct Choices(u64);

impl Choices {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn values(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.below(1800) as f64 / 1000.0 - 0.9).collect()
    }
}

/// Records a few operations on inputs, constants and data, some of them terms, and checks the programs of them.
fn check(seed: u64, n: usize, precision: Precision) {
    let mut choices = Choices(seed);
    let tape = Tape::new(precision, Key::new(0));
    let data = choices.values(n);
    let mut values = vec![
        tape.input(0, &[], &[n], &choices.values(n), false),
        tape.input(n, &[], &[n], &choices.values(n), false),
        tape.input(2 * n, &[], &[], &[0.6], false),
        tape.input(2 * n + 1, &[], &[1], &[-0.4], false),
        tape.constant_array(&[n], choices.values(n).into_iter()),
        tape.data(&[n], |buffer| match buffer {
            Buffer::F64(out) => out.copy_from_slice(&data),
            Buffer::F32(out) => out.iter_mut().zip(&data).for_each(|(out, &x)| *out = x as f32),
        }),
        Var::constant(0.7),
    ];
    let index: Vec<f64> = (0..n).map(|_| choices.below(n) as f64).collect();
    let index = tape.constant_array(&[n], index.into_iter());
    for site in 0..14 {
        let [a, b, c] = [(); 3].map(|()| values[choices.below(values.len())]);
        values.push(match choices.below(12) {
            0 | 1 => a + b,
            2 => a - b,
            3 => a * b,
            4 => a + b * c,
            5 => b * c + a,
            6 => (a * 0.8).tanh(),
            7 => where_(a.gt(b), b.sin(), c),
            8 if a.event_shape().as_slice() == [n] => a.reshape(&[1, n]).reshape(&[n]) + b,
            9 if a.event_shape().as_slice() == [n] => gather(a, index) + b * c,
            10 => {
                let scale = c.softplus() + 0.1;
                Normal(a, scale).log_prob_term(&tape, b, 0.3, site);
                let event = Shape::from_slice(&[n]);
                let draw = Noise {
                    tape: &tape,
                    stream: site as u64,
                    dims: Dims::new(),
                    event,
                };
                draw.location_scale(draw.standard_normal(), a, scale).value.tanh()
            }
            _ => (a.square() + 0.3).ln(),
        });
    }
    let last = values[values.len() - 2..]
        .iter()
        .fold(Var::constant(0.0), |sum, &x| sum + x);
    tape.term(SumTerm::DEF, &[last], &[], 0, -0.7, 99);
    assert!(tape.take_error().is_none(), "seed {seed}, {n} elements");
    check_recording(&tape);
}

#[test]
fn every_setting_of_the_passes_gives_the_eager_values_and_gradients() {
    for n in [1, 2, 5, 33] {
        for seed in 0..60 {
            check(seed, n, Precision::F64);
        }
        for seed in 60..80 {
            check(seed, n, Precision::F32);
        }
    }
}
