//! A product that is added to something, in one pass: the term of a linear predictor.

use crate::kernels::elementwise::affine::affine;
use crate::kernels::elementwise::map::{map2_adjoint_x, map2_adjoint_y};
use crate::kernels::real::Real;
use crate::ops::arithmetic::{Plus, Times};
use crate::ops::elementwise::Binary;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::records::depends;
use crate::tape::var::Var;
use crate::tensor::shape::broadcast;
#[cfg(test)]
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
        // No derivative of a sum or a product reads the result: the adjoint stands in for it.
        let (x, y, z, d_out) = (call.x(0), call.x(1), call.x(2), call.d_out());
        if let Some(d_x) = call.grad(0) {
            map2_adjoint_x::<Plus, F>(x, d_out, d_out, d_out, d_x.slice, d_x.overwrite);
        }
        if let Some(d_y) = call.grad(1) {
            map2_adjoint_x::<Times, F>(y, z, d_out, d_out, d_y.slice, d_y.overwrite);
        }
        if let Some(d_z) = call.grad(2) {
            map2_adjoint_y::<Times, F>(y, z, d_out, d_out, d_z.slice, d_z.overwrite);
        }
    }
}

/// Records `x` + `product` in one operation if `product` is one of two values and has the shape of the sum.
///
/// The product stays on the tape; a program computes it if something else reads it. A product that never changes is left
/// alone, as a program computes it once; and so is what cannot be added, as the error has the name of the sum.
pub fn add_product<'t>(x: Var<'t>, product: Var<'t>) -> Option<Var<'t>> {
    let tape = product.tape()?;
    let records = tape.records();
    let factors = &records.nodes[product.node() as usize];
    // The product of rows has attributes.
    let is_product = factors.def.name == Times::NAME && factors.attrs.1 == 0;
    if !is_product || factors.depends & (depends::THETA | depends::NOISE) == 0 {
        return None;
    }
    let (dims, event) = (&factors.dims, records.event(product.node()));
    let (own_dims, own_event) = (x.dims(), x.event_shape());
    let is_single = own_dims.is_empty() && own_event.iter().all(|&n| n == 1);
    let fits = is_single || (own_dims == *dims && own_event == event);
    let is_open = dims.iter().all(|&d| records.dims[d as usize].open);
    if !fits || !is_open || broadcast(&own_event, &event)? != event {
        return None;
    }
    let [y, z] = [0, 1].map(|k| Var::on(tape, records.args(product.node())[k]));
    let dims = dims.clone();
    drop(records);
    Some(tape.record(MulAdd::DEF, &[x, y, z], &[], &dims, &event, 0))
}

#[cfg(test)]
op_tests! { numbers |x| x[0] + x[1] * x[2]; [1.5, -2.0, 0.5], [0.25, 3.0, -1.0], [-4.0, 0.5, 2.0] }
#[cfg(test)]
op_tests! { product_in_front |x| x[1] * x[2] + x[0]; [1.5, -2.0, 0.5], [0.25, 3.0, -1.0] }
#[cfg(test)]
op_tests! { constant_factor |x| x[0] + 2.5 * x[1]; [1.5, -2.0], [0.25, 3.0] }
#[cfg(test)]
op_tests! { constant_summand |x| x[0] * x[1] + 2.5; [1.5, -2.0], [0.25, 3.0] }
#[cfg(test)]
op_tests! { several |x| x[0] + x[1] * x[2] + x[0] * x[1]; [1.5, -2.0, 0.5], [0.25, 3.0, -1.0] }
#[cfg(test)]
op_tests! { summand_in_the_product |x| x[0] + x[0] * x[1]; [1.5, -2.0], [0.25, 3.0] }
#[cfg(test)]
op_tests! { product_read_twice |x| { let p = x[0] * x[1]; (x[0] + p) * p }; [1.5, -2.0], [0.25, 3.0] }
#[cfg(test)]
op_tests! { shapes |x| x[0] + x[1] * x[2];
    [[1.0, 2.0, -3.0], 2.0, [0.5, -1.0, 3.0]],
    [2.0, [1.0, 2.0, -3.0], [0.5, -1.0, 3.0]],
    [[1.0, 2.0, -3.0], [0.5, -1.0, 3.0], 2.0],
    [[1.0, 2.0, -3.0], 2.0, -0.5],
    [[[1.0, 2.0], [0.5, -1.0]], [3.0, -2.0], [0.5, 1.5]],
    [[1.0, 2.0], [[3.0, -2.0], [0.5, 1.5]], 0.5],
}
#[cfg(test)]
mod tests {
    use crate::ops::sum::SumTerm;
    use crate::program::compile::Program;
    use crate::rng::Key;
    use crate::tape::op::Op;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;
    use crate::tensor::dims::Dim;

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
    fn a_product_that_never_changes_is_computed_once() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[2], &[0.3, 0.4], false);
        let [y, z] = [[1.0, 2.0], [-1.0, 0.5]].map(|v| tape.constant_array(&[2], v.into_iter()));
        tape.term(SumTerm::DEF, &[x + y * z], &[], 0, 1.0, 0);
        let program = Program::<f64>::density(&tape);
        let names: Vec<_> = program.forward.iter().map(|step| step.name).collect();
        assert_eq!(names, ["add", "sum_term"]);
    }

    #[test]
    fn a_product_of_a_plate_that_has_ended_is_refused_by_the_sum() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let dim = tape.open_dim(Dim {
            name: "rows".to_string(),
            place: ("model.rs", 7),
            len: 2,
            in_memory: 2,
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
}
