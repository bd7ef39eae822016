//! Fresh draws: the random operations that samplers are made of.

use std::marker::PhantomData;

use crate::error::{Error, Place};
use crate::kernels::random::{fill_normal_from, fill_uniform_from};
use crate::kernels::real::Real;
use crate::kernels::simd::lanes::sum3;
use crate::ops::align::to_shape;
use crate::rng::Key;
use crate::tape::call::{Call, Grad};
use crate::tape::op::{Op, Role};
use crate::tape::record::Tape;
use crate::tape::store::Precision;
use crate::tape::var::Var;
use crate::tensor::dims::Dims;
use crate::tensor::shape::{Shape, broadcast, size};

/// A fresh draw and what it was made of.
#[derive(Clone, Copy, Debug)]
pub struct Drawn<'t> {
    /// The draw.
    pub value: Var<'t>,
    /// The noise: for a location-scale family (x − loc) / scale.
    pub noise: Var<'t>,
}

/// Where and in which shape a draw is wanted.
#[derive(Clone, Debug)]
pub struct Noise<'t> {
    /// The tape.
    pub tape: &'t Tape,
    /// The random stream of the site, split off the key of the run.
    pub stream: u64,
    /// The open plates: each row gets its own draw.
    pub dims: Dims,
    /// The event shape of the site.
    pub event: Shape,
}

impl<'t> Noise<'t> {
    /// Returns draws from a standardised distribution.
    pub fn base<B: Base>(&self) -> Var<'t> {
        let def = BaseDraw::<B>::DEF;
        self.tape.record(def, &[], &[self.stream], &self.dims, &self.event, 0)
    }

    /// Returns standard normal draws.
    pub fn standard_normal(&self) -> Var<'t> {
        self.base::<StandardNormal>()
    }

    /// Returns draws from the open interval between zero and one.
    pub fn uniform(&self) -> Var<'t> {
        self.base::<StandardUniform>()
    }

    /// Returns loc + scale · ε for the noise ε.
    pub fn location_scale(&self, noise: Var<'t>, loc: Var<'t>, scale: Var<'t>) -> Drawn<'t> {
        let value = self.fit(loc) + self.fit(scale) * noise;
        Drawn { value, noise }
    }

    /// Returns (1 − u) low + u high with uniform u, between the bounds, as one operation; NaN where low < high does not hold.
    pub fn between(&self, low: Var<'t>, high: Var<'t>) -> Var<'t> {
        let args = [self.fit(low), self.fit(high)];
        self.tape.record(
            IntervalDraw::DEF,
            &args,
            &[self.stream],
            &self.dims,
            &self.event,
            self.n_elements(),
        )
    }

    /// Brings a parameter to the shape of the draw, unless it is a single number; one that does not broadcast to it is an
    /// error on the tape.
    pub fn fit(&self, param: Var<'t>) -> Var<'t> {
        let own = param.event_shape();
        if broadcast(&own, &self.event).as_ref() == Some(&self.event) {
            return to_shape(self.tape, param, &self.dims, &self.event);
        }
        self.tape.fail(Error::Shape {
            op: "draw",
            place: Place::here(),
            message: "a parameter does not broadcast to the shape of the draw".to_string(),
            shapes: vec![own, self.event.clone()],
        })
    }

    /// Returns the smallest normal number and the largest below one, in the precision of the tape.
    pub fn open_unit_interval(&self) -> (f64, f64) {
        match self.tape.precision() {
            Precision::F64 => (f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0),
            Precision::F32 => (f32::MIN_POSITIVE as f64, 1.0 - f32::EPSILON as f64 / 2.0),
        }
    }

    /// Returns the number of elements, plates included.
    pub fn n_elements(&self) -> usize {
        size(&self.event).saturating_mul(self.rows())
    }

    /// Returns the number of rows of the open plates.
    pub fn rows(&self) -> usize {
        let lengths = self.dims.iter().map(|&d| self.tape.dim(d).len);
        lengths.fold(1, usize::saturating_mul)
    }

    /// Returns the same place with another random stream, for distributions that need several base draws.
    pub fn fork(&self, k: u64) -> Self {
        Noise {
            stream: Key::new(self.stream).split(k).bits(),
            ..self.clone()
        }
    }
}

/// A standardised distribution, drawn in bulk.
pub trait Base: 'static {
    /// The name of the operation that draws.
    const NAME: &'static str;

    /// Fills with the independent draws from number `first` on, which is a multiple of [`CHUNK`](crate::kernels::random::CHUNK).
    fn fill<F: Real>(key: Key, first: usize, out: &mut [F]);
}

/// The normal distribution with mean 0 and variance 1.
pub struct StandardNormal;

impl Base for StandardNormal {
    const NAME: &'static str = "standard_normal";

    fn fill<F: Real>(key: Key, first: usize, out: &mut [F]) {
        fill_normal_from(key, first, out);
    }
}

/// The uniform distribution between 0 and 1.
pub struct StandardUniform;

impl Base for StandardUniform {
    const NAME: &'static str = "standard_uniform";

    fn fill<F: Real>(key: Key, first: usize, out: &mut [F]) {
        fill_uniform_from(key, first, out);
    }
}

/// Fills with `f` of numbers from the open interval between zero and one.
pub fn fill_by_inverse<F: Real>(key: Key, first: usize, out: &mut [F], f: impl Fn(f64) -> f64) {
    fill_uniform_from(key, first, out);
    for x in out {
        *x = F::from_f64(f(x.to_f64()));
    }
}

/// out = ε.
struct BaseDraw<B>(PhantomData<B>);

impl<B: Base> Op for BaseDraw<B> {
    const NAME: &'static str = B::NAME;
    const ROLE: Role = Role::Random;
    const ELEMENTWISE: bool = true;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        B::fill(call.key(), call.first(), call.out());
    }

    fn backward<F: Real>(_: &mut Call<'_, F>) {}
}

/// out = (1 − u) low + u high, which does not overflow as low + u (high − low) does; the own buffer keeps u.
struct IntervalDraw;

impl IntervalDraw {
    /// Adds d_out · weight(u) to an adjoint; a single number gets the sum.
    fn add<F: Real>(d_out: &[F], u: &[F], mut grad: Grad<'_, F>, weight: impl Fn(F) -> F) {
        if grad.slice.len() == d_out.len() {
            for (i, (&d, &u)) in d_out.iter().zip(u).enumerate() {
                grad.put(i, d * weight(u));
            }
        } else {
            grad.put(0, F::from_f64(sum3(d_out, u, u, |d, u, _| d * weight(u))));
        }
    }
}

impl Op for IntervalDraw {
    const NAME: &'static str = "interval_draw";
    const ROLE: Role = Role::Random;
    const ELEMENTWISE: bool = true;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (key, u, out) = (call.key(), call.aux(), call.out());
        StandardUniform::fill(key, call.first(), u);
        let (low, high) = (call.x(0), call.x(1));
        let at = |bound: &[F], i: usize| bound[if bound.len() == 1 { 0 } else { i }];
        for (i, (out, &u)) in out.iter_mut().zip(u.iter()).enumerate() {
            let (low, high) = (at(low, i), at(high, i));
            let x = (F::ONE - u) * low + u * high;
            *out = F::select(low < high, x.max(low).min(high), F::NAN);
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (u, d_out) = (call.aux(), call.d_out());
        if let Some(d_low) = call.grad(0) {
            Self::add(d_out, u, d_low, |u| F::ONE - u);
        }
        if let Some(d_high) = call.grad(1) {
            Self::add(d_out, u, d_high, |u| u);
        }
    }
}
