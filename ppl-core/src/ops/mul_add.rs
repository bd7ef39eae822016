//! A product that is added to something, in one pass: the term of a linear predictor.

use smallvec::{SmallVec, smallvec};

use crate::kernels::affine::affine;
use crate::kernels::map::{map2_adjoint_x, map2_adjoint_y};
use crate::kernels::real::Real;
use crate::ops::arithmetic::{Plus, Times};
use crate::ops::elementwise::Binary;
#[cfg(test)]
use crate::ops::gather::gather;
use crate::ops::gather::{Gather, pick_rows};
use crate::tape::call::Call;
use crate::tape::op::{Op, Prepare};
use crate::tape::records::{Node, Records};
use crate::tape::var::Var;
use crate::tensor::shape::broadcast;
use crate::testing::ops::op_tests;

/// x + y · z, where each operand has the length of the output or is a single number; rounded twice, as the two operations.
struct MulAdd;

impl Op for MulAdd {
    const NAME: &'static str = "mul_add";
    const PASSES_ON: u32 = 0b001;
    const ELEMENTWISE: bool = true;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, y, z, out) = (call.x(0), call.x(1), call.x(2), call.out());
        if let ([x], [y], [z], [out]) = (x, y, z, &mut *out) {
            *out = *x + *y * *z;
        } else if z.len() == out.len() {
            affine(x, y, z, out);
        } else {
            affine(x, z, y, out);
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        if let Some(d_x) = call.grad(0) {
            let (x, d_out) = (call.x(0), call.d_out());
            map2_adjoint_x::<Plus, F>(x, d_out, d_out, d_out, d_x.slice, d_x.overwrite);
        }
        factor_adjoints(call, 1);
    }
}

/// Writes the adjoints of the two factors, the first of which is operand `k`.
fn factor_adjoints<F: Real>(call: &mut Call<'_, F>, k: usize) {
    // No derivative of a sum or a product reads the result: the adjoint stands in for it.
    let (y, z, d_out) = (call.x(k), call.x(k + 1), call.d_out());
    if let Some(d_y) = call.grad(k) {
        map2_adjoint_x::<Times, F>(y, z, d_out, d_out, d_y.slice, d_y.overwrite);
    }
    if let Some(d_z) = call.grad(k + 1) {
        map2_adjoint_y::<Times, F>(y, z, d_out, d_out, d_z.slice, d_z.overwrite);
    }
}

/// x + y · z, where x are picked numbers: operands 0 and 1 and the attribute are those of [`Gather`], whose rows are single
/// numbers here. It is the row of a hierarchical regression.
struct GatherMulAdd;

/// The numbers that are picked before the product is added to them, while they are in the cache.
const PICKED: usize = 256;

impl Op for GatherMulAdd {
    const NAME: &'static str = "gather_mul_add";
    const NO_GRAD: u32 = Gather::NO_GRAD;
    const INDEX: Option<usize> = Gather::INDEX;
    const PREPARE: Option<Prepare> = Gather::PREPARE;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (y, z, out) = (call.x(2), call.x(3), call.out());
        // One of the factors is as long as the output.
        let (y, z) = if z.len() == out.len() { (y, z) } else { (z, y) };
        for (k, (out, z)) in out.chunks_mut(PICKED).zip(z.chunks(PICKED)).enumerate() {
            pick_rows(call, k * PICKED, out);
            let y = if y.len() == 1 { y } else { &y[k * PICKED..][..out.len()] };
            map2_adjoint_x::<Times, F>(z, y, z, z, out, false);
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        Gather::backward(call);
        factor_adjoints(call, 2);
    }
}

