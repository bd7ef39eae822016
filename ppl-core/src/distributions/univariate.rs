//! The operations of a univariate distribution, made of its [`Density`].

use std::any::Any;
use std::marker::PhantomData;

use crate::error::Place;
use crate::kernels::density::{
    Adjoint, Density, FEW, density_each, density_each_adjoint, density_sum, density_sum_adjoint,
};
use crate::kernels::real::Real;
use crate::ops::align::align;
use crate::ops::param::Param;
use crate::tape::call::Call;
use crate::tape::op::{Op, Prepare, Role};
use crate::tape::prepared::Prepared;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::{Shape, broadcast};

/// Writes the methods of [`Dist`](crate::distributions::Dist) that every univariate distribution has alike: `methods!(D { loc, scale })`
/// for the density `D` and the fields that are its parameters, in its order.
macro_rules! methods {
    ($density:ty { $($param:ident),+ }) => {
        fn put_on(&mut self, tape: &'t $crate::tape::record::Tape) {
            $(self.$param.put_on(tape);)+
        }

        fn params(&self, tape: &'t $crate::tape::record::Tape) -> $crate::distributions::contract::Params<'t> {
            $crate::distributions::contract::Params::from_iter([$((stringify!($param), self.$param.on(tape))),+])
        }

        fn event_shape(&self) -> $crate::tensor::shape::Shape {
            $crate::distributions::univariate::event_shape(&[$(&self.$param),+])
        }

        #[track_caller]
        fn log_prob(&self, x: $crate::tape::var::Var<'t>) -> $crate::tape::var::Var<'t> {
            $crate::distributions::univariate::log_prob::<$density, _>(x, [$(&self.$param),+])
        }

        fn log_prob_term(
            &self,
            tape: &'t $crate::tape::record::Tape,
            x: $crate::tape::var::Var<'t>,
            weight: f64,
            site: u32,
        ) {
            $crate::distributions::univariate::log_prob_term::<$density, _>(tape, x, [$(&self.$param),+], weight, site);
        }
    };
}

pub(crate) use methods;

/// Returns zero, or NaN where `x` is NaN: added to a branch that does not read x.
#[inline(always)]
pub fn zero_of<F: Real>(x: F) -> F {
    F::select(x.is_nan(), F::NAN, F::ZERO)
}

/// Returns the log density outside of the support: −∞, or NaN where `constant`, which parameters alone determine, is NaN.
#[inline(always)]
pub fn outside<F: Real>(constant: F) -> F {
    F::select(constant.is_nan(), F::NAN, -F::INFINITY)
}

/// Returns the log density of each element of `x`.
#[track_caller]
pub fn log_prob<'t, D: Density<P>, const P: usize>(x: Var<'t>, params: [&Param<'t>; P]) -> Var<'t> {
    let Some(tape) = x.tape().or_else(|| params.iter().find_map(|p| p.tape())) else {
        return constant_log_prob::<D, P>(x, params);
    };
    let args = operands(tape, x, params);
    match align(D::NAME, &args, Place::here()) {
        Some(a) => a.tape.record(Each::<D, P>::DEF, &a.args, &[], &a.dims, &a.event, 0),
        None => Var::constant(f64::NAN),
    }
}

/// Adds the sum of the log density over all elements of `x` to the density of the tape.
pub fn log_prob_term<'t, D: Density<P>, const P: usize>(
    tape: &'t Tape,
    x: Var<'t>,
    params: [&Param<'t>; P],
    weight: f64,
    site: u32,
) {
    let mut args = operands(tape, x, params);
    args[0] = tape.lift(x);
    if let Some(a) = align(D::NAME, &args, Place::here()) {
        tape.term(Term::<D, P>::DEF, &a.args, &[], 0, weight, site);
    }
}

/// Returns the log density of x = scale · z + …, given that of z: without ln scale.
pub fn per_scale<'t>(standard: Var<'t>, scale: &Param<'t>) -> Var<'t> {
    standard - on_tape_of(standard, scale).ln()
}

/// Returns the log density of x = z / rate, given that of z: with ln rate.
pub fn per_rate<'t>(standard: Var<'t>, rate: &Param<'t>) -> Var<'t> {
    standard + on_tape_of(standard, rate).ln()
}

fn on_tape_of<'t>(standard: Var<'t>, param: &Param<'t>) -> Var<'t> {
    standard.tape().map_or(standard, |tape| param.on(tape))
}

/// Returns the event shape of parameters broadcast against each other; clashing shapes give that of the first.
pub fn event_shape<'t>(params: &[&Param<'t>]) -> Shape {
    let shapes = params.iter().map(|p| p.event_shape());
    shapes.fold(Shape::new(), |all, shape| broadcast(&all, &shape).unwrap_or(all))
}

fn operands<'t, const P: usize>(tape: &'t Tape, x: Var<'t>, params: [&Param<'t>; P]) -> Vec<Var<'t>> {
    std::iter::once(x).chain(params.map(|p| p.on(tape))).collect()
}

