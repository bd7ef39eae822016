//! The laws of a univariate distribution: `dist_tests!` writes them from its constructor and a few points.

/// Writes the tests of a univariate distribution.
///
/// ```text
/// dist_tests! { |p| Gamma(p[0], p[1]);
///     points [1.5, 2.0, 0.5], [0.1, 0.5, 3.0];   // the value, then the parameters
///     outside [-1.0];                            // values outside of the support
///     bad [-1.0, 1.0], [1.0, f64::NAN];          // parameters that are not allowed
///     draws [2.0, 0.5], [0.3, 1.0];              // parameters to draw with
/// }
/// ```
///
/// `discrete` in front of the constructor says that values are whole numbers and have no derivative. Without parameters to
/// draw with (`draws;`) the laws of draws are left out; a reason stands beside it as a comment.
macro_rules! dist_tests {
    (|$p:ident| $dist:expr; points $([$x:expr, $($param:expr),+]),+; $($rest:tt)*) => {
        $crate::testing::ops::op_tests! { density |x| { let $p = &x[1..]; $dist.log_prob(x[0]) }; $([$x, $($param),+]),+ }
        $crate::testing::dists::dist_tests! { @laws laws, false, |$p| $dist; $([$x, $($param),+]),+; $($rest)* }
    };
    ($name:ident discrete |$p:ident| $dist:expr; points $([$x:expr, $($param:expr),+]),+; $($rest:tt)*) => {
        $crate::testing::dists::dist_tests! { @laws $name, true, |$p| $dist; $([$x, $($param),+]),+; $($rest)* }
    };
    (@laws $name:ident, $is_discrete:literal, |$p:ident| $dist:expr; $($point:expr),+;
     outside $outside:expr; bad $($bad:expr),*; draws $($draws:expr),*;) => {
        #[cfg(test)]
        mod $name {
            use super::*;
            use $crate::testing::dist_check::{self, Laws};

            fn term<'t>(tape: &'t Tape, $p: &[Var<'t>], x: Var<'t>) {
                $dist.log_prob_term(tape, x, 1.5, 0);
            }

            fn each<'t>($p: &[Var<'t>], x: Var<'t>) -> Var<'t> {
                $dist.log_prob(x)
            }

            fn draw<'t>(at: &Noise<'t>, $p: &[Var<'t>]) -> Var<'t> {
                $dist.draw(at)
            }

            fn facts<'t>(tape: &'t Tape, $p: &[Var<'t>]) -> (Support<'t>, Var<'t>, Var<'t>) {
                let dist = $dist;
                (dist.support(tape), dist.mean(tape), dist.variance(tape))
            }

            const LAWS: Laws = Laws { term, each, draw, facts, is_discrete: $is_discrete };

            fn points() -> Vec<Vec<f64>> {
                vec![$($point.to_vec()),+]
            }

            fn draws() -> Vec<Vec<f64>> {
                vec![$($draws.to_vec()),*]
            }

            #[test]
            fn the_term_is_the_sum_of_the_elements() {
                dist_check::the_term_is_the_sum_of_the_elements(&LAWS, &points());
            }

            #[test]
            fn minus_infinity_outside_of_the_support() {
                dist_check::minus_infinity_outside_of_the_support(&LAWS, &points()[0][1..], &$outside);
            }

            #[test]
            fn bad_parameters_are_not_a_number() {
                let bad: Vec<Vec<f64>> = vec![$($bad.to_vec()),*];
                dist_check::bad_parameters_are_not_a_number(&LAWS, points()[0][0], &bad);
            }

            #[test]
            fn total_mass_is_one_and_moments_are_integrals() {
                dist_check::total_mass_is_one_and_moments_are_integrals(&LAWS, &draws());
            }

            #[test]
            fn draws_follow_the_density() {
                dist_check::draws_follow_the_density(&LAWS, &draws());
            }

            #[test]
            fn the_density_of_a_draw_by_its_noise_is_that_at_its_value() {
                for params in draws().iter().filter(|_| !LAWS.is_discrete) {
                    $crate::testing::own_draw::check_numbers($crate::testing::own_draw::densities!(|$p| $dist), params);
                }
            }

            #[test]
            fn derivatives_of_draws_move_expectations() {
                dist_check::derivatives_of_draws_move_expectations(&LAWS, &draws());
            }
        }
    };
}

pub(crate) use dist_tests;
