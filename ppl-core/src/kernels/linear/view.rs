//! Rectangular parts of row-major matrices and their products: the level-3 step of factorisations and solves.

use std::ops::Range;

use crate::kernels::real::Real;

/// A rectangle inside a row-major matrix, or its transpose, by pointer: two parts of one buffer may meet in a product.
#[derive(Clone, Copy)]
pub(super) struct View<F> {
    start: *mut F,
    rows: usize,
    cols: usize,
    strides: [isize; 2],
}

impl<F: Real> View<F> {
    /// Returns the rectangle `rows` × `cols` of a buffer of `len` elements in rows of `stride`.
    pub fn of(buffer: *mut F, len: usize, stride: usize, rows: Range<usize>, cols: Range<usize>) -> Self {
        assert!(
            cols.end <= stride && rows.end * stride <= len,
            "a view reaches outside its buffer"
        );
        View {
            start: buffer.wrapping_add(rows.start * stride + cols.start),
            rows: rows.len(),
            cols: cols.len(),
            strides: [stride as isize, 1],
        }
    }

    /// Returns the rectangle of a matrix that is only read.
    pub fn of_slice(matrix: &[F], stride: usize, rows: Range<usize>, cols: Range<usize>) -> Self {
        View::of(matrix.as_ptr().cast_mut(), matrix.len(), stride, rows, cols)
    }

    /// Returns the transpose.
    pub fn t(self) -> Self {
        let [row, col] = self.strides;
        View {
            rows: self.cols,
            cols: self.rows,
            strides: [col, row],
            ..self
        }
    }

    /// Subtracts A B from this rectangle.
    ///
    /// # Safety
    ///
    /// The buffers live, this rectangle is not transposed and may be written, and it overlaps neither A nor B.
    pub unsafe fn subtract_product(self, a: View<F>, b: View<F>) {
        assert!(
            a.rows == self.rows && b.cols == self.cols && a.cols == b.rows,
            "shapes of a product do not fit"
        );
        if self.rows == 0 || self.cols == 0 || a.cols == 0 {
            return;
        }
        let ([a_row, a_col], [b_row, b_col]) = (a.strides, b.strides);
        // The routine wants columns of C contiguous, so this is Cᵀ −= Bᵀ Aᵀ.
        // SAFETY: `of` checked the borders, and the caller promises the rest.
        unsafe {
            F::gemm_raw(
                [self.cols, a.cols, self.rows],
                self.start,
                self.strides[0],
                true,
                (b.start, [b_col, b_row]),
                (a.start, [a_col, a_row]),
                -F::ONE,
                F::ONE,
            );
        }
    }
}
