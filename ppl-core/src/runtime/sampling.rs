//! What `sample` and `observe` do with a distribution.

use ndarray::ArrayD;

use crate::bijectors::default::for_support;
use crate::distributions::erased::{AnyDist, Facts};
use crate::distributions::noise::Noise;
use crate::distributions::support::Support;
use crate::distributions::{Dist, Modifiers};
use crate::error::{Error, number, shapes_text};
use crate::ops::broadcast::broadcast_to;
use crate::ops::where_::where_;
use crate::rng::name_hash;
use crate::runtime::context::{Ctx, hold};
use crate::runtime::handler::{Fate, Message};
use crate::runtime::site::Site;
use crate::runtime::source::{Latent, LatentSite};
use crate::runtime::state::{SiteKind, SiteRecord};
use crate::runtime::stop::{Res, Stop};
use crate::runtime::terms::{AtStandard, AtValue, Computed, Part, Term};
use crate::tape::var::Var;
use crate::tensor::shape::{Shape, broadcast};

/// A site on its way to the tape.
pub(super) struct Visit<'a, 't> {
    pub ctx: Ctx<'t>,
    site: Site<'a>,
    address: String,
    pub dist: &'a dyn AnyDist<'t>,
    pub facts: Facts,
    pub modifiers: Modifiers<'t>,
    /// The masks of handlers and that of the distribution.
    pub masks: Vec<Var<'t>>,
    /// Of a value that is observed in part where it is.
    pub observed: Option<Var<'t>>,
    pub scale: f64,
    /// What an algorithm starts from.
    pub start: Option<ArrayD<f64>>,
}

/// A site that handlers have looked at, and what they decided.
type Visited<'a, 't> = Res<(Visit<'a, 't>, Fate)>;

/// A value that stands beside what is drawn.
pub(super) struct Beside<'t> {
    /// The value, anything where it is not given.
    pub given: Var<'t>,
    /// Where it is given: a number for each element, or for each row.
    pub elements: Var<'t>,
    /// The same for each element of the log density.
    pub rows: Var<'t>,
}

impl<'t> Ctx<'t> {
    /// Draws a latent from a distribution: the value is decided by handlers first, then by the algorithm.
    ///
    /// # Errors
    ///
    /// If the site is at fault: its name is taken, it has no value in this algorithm, it is to be enumerated.
    pub fn sample_from<D: Dist<'t>>(self, site: Site, mut dist: D) -> Res<Var<'t>> {
        self.sample_any(site, &mut dist)
    }

    pub(crate) fn sample_any(self, site: Site, dist: &mut dyn AnyDist<'t>) -> Res<Var<'t>> {
        self.check()?;
        let (visit, fate) = self.visit(site, dist, false)?;
        self.check_room(&visit.address, site.place(), &visit.dist.event_shape())?;
        let outcome = match fate {
            Fate::Open => visit.latent(),
            Fate::Observed(value) => visit.given(&value, SiteKind::Observed),
            Fate::Replayed(value) => visit.given(&value, SiteKind::Latent),
            Fate::Set(value) => visit.given(&value, SiteKind::Intervened),
            Fate::Hidden => visit.hidden(),
        };
        outcome.map_err(|stop| visit.blame(stop))
    }

    /// Observes a value that is there.
    pub(crate) fn observe_value(self, site: Site, value: Var<'t>, dist: &mut dyn AnyDist<'t>) -> Res<Var<'t>> {
        let value = self.tape().lift(value);
        let (visit, fate) = self.visit(site, dist, true)?;
        let outcome = match fate {
            Fate::Set(value) => visit.given(&value, SiteKind::Intervened),
            Fate::Observed(value) | Fate::Replayed(value) => visit.given(&value, SiteKind::Observed),
            Fate::Hidden => {
                visit.note_hidden();
                Ok(value)
            }
            Fate::Open => visit
                .check_event(value)
                .and_then(|()| visit.record(value, SiteKind::Observed)),
        };
        outcome.map_err(|stop| visit.blame(stop))
    }

