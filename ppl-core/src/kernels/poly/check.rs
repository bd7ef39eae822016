//! The laws of an elementary function: close to a reference, right at its edges, the same bits on every instruction set.

use crate::kernels::dispatch::{Loop, on_every_level};

/// Returns |got − want| in units of the last place of `want` in f64, 0 if both are the same number or NaN.
pub fn ulps_f64(got: f64, want: f64) -> f64 {
    if got == want || (got.is_nan() && want.is_nan()) {
        return 0.0;
    }
    let size = want.abs().max(f64::MIN_POSITIVE);
    (got - want).abs() / (f64::from_bits(size.to_bits() + 1) - size)
}

/// Returns |got − want| in units of the last place of `want` in f32, 0 if both are the same number or NaN.
pub fn ulps_f32(got: f32, want: f64) -> f64 {
    if got as f64 == want || (got.is_nan() && want.is_nan()) || got == want as f32 {
        return 0.0;
    }
    let size = (want as f32).abs().clamp(f32::MIN_POSITIVE, f32::MAX);
    (got as f64 - want).abs() / (f32::from_bits(size.to_bits() + 1).min(f32::MAX) - size) as f64
}

/// Returns a grid on the intervals: evenly spaced, and by ratios where an interval spans magnitudes.
pub fn grid(intervals: &[(f64, f64)]) -> Vec<f64> {
    const N: usize = 8_000;
    let mut points = Vec::new();
    for &(low, high) in intervals {
        let step = |i: usize| (i as f64 + 0.37) / N as f64;
        points.extend((0..N).map(|i| low + (high - low) * step(i)));
        if low > 0.0 {
            points.extend((0..N).map(|i| low * (high / low).powf(step(i))));
        }
    }
    points
}

/// Checks that the loop returns the same bits on every instruction set.
pub fn same_bits<L: Loop<Out = Vec<u64>>>(body: impl Fn() -> L) {
    let results = on_every_level(body);
    for (name, bits) in &results[1..] {
        for (i, (got, base)) in bits.iter().zip(&results[0].1).enumerate() {
            assert_eq!(got, base, "{name} differs from base at point {i}");
        }
    }
}

/// The laws of one method of `Real` against its reference in f64, with the bounds in units of the last place.
macro_rules! law {
    ($f:ident, $reference:expr, [$($interval:expr),+], $bound_f64:literal, $bound_f32:literal) => {
        mod $f {
            use crate::kernels::dispatch::Loop;
            use crate::kernels::poly::check::{grid, same_bits, ulps_f32, ulps_f64};
            use crate::kernels::real::Real;

            fn reference(x: f64) -> f64 {
                let f: fn(f64) -> f64 = $reference;
                f(x)
            }

            fn points() -> Vec<f64> {
                grid(&[$($interval),+])
            }

            struct All<F>(Vec<F>);

            impl<F: Real> Loop for All<F> {
                type Out = Vec<u64>;

                #[inline(always)]
                fn run(mut self) -> Vec<u64> {
                    for x in self.0.iter_mut() {
                        *x = x.$f();
                    }
                    self.0.iter().map(|x| x.to_f64().to_bits()).collect()
                }
            }

            #[test]
            fn is_close_to_the_reference() {
                for x in points() {
                    let (got, want) = (Real::$f(x), reference(x));
                    let error = ulps_f64(got, want);
                    assert!(error <= $bound_f64, "f64 at {x:?}: {got:?} against {want:?}, {error} ulp");
                    let x = x as f32;
                    let (got, want) = (Real::$f(x), reference(x as f64));
                    let error = ulps_f32(got, want);
                    assert!(error <= $bound_f32, "f32 at {x:?}: {got:?} against {want:?}, {error} ulp");
                }
            }

            #[test]
            fn has_the_same_bits_on_every_instruction_set() {
                let x = points();
                same_bits(|| All(x.clone()));
                same_bits(|| All(x.iter().map(|&x| x as f32).collect::<Vec<f32>>()));
            }
        }
    };
}
pub(crate) use law;

/// Values at the edges of the domain: the same sign of zero, the same infinity, NaN for NaN, else within 1e-6 or one
/// subnormal step.
macro_rules! edges {
    ($test:ident, $f:ident, $t:ident: [$($row:expr),+ $(,)?]) => {
        #[test]
        #[allow(clippy::excessive_precision)]
        fn $test() {
            for (x, want) in [$($row),+] {
                let x: $t = x;
                let want: $t = want;
                let got = crate::kernels::real::Real::$f(x);
                let exact = got == want && got.is_sign_negative() == want.is_sign_negative();
                let regular = want.abs() > 0.0 && want.abs() < $t::INFINITY && want.abs() != 1.0;
                let close = regular && (got - want).abs() <= 1e-6 * want.abs();
                let same = exact || close || (got.is_nan() && want.is_nan());
                assert!(same, "{} of {x:?} is {got:?}, not {want:?}", stringify!($f));
            }
        }
    };
}
pub(crate) use edges;
