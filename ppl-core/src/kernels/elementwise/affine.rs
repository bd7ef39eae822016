//! out = loc + scale · noise and its adjoints, where loc and scale may be single numbers.

// Several arrays are walked by one index in these loops.
#![allow(clippy::needless_range_loop)]

use crate::kernels::dispatch::{Loop, dispatch};
use crate::kernels::real::Real;
use crate::kernels::simd::lanes::sum3;

/// Computes outᵢ = locᵢ + scaleᵢ noiseᵢ; `loc` and `scale` may have one element.
pub fn affine<F: Real>(loc: &[F], scale: &[F], noise: &[F], out: &mut [F]) {
    dispatch(Affine { loc, scale, noise, out });
}

/// Adds `d_out` to `d`, or overwrites it; a single number gets the sum.
pub fn add<F: Real>(d_out: &[F], d: &mut [F], overwrite: bool) {
    if d.len() != d_out.len() {
        put_sum(sum3(d_out, d_out, d_out, |a, _, _| a), d, overwrite);
    } else if overwrite {
        d.copy_from_slice(d_out);
    } else {
        dispatch(Add { d_out, d });
    }
}

/// Adds `d_out · noise` to `d`, or overwrites it; a single number gets the sum.
pub fn add_product<F: Real>(d_out: &[F], noise: &[F], d: &mut [F], overwrite: bool) {
    if d.len() != d_out.len() {
        put_sum(sum3(d_out, noise, noise, |a, b, _| a * b), d, overwrite);
    } else {
        dispatch(AddProduct {
            d_out,
            noise,
            d,
            overwrite,
        });
    }
}

fn put_sum<F: Real>(sum: f64, d: &mut [F], overwrite: bool) {
    let sum = F::from_f64(sum);
    d[0] = if overwrite { sum } else { d[0] + sum };
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

struct Add<'a, F> {
    d_out: &'a [F],
    d: &'a mut [F],
}

impl<F: Real> Loop for Add<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        for (d, &g) in self.d.iter_mut().zip(self.d_out) {
            *d += g;
        }
    }
}

struct AddProduct<'a, F> {
    d_out: &'a [F],
    noise: &'a [F],
    d: &'a mut [F],
    overwrite: bool,
}

impl<F: Real> Loop for AddProduct<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let each = self.d.iter_mut().zip(self.d_out.iter().zip(self.noise));
        if self.overwrite {
            each.for_each(|(d, (&g, &e))| *d = g * e);
        } else {
            each.for_each(|(d, (&g, &e))| *d += g * e);
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

    #[test]
    fn adjoints_of_single_numbers_are_sums() {
        let (d_out, noise) = ([1.0, 2.0, 3.0], [1.0, -1.0, 2.0]);
        let mut d = [10.0];
        add(&d_out, &mut d, false);
        assert_eq!(d, [16.0]);
        add_product(&d_out, &noise, &mut d, true);
        assert_eq!(d, [5.0]);
        let mut each = [1.0; 3];
        add_product(&d_out, &noise, &mut each, false);
        assert_eq!(each, [2.0, -1.0, 7.0]);
    }
}