    pub(super) fn visit<'a>(self, site: Site<'a>, dist: &'a mut dyn AnyDist<'t>, is_observed: bool) -> Visited<'a, 't> {
        let address = self.address(site.name);
        let modifiers = dist.modifiers();
        if modifiers.enumerate {
            let message = "`.enumerate()` is not available yet: sample the site by Metropolis–Hastings, or sum it out by hand \
                           with `log_sum_exp` and `factor`";
            return Err(Stop(Error::at_site(address, site.place(), message)));
        }
        let handlers = self.state().handlers.clone();
        let mut message = Message {
            address: &address,
            is_observed,
            fate: Fate::Open,
            masks: Vec::new(),
            scale: 1.0,
            start: None,
        };
        for handler in handlers.iter().rev() {
            handler.handle(&mut message);
        }
        let Message {
            fate,
            masks,
            scale,
            start,
            ..
        } = message;
        let own = modifiers.scale.and_then(Var::as_constant).unwrap_or(1.0);
        if !(scale * own).is_finite() {
            let message = format!("its density is scaled by {}: a scale is a finite number", scale * own);
            return Err(Stop(Error::at_site(address, site.place(), message)));
        }
        dist.put_on(self.tape());
        // What plain numbers were refused before they met a tape has a place of its own.
        self.check().map_err(|stop| match stop.0 {
            Error::Invalid(message) => Stop(Error::at_site(address.clone(), site.place(), message)),
            own => Stop(own),
        })?;
        let masks = self.masks(&address, site, &masks, modifiers.mask)?;
        Ok((
            Visit {
                ctx: self,
                site,
                address,
                facts: dist.facts(),
                dist,
                modifiers,
                masks,
                observed: None,
                scale,
                start,
            },
            fate,
        ))
    }
}

