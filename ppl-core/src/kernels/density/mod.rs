//! Loops over the log density of a univariate distribution: its sum with all derivatives in one pass, or element by element.

mod chunk;
mod few;
mod passes;

use std::marker::PhantomData;

use passes::{Partials, Seed, Values};

use crate::kernels::dispatch::dispatch;
use crate::kernels::real::Real;

/// The log density of a distribution with `P` parameters at a scalar, with its derivatives.
///
/// All functions are `#[inline(always)]` and free of branches where the mathematics allows, so that loops vectorise.
pub trait Density<const P: usize>: 'static {
    /// What depends on parameters alone, computed once where those that [`Density::SHARED`] names are single numbers.
    type Shared<F: Real>: Copy + Send + Sync + 'static;

    /// The unique name: it names operations too.
    const NAME: &'static str;

    /// Bit k is set where [`Density::shared`] reads parameter k.
    const SHARED: u32;

    /// Bit 0 is set where the derivative by the value is zero everywhere, bit k + 1 where that by parameter k is.
    const NO_GRAD: u32 = 0;

    /// Computes what depends on parameters alone; what only [`Density::partials`] reads may be left out without `gradient`.
    fn shared<F: Real>(params: [F; P], gradient: bool) -> Self::Shared<F>;

    /// Returns the log density at `x`: −∞ outside of the support, NaN for parameters that are not allowed.
    fn log_prob<F: Real>(x: F, params: [F; P], shared: &Self::Shared<F>) -> F;

    /// Returns the derivatives of the log density by `x` and by each parameter.
    fn partials<F: Real>(x: F, params: [F; P], shared: &Self::Shared<F>) -> (F, [F; P]);
}

/// An adjoint to be written: nowhere, or into a slice as long as the operand.
pub type Adjoint<'a, F> = Option<(&'a mut [F], bool)>;

/// Returns Σᵢ log p(xᵢ; paramsᵢ); an operand of length one counts for every i.
///
/// `prepared` is what [`Density::shared`] gives with a gradient, once for all elements or for each of [`FEW`], or empty.
pub fn density_sum<D: Density<P>, const P: usize, F: Real>(
    x: &[F],
    params: [&[F]; P],
    prepared: &[D::Shared<F>],
) -> f64 {
    let operands = Operands::new(x, params);
    if operands.n < FEW {
        return few::sum::<D, P, F>(&operands, prepared);
    }
    dispatch(Values::<D, P, F> {
        operands: &operands,
        prepared,
        out: None,
        density: PhantomData,
    })
}

