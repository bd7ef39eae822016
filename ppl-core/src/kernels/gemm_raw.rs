//! Names the routine that multiplies matrices of each scalar type.

use gemm_common::Parallelism;

/// A scalar with a matrix product on raw pointers; `matmul::gemm` is the safe form.
pub trait GemmRaw: Copy {
    /// Computes C = γC + αAB on one thread, for column-major C `[m, n]` and for A `[m, k]`, B `[k, n]` with
    /// (row, column) strides; where `read_c` is false, C is only written.
    ///
    /// # Safety
    ///
    /// Each pointer is valid for its shape and strides, and C (columns `c_stride` ≥ m apart) overlaps neither A nor B.
    #[allow(clippy::too_many_arguments)]
    unsafe fn gemm_raw(
        shape: [usize; 3],
        c: *mut Self,
        c_stride: isize,
        read_c: bool,
        a: (*const Self, [isize; 2]),
        b: (*const Self, [isize; 2]),
        alpha: Self,
        gamma: Self,
    );
}

macro_rules! gemm_raw {
    ($t:ident, $get:path) => {
        impl GemmRaw for $t {
            unsafe fn gemm_raw(
                [m, k, n]: [usize; 3],
                c: *mut $t,
                c_stride: isize,
                read_c: bool,
                (a, [a_row, a_col]): (*const $t, [isize; 2]),
                (b, [b_row, b_col]): (*const $t, [isize; 2]),
                alpha: $t,
                gamma: $t,
            ) {
                let one_thread = Parallelism::None;
                // SAFETY: the caller promises pointers valid for these shapes and strides.
                unsafe {
                    $get()(
                        m, n, k, c, c_stride, 1, read_c, a, a_col, a_row, b, b_col, b_row, gamma, alpha, false, false,
                        false, one_thread,
                    )
                }
            }
        }
    };
}

gemm_raw!(f64, gemm_f64::gemm::f64::get_gemm_fn);
gemm_raw!(f32, gemm_f32::gemm::f32::get_gemm_fn);