/// Records `x` + `product` in one operation if `product` is one of two values and has the shape of the sum.
///
/// The product stays on the tape; a program computes it if something else reads it. What cannot be added is left to the
/// sum, whose name the error has.
pub fn add_product<'t>(x: Var<'t>, product: Var<'t>) -> Option<Var<'t>> {
    let tape = product.tape()?;
    let records = tape.records();
    // The product of rows has attributes.
    let factors = node_of(&records, product, Times::NAME).filter(|node| node.attrs.1 == 0)?;
    let (dims, event) = (&factors.dims, records.event(product.node()));
    let (own_dims, own_event) = (x.dims(), x.event_shape());
    let is_single = own_dims.is_empty() && own_event.iter().all(|&n| n == 1);
    let fits = is_single || (own_dims == *dims && own_event == event);
    let is_open = dims.iter().all(|&d| records.dims[d as usize].open);
    if !fits || !is_open || broadcast(&own_event, &event)? != event {
        return None;
    }
    let args = |node| records.args(node).iter().map(|&arg| Var::on(tape, arg));
    let picked = node_of(&records, x, Gather::NAME).filter(|_| !is_single && has_rows_of_one(&records, x.node()));
    let (def, mut all, attrs): (_, SmallVec<[_; 4]>, SmallVec<[_; 1]>) = match picked {
        Some(_) => (
            GatherMulAdd::DEF,
            args(x.node()).collect(),
            SmallVec::from_slice(records.attrs(x.node())),
        ),
        None => (MulAdd::DEF, smallvec![x], SmallVec::new()),
    };
    all.extend(args(product.node()));
    let dims = dims.clone();
    drop(records);
    Some(tape.record(def, &all, &attrs, &dims, &event, 0))
}

/// Returns the node of `x` if it is an operation of that name.
fn node_of<'a>(records: &'a Records, x: Var<'_>, name: &str) -> Option<&'a Node> {
    let node = x.tape().map(|_| &records.nodes[x.node() as usize])?;
    (node.def.name == name).then_some(node)
}

/// Returns whether the table that a [`Gather`] picks from has as many numbers as rows.
fn has_rows_of_one(records: &Records, gather: u32) -> bool {
    let table = records.args(gather)[0];
    records.nodes[table as usize].len as u64 == records.attrs(gather)[0]
}

op_tests! { numbers |x| x[0] + x[1] * x[2]; [1.5, -2.0, 0.5], [0.25, 3.0, -1.0], [-4.0, 0.5, 2.0] }
op_tests! { product_in_front |x| x[1] * x[2] + x[0]; [1.5, -2.0, 0.5], [0.25, 3.0, -1.0] }
op_tests! { constant_factor |x| x[0] + 2.5 * x[1]; [1.5, -2.0], [0.25, 3.0] }
op_tests! { constant_summand |x| x[0] * x[1] + 2.5; [1.5, -2.0], [0.25, 3.0] }
op_tests! { several |x| x[0] + x[1] * x[2] + x[0] * x[1]; [1.5, -2.0, 0.5], [0.25, 3.0, -1.0] }
op_tests! { summand_in_the_product |x| x[0] + x[0] * x[1]; [1.5, -2.0], [0.25, 3.0] }
op_tests! { product_read_twice |x| { let p = x[0] * x[1]; (x[0] + p) * p }; [1.5, -2.0], [0.25, 3.0] }
op_tests! { shapes |x| x[0] + x[1] * x[2];
    [[1.0, 2.0, -3.0], 2.0, [0.5, -1.0, 3.0]],
    [2.0, [1.0, 2.0, -3.0], [0.5, -1.0, 3.0]],
    [[1.0, 2.0, -3.0], [0.5, -1.0, 3.0], 2.0],
    [[1.0, 2.0, -3.0], 2.0, -0.5],
    [[[1.0, 2.0], [0.5, -1.0]], [3.0, -2.0], [0.5, 1.5]],
    [[1.0, 2.0], [[3.0, -2.0], [0.5, 1.5]], 0.5],
}
op_tests! { picked |x| gather(x[0], x[1]) + x[2] * x[3];
    [[1.0, -2.0, 0.5], [2.0, 0.0, 2.0, 1.0], 3.0, [0.5, -1.0, 1.5, 2.0]],
    [[1.0, -2.0, 0.5], [2.0, 0.0, 2.0, 1.0], [0.5, -1.0, 1.5, 2.0], 3.0],
    [[1.0, -2.0, 0.5], [2.0, 0.0, 2.0, 1.0], [1.0, 2.5, -3.0, 0.25], [0.5, -1.0, 1.5, 2.0]],
    [[1.0, -2.0, 0.5], 1.0, 2.0, 3.0],
    [[1.0, -2.0, 0.5], 1.0, 2.0, [3.0, 4.0]],
    [[[1.0, -2.0], [0.5, 3.0], [2.5, -1.0]], [2.0, 0.0], 0.5, [[3.0, -2.0], [0.5, 1.5]]],
}
op_tests! { table_in_the_product |x| gather(x[0], x[1]) + gather(x[0], x[1]) * x[2];
    [[1.0, -2.0, 0.5], [2.0, 0.0, 2.0, 1.0], [0.5, -1.0, 1.5, 2.0]]
}

