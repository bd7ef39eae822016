//! Operands of distributions over vectors and matrices: rows aligned by plate and by batch axes.

use std::marker::PhantomData;

use smallvec::SmallVec;

use crate::error::{Error, Place};
use crate::kernels::real::Real;
use crate::ops::broadcast::broadcast_to;
use crate::ops::param::Param;
use crate::tape::call::Call;
use crate::tape::op::{Op, Role};
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::dims::{Dims, union};
use crate::tensor::shape::{Shape, broadcast, size};

/// Operands with a common number of rows, save those that have a single row for all.
pub struct RowOperands<'t> {
    /// The operands.
    pub args: SmallVec<[Var<'t>; 4]>,
    /// The union of the plates.
    pub dims: Dims,
    /// The axes before those of a row: the event shape of what each row gives one number of.
    pub batch: Shape,
}

impl RowOperands<'_> {
    /// Returns the number of rows, plates included.
    pub fn len(&self, tape: &Tape) -> usize {
        size(&self.batch) * self.dims.iter().map(|&d| tape.dim(d).len).product::<usize>()
    }
}

/// Brings operands to a common number of rows; with each operand stands the shape of one row of it.
///
/// `dims` and `batch` are the plates and axes that the result has in any case. Clashing shapes are kept as an error on the
/// tape, and the answer is `None`.
pub fn align_rows<'t, const N: usize>(
    tape: &'t Tape,
    op: &'static str,
    operands: [(Var<'t>, &[usize]); N],
    dims: &[u32],
    batch: &[usize],
    place: Place,
) -> Option<RowOperands<'t>> {
    let mut dims = Dims::from_slice(dims);
    let mut common = Some(Shape::from_slice(batch));
    for (x, row) in &operands {
        dims = union(&dims, &x.dims());
        let own = x.event_shape();
        let (own_batch, own_row) = own.split_at(own.len().saturating_sub(row.len()));
        let fits = broadcast(own_row, row).is_some_and(|b| b.as_slice() == *row);
        common = common.filter(|_| fits).and_then(|c| broadcast(&c, own_batch));
    }
    let Some(batch) = common else {
        let shapes = operands.iter().map(|(x, _)| x.event_shape()).collect();
        let message = "the shapes do not broadcast".to_string();
        tape.fail(Error::Shape {
            op,
            place,
            message,
            shapes,
        });
        return None;
    };
    let args = operands
        .iter()
        .map(|&(x, row)| fit(tape, x, row, &dims, &batch))
        .collect();
    Some(RowOperands { args, dims, batch })
}

/// Brings one operand to the common shape, or to a single row.
fn fit<'t>(tape: &'t Tape, x: Var<'t>, row: &[usize], dims: &[u32], batch: &[usize]) -> Var<'t> {
    let x = tape.lift(x);
    let (own_dims, own) = (x.dims(), x.event_shape());
    let lead = own.len().saturating_sub(row.len());
    if own_dims.is_empty() && size(&own[..lead]) == 1 {
        let single = size(&own) == size(row);
        return if single {
            x
        } else {
            broadcast_to(tape, tape.alias(x, &[], &own[lead..]), &[], row)
        };
    }
    let shape: Shape = batch.iter().chain(row).copied().collect();
    if own_dims.as_slice() == dims && own == shape {
        x
    } else {
        broadcast_to(tape, x, dims, &shape)
    }
}

