//! Cuts stretches of elementwise instructions into blocks, so that what one writes is in the cache when the next reads it.

use std::ops::Range;

use crate::kernels::random::CHUNK;
use crate::tape::call::{Operand, Window};

/// The elements of a block: a whole number of chunks of random numbers, so that a draw can begin at any block.
pub const BLOCK: u32 = CHUNK as u32;

/// Instructions that follow each other, run one by one or block by block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The places of the instructions in their list.
    pub range: Range<u32>,
    /// The number of elements that all of them work on, or zero where each is run as a whole.
    pub n: u32,
}

impl Stretch {
    /// Returns the parts that the whole stretch is run on, one after the other.
    #[inline(always)]
    pub fn windows(&self) -> impl Iterator<Item = Window> + use<> {
        let n = self.n;
        let n_windows = if n == 0 { 1 } else { n.div_ceil(BLOCK) };
        (0..n_windows).map(move |k| {
            if n == 0 {
                return Window::WHOLE;
            }
            let first = k * BLOCK;
            Window {
                n,
                first,
                len: (n - first).min(BLOCK),
            }
        })
    }
}

/// Returns the number of elements of an elementwise operation that may be cut into blocks, else zero.
///
/// The longest of output and operands must be longer than a block, and all others as long or single numbers.
pub fn cuttable(output: Option<&Operand>, operands: &[Operand]) -> u32 {
    let lens = || output.into_iter().chain(operands).map(|o| o.len);
    let n = lens().max().unwrap_or(0);
    let fits = lens().all(|len| len == n || len == 1);
    if n > BLOCK && fits { n } else { 0 }
}

/// Returns the stretches of a list of instructions, of which `n` gives what [`cuttable`] found.
pub fn stretches(n: impl Iterator<Item = u32>) -> Vec<Stretch> {
    let mut out: Vec<Stretch> = Vec::new();
    for (k, n) in n.enumerate() {
        let k = k as u32;
        match out.last_mut() {
            Some(last) if last.n == n => last.range.end = k + 1,
            _ => out.push(Stretch { range: k..k + 1, n }),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::noise::Noise;
    use crate::distributions::{Dist, Laplace, Normal};
    use crate::ops::where_::where_;
    use crate::rng::Key;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;
    use crate::tensor::dims::Dims;
    use crate::tensor::shape::Shape;
    use crate::testing::op_check::check_recording;

    #[test]
    fn blocks_change_neither_densities_nor_gradients_nor_draws() {
        let n = 2 * BLOCK as usize + 77;
        let values: Vec<f64> = (0..n).map(|i| (i as f64 * 0.37).sin()).collect();
        for precision in [Precision::F64, Precision::F32] {
            let tape = Tape::new(precision, Key::new(0));
            let raw = tape.input(0, &[], &[n], &values, false);
            let loc = tape.input(n, &[], &[], &[0.3], false);
            let width = tape.input(n + 1, &[], &[], &[0.8], false);
            let draw = Noise {
                tape: &tape,
                stream: 5,
                dims: Dims::new(),
                event: Shape::from_slice(&[n]),
            };
            let scale = raw.softplus();
            let z = draw.location_scale(draw.standard_normal(), loc, scale).value;
            let shifted = where_(z.gt(loc), z * width, z.powi(2) - draw.uniform());
            Normal(loc, scale).log_prob_term(&tape, z, -1.0, 0);
            Normal(loc, width).log_prob_term(&tape, shifted, 1.0, 1);
            Laplace(0, width).log_prob_term(&tape, z, 0.5, 2);
            check_recording(&tape);
        }
    }

    #[test]
    fn neighbours_of_one_length_share_a_stretch() {
        let got = stretches([0, 0, 9000, 9000, 0, 5000, 9000].into_iter());
        let want = [(0..2, 0), (2..4, 9000), (4..5, 0), (5..6, 5000), (6..7, 9000)];
        assert_eq!(got, want.map(|(range, n)| Stretch { range, n }));
    }

    #[test]
    fn windows_cover_each_element_once() {
        for n in [4097, 8192, 9000] {
            let mut next = 0;
            for w in (Stretch { range: 0..1, n }).windows() {
                assert_eq!((w.n, w.first), (n, next));
                assert!(0 < w.len && w.len <= BLOCK);
                next += w.len;
            }
            assert_eq!(next, n);
        }
    }
}