/// Returns the sum as [`density_sum`] does, and writes `weight` times its derivatives, overwriting where the flag says so.
pub fn density_sum_adjoint<D: Density<P>, const P: usize, F: Real>(
    x: &[F],
    params: [&[F]; P],
    prepared: &[D::Shared<F>],
    weight: F,
    d_x: Adjoint<'_, F>,
    d_params: [Adjoint<'_, F>; P],
) -> f64 {
    if weight == F::ZERO {
        put_zeros(d_x);
        d_params.into_iter().for_each(put_zeros);
        return density_sum::<D, P, F>(x, params, prepared);
    }
    let operands = Operands::new(x, params);
    partials::<D, P, F>(operands, prepared, Seed::Weight(weight), d_x, d_params)
}

/// Computes outᵢ = log p(xᵢ; paramsᵢ).
pub fn density_each<D: Density<P>, const P: usize, F: Real>(x: &[F], params: [&[F]; P], out: &mut [F]) {
    let operands = Operands::with_length(x, params, out.len());
    if operands.n < FEW {
        return few::each::<D, P, F>(&operands, out);
    }
    dispatch(Values::<D, P, F> {
        operands: &operands,
        prepared: &[],
        out: Some((out, true)),
        density: PhantomData,
    });
}

/// Writes the derivatives of Σᵢ d_outᵢ log p(xᵢ; paramsᵢ).
pub fn density_each_adjoint<D: Density<P>, const P: usize, F: Real>(
    x: &[F],
    params: [&[F]; P],
    d_out: &[F],
    d_x: Adjoint<'_, F>,
    d_params: [Adjoint<'_, F>; P],
) {
    let operands = Operands::with_length(x, params, d_out.len());
    partials::<D, P, F>(operands, &[], Seed::Each(d_out), d_x, d_params);
}

/// Fewer elements than this are worked on one by one.
pub const FEW: usize = chunk::CHUNK;

fn partials<'a, D: Density<P>, const P: usize, F: Real>(
    operands: Operands<'a, P, F>,
    prepared: &[D::Shared<F>],
    seed: Seed<'a, F>,
    mut d_x: Adjoint<'a, F>,
    mut d_params: [Adjoint<'a, F>; P],
) -> f64 {
    if operands.n < FEW {
        return few::partials::<D, P, F>(&operands, prepared, seed, d_x, d_params);
    }
    dispatch(Partials::<D, P, F> {
        operands: &operands,
        prepared,
        seed,
        d_x: &mut d_x,
        d_params: &mut d_params,
        density: PhantomData,
    })
}

/// Writes what a term of weight zero adds to an adjoint: nothing, even where the derivative is no number.
fn put_zeros<F: Real>(to: Adjoint<'_, F>) {
    if let Some((slice, true)) = to {
        slice.fill(F::ZERO);
    }
}

/// Returns `seed` · `d`, and zero for the seed zero, whatever `d` is: a masked element may be NaN.
#[inline(always)]
fn times<F: Real>(seed: F, d: F) -> F {
    F::select(seed == F::ZERO, F::ZERO, seed * d)
}

/// A value and parameters, each of `n` elements or a single number.
#[derive(Clone, Copy)]
struct Operands<'a, const P: usize, F> {
    x: &'a [F],
    params: [&'a [F]; P],
    n: usize,
}

impl<'a, const P: usize, F: Real> Operands<'a, P, F> {
    /// Takes operands as long as the longest of them; an empty one leaves none.
    #[inline(always)]
    fn new(x: &'a [F], params: [&'a [F]; P]) -> Self {
        let longest = params.iter().fold(x.len(), |n, p| n.max(p.len()));
        let is_empty = x.is_empty() || params.iter().any(|p| p.is_empty());
        Self::with_length(x, params, if is_empty { 0 } else { longest })
    }

    /// Takes operands of `n` elements or single numbers.
    ///
    /// # Panics
    ///
    /// If an operand has another length.
    #[inline(always)]
    fn with_length(x: &'a [F], params: [&'a [F]; P], n: usize) -> Self {
        let fits = |v: &[F]| v.len() == n || v.len() == 1 || n == 0;
        assert!(
            fits(x) && params.iter().all(|p| fits(p)),
            "density: operands of several lengths"
        );
        Operands { x, params, n }
    }

    /// Returns what depends on parameters alone, prepared or computed, if it is the same for all elements.
    #[inline(always)]
    fn shared<D: Density<P>>(&self, prepared: &[D::Shared<F>], gradient: bool) -> Option<D::Shared<F>> {
        if let [one] = prepared {
            return Some(*one);
        }
        let is_one = (0..P).all(|k| D::SHARED & (1 << k) == 0 || self.params[k].len() == 1);
        let first = |k: usize| self.params[k].first().copied().unwrap_or(F::NAN);
        is_one.then(|| D::shared(std::array::from_fn(first), gradient))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::normal::NormalDensity;
    use crate::kernels::dispatch::on_every_level;
    use crate::kernels::twin::{assert_close, fill};

    /// Where the derivatives go, before and after.
    #[derive(Clone)]
    struct Adjoints<F> {
        d: [Vec<F>; 3],
        modes: [Option<bool>; 3],
    }

    impl<F: Real> Adjoints<F> {
        fn get(&mut self) -> (Adjoint<'_, F>, [Adjoint<'_, F>; 2]) {
            let [x, loc, scale] = &mut self.d;
            let to = |d, mode: Option<bool>| mode.map(|overwrite| (d, overwrite));
            let [by_x, by_loc, by_scale] = self.modes;
            (
                to(&mut x[..], by_x),
                [to(&mut loc[..], by_loc), to(&mut scale[..], by_scale)],
            )
        }
    }

    fn check<F: Real>(n: usize, single: [bool; 3], modes: [Option<bool>; 3], has_seeds: bool, tolerance: f64) {
        let what = format!("{n} elements, single {single:?}, modes {modes:?}, seeds {has_seeds}");
        let len = |k: usize| if single[k] { 1 } else { n };
        let (x, loc) = (fill::<F>(len(0), 1), fill::<F>(len(1), 2));
        let two = F::from_f64(2.0);
        let scale: Vec<F> = fill::<F>(len(2), 3).into_iter().map(|s| s + two).collect();
        let operands = Operands::with_length(&x, [&loc, &scale], n);
        let mut seeds = fill::<F>(n, 4);
        seeds[n / 2] = F::ZERO;
        let seed = if has_seeds {
            Seed::Each(&seeds)
        } else {
            Seed::Weight(F::from_f64(-1.5))
        };
        let d = [0, 1, 2].map(|k| fill::<F>(len(k), 5 + k as u64));
        let before = Adjoints { d, modes };

        let mut want = before.clone();
        let (d_x, d_params) = want.get();
        let sum = few::partials::<NormalDensity, 2, F>(&operands, &[], seed, d_x, d_params);
        let mut each = vec![F::NAN; n];
        few::each::<NormalDensity, 2, F>(&operands, &mut each);
        assert!((few::sum::<NormalDensity, 2, F>(&operands, &[]) - sum).abs() <= tolerance * sum.abs());

        let levels = on_every_level(|| AllPasses {
            operands: &operands,
            seed,
            adjoints: before.clone(),
        });
        for (level, (got, sums, out)) in &levels {
            for sum_of_pass in sums {
                assert!((sum_of_pass - sum).abs() <= tolerance * sum.abs(), "{level}: {what}");
            }
            assert_close(out, &each, tolerance, &what);
            for (k, (got, want)) in got.iter().zip(&want.d).enumerate() {
                let what = format!("operand {k} of {what}, {level}");
                assert_close(got, want, tolerance * n as f64, &what);
            }
            assert_eq!(
                (got, sums, out),
                (&levels[0].1.0, &levels[0].1.1, &levels[0].1.2),
                "{level}: {what}"
            );
        }
    }

    /// Runs the passes inside of one level: they call no [`dispatch`] themselves.
    struct AllPasses<'t, 'a, F> {
        operands: &'t Operands<'a, 2, F>,
        seed: Seed<'a, F>,
        adjoints: Adjoints<F>,
    }

    impl<F: Real> crate::kernels::dispatch::Loop for AllPasses<'_, '_, F> {
        type Out = ([Vec<F>; 3], [f64; 2], Vec<F>);

        #[inline(always)]
        fn run(mut self) -> Self::Out {
            let operands = self.operands;
            let density = PhantomData::<NormalDensity>;
            let (mut d_x, mut d_params) = self.adjoints.get();
            let with_partials = Partials {
                operands,
                prepared: &[],
                seed: self.seed,
                d_x: &mut d_x,
                d_params: &mut d_params,
                density,
            };
            let first = with_partials.run();
            let second = Values {
                operands,
                prepared: &[],
                out: None,
                density,
            };
            let second = second.run();
            let mut out = vec![F::NAN; operands.n];
            let each = Values {
                operands,
                prepared: &[],
                out: Some((&mut out, true)),
                density,
            };
            each.run();
            (self.adjoints.d, [first, second], out)
        }
    }

    fn check_all<F: Real>(tolerance: f64) {
        for n in [32, 33, 63, 64, 65, 100, 1023, 1024, 1025, 1055, 1056, 1057, 2100] {
            for bits in 0..7 {
                let single = [0, 1, 2].map(|k| bits & (1 << k) != 0);
                for modes in [
                    [Some(true); 3],
                    [Some(false); 3],
                    [None, Some(true), Some(false)],
                    [Some(false), None, None],
                ] {
                    check::<F>(n, single, modes, false, tolerance);
                    check::<F>(n, single, modes, true, tolerance);
                }
            }
        }
    }

    #[test]
    fn passes_equal_their_twin_at_every_length_on_every_instruction_set() {
        check_all::<f64>(1e-13);
        check_all::<f32>(2e-5);
    }

    #[test]
    fn a_term_of_weight_zero_has_no_derivative_even_where_it_is_no_number() {
        for n in [3, 100] {
            let x = vec![f64::NAN; n];
            let (mut d_x, mut d_loc) = (vec![7.0; n], [5.0]);
            let to_params = [Some((&mut d_loc[..], false)), None];
            let sum = density_sum_adjoint::<NormalDensity, 2, f64>(
                &x,
                [&[0.0], &[1.0]],
                &[],
                0.0,
                Some((&mut d_x, true)),
                to_params,
            );
            assert!(sum.is_nan());
            assert_eq!((d_x, d_loc), (vec![0.0; n], [5.0]));
        }
    }
}
