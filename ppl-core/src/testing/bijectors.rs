//! The laws of a bijector: `bijector_tests!` writes them for a few points and for extreme ones.

/// Writes the tests of a bijector.
///
/// `bijector_tests! { Exp; event [2], free [0, 1]; [0.5, -2.0], …; [800.0, 0.0] => 800.0, … }`: the shape of a value and the
/// positions in it of as many elements as determine it; points of the unconstrained space; and extreme points, each with
/// the log-determinant there, worked out by hand.
macro_rules! bijector_tests {
    ($bijector:expr; event $event:expr, free $free:expr; $($point:expr),+; $($extreme:expr => $log_det:expr),+ $(,)?) => {
        $crate::testing::ops::op_tests! { constrain_laws |z| $bijector.constrain(z[0]); $([$point]),+ }

        #[cfg(test)]
        mod laws {
            use super::*;
            use $crate::tape::record::Tape;
            use $crate::testing::bijector_check;

            fn bijector<'t>(_: &'t Tape) -> Box<dyn Bijector<'t> + 't> {
                Box::new($bijector)
            }

            #[test]
            fn log_det_is_that_of_the_jacobian() {
                for z in [$($point),+] {
                    bijector_check::log_det_is_that_of_the_jacobian(bijector, &z, &$free);
                }
            }

            #[test]
            fn log_det_has_its_gradient() {
                for z in [$($point),+] {
                    bijector_check::log_det_has_its_gradient(bijector, &z);
                }
            }

            #[test]
            fn unconstrain_inverts_constrain() {
                for z in [$($point),+] {
                    bijector_check::unconstrain_inverts_constrain(bijector, &z, &$event);
                }
            }

            #[test]
            fn log_det_of_extreme_points_keeps_its_digits() {
                $(bijector_check::log_det_at(bijector, &$extreme, $log_det);)+
            }
        }
    };
}

pub(crate) use bijector_tests;
