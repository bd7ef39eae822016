//! What `observe` does with an observation of which some elements are missing.

use ndarray::ArrayD;

use crate::bijectors::default::for_support;
use crate::distributions::erased::{AnyDist, Facts};
use crate::distributions::support::Support;
use crate::error::Error;
use crate::ops::broadcast::broadcast_to;
use crate::ops::gather::gather;
use crate::ops::where_::where_;
use crate::runtime::context::{Ctx, hold};
use crate::runtime::handler::Fate;
use crate::runtime::sampling::{Beside, Visit};
use crate::runtime::site::Site;
use crate::runtime::source::Latent;
use crate::runtime::state::SiteKind;
use crate::runtime::stop::{Res, Stop};
use crate::runtime::terms::{Computed, Part, Term};
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::{Shape, size};

/// An observed value of which some elements are missing.
struct Parts<'t> {
    /// The value, NaN where it is missing.
    raw: Var<'t>,
    /// Whether it is there: a number for each draw of the distribution.
    rows: Var<'t>,
    /// The same for each element.
    elements: Var<'t>,
    /// The numbers of the elements that are missing.
    missing: Vec<usize>,
    /// The numbers of the others.
    given: Vec<usize>,
}

impl<'t> Ctx<'t> {
    /// Observes a value of which elements may be missing: what is there is scored. What is missing is drawn where the run
    /// draws; in a density it is integrated out, or a latent if the model reads it.
    pub(crate) fn observe_partly(
        self,
        site: Site,
        value: Var<'t>,
        number: u64,
        dist: &mut dyn AnyDist<'t>,
    ) -> Res<Var<'t>> {
        let parts = self.parts(site, value, dist.facts())?;
        let is_served = {
            let source = std::rc::Rc::clone(&self.state().source);
            source.serves_missing(&self.address(site.name))
        };
        let (integrates, imputes) = {
            let state = self.state();
            (
                state.integrates && !is_served,
                state.imputed.contains(&number) && !parts.missing.is_empty(),
            )
        };
        if !integrates && parts.missing.is_empty() {
            return self.observe_value(site, parts.raw, dist);
        }
        let (mut visit, fate) = self.visit(site, dist, integrates)?;
        let given = |value: ArrayD<f64>, kind| visit.given(&value, kind).map_err(|stop| visit.blame(stop));
        match fate {
            Fate::Set(value) => return given(value, SiteKind::Intervened),
            Fate::Observed(value) => return given(value, SiteKind::Observed),
            Fate::Replayed(value) => return given(value, SiteKind::Latent),
            Fate::Hidden => {
                visit.note_hidden();
                return Ok(value);
            }
            Fate::Open => visit.check_event(parts.raw)?,
        }
        if !integrates || imputes {
            visit.observed = Some(parts.rows);
        }
        let x = match (integrates, imputes) {
            (true, false) => return visit.integrated(&parts).map(|_| value),
            (true, true) => visit.imputed(&parts),
            (false, _) => visit.drawn_beside(&parts),
        };
        let x = x?;
        self.note_missing(site, parts.given);
        self.tape().fill_missing(value, x);
        Ok(x)
    }

    /// Finds out what is there. A draw of several numbers is there or missing as a whole.
    fn parts(self, site: Site, value: Var<'t>, facts: Facts) -> Res<Parts<'t>> {
        let tape = self.tape();
        let raw = tape.unmarked(value);
        let (dims, event) = (raw.dims(), raw.event_shape());
        let there = raw.eq_mask(raw);
        let (mut rows, mut elements) = (there, there);
        let n_outer = event.len().saturating_sub(facts.event_rank);
        if facts.event_rank > 0 {
            for axis in (n_outer..event.len()).rev() {
                rows = rows.sum_axis(axis);
            }
            let width = size(&event[n_outer..]);
            let is_part = |&n: &f64| n != 0.0 && n != width as f64;
            if let Some(row) = rows.elements().iter().position(is_part) {
                let message = format!(
                    "draw {row} of {} is there in part, and a draw of {width} numbers is there or missing as a whole: write \
                     the ones that are missing as latents",
                    facts.name
                );
                return Err(Stop(Error::at_site(self.address(site.name), site.place(), message)));
            }
            rows = rows.gt(0.0);
            let mut column = Shape::from_slice(&event[..n_outer]);
            column.resize(event.len(), 1);
            elements = broadcast_to(tape, tape.alias(rows, &dims, &column), &dims, &event);
        }
        self.check()?;
        let all = tape.lift(elements).elements();
        let (missing, given) = (0..all.len()).partition(|&k| all[k] == 0.0);
        Ok(Parts {
            raw,
            rows,
            elements,
            missing,
            given,
        })
    }
}

