//! A distribution without its type: the code of a site is compiled once, and not for each distribution of each model.

use crate::distributions::contract::{Dist, Kl, Modifiers, Params};
use crate::distributions::noise::{Drawn, Noise};
use crate::distributions::support::Support;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;

/// The constants of a [`Dist`].
#[derive(Clone, Copy)]
pub(crate) struct Facts {
    pub name: &'static str,
    pub is_reparameterised: bool,
    pub is_proper: bool,
    pub event_rank: usize,
    pub kl: Option<Kl>,
}

/// What the runtime asks of a distribution at a site; the methods are those of [`Dist`].
pub(crate) trait AnyDist<'t> {
    fn facts(&self) -> Facts;
    fn put_on(&mut self, tape: &'t Tape);
    fn params(&self, tape: &'t Tape) -> Params<'t>;
    fn support(&self, tape: &'t Tape) -> Support<'t>;
    fn event_shape(&self) -> Shape;
    fn log_prob(&self, x: Var<'t>) -> Var<'t>;
    fn log_prob_term(&self, tape: &'t Tape, x: Var<'t>, weight: f64, site: u32);
    fn draw(&self, at: &Noise<'t>) -> Var<'t>;
    fn drawn(&self, at: &Noise<'t>) -> Drawn<'t>;
    fn drawn_log_prob(&self, drawn: Drawn<'t>) -> Var<'t>;
    fn drawn_term(&self, tape: &'t Tape, drawn: Drawn<'t>, weight: f64, site: u32);
    fn modifiers(&self) -> Modifiers<'t>;
    #[allow(clippy::wrong_self_convention)]
    fn from_standard(&self, tape: &'t Tape, z: Var<'t>) -> Option<Var<'t>>;
    fn standard_term(&self, tape: &'t Tape, z: Var<'t>, weight: f64, site: u32);
}

impl<'t, D: Dist<'t>> AnyDist<'t> for D {
    fn facts(&self) -> Facts {
        Facts {
            name: D::NAME,
            is_reparameterised: D::REPARAMETERISED,
            is_proper: D::IS_PROPER,
            event_rank: D::EVENT_RANK,
            kl: D::KL,
        }
    }

    fn put_on(&mut self, tape: &'t Tape) {
        Dist::put_on(self, tape);
    }

    fn params(&self, tape: &'t Tape) -> Params<'t> {
        Dist::params(self, tape)
    }

    fn support(&self, tape: &'t Tape) -> Support<'t> {
        Dist::support(self, tape)
    }

    fn event_shape(&self) -> Shape {
        Dist::event_shape(self)
    }

    fn log_prob(&self, x: Var<'t>) -> Var<'t> {
        Dist::log_prob(self, x)
    }

    fn log_prob_term(&self, tape: &'t Tape, x: Var<'t>, weight: f64, site: u32) {
        Dist::log_prob_term(self, tape, x, weight, site);
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        Dist::draw(self, at)
    }

    fn drawn(&self, at: &Noise<'t>) -> Drawn<'t> {
        Dist::drawn(self, at)
    }

    fn drawn_log_prob(&self, drawn: Drawn<'t>) -> Var<'t> {
        Dist::drawn_log_prob(self, drawn)
    }

    fn drawn_term(&self, tape: &'t Tape, drawn: Drawn<'t>, weight: f64, site: u32) {
        Dist::drawn_term(self, tape, drawn, weight, site);
    }

    fn modifiers(&self) -> Modifiers<'t> {
        Dist::modifiers(self)
    }

    fn from_standard(&self, tape: &'t Tape, z: Var<'t>) -> Option<Var<'t>> {
        Dist::from_standard(self, tape, z)
    }

    fn standard_term(&self, tape: &'t Tape, z: Var<'t>, weight: f64, site: u32) {
        Dist::standard_term(self, tape, z, weight, site);
    }
}
