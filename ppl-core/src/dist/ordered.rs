//! Independent draws in ascending order: what `.ordered()` makes of an array of them.

use crate::constraints;
use crate::dist::contract::{Dist, Modifiers, Params};
use crate::dist::draw::Draw;
use crate::dist::family::Family;
use crate::dist::support::Support;
use crate::error::{Error, Place};
use crate::kernels::real::Real;
use crate::math::gamma::ln_gamma;
use crate::ops::broadcast::broadcast_to;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;

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
    const EVENT_RANK: usize = 1;

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

    fn draw(&self, at: &Draw<'t>) -> Var<'t> {
        self.check(at.tape);
        let x = self.base.draw(at);
        let k = at.event.last().copied().unwrap_or(1);
        at.tape
            .record(SortRows::DEF, &[x], &[k as u64], &x.dims(), &x.event_shape(), 0)
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
    x.windows(2).all(|pair| !(pair[0] > pair[1]))
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

/// Each row in ascending order; derivatives follow the elements.
struct SortRows;

impl Op for SortRows {
    const NAME: &'static str = "sort_rows";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (k, x, out) = (call.attr(0) as usize, call.x(0), call.out());
        out.copy_from_slice(x);
        for row in out.chunks_exact_mut(k.max(1)) {
            row.sort_unstable_by(|a, b| a.to_f64().total_cmp(&b.to_f64()));
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (k, x, y, d_out) = (call.attr(0) as usize, call.x(0), call.y(), call.d_out());
        if let Some(mut d_x) = call.grad(0) {
            for i in 0..x.len() {
                let start = i / k * k;
                // Equal elements take the places from the first one on.
                let smaller = y[start..][..k].partition_point(|&v| v < x[i]);
                let before = x[start..i].iter().filter(|&&v| v == x[i]).count();
                let at = (start + smaller + before).min(start + k - 1);
                d_x.put(i, d_out[at]);
            }
        }
    }
}
