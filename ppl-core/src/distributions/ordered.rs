//! Independent draws in ascending order: what `.ordered()` makes of an array of them.

use crate::constraints;
use crate::distributions::contract::{Dist, Modifiers, Params};
use crate::distributions::family::Family;
use crate::distributions::noise::{Drawn, Noise};
use crate::distributions::support::Support;
use crate::error::{Error, Place};
use crate::kernels::real::Real;
use crate::math::gamma::ln_gamma;
use crate::ops::broadcast::broadcast_to;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// The order statistics of independent, identically distributed draws; [`DistExt::ordered`](super::DistExt::ordered) makes one.
#[derive(Clone, Debug)]
pub struct Ordered<D> {
    pub(super) base: D,
}

impl<D: Family> Family for Ordered<D> {
    type Support = constraints::Ordered;
    type Kind = D::Kind;
}

impl<'t, D: Dist<'t>> Ordered<D> {
    /// Keeps an error on the tape where elements have parameters of their own: their order has another density.
    #[track_caller]
    fn check(&self, tape: &'t Tape) {
        let varies = |(_, p): &(&str, Var<'t>)| p.event_shape().last().is_some_and(|&n| n > 1);
        if let Some((name, value)) = self.base.params(tape).iter().find(|p| varies(p)) {
            tape.fail(Error::Shape {
                op: "ordered",
                place: Place::here(),
                message: format!(
                    "`{name}` differs between the elements: give all elements one, as in `Normal(0, 1).expand([k])`"
                ),
                shapes: vec![value.event_shape()],
            });
        }
    }
}

impl<'t, D: Dist<'t>> Dist<'t> for Ordered<D> {
    const NAME: &'static str = "Ordered";
    const REPARAMETERISED: bool = D::REPARAMETERISED;
    const IS_PROPER: bool = D::IS_PROPER;
    const EVENT_RANK: usize = 1;

    fn put_on(&mut self, tape: &'t Tape) {
        self.base.put_on(tape);
    }

    fn params(&self, tape: &'t Tape) -> Params<'t> {
        self.base.params(tape)
    }

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::Ordered
    }

    fn event_shape(&self) -> Shape {
        let shape = self.base.event_shape();
        if shape.is_empty() {
            Shape::from_slice(&[1])
        } else {
            shape
        }
    }

    /// ln k! + Σᵢ log p(xᵢ) for ascending x.
    #[track_caller]
    fn log_prob(&self, x: Var<'t>) -> Var<'t> {
        let tape = x.tape().expect("a vector is on a tape");
        self.check(tape);
        let each = self.base.log_prob(x);
        let x = broadcast_to(tape, x, &each.dims(), &each.event_shape());
        let mut batch = each.event_shape();
        let k = batch.pop().unwrap_or(1);
        tape.record(OrderedRows::DEF, &[each, x], &[k as u64], &each.dims(), &batch, 0)
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        self.drawn(at).value
    }

    fn drawn(&self, at: &Noise<'t>) -> Drawn<'t> {
        self.check(at.tape);
        let drawn = self.base.drawn(at);
        Drawn {
            value: drawn.value.sort(),
            ..drawn
        }
    }

    /// ln k! + Σᵢ log p(xᵢ), whose order is of no account.
    fn drawn_log_prob(&self, drawn: Drawn<'t>) -> Var<'t> {
        let each = self.base.drawn_log_prob(drawn);
        let shape = each.event_shape();
        let k = shape.last().copied().unwrap_or(1);
        each.sum_axis(shape.len() - 1) + ln_gamma(k as f64 + 1.0)
    }

    /// Not a number: no closed form is known.
    fn mean(&self, _: &'t Tape) -> Var<'t> {
        Var::constant(f64::NAN)
    }

    /// Not a number: no closed form is known.
    fn variance(&self, _: &'t Tape) -> Var<'t> {
        Var::constant(f64::NAN)
    }

    fn modifiers(&self) -> Modifiers<'t> {
        self.base.modifiers()
    }
}

/// ln k! and the sum of a row of log densities, or −∞ where the row of values does not ascend.
struct OrderedRows;

fn ascends<F: Real>(x: &[F]) -> bool {
    !x.windows(2).any(|pair| pair[0] > pair[1])
}

impl Op for OrderedRows {
    const NAME: &'static str = "ordered_rows";
    const NO_GRAD: u32 = 0b10;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let k = call.attr(0) as usize;
        let (each, x) = (call.x(0), call.x(1));
        let ln_factorial = ln_gamma(k as f64 + 1.0);
        for (r, out) in call.out().iter_mut().enumerate() {
            let sum: f64 = each[r * k..][..k].iter().map(|v| v.to_f64()).sum();
            let row = &x[r * k..][..k];
            *out = if ascends(row) {
                F::from_f64(ln_factorial + sum)
            } else {
                -F::INFINITY
            };
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let k = call.attr(0) as usize;
        let d_out = call.d_out();
        if let Some(mut d_each) = call.grad(0) {
            for i in 0..d_each.slice.len() {
                d_each.put(i, d_out[i / k]);
            }
        }
    }
}

#[cfg(test)]
op_tests! { density |x| Ordered { base: crate::distributions::DistExt::expand(crate::distributions::Normal(x[1], x[2]), [3]) }.log_prob(x[0]); [[-1.0, 0.5, 2.0], 0.3, 1.5] }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::{DistExt, Normal};
    use crate::math::incomplete_beta::beta_p;
    use crate::rng::Key;
    use crate::tape::store::Precision;
    use crate::testing::rows_check::{draws_of, p_value_of};

    #[test]
    fn the_density_is_that_of_all_orders_together_and_zero_elsewhere() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let base = Normal(0.3, 1.5).expand([2, 3]);
        let x = tape.input(0, &[], &[2, 3], &[-1.0, 0.5, 2.0, 0.0, 1.0, 0.5], false);
        let each = base.log_prob(x).elements();
        let got = base.ordered().log_prob(x).elements();
        assert!((got[0] - (6f64.ln() + each[..3].iter().sum::<f64>())).abs() < 1e-14);
        assert_eq!(got[1], f64::NEG_INFINITY);
    }

    #[test]
    fn draws_are_order_statistics() {
        // Φ of the i-th of three ascending normal draws follows Beta(i, 4 − i).
        let x = draws_of(50_000, 3, |at| Normal(0, 1).expand([50_000, 3]).ordered().draw(at));
        for i in 0..3 {
            let element = x
                .iter()
                .skip(i)
                .step_by(3)
                .map(|&x| crate::math::erf::ndtr(x))
                .collect();
            let p = p_value_of(element, |u| beta_p(1.0 + i as f64, 3.0 - i as f64, u));
            assert!(p > 1e-6, "element {i}: p = {p:e}");
        }
    }

    #[test]
    fn the_density_of_a_draw_by_its_noise_is_that_at_its_value() {
        use crate::testing::own_draw;
        let densities = own_draw::densities!(|p| Normal(p[0], p[1]).expand([4]).ordered());
        own_draw::check(densities, &[(&[], vec![0.5]), (&[], vec![1.5])], &[4]);
    }

    #[test]
    fn elements_with_parameters_of_their_own_are_refused() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[2], &[0.0, 1.0], false);
        Normal([0.0, 1.0], 1).ordered().log_prob(x);
        let error = tape.take_error().expect("an error").to_string();
        assert!(error.contains("`loc` differs between the elements"), "{error}");
    }
}
