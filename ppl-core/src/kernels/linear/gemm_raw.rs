//! Names the routine that multiplies matrices of each scalar type.

#[cfg(not(target_arch = "x86_64"))]
use gemm_common::Parallelism;
#[cfg(target_arch = "x86_64")]
use {
    crate::kernels::dispatch::{self, level},
    crate::kernels::linear::gemm_tiles::{Matrix, Product, Scratch, Tiles},
    gemm_common::microkernel::MicroKernelFn,
    std::cell::RefCell,
};

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

#[cfg(target_arch = "x86_64")]
macro_rules! gemm_raw {
    ($t:ident, $library:ident, [$base:literal, $fma:literal, $avx512:literal]) => {
        impl GemmRaw for $t {
            unsafe fn gemm_raw(
                shape: [usize; 3],
                c: *mut $t,
                c_stride: isize,
                read_c: bool,
                (a, [a_row, a_col]): (*const $t, [isize; 2]),
                (b, [b_row, b_col]): (*const $t, [isize; 2]),
                alpha: $t,
                gamma: $t,
            ) {
                use $library::microkernel::{avx512f, fma, scalar};
                static BASE: Tiles<$t> = tiles!(scalar::$t, $base);
                static FMA: Tiles<$t> = tiles!(fma::$t, $fma);
                static AVX512: Tiles<$t> = tiles!(avx512f::$t, $avx512);
                thread_local! {
                    static SCRATCH: RefCell<Scratch<$t>> = const { RefCell::new([Vec::new(), Vec::new()]) };
                }
                let tiles = match level() {
                    dispatch::AVX512 => &AVX512,
                    dispatch::AVX2 if is_x86_feature_detected!("fma") => &FMA,
                    _ => &BASE,
                };
                let gamma = match gamma {
                    _ if !read_c => (0.0, 0),
                    1.0 => (1.0, 1),
                    gamma => (gamma, 2),
                };
                let [m, k, n] = shape;
                if k == 0 {
                    for (i, j) in (0..n).flat_map(|j| (0..m).map(move |i| (i, j))) {
                        // SAFETY: the caller promises room for C.
                        let c = unsafe { &mut *c.offset(i as isize + j as isize * c_stride) };
                        *c = if read_c { gamma.0 * *c } else { 0.0 };
                    }
                    return;
                }
                let product = Product {
                    shape,
                    c: (c, c_stride),
                    a: Matrix {
                        at: a,
                        row: a_row,
                        col: a_col,
                    },
                    b: Matrix {
                        at: b,
                        row: b_row,
                        col: b_col,
                    },
                    alpha,
                    gamma,
                };
                // SAFETY: the caller promises valid pointers, and the level was found on this processor.
                SCRATCH.with_borrow_mut(|scratch| unsafe { product.run(tiles, 1.0, scratch) });
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
macro_rules! tiles {
    ($($set:ident)::+, $lanes:literal) => {
        Tiles {
            lanes: $lanes,
            kernels: &rows(&$($set)::+::UKR),
        }
    };
}

#[cfg(target_arch = "x86_64")]
const fn rows<F, const NR: usize, const MR: usize>(
    kernels: &'static [[MicroKernelFn<F>; NR]; MR],
) -> [&'static [MicroKernelFn<F>]; MR] {
    let mut rows: [&[MicroKernelFn<F>]; MR] = [&[]; MR];
    let mut i = 0;
    while i < MR {
        rows[i] = &kernels[i];
        i += 1;
    }
    rows
}

/// Elsewhere the driver of the library is used, which allocates a little at each product.
#[cfg(not(target_arch = "x86_64"))]
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

#[cfg(target_arch = "x86_64")]
gemm_raw!(f64, gemm_f64, [1, 4, 8]);
#[cfg(target_arch = "x86_64")]
gemm_raw!(f32, gemm_f32, [1, 8, 16]);
#[cfg(not(target_arch = "x86_64"))]
gemm_raw!(f64, gemm_f64::gemm::f64::get_gemm_fn);
#[cfg(not(target_arch = "x86_64"))]
gemm_raw!(f32, gemm_f32::gemm::f32::get_gemm_fn);
