//! Random compositions of operations under plates against the loop over their rows.

use crate::ops::where_::where_;
use crate::rng::Key;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::op_check::{Arg, gradient_matches_central_differences, plates_equal_loops_over_their_rows};

/// The vectors that a chain works on have this length.
const N: usize = 3;

/// Applies as many operations as `STEPS`, chosen by the seed, to two vectors and a matrix.
///
/// All intermediate values are vectors of length N and of moderate size.
fn chain<'t, const SEED: u64, const STEPS: u64>(x: &[Var<'t>]) -> Var<'t> {
    let (matrix, scalar) = (x[2], x[0][1] * 0.5);
    let mut values = vec![x[0], x[1]];
    for step in 0..STEPS {
        let bits = Key::new(SEED).split(step).bits();
        let a = values[(bits >> 8) as usize % values.len()];
        let b = values[(bits >> 32) as usize % values.len()];
        values.push(match bits % 18 {
            0 => a + b,
            1 => a - b * scalar,
            2 => a * b.tanh(),
            3 => a / (b.square() + 1),
            4 => (a * 0.5).tanh().exp(),
            5 => (a.square() + 0.5).ln() + scalar,
            6 => a.softplus() - b.sigmoid(),
            7 => where_(a.gt(b), a.sin(), b.cos()),
            8 => matrix.dot(a.tanh()),
            9 => a.tanh().dot(matrix),
            10 => b.softmax() * a.sum(),
            11 => a.log_softmax() + b.mean(),
            12 => crate::ops::join::stack([a, b]).t().mean_axis(1),
            13 => crate::ops::join::concat([a.slice(1..), b.slice(..1)]),
            14 => a.maximum(b) - a.minimum(scalar),
            15 => a[2] * b + matrix[1],
            16 => a.tanh().dot(b.tanh()) - b.cumsum() * 0.25,
            _ => (a.log_sum_exp() * 0.5 + matrix.t().dot(b.tanh())).tanh(),
        });
    }
    // Each argument appears, so that the value carries the plates of all.
    values[values.len() - 1] * values[values.len() / 2] + (x[0] - x[1]) * scalar + matrix[0]
}

fn points() -> Vec<Vec<Arg>> {
    vec![vec![
        Arg::random(&[N], 1),
        Arg::random(&[N], 2),
        Arg::random(&[N, N], 3),
    ]]
}

macro_rules! chains {
    ($($name:ident $seed:literal $steps:literal),*) => {$(
        #[test]
        fn $name() {
            plates_equal_loops_over_their_rows(chain::<$seed, $steps>, &points());
            gradient_matches_central_differences(chain::<$seed, $steps>, &points());
        }
    )*};
}

chains!(
    short_chains_under_plates_equal_loops_1 1 4,
    short_chains_under_plates_equal_loops_2 2 4,
    short_chains_under_plates_equal_loops_3 3 4,
    middle_chains_under_plates_equal_loops_1 11 7,
    middle_chains_under_plates_equal_loops_2 12 7,
    middle_chains_under_plates_equal_loops_3 13 7,
    middle_chains_under_plates_equal_loops_4 14 7,
    long_chains_under_plates_equal_loops_1 21 12,
    long_chains_under_plates_equal_loops_2 22 12
);
