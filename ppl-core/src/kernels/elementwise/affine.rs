//! out = loc + scale · noise, where loc and scale may be single numbers.

// Several arrays are walked by one index in these loops.
#![allow(clippy::needless_range_loop)]

use crate::kernels::dispatch::{Loop, dispatch};
use crate::kernels::real::Real;

/// Computes outᵢ = locᵢ + scaleᵢ noiseᵢ; `loc` and `scale` may have one element.
pub fn affine<F: Real>(loc: &[F], scale: &[F], noise: &[F], out: &mut [F]) {
    dispatch(Affine { loc, scale, noise, out });
}

struct Affine<'a, F> {
    loc: &'a [F],
    scale: &'a [F],
    noise: &'a [F],
    out: &'a mut [F],
}

impl<F: Real> Loop for Affine<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let n = self.out.len();
        let (loc, scale, noise) = (self.loc, self.scale, &self.noise[..n]);
        match (loc.len() == n, scale.len() == n) {
            (true, true) => {
                let (loc, scale) = (&loc[..n], &scale[..n]);
                for i in 0..n {
                    self.out[i] = loc[i] + scale[i] * noise[i];
                }
            }
            (true, false) => {
                let (loc, scale) = (&loc[..n], scale[0]);
                for i in 0..n {
                    self.out[i] = loc[i] + scale * noise[i];
                }
            }
            (false, true) => {
                let (loc, scale) = (loc[0], &scale[..n]);
                for i in 0..n {
                    self.out[i] = loc + scale[i] * noise[i];
                }
            }
            (false, false) => {
                let (loc, scale) = (loc[0], scale[0]);
                for i in 0..n {
                    self.out[i] = loc + scale * noise[i];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_numbers_count_for_every_element() {
        let noise = [1.0, -2.0, 0.5];
        let mut out = [0.0; 3];
        affine(&[1.0], &[2.0, 3.0, 4.0], &noise, &mut out);
        assert_eq!(out, [3.0, -5.0, 3.0]);
        affine(&[1.0, 0.0, -1.0], &[2.0], &noise, &mut out);
        assert_eq!(out, [3.0, -4.0, 0.0]);
    }
}