impl<'t> Visit<'_, 't> {
    /// Scores what is there. The density of what is missing, given the latents, integrates to one.
    fn integrated(mut self, parts: &Parts<'t>) -> Res<Var<'t>> {
        let tape = self.ctx.tape();
        let support = self.dist.support(tape);
        let event = parts.raw.event_shape();
        let stand_in = stand_in(tape, support, event.last().copied().unwrap_or(1)).ok_or_else(|| {
            self.fault(format!(
                "a draw of {} cannot be missing: its elements belong together",
                self.facts.name
            ))
        })?;
        // Any value of the support does, so that no derivative is NaN.
        let x = where_(parts.elements, parts.raw, stand_in);
        self.masks.push(parts.rows);
        let x = self.record(x, SiteKind::Observed)?;
        let raw = hold(self.ctx.stored(parts.raw));
        if let Some(site) = self.ctx.state().sites.last_mut() {
            site.raw = Some(raw);
        }
        Ok(x)
    }

    /// Draws what is missing in a run that draws.
    fn drawn_beside(&self, parts: &Parts<'t>) -> Res<Var<'t>> {
        let (ctx, event) = (self.ctx, parts.raw.event_shape());
        let prior_draw = || ctx.stored(self.draw_of(event.clone())).elements();
        let support = self.dist.support(ctx.tape());
        let latent = self.ask(
            support,
            ctx.plate_lengths(),
            [event.clone(), event.clone()],
            &prior_draw,
        )?;
        let beside = Beside {
            given: parts.raw,
            elements: parts.elements,
            rows: parts.rows,
        };
        match latent {
            Latent::Forward => self.forward(event, Some(beside)),
            Latent::Fresh(weight) | Latent::OfGuide(weight) => {
                let drawn = self.own_draw(event)?;
                ctx.check()?;
                let x = where_(parts.elements, parts.raw, drawn);
                self.record_weighted(x, SiteKind::Latent, weight)
            }
            Latent::Value(x) => {
                let x = where_(parts.elements, parts.raw, x);
                self.record(x, SiteKind::Latent)
            }
            _ => Err(self.fault("what is missing of it cannot be drawn here")),
        }
    }

    /// Refuses latents for what is missing where they would differ from step to step, or have no simple support.
    fn check_imputable(&self, support: Support<'t>) -> Res<()> {
        let tape = self.ctx.tape();
        let is_partial = {
            let state = self.ctx.state();
            state.loop_scale != 1.0 || state.plates.iter().any(|&d| tape.dim(d).len != tape.dim(d).full)
        };
        let obstacle = match support {
            _ if is_partial => Some("in a batch of rows, whose missing elements differ from step to step"),
            _ if self.facts.event_rank > 0 => Some("where a draw is several numbers"),
            Support::Interval(a, b) if a.as_constant().is_none() || b.as_constant().is_none() => {
                Some("between bounds that vary")
            }
            _ => None,
        };
        let Some(obstacle) = obstacle else {
            return Ok(());
        };
        let remedy = match is_partial {
            true => "fit all rows at once, without `batch` and `total`; or do not read it where it is missing",
            false => "do not read it where it is missing, or write the missing ones as a site of their own",
        };
        Err(self.fault(format!(
            "the model reads elements of it that are missing, which makes them latents, and they cannot be latents \
             {obstacle}: {remedy}"
        )))
    }

    /// Makes what is missing a latent of the density: an array of the elements that are missing, outside of all plates.
    fn imputed(&self, parts: &Parts<'t>) -> Res<Var<'t>> {
        let (ctx, tape) = (self.ctx, self.ctx.tape());
        let support = self.dist.support(tape);
        self.check_imputable(support)?;
        let (dims, event) = (parts.raw.dims(), parts.raw.event_shape());
        let is_single = dims.is_empty() && event.is_empty();
        let own = if is_single {
            Shape::new()
        } else {
            Shape::from_slice(&[parts.missing.len()])
        };
        let prior_draw = || {
            let all = ctx.stored(self.draw_of(event.clone())).elements();
            parts.missing.iter().map(|&k| all[k % all.len()]).collect()
        };
        let plates = std::mem::take(&mut ctx.state().plates);
        let asked = self.ask(support, Shape::new(), [own.clone(), own], &prior_draw);
        let free = asked.and_then(|latent| match latent {
            Latent::Value(x) => Ok((x, None)),
            Latent::Free(z) => {
                let bijector = for_support(&support).ok_or_else(|| self.fault("its support has no unconstrained form"))?;
                let x = bijector.constrain(z);
                Ok((x, bijector.log_det(z, x)))
            }
            Latent::Fresh(_) | Latent::OfGuide(_) | Latent::Forward | Latent::ForwardBeside { .. } | Latent::WithKl(..) => {
                let message = "the model reads elements of it that are missing, and this algorithm has no latents for them: \
                               use `Svi`, or `Mh` on a model whose sites do not change";
                Err(self.fault(message))
            }
        });
        ctx.state().plates = plates;
        let (x, log_det) = free?;
        let completed = if is_single {
            x
        } else {
            where_(parts.elements, parts.raw, self.spread(x, parts))
        };
        let number = self.add(completed, SiteKind::Latent)?;
        // Its draws are not those of the prior alone: no divergence in closed form stands for its density.
        ctx.state().sites[number as usize].is_weighted = true;
        if let Some(log_det) = log_det {
            ctx.term(&Term {
                multiplicity: Some(1.0),
                ..Term::plain(number, Part::Coordinates, &Computed(log_det))
            });
        }
        self.term(completed, 1.0, number);
        ctx.check()?;
        Ok(completed)
    }

    /// Puts the elements that are missing in their places; the others hold any of them.
    fn spread(&self, x: Var<'t>, parts: &Parts<'t>) -> Var<'t> {
        let tape = self.ctx.tape();
        let (dims, event) = (parts.raw.dims(), parts.raw.event_shape());
        let mut picks = vec![0.0; tape.lift(parts.elements).elements().len()];
        parts
            .missing
            .iter()
            .enumerate()
            .for_each(|(k, &place)| picks[place] = k as f64);
        let picked = gather(x, tape.constant_array(&[picks.len()], picks.iter().copied()));
        tape.alias(picked, &dims, &event)
    }
}

/// Returns a value inside of a support of vectors of this width or of numbers, or `None` for one whose elements depend on each other.
fn stand_in<'t>(tape: &'t Tape, support: Support<'t>, width: usize) -> Option<Var<'t>> {
    Some(match support {
        Support::Real | Support::Boolean | Support::Category(_) | Support::Count(_) => Var::constant(0.0),
        Support::Positive => Var::constant(1.0),
        Support::UnitInterval => Var::constant(0.5),
        Support::Interval(low, high) => {
            let (has_low, has_high) = (low.gt(f64::NEG_INFINITY), high.lt(f64::INFINITY));
            let bounded = where_(has_high, low + (high - low) * 0.5, low + 1.0);
            where_(has_low, bounded, where_(has_high, high - 1.0, Var::constant(0.0)))
        }
        Support::OneHot(k) => tape.constant_array(&[k], (0..k).map(|i| f64::from(i == 0))),
        Support::Simplex => Var::constant(1.0 / width as f64),
        Support::Ordered | Support::LowerCholesky => return None,
    })
}
