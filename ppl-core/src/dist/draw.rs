//! Fresh draws: the random operations that samplers are made of.

use crate::kernels::random::{fill_normal, fill_uniform};
use crate::kernels::real::Real;
use crate::ops::align::to_shape;
use crate::tape::call::Call;
use crate::tape::op::{Op, Role};
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::dims::Dims;
use crate::tensor::shape::{Shape, size};

/// Where and in which shape a draw is wanted.
#[derive(Clone, Debug)]
pub struct Draw<'t> {
    /// The tape.
    pub tape: &'t Tape,
    /// The random stream of the site, split off the key of the run.
    pub stream: u64,
    /// The open plates: each row gets its own draw.
    pub dims: Dims,
    /// The event shape of the site.
    pub event: Shape,
}

impl<'t> Draw<'t> {
    /// Returns standard normal draws.
    pub fn standard_normal(&self) -> Var<'t> {
        self.tape
            .record(StandardNormal::DEF, &[], &[self.stream], &self.dims, &self.event, 0)
    }

    /// Returns draws from the open interval between zero and one.
    pub fn uniform(&self) -> Var<'t> {
        self.tape
            .record(StandardUniform::DEF, &[], &[self.stream], &self.dims, &self.event, 0)
    }

    /// Returns loc + scale · ε with standard normal ε, as one operation.
    pub fn normal(&self, loc: Var<'t>, scale: Var<'t>) -> Var<'t> {
        let loc = to_shape(self.tape, loc, &self.dims, &self.event);
        let scale = to_shape(self.tape, scale, &self.dims, &self.event);
        let n = size(&self.event) * self.dims.iter().map(|&d| self.tape.dim(d).len).product::<usize>();
        self.tape.record(
            NormalDraw::DEF,
            &[loc, scale],
            &[self.stream],
            &self.dims,
            &self.event,
            n,
        )
    }

    /// Returns the same place with another random stream, for distributions that need several base draws.
    pub fn fork(&self, k: u64) -> Self {
        Draw {
            stream: crate::rng::Key::new(self.stream).split(k).bits(),
            ..self.clone()
        }
    }
}

macro_rules! base_draw {
    ($(#[$doc:meta])* $name:ident, $text:literal, $fill:ident) => {
        $(#[$doc])*
        struct $name;

        impl Op for $name {
            const NAME: &'static str = $text;
            const ROLE: Role = Role::Random;

            fn forward<F: Real>(call: &mut Call<'_, F>) {
                $fill(call.key(), call.out());
            }

            fn backward<F: Real>(_: &mut Call<'_, F>) {}
        }
    };
}

base_draw!(
    /// Standard normal numbers.
    StandardNormal, "standard_normal", fill_normal
);
base_draw!(
    /// Numbers between zero and one.
    StandardUniform, "standard_uniform", fill_uniform
);

/// out = loc + scale · ε; the own buffer keeps ε.
struct NormalDraw;

impl Op for NormalDraw {
    const NAME: &'static str = "normal_draw";
    const ROLE: Role = Role::Random;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (key, noise, out) = (call.key(), call.aux(), call.out());
        fill_normal(key, noise);
        crate::kernels::affine::affine(call.x(0), call.x(1), noise, out);
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (noise, d_out) = (call.aux(), call.d_out());
        if let Some(d_loc) = call.grad(0) {
            crate::kernels::affine::add(d_out, d_loc.slice, d_loc.overwrite);
        }
        if let Some(d_scale) = call.grad(1) {
            crate::kernels::affine::add_product(d_out, noise, d_scale.slice, d_scale.overwrite);
        }
    }
}
