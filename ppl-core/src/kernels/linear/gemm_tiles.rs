//! The loops around the micro-kernels of `gemm`: they pack into memory that each thread keeps.
//!
//! The driver of that library allocates at each product. The loops are those of Goto and van de Geijn (2008), «Anatomy
//! of high-performance matrix multiplication»: a block of A stays in the second cache while the columns of B pass.

use gemm_common::microkernel::MicroKernelFn;

/// The micro-kernels of a scalar on one instruction set.
pub struct Tiles<F: 'static> {
    /// The elements of a register.
    pub lanes: usize,
    /// `kernels[i][j]` multiplies i + 1 registers of rows by j + 1 columns.
    pub kernels: &'static [&'static [MicroKernelFn<F>]],
}

/// The buffers of a thread: packed blocks of A and of B.
pub type Scratch<F> = [Vec<F>; 2];

/// A matrix by its first element and its strides from row to row and from column to column.
#[derive(Clone, Copy)]
pub struct Matrix<F> {
    /// Element (0, 0).
    pub at: F,
    /// How far the next row is.
    pub row: isize,
    /// How far the next column is.
    pub col: isize,
}

impl<F: Copy> Matrix<*const F> {
    #[inline(always)]
    fn from(self, row: usize, col: usize) -> Self {
        let offset = row as isize * self.row + col as isize * self.col;
        Matrix {
            at: self.at.wrapping_offset(offset),
            ..self
        }
    }
}

/// C = γC + αAB, for C with contiguous columns.
#[derive(Clone, Copy)]
pub struct Product<F> {
    /// The rows of C, the inner dimension, the columns of C.
    pub shape: [usize; 3],
    /// C and the distance between its columns.
    pub c: (*mut F, isize),
    /// A.
    pub a: Matrix<*const F>,
    /// B.
    pub b: Matrix<*const F>,
    /// α.
    pub alpha: F,
    /// γ, with what the micro-kernels call its status: 0 where it is zero, 1 where it is one, else 2.
    pub gamma: (F, u8),
}

/// The largest inner dimension of a block.
const DEPTH: usize = 400;
/// A packed block of A has about this many bytes: half of a second cache.
const BLOCK_BYTES: usize = 1 << 19;
/// A with contiguous columns is packed for more groups of columns of B than this.
const UNPACKED_GROUPS: usize = 8;
/// Room for a register that reads over the end, and for an address that begins a cache line.
const SLACK: usize = 64;

impl<F: Copy + Default> Product<F> {
    /// Computes the product.
    ///
    /// # Safety
    ///
    /// The pointers are valid for their shapes and strides, C overlaps neither A nor B, `one` is one, and the processor
    /// has the instructions of `tiles`.
    pub unsafe fn run(mut self, tiles: &Tiles<F>, one: F, [packed_a, packed_b]: &mut Scratch<F>) {
        let [m, k, n] = self.shape;
        let (mr, nr) = (tiles.lanes * tiles.kernels.len(), tiles.kernels[0].len());
        let depth = k.div_ceil(k.div_ceil(DEPTH));
        let height = (BLOCK_BYTES / size_of::<F>() / depth / mr).max(1) * mr;
        let pack_b = self.b.row != 1 && m > 2 * mr;
        let pack_a = self.a.row != 1 || !m.is_multiple_of(tiles.lanes) || n > UNPACKED_GROUPS * nr;
        let a_room = room(
            packed_a,
            if pack_a {
                height.min(m.next_multiple_of(mr)) * depth
            } else {
                0
            },
        );
        let b_room = room(packed_b, if pack_b { n.next_multiple_of(nr) * depth } else { 0 });
        for l in (0..k).step_by(depth) {
            let inner = depth.min(k - l);
            if pack_b {
                // SAFETY: the room is as long as whole groups of columns.
                unsafe { pack(self.b.from(l, 0).transposed(), [n, inner], nr, b_room) };
            }
            for i in (0..m).step_by(height) {
                let rows = height.min(m - i);
                let a = self.a.from(i, l);
                if pack_a {
                    // SAFETY: the room is as long as whole tiles of rows.
                    unsafe { pack(a, [rows, inner], mr, a_room) };
                }
                for j in (0..n).step_by(nr) {
                    let cols = nr.min(n - j);
                    let b = if pack_b {
                        Matrix {
                            at: b_room.cast_const().wrapping_add(j * inner),
                            row: nr as isize,
                            col: 1,
                        }
                    } else {
                        self.b.from(l, j)
                    };
                    for t in (0..rows).step_by(mr) {
                        let tile = mr.min(rows - t);
                        let a = if pack_a {
                            Matrix {
                                at: a_room.cast_const().wrapping_add(t * inner),
                                row: 1,
                                col: mr as isize,
                            }
                        } else {
                            a.from(t, 0)
                        };
                        let c = self.c.0.wrapping_offset((i + t) as isize + j as isize * self.c.1);
                        let kernel = tiles.kernels[tile.div_ceil(tiles.lanes) - 1][cols - 1];
                        // SAFETY: the tile lies within C, and its operands within A and B or their packed copies.
                        unsafe {
                            kernel(
                                tile,
                                cols,
                                inner,
                                c,
                                a.at,
                                b.at,
                                self.c.1,
                                1,
                                a.col,
                                b.row,
                                b.col,
                                self.gamma.0,
                                self.alpha,
                                self.gamma.1,
                                false,
                                false,
                                false,
                                std::ptr::null(),
                            )
                        };
                    }
                }
            }
            self.gamma = (one, 1);
        }
    }
}

impl<F> Matrix<F> {
    fn transposed(self) -> Self {
        Matrix {
            at: self.at,
            row: self.col,
            col: self.row,
        }
    }
}

/// Returns the start of a cache line with room for `n` elements behind it.
fn room<F: Copy + Default>(buffer: &mut Vec<F>, n: usize) -> *mut F {
    if n > 0 && buffer.len() < n + SLACK {
        buffer.resize(n + SLACK, F::default());
    }
    let start = buffer.as_mut_ptr();
    start.wrapping_add(start.align_offset(64) % SLACK)
}

/// Copies `[rows, cols]` of a matrix in groups of `group` rows, column by column; the last group is filled with zeros.
///
/// # Safety
///
/// The matrix is valid for the shape, and `to` for the groups.
unsafe fn pack<F: Copy + Default>(from: Matrix<*const F>, [rows, cols]: [usize; 2], group: usize, to: *mut F) {
    for i in (0..rows).step_by(group) {
        let height = group.min(rows - i);
        let (from, to) = (from.from(i, 0), to.wrapping_add(i * cols));
        // SAFETY: all places lie within the matrix and the group.
        unsafe {
            if from.row == 1 {
                for l in 0..cols {
                    let to = to.add(l * group);
                    std::ptr::copy_nonoverlapping(from.from(0, l).at, to, height);
                    (height..group).for_each(|t| to.add(t).write(F::default()));
                }
            } else {
                for t in 0..group {
                    for l in 0..cols {
                        let value = if t < height { *from.from(t, l).at } else { F::default() };
                        to.add(l * group + t).write(value);
                    }
                }
            }
        }
    }
}
