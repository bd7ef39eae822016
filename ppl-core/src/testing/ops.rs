//! The laws of an operation: `op_tests!` writes them for a function of values and a list of points.

/// Writes the tests of an operation.
///
/// `op_tests! { |x| x[0].dot(x[1]); [[1.0, 2.0], [0.5, -1.0]], … }`: after the function come the points, each a list of
/// arguments, each of them a number, a vector or a matrix. A name in front (`op_tests! { rows |x| …; … }`) names the
/// module of the tests, for files with several. Points of numbers alone mean an elementwise operation: they are also
/// taken together as vectors, and broadcast against each other.
macro_rules! op_tests {
    (|$x:ident| $body:expr; $([$($arg:expr),* $(,)?]),+ $(,)?) => {
        $crate::testing::ops::op_tests! { laws |$x| $body; $([$($arg),*]),+ }
    };
    ($name:ident |$x:ident| $body:expr; $([$($arg:expr),* $(,)?]),+ $(,)?) => {
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            use $crate::testing::op_check::{self, Arg};

            fn function<'t>($x: &[$crate::tape::var::Var<'t>]) -> $crate::tape::var::Var<'t> {
                $body
            }

            fn points() -> Vec<Vec<Arg>> {
                vec![$(vec![$(Arg::from($arg)),*]),+]
            }

            #[test]
            fn gradient_matches_central_differences() {
                op_check::gradient_matches_central_differences(function, &points());
            }

            #[test]
            fn constant_arguments_change_nothing() {
                op_check::constant_arguments_change_nothing(function, &points());
            }

            #[test]
            fn plates_equal_loops_over_their_rows() {
                op_check::plates_equal_loops_over_their_rows(function, &points());
            }

            #[test]
            fn single_precision_agrees_with_double() {
                op_check::single_precision_agrees_with_double(function, &points());
            }
        }
    };
}

pub(crate) use op_tests;
