//! loc + L z for each row: the value of a multivariate normal distribution that the standardised value z stands for.

use crate::distributions::row_density::{RowsGrad, RowsOf, align_rows};
use crate::error::Place;
use crate::kernels::real::Real;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Returns loc + L z for each row z: `[…, k]`, with `loc`: `[…, k]` and the lower triangle L: `[…, k, k]`; what stands above the
/// diagonal is not read.
#[track_caller]
pub fn affine_rows<'t>(tape: &'t Tape, z: Var<'t>, loc: Var<'t>, l: Var<'t>) -> Var<'t> {
    let k = l.event_shape().last().copied().unwrap_or(1);
    let (row, square): (&[usize], &[usize]) = (&[k], &[k, k]);
    let operands = [(z, row), (loc, row), (l, square)];
    match align_rows(tape, AffineRows::NAME, operands, &[], &[], Place::here()) {
        Some(a) => {
            let n = a.len(tape);
            let event: Shape = a.batch.iter().copied().chain([k]).collect();
            tape.record(AffineRows::DEF, &a.args, &[n as u64, k as u64], &a.dims, &event, 0)
        }
        None => Var::constant(f64::NAN),
    }
}

struct AffineRows;

impl Op for AffineRows {
    const NAME: &'static str = "affine_rows";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (n, k) = (call.attr(0) as usize, call.attr(1) as usize);
        let (z, loc, l) = (
            RowsOf::new(call, 0, k),
            RowsOf::new(call, 1, k),
            RowsOf::new(call, 2, k * k),
        );
        let out = call.out();
        for r in 0..n {
            let (z, loc, l) = (z.row(r), loc.row(r), l.row(r));
            for (i, out) in out[r * k..][..k].iter_mut().enumerate() {
                let shift: F = l[i * k..][..i + 1].iter().zip(z).map(|(&l, &z)| l * z).sum();
                *out = loc[i] + shift;
            }
        }
    }

    /// With g the adjoint of a row, the derivatives are Lᵀ g by z, g by loc and gᵢ zⱼ by Lᵢⱼ.
    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (n, k) = (call.attr(0) as usize, call.attr(1) as usize);
        let (z, l, d_out) = (RowsOf::new(call, 0, k), RowsOf::new(call, 2, k * k), call.d_out());
        let (mut d_z, mut d_loc) = (RowsGrad::new(call, 0, k), RowsGrad::new(call, 1, k));
        let mut d_l = RowsGrad::new(call, 2, k * k);
        for r in 0..n {
            let (z, l, g) = (z.row(r), l.row(r), &d_out[r * k..][..k]);
            if let Some(d_z) = &mut d_z {
                for (j, d) in d_z.row(r).iter_mut().enumerate() {
                    *d += (j..k).map(|i| l[i * k + j] * g[i]).sum::<F>();
                }
            }
            if let Some(d_loc) = &mut d_loc {
                d_loc.row(r).iter_mut().zip(g).for_each(|(d, &g)| *d += g);
            }
            if let Some(d_l) = &mut d_l {
                let d_l = d_l.row(r);
                for i in 0..k {
                    for j in 0..=i {
                        d_l[i * k + j] += g[i] * z[j];
                    }
                }
            }
        }
    }
}

#[cfg(test)]
op_tests! {
    affine |x| match x[0].tape() {
        Some(tape) => affine_rows(tape, x[0], x[1], x[2]),
        None => unreachable!("arrays are on a tape"),
    };
    [[0.5, -1.0], [0.2, 0.3], [[1.5, 0.0], [0.4, 0.7]]],
    [[2.0, 1.0], [1.0, 0.0], [[0.5, 9.0], [-1.0, 2.0]]],
    [[[2.0, 1.0], [0.3, -0.4]], [1.0, 0.0], [[0.5, 0.0], [-1.0, 2.0]]]
}