#[cfg(test)]
mod tests {
    use crate::ops::gather::gather;
    use crate::ops::sum::SumTerm;
    use crate::program::compile::Program;
    use crate::rng::Key;
    use crate::tape::op::Op;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;
    use crate::tensor::dims::Dim;
    use crate::testing::op_check::check_recording;

    #[test]
    fn a_linear_predictor_is_one_operation_a_term() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let intercept = tape.input(0, &[], &[], &[0.3], false);
        let slopes = [1, 2].map(|k| tape.input(k, &[], &[], &[k as f64], false));
        let x = [[1.0, 2.0], [-1.0, 0.5]].map(|x| tape.constant_array(&[2], x.into_iter()));
        let mean = intercept + slopes[0] * x[0] + slopes[1] * x[1];
        assert_eq!(mean.elements(), [0.3 + 1.0 - 2.0, 0.3 + 2.0 + 1.0]);
        tape.term(SumTerm::DEF, &[mean], &[], 0, 1.0, 0);
        let program = Program::<f64>::density(&tape);
        let names: Vec<_> = program.forward.iter().map(|step| step.name).collect();
        assert_eq!(names, ["mul_add", "mul_add", "sum_term"]);
    }

    #[test]
    fn a_product_of_a_plate_that_has_ended_is_refused_by_the_sum() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let dim = tape.open_dim(Dim {
            name: "rows".to_string(),
            place: ("model.rs", 7),
            len: 2,
            full: 2,
            rows: None,
            open: true,
        });
        let x = tape.input(0, &[dim], &[], &[1.0, 2.0], false);
        let product = x * x.exp();
        tape.close_dim(dim);
        let sum = tape.constant_array(&[], std::iter::once(3.0)) + product;
        assert!(sum.value().is_nan());
        let text = tape.take_error().expect("an error").to_string();
        assert!(
            text.contains("`add` is given a value that belongs to plate `rows`"),
            "{text}"
        );
    }

    #[test]
    fn rows_of_groups_are_picked_and_added_to_in_one_operation() {
        let (n, n_groups) = (700, 13);
        let numbers = |n: usize| -> Vec<f64> { (0..n).map(|i| (i as f64 * 0.7).sin()).collect() };
        let tape = Tape::new(Precision::F64, Key::new(1));
        let levels = tape.input(0, &[], &[n_groups], &numbers(n_groups), false);
        let slope = tape.input(n_groups, &[], &[], &[0.7], false);
        let group: Vec<usize> = (0..n).map(|i| i * i % n_groups).collect();
        let index = tape.constant_array(&[n], group.iter().map(|&g| g as f64));
        let x = numbers(n);
        let mean = gather(levels, index) + slope * tape.constant_array(&[n], x.iter().copied());
        let want: Vec<f64> = (0..n).map(|i| levels.elements()[group[i]] + 0.7 * x[i]).collect();
        assert_eq!(mean.elements(), want);
        tape.term(SumTerm::DEF, &[mean.sin()], &[], 0, 1.0, 0);
        check_recording(&tape);
        let program = Program::<f64>::density(&tape);
        let names: Vec<_> = program.forward.iter().map(|step| step.name).collect();
        assert_eq!(names, ["gather_mul_add", "sin", "sum_term"]);
    }
}