/// The log density of a distribution whose draws are rows, or whose parameters are.
///
/// Attribute 0 of a call is the number of rows, attribute 1 the length of a row.
pub trait RowDensity: 'static {
    /// The unique name.
    const NAME: &'static str;
    /// Bit k is set where operand k never receives a derivative.
    const NO_GRAD: u32 = 0;

    /// Returns the length of the buffer that the kernels need, for so many rows of length `k`.
    fn aux(rows: usize, k: usize) -> usize;

    /// Gives the log density of each row to `put`.
    fn forward<F: Real>(call: &mut Call<'_, F>, put: impl FnMut(usize, f64));

    /// Adds `seed` of each row times its derivatives to the adjoints, and gives the log density of each row to `put`.
    ///
    /// A row with the seed zero adds nothing, whatever its derivatives are: it may be masked because it is NaN.
    fn backward<F: Real>(call: &mut Call<'_, F>, seed: impl Fn(usize) -> F, put: impl FnMut(usize, f64));
}

/// Returns the tape of a value and parameters.
///
/// # Panics
///
/// If all of them are numbers or arrays that are on no tape.
pub fn tape_for<'t>(x: Var<'t>, params: &[&Param<'t>]) -> &'t Tape {
    x.tape()
        .or_else(|| params.iter().find_map(|p| p.tape()))
        .expect("give the value as a `Var` of a model: this density needs a recording")
}

/// Records the log density of each row; with each operand stands the shape of one row of it.
#[track_caller]
pub fn each<'t, D: RowDensity, const N: usize>(
    tape: &'t Tape,
    operands: [(Var<'t>, &[usize]); N],
    k: usize,
) -> Var<'t> {
    let Some(a) = align_rows(tape, D::NAME, operands, &[], &[], Place::here()) else {
        return Var::constant(f64::NAN);
    };
    let n = a.len(tape);
    let aux = D::aux(n, k);
    tape.record(
        EachRow::<D>::DEF,
        &a.args,
        &[n as u64, k as u64],
        &a.dims,
        &a.batch,
        aux,
    )
}

/// Adds the log density of all rows to the density of the tape.
pub fn term<'t, D: RowDensity, const N: usize>(
    tape: &'t Tape,
    operands: [(Var<'t>, &[usize]); N],
    k: usize,
    weight: f64,
    site: u32,
) {
    if let Some(a) = align_rows(tape, D::NAME, operands, &[], &[], Place::here()) {
        let n = a.len(tape);
        let attrs = [n as u64, k as u64];
        tape.term(RowsTerm::<D>::DEF, &a.args, &attrs, D::aux(n, k), weight, site);
    }
}

/// The log density of each row.
struct EachRow<D>(PhantomData<D>);

impl<D: RowDensity> Op for EachRow<D> {
    const NAME: &'static str = D::NAME;
    const NO_GRAD: u32 = D::NO_GRAD;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let out = call.out();
        D::forward(call, |r, log_prob| out[r] = F::from_f64(log_prob));
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let d_out = call.d_out();
        D::backward(call, |r| d_out[r], |_, _| {});
    }
}

/// The sum of the log density over all rows, as a term.
struct RowsTerm<D>(PhantomData<D>);

impl<D: RowDensity> Op for RowsTerm<D> {
    const NAME: &'static str = D::NAME;
    const ROLE: Role = Role::Sink;
    const NO_GRAD: u32 = D::NO_GRAD;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let mut sum = 0.0;
        D::forward(call, |_, log_prob| sum += log_prob);
        call.set_term(sum);
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (weight, mut sum) = (call.weight(), 0.0);
        D::backward(call, |_| weight, |_, log_prob| sum += log_prob);
        call.set_term(sum);
    }
}

/// The rows of an operand of a kernel.
#[derive(Clone, Copy)]
pub struct RowsOf<'a, F> {
    values: &'a [F],
    width: usize,
}

impl<'a, F: Real> RowsOf<'a, F> {
    /// Returns the rows, of `width` elements each, of operand `k`.
    #[inline(always)]
    pub fn new(call: &Call<'a, F>, k: usize, width: usize) -> Self {
        RowsOf {
            values: call.x(k),
            width,
        }
    }

    /// Returns row `r`, or the only one.
    #[inline(always)]
    pub fn row(&self, r: usize) -> &'a [F] {
        let r = if self.values.len() == self.width { 0 } else { r };
        &self.values[r * self.width..][..self.width]
    }
}

/// The adjoint of an operand of a kernel, row by row; a single row gets the sum.
pub struct RowsGrad<'a, F> {
    slice: &'a mut [F],
    width: usize,
}

impl<'a, F: Real> RowsGrad<'a, F> {
    /// Returns the adjoint of operand `k`, zeroed at the first write, or `None` if nobody needs it.
    pub fn new(call: &mut Call<'a, F>, k: usize, width: usize) -> Option<Self> {
        let slice = call.grad(k)?.accumulator().slice;
        Some(RowsGrad { slice, width })
    }

    /// Returns the adjoint of row `r`, to be added to.
    #[inline(always)]
    pub fn row(&mut self, r: usize) -> &mut [F] {
        let r = if self.slice.len() == self.width { 0 } else { r };
        &mut self.slice[r * self.width..][..self.width]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::{Categorical, Dirichlet, Dist, MultivariateNormal};
    use crate::ops::sum::SumTerm;
    use crate::ops::where_::where_;
    use crate::rng::Key;
    use crate::tape::gradient::gradient;
    use crate::tape::store::Precision;

    /// The log density of a value, by parameters.
    type LogProb = for<'t> fn(Var<'t>, Var<'t>) -> Var<'t>;

    /// Returns the gradient of the first of two rows by an input that stands for the parameters.
    fn gradient_of_first(second: &[f64], log_prob: LogProb) -> Vec<f64> {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let parameters = tape.input(0, &[], &[2], &[1.5, 0.5], false);
        let first: &[f64] = if second.len() == 1 { &[1.0] } else { &[0.25, 0.75] };
        let rows = first.iter().chain(second).copied();
        let shape = if second.len() == 1 { vec![2] } else { vec![2, 2] };
        let each = log_prob(tape.constant_array(&shape, rows), parameters);
        let mask = tape.constant_array(&[2], [1.0, 0.0].into_iter());
        tape.term(SumTerm::DEF, &[where_(mask, each, 0)], &[], 0, 1.0, 0);
        gradient(&tape)
    }

    #[test]
    fn masked_rows_that_are_not_numbers_have_no_part_in_the_gradient() {
        let dists: [(usize, LogProb); 3] = [
            (2, |x, a| Dirichlet(a).log_prob(x)),
            (2, |x, a| {
                MultivariateNormal::scale_tril(a, crate::ops::join::stack([a, a])).log_prob(x)
            }),
            (1, |x, a| Categorical::probs(a).log_prob(x)),
        ];
        for (width, log_prob) in dists {
            let good = gradient_of_first(&[0.5; 2][..width], log_prob);
            assert!(good.iter().all(|d| d.abs() > 1e-3), "{good:?}");
            assert_eq!(gradient_of_first(&[f64::NAN; 2][..width], log_prob), good);
        }
    }
}