/// The density of numbers that are on no tape.
fn constant_log_prob<'t, D: Density<P>, const P: usize>(x: Var<'t>, params: [&Param<'t>; P]) -> Var<'t> {
    let params = params.map(|p| match p {
        Param::Value(v) => v.value(),
        Param::Array(_) | Param::Filled(_) | Param::Stack(_) => {
            panic!("give the value as a `Var` of a model: an array parameter needs a recording")
        }
    });
    Var::constant(D::log_prob(x.value(), params, &D::shared(params, false)))
}

fn params<'a, F: Real, const P: usize>(call: &Call<'a, F>) -> [&'a [F]; P] {
    std::array::from_fn(|k| call.x(k + 1))
}

fn grad<'a, F: Real>(call: &mut Call<'a, F>, k: usize) -> Adjoint<'a, F> {
    call.grad(k).map(|g| (g.slice, g.overwrite))
}

fn param_grads<'a, F: Real, const P: usize>(call: &mut Call<'a, F>) -> [Adjoint<'a, F>; P] {
    // `from_fn` is not always inlined, and this runs for each term of each evaluation.
    let mut all = [const { None }; P];
    for (k, d) in all.iter_mut().enumerate() {
        *d = grad(call, k + 1);
    }
    all
}

/// The log density of each element.
struct Each<D, const P: usize>(PhantomData<D>);

impl<D: Density<P>, const P: usize> Op for Each<D, P> {
    const NAME: &'static str = D::NAME;
    const NO_GRAD: u32 = D::NO_GRAD;
    const ELEMENTWISE: bool = true;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        density_each::<D, P, F>(call.x(0), params(call), call.out());
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let d_x = grad(call, 0);
        let d_params = param_grads(call);
        density_each_adjoint::<D, P, F>(call.x(0), params(call), call.d_out(), d_x, d_params);
    }
}

/// What constant parameters determine, in both precisions: once for all elements, or for each of a few.
struct SharedValues<D: Density<P>, const P: usize> {
    f64: Vec<D::Shared<f64>>,
    f32: Vec<D::Shared<f32>>,
}

fn prepare<D: Density<P>, const P: usize>(constants: &[Option<Vec<f64>>], _: &[Vec<usize>]) -> Option<Prepared> {
    let is_read = |k: &usize| D::SHARED & (1 << k) != 0;
    let read = (0..P).filter(is_read).map(|k| Some((k, constants[k + 1].as_ref()?)));
    let read: Vec<(usize, &Vec<f64>)> = read.collect::<Option<_>>()?;
    let n = read.iter().map(|(_, values)| values.len()).max()?;
    (0 < n && n < FEW).then(|| {
        Prepared::new(SharedValues::<D, P> {
            f64: shared_of::<D, P, f64>(&read, n),
            f32: shared_of::<D, P, f32>(&read, n),
        })
    })
}

fn shared_of<D: Density<P>, const P: usize, F: Real>(read: &[(usize, &Vec<f64>)], n: usize) -> Vec<D::Shared<F>> {
    let each = |i: usize| {
        let mut params = [F::NAN; P];
        for &(k, values) in read {
            params[k] = F::from_f64(values[if values.len() == 1 { 0 } else { i }]);
        }
        D::shared(params, true)
    };
    (0..n).map(each).collect()
}

fn prepared<'a, D: Density<P>, const P: usize, F: Real>(call: &Call<'a, F>) -> &'a [D::Shared<F>] {
    let Some(prepared) = call.prepared::<SharedValues<D, P>>() else {
        return &[];
    };
    let (double, single): (&dyn Any, &dyn Any) = (&prepared.f64, &prepared.f32);
    let either = double.downcast_ref().or_else(|| single.downcast_ref());
    either.map_or(&[], |all: &Vec<D::Shared<F>>| all)
}