impl<'t> Visit<'_, 't> {
    pub fn fault(&self, message: impl Into<String>) -> Stop {
        Stop(Error::at_site(self.address.clone(), self.site.place(), message))
    }

    /// Names the site in an error of an operation that the library recorded for it, with the shapes of its parameters.
    pub fn blame(&self, stop: Stop) -> Stop {
        let what = match &stop.0 {
            Error::Shape {
                op, message, shapes, ..
            } => format!("{message} in `{op}`: {}", shapes_text(shapes)),
            Error::Invalid(message) => return self.fault(message.as_str()),
            _ => return stop,
        };
        let shape = |&(name, x): &(&str, Var<'t>)| format!("{name}: {:?}", x.event_shape().as_slice());
        let params: Vec<String> = self.dist.params(self.ctx.tape()).iter().map(shape).collect();
        self.fault(format!(
            "{what}; the parameters of {} have the shapes {}",
            self.facts.name,
            params.join(", ")
        ))
    }

    /// Draws by the stream of random numbers of this site.
    fn draw(&self) -> Var<'t> {
        self.draw_of(self.dist.event_shape())
    }

    /// As [`Visit::draw`], with an event that the distribution's own broadcasts to.
    pub fn draw_of(&self, event: Shape) -> Var<'t> {
        self.dist.draw(&self.noise(event))
    }

    /// The stream of random numbers of this site.
    pub fn noise(&self, event: Shape) -> Noise<'t> {
        Noise {
            tape: self.ctx.tape(),
            stream: name_hash(&self.address),
            dims: self.ctx.state().plates.iter().copied().collect(),
            event,
        }
    }

    /// A draw of this event, if the distribution has any.
    pub fn own_draw(&self, event: Shape) -> Res<Var<'t>> {
        self.check_proper()?;
        Ok(self.draw_of(event))
    }

    /// Refuses a draw of an improper distribution.
    pub fn check_proper(&self) -> Res<()> {
        match self.facts.is_proper {
            true => Ok(()),
            false => Err(self.fault(format!(
                "`{}` is improper and cannot be drawn from: give the site a proper prior or, by `condition` or `do_`, a value; \
                 `Mh` and `Svi` with an automatic guide need no draw where the same sites are met in each run",
                self.facts.name
            ))),
        }
    }

    /// Asks the source of the run for a value of this event shape and unconstrained event shape.
    pub fn ask(
        &self,
        support: Support<'t>,
        rows: Shape,
        [event, free_event]: [Shape; 2],
        prior_draw: &dyn Fn() -> Vec<f64>,
    ) -> Res<Latent<'t>> {
        let ctx = self.ctx;
        let mut spec = LatentSite {
            address: &self.address,
            place: self.site.place(),
            distribution: self.facts.name,
            support,
            rows,
            event,
            free_event,
            is_noncentered: self.modifiers.noncentered,
            is_reparameterised: self.facts.is_reparameterised,
            start: None,
            prior_draw,
        };
        spec.start = self.starting_value(&spec)?;
        let source = std::rc::Rc::clone(&ctx.state().source);
        source.latent(ctx, &spec)
    }

    fn latent(&self) -> Res<Var<'t>> {
        let (ctx, tape) = (self.ctx, self.ctx.tape());
        let support = self.dist.support(tape);
        let event = self.dist.event_shape();
        let bijector = for_support(&support);
        let free_event = match (&bijector, self.modifiers.noncentered) {
            (Some(bijector), false) => bijector.unconstrained_event(&event),
            _ => event.clone(),
        };
        let prior_draw = || ctx.stored(self.draw()).elements();
        let shapes = [event.clone(), free_event.clone()];
        match self.ask(support, ctx.plate_lengths(), shapes, &prior_draw)? {
            Latent::Fresh(weight) => {
                let x = self.own_draw(event.clone())?;
                ctx.check()?;
                self.record_weighted(x, SiteKind::Latent, weight)
            }
            Latent::OfGuide(weight) => self.of_guide(event, weight),
            Latent::Forward => self.forward(event, None),
            Latent::ForwardBeside { given, is_given } => {
                let (elements, rows) = (is_given, is_given);
                self.forward(event, Some(Beside { given, elements, rows }))
            }
            Latent::Value(x) => self.record(x, SiteKind::Latent),
            Latent::WithKl(x, guide_site) => self.record_kl(x, guide_site),
            Latent::Free(stored) => {
                let z = ctx.rows_of(stored, &free_event);
                if self.modifiers.noncentered {
                    return self.noncentered(z);
                }
                // A discrete support has none.
                let bijector = bijector.ok_or_else(|| self.fault("its support has no unconstrained form"))?;
                let x = bijector.constrain(z);
                let number = self.add(x, SiteKind::Latent)?;
                if ctx.is_subsampled() {
                    ctx.state().sites[number as usize].stored = hold(bijector.constrain(stored));
                }
                if let Some(log_det) = bijector.log_det(z, x) {
                    // It belongs to the coordinates, not to the site: neither scales nor masks change it.
                    let multiplicity = Some(ctx.multiplicity(&z.dims()));
                    ctx.term(&Term {
                        multiplicity,
                        ..Term::plain(number, Part::Coordinates, &Computed(log_det))
                    });
                }
                self.term(x, 1.0, number);
                ctx.check()?;
                Ok(x)
            }
        }
    }

    /// A draw without a term: its log density stays with the site. Where a value is given, that of the draw does not matter.
    pub fn forward(&self, event: Shape, beside: Option<Beside<'t>>) -> Res<Var<'t>> {
        let drawn = self.own_draw(event)?;
        self.ctx.check()?;
        let x = beside.as_ref().map_or(drawn, |b| where_(b.elements, b.given, drawn));
        let number = self.add(x, SiteKind::Latent)?;
        let mut log_prob = self.masked_log_prob(drawn);
        if let Some(beside) = beside {
            log_prob = where_(beside.rows, Var::constant(0.0), log_prob);
        }
        let log_prob = self.ctx.stored(log_prob);
        self.ctx.state().sites[number as usize].drawn_log_prob = Some(hold(log_prob));
        self.ctx.check()?;
        Ok(x)
    }

    /// The latent is the standardised value z: the density is s log p(x) + ln |dx/dz| with the scale s of the site, which is
    /// log p(z) + (s − 1) log p(x) with the standard density of z.
    fn noncentered(&self, z: Var<'t>) -> Res<Var<'t>> {
        let tape = self.ctx.tape();
        let x = self.dist.from_standard(tape, z).ok_or_else(|| {
            self.fault(format!(
                "`{}` has no noncentered form: it is no location-scale family",
                self.facts.name
            ))
        })?;
        let number = self.add(x, SiteKind::Latent)?;
        if !self.masks.is_empty() {
            return Err(self.fault("a noncentered site cannot be masked"));
        }
        let standard = AtStandard(self.dist, z);
        self.ctx.term(&Term::plain(number, Part::Coordinates, &standard));
        let rest = self.factor() - 1.0;
        if rest.as_constant() != Some(0.0) {
            let density = AtValue(self.dist, x);
            self.ctx.term(&Term {
                scale: rest,
                ..Term::plain(number, Part::Coordinates, &density)
            });
        }
        self.ctx.check()?;
        Ok(x)
    }

    /// A value from outside.
    pub fn given(&self, value: &ArrayD<f64>, kind: SiteKind) -> Res<Var<'t>> {
        let event = self.dist.event_shape();
        let mut wanted = self.ctx.plate_lengths();
        wanted.extend_from_slice(&event);
        if value.shape() != wanted.as_slice() && !(value.len() == 1 && wanted.is_empty()) {
            let message = format!(
                "a value of shape {:?} was given, the site has shape {:?}",
                value.shape(),
                wanted.as_slice()
            );
            return Err(self.fault(message));
        }
        let x = self.ctx.given_rows(value, &event);
        if kind == SiteKind::Intervened {
            self.add(x, kind)?;
            return Ok(x);
        }
        self.record(x, kind)
    }

    /// A draw that is no part of the density.
    fn hidden(&self) -> Res<Var<'t>> {
        self.note_hidden();
        let x = self.own_draw(self.dist.event_shape())?;
        self.ctx.check()?;
        let log_prob = self.ctx.tape().lift(self.dist.log_prob(x)).elements();
        self.ctx.check()?;
        if log_prob.iter().all(|&p| p < f64::INFINITY) {
            return Ok(x);
        }
        let params = self.dist.params(self.ctx.tape());
        let first = |&(name, value): &(&str, Var<'t>)| {
            let elements = self.ctx.tape().lift(value).elements();
            elements.first().map(|x| format!("{name} = {}", number(*x)))
        };
        let params: Vec<_> = params.iter().filter_map(first).collect();
        let message = format!(
            "log_prob is not finite at its own draw: {} {}",
            self.facts.name,
            params.join(", ")
        );
        Err(self.fault(message))
    }

    /// Keeps the name of a site that has no record.
    pub fn note_hidden(&self) {
        let met = (self.address.clone(), self.site.place());
        self.ctx.state().hidden.push(met);
    }

    pub fn check_event(&self, value: Var<'t>) -> Res<()> {
        let (own, wanted) = (value.event_shape(), self.dist.event_shape());
        if broadcast(&own, &wanted).as_ref() == Some(&own) {
            return Ok(());
        }
        let hint = if own.is_empty() {
            ": index the parameters by the plate"
        } else {
            ": index it by the plate"
        };
        let message = format!(
            "the observed value has event shape {:?}, the distribution {:?}{hint}",
            own.as_slice(),
            wanted.as_slice()
        );
        Err(self.fault(message))
    }

    pub fn record(&self, x: Var<'t>, kind: SiteKind) -> Res<Var<'t>> {
        self.record_weighted(x, kind, 1.0)
    }

    pub fn record_weighted(&self, x: Var<'t>, kind: SiteKind, weight: f64) -> Res<Var<'t>> {
        let number = self.add(x, kind)?;
        if weight != 0.0 {
            self.term(x, weight, number);
        }
        self.ctx.check()?;
        Ok(x)
    }

    /// In place of both densities, −KL(guide ‖ prior).
    fn record_kl(&self, x: Var<'t>, guide_site: usize) -> Res<Var<'t>> {
        let tape = self.ctx.tape();
        if self.is_weighted() || self.ctx.state().sites[guide_site].is_weighted {
            let message = "it is scaled or masked here and was not in the first recording, by which its divergence is taken \
                           in closed form: use `ElboEstimator::Sampled`";
            return Err(self.fault(message));
        }
        let number = self.add(x, SiteKind::Latent)?;
        let kl = self.ctx.guide_kl(guide_site, self.facts.name, &self.dist.params(tape));
        let kl = tape.lift(kl.ok_or_else(|| self.fault("no closed form of the divergence is known"))?);
        let event = x.event_shape();
        let kl = broadcast_to(tape, kl, &x.dims(), &event[..event.len() - self.facts.event_rank]);
        self.ctx.term(&Term {
            weight: -1.0,
            ..Term::plain(number, Part::Divergence, &Computed(kl))
        });
        self.ctx.check()?;
        Ok(x)
    }

    /// Adds the site to the run.
    pub fn add(&self, x: Var<'t>, kind: SiteKind) -> Res<u32> {
        let tape = self.ctx.tape();
        let params = self.dist.params(tape);
        let support = self.dist.support(tape);
        let base = self.ctx.site_record(self.site, kind, x);
        self.ctx.add_site(SiteRecord {
            distribution: self.facts.name,
            params: params
                .iter()
                .map(|&(name, value)| self.ctx.hold_param(name, value))
                .collect(),
            is_discrete: support.is_discrete(),
            support: Some(support.map(|bound| self.ctx.hold_param("bound", bound).1)),
            kl: self.facts.kl,
            is_weighted: self.is_weighted(),
            ..base
        })
    }

    /// Returns whether the log density of the site is scaled or masked.
    fn is_weighted(&self) -> bool {
        let is_scaled = |factor: Var<'t>| factor.as_constant() != Some(1.0);
        !self.masks.is_empty() || self.scale != 1.0 || self.modifiers.scale.is_some_and(is_scaled)
    }
}

impl<'t> Ctx<'t> {
    /// Returns whether an open plate works on a batch of its rows.
    pub(crate) fn is_subsampled(self) -> bool {
        self.state().plates.iter().any(|&d| self.tape().dim(d).rows.is_some())
    }
}