/// The sum of the log density over all elements, as a term.
struct Term<D, const P: usize>(PhantomData<D>);

impl<D: Density<P>, const P: usize> Op for Term<D, P> {
    const NAME: &'static str = D::NAME;
    const NO_GRAD: u32 = D::NO_GRAD;
    const ELEMENTWISE: bool = true;
    const ROLE: Role = Role::Sink;
    const PREPARE: Option<Prepare> = Some(prepare::<D, P>);

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let sum = density_sum::<D, P, F>(call.x(0), params(call), prepared::<D, P, F>(call));
        call.set_term(sum);
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let d_x = grad(call, 0);
        let d_params = param_grads(call);
        let (params, prepared) = (params(call), prepared::<D, P, F>(call));
        let sum = density_sum_adjoint::<D, P, F>(call.x(0), params, prepared, call.weight(), d_x, d_params);
        call.set_term(sum);
    }
}

#[cfg(test)]
mod tests {
    use crate::distributions::{Dist, Normal, StudentT};
    use crate::kernels::density::FEW;
    use crate::ops::sum::SumTerm;
    use crate::ops::where_::where_;
    use crate::program::compile::Program;
    use crate::rng::Key;
    use crate::tape::gradient::gradient;
    use crate::tape::op::Op;
    use crate::tape::record::Tape;
    use crate::tape::store::{Precision, Scalar};
    use crate::testing::op_check::check_recording;

    /// The gradient by mean and scale where the elements behind the first few are masked.
    fn gradient_of_first(n: usize, n_first: usize, others: f64) -> Vec<f64> {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let loc = tape.input(0, &[], &[], &[0.3], false);
        let scale = tape.input(1, &[], &[], &[2.0], false);
        let x = (0..n).map(|i| if i < n_first { i as f64 } else { others });
        let each = Normal(loc, scale).log_prob(tape.constant_array(&[n], x));
        let mask = tape.constant_array(&[n], (0..n).map(|i| (i < n_first) as u8 as f64));
        tape.term(SumTerm::DEF, &[where_(mask, each, 0)], &[], 0, 1.0, 0);
        gradient(&tape)
    }

    #[test]
    fn masked_elements_that_are_not_numbers_have_no_part_in_the_gradient() {
        // Few elements are worked on one by one, many in blocks.
        for n in [3, 300] {
            let good = gradient_of_first(n, 2, 0.0);
            assert!(good.iter().all(|d| d.abs() > 1e-3), "{good:?}");
            for others in [f64::NAN, f64::INFINITY] {
                assert_eq!(gradient_of_first(n, 2, others), good);
            }
        }
    }

    #[test]
    fn what_constant_parameters_determine_is_prepared_once() {
        for precision in [Precision::F64, Precision::F32] {
            for (n, has_own_scales) in [(1, false), (8, false), (8, true), (40, false), (40, true)] {
                let tape = Tape::new(precision, Key::new(1));
                let x: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7).sin()).collect();
                let x = tape.input(0, &[], &[n], &x, false);
                let n_scales = if has_own_scales { n } else { 1 };
                let scale = tape.constant_array(&[n_scales], (0..n_scales).map(|i| 0.5 + i as f64 * 0.1));
                Normal(x.square(), scale).log_prob_term(&tape, x, 0.7, 0);
                StudentT(4.0, x, scale).log_prob_term(&tape, x.exp(), -1.0, 1);
                check_recording(&tape);
                let prepared = match precision {
                    Precision::F64 => prepared_of::<f64>(&tape),
                    Precision::F32 => prepared_of::<f32>(&tape),
                };
                assert_eq!(prepared, [n < FEW || !has_own_scales; 2], "{n} elements");
            }
        }
    }

    /// Returns for each term of a program whether something was prepared for it.
    fn prepared_of<F: Scalar>(tape: &Tape) -> Vec<bool> {
        let program = Program::<F>::density(tape);
        let sinks = program.forward.iter().filter(|step| step.term.is_some());
        sinks.map(|step| step.instr.prepared.is_some()).collect()
    }
}
