//! Where a chain on traces gets its values: from the trace before, one of them moved, or from the prior.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::bijectors::default::for_support;
use crate::error::Error;
use crate::inference::discrete::Discrete;
use crate::rng::Generator;
use crate::runtime::context::Ctx;
use crate::runtime::recording::Recording;
use crate::runtime::source::{Latent, LatentSite, Source};
use crate::runtime::state::SiteKind;
use crate::runtime::stop::{Res, Stop};
use crate::tape::var::Var;
use crate::tensor::shape::Shape;

/// The latents of a trace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latents {
    by_address: HashMap<String, LatentValue>,
    /// The addresses in the order in which the model met them.
    pub(crate) order: Vec<String>,
}

#[derive(Clone, Debug)]
struct LatentValue {
    /// `[plates…, event…]`.
    values: Vec<f64>,
    shape: Vec<usize>,
    is_discrete: bool,
    /// The log density of the site, or `None` if it does not count as it is.
    log_prob: Option<f64>,
}

impl Latents {
    /// Takes the latents of a run.
    pub(crate) fn of(recording: &Recording) -> Self {
        let mut latents = Latents::default();
        let records = recording.tape.records();
        for (number, site) in recording
            .sites
            .iter()
            .enumerate()
            .filter(|(_, s)| s.kind == SiteKind::Latent)
        {
            let own = || records.terms.iter().filter(move |t| t.site as usize == number);
            let (values, shape) = recording.values_of(site);
            let counts_once = !site.is_weighted && own().all(|t| t.weight == 1.0);
            let value = LatentValue {
                values,
                shape,
                is_discrete: site.is_discrete,
                log_prob: counts_once.then(|| own().map(|t| t.value).sum()),
            };
            latents.by_address.insert(site.address.clone(), value);
            latents.order.push(site.address.clone());
        }
        latents
    }

    /// Returns the log density of the sites for which `is_counted`, each given those before it.
    ///
    /// # Errors
    ///
    /// If a site that comes or goes does not count once.
    pub(crate) fn log_prob(&self, recording: &Recording, is_counted: impl Fn(&str) -> bool) -> Result<f64, Error> {
        let mut sum = 0.0;
        for address in self.order.iter().filter(|a| is_counted(a)) {
            sum += self.by_address[address].log_prob.ok_or_else(|| {
                let place = recording
                    .site(address)
                    .map_or_else(crate::error::Place::here, |s| s.place);
                let message =
                    "the site comes and goes from run to run, so that its density can be neither scaled nor masked";
                Error::at_site(address, place, message)
            })?;
        }
        Ok(sum)
    }
}

/// Values of the trace before, one of which moves; sites that it lacks, or has in another shape, are drawn afresh.
pub(crate) struct FromTrace {
    before: Rc<Latents>,
    moving: Option<String>,
    scale: f64,
    rng: RefCell<Generator>,
    /// Whether the run begins a chain, so that sites take the values that they were given to start from.
    is_start: bool,
    reused: RefCell<HashSet<String>>,
    /// ln q(old | new) − ln q(new | old) of the move.
    ln_ratio: Cell<f64>,
    /// The number of coordinates that moved.
    dim: Cell<usize>,
}

/// What a run with [`FromTrace`] did.
pub(crate) struct Moved {
    /// The addresses whose values come from the trace before.
    pub(crate) reused: HashSet<String>,
    /// ln q(old | new) − ln q(new | old) of the move.
    pub(crate) ln_ratio: f64,
    /// The number of coordinates that moved.
    pub(crate) dim: usize,
}

impl FromTrace {
    /// Returns a source that moves the site `moving`, if any, by a step of this scale.
    pub(crate) fn new(before: Rc<Latents>, moving: Option<String>, scale: f64, rng: Generator) -> Self {
        FromTrace {
            is_start: before.order.is_empty() && moving.is_none(),
            before,
            moving,
            scale,
            rng: RefCell::new(rng),
            reused: RefCell::default(),
            ln_ratio: Cell::new(0.0),
            dim: Cell::new(1),
        }
    }

    /// Returns what happened in the run.
    pub(crate) fn moved(&self) -> Moved {
        Moved {
            reused: self.reused.take(),
            ln_ratio: self.ln_ratio.get(),
            dim: self.dim.get(),
        }
    }

    /// Moves the unconstrained value by normal steps. The density counts on the support, so that the step back and the step
    /// forth differ by the derivatives of the map.
    fn walk<'t>(&self, ctx: Ctx<'t>, site: &LatentSite<'_, 't>, values: &[f64]) -> Res<Var<'t>> {
        let bijector = for_support(&site.support).ok_or_else(|| {
            let message = "its support has no unconstrained form";
            Stop(Error::at_site(site.address, site.place, message))
        })?;
        let old = site.unconstrain(ctx, values).expect("chains run over whole plates");
        let mut rng = self.rng.borrow_mut();
        let mut noise = || -> f64 { StandardNormal.sample(&mut *rng) };
        let new: Vec<f64> = old.iter().map(|z| z + self.scale * noise()).collect();
        self.dim.set(new.len());
        let free_event = bijector.unconstrained_event(&site.event);
        let constrain = |z: &[f64]| {
            let z = array(ctx, site, z, &free_event);
            let x = bijector.constrain(z);
            let log_det = bijector.log_det(z, x);
            let sum = log_det.map_or(0.0, |l| ctx.tape().lift(l).elements().iter().sum::<f64>());
            (x, sum)
        };
        let (_, log_det_old) = constrain(&old);
        let (x, log_det_new) = constrain(&new);
        self.ln_ratio.set(log_det_new - log_det_old);
        Ok(x)
    }

    /// Moves one point of a discrete site.
    fn hop<'t>(&self, ctx: Ctx<'t>, site: &LatentSite<'_, 't>, kind: Discrete, values: &[f64]) -> Var<'t> {
        let mut rng = self.rng.borrow_mut();
        let width = kind.width();
        let mut values = values.to_vec();
        let k = rng.random_range(0..values.len() / width);
        kind.propose(&mut values[k * width..][..width], self.scale, &mut *rng);
        array(ctx, site, &values, &site.event)
    }
}

impl Source for FromTrace {
    fn latent<'t>(&self, ctx: Ctx<'t>, site: &LatentSite<'_, 't>) -> Res<Latent<'t>> {
        let mut shape = site.rows.to_vec();
        shape.extend_from_slice(&site.event);
        let kind = Discrete::of(&site.support);
        let before = self.before.by_address.get(site.address);
        let Some(before) = before.filter(|b| b.shape == shape && b.is_discrete == kind.is_some()) else {
            return Ok(match &site.start {
                Some(start) if self.is_start => Latent::Value(array(ctx, site, &start.values, &site.event)),
                _ => Latent::Fresh(1.0),
            });
        };
        self.reused.borrow_mut().insert(site.address.to_string());
        let is_moving = self.moving.as_deref() == Some(site.address) && !before.values.is_empty();
        Ok(Latent::Value(match kind {
            _ if !is_moving => array(ctx, site, &before.values, &site.event),
            Some(kind) => self.hop(ctx, site, kind, &before.values),
            None => self.walk(ctx, site, &before.values)?,
        }))
    }
}

/// Puts values `[plates…, event…]` onto the tape.
fn array<'t>(ctx: Ctx<'t>, site: &LatentSite<'_, 't>, values: &[f64], event: &[usize]) -> Var<'t> {
    let mut shape: Shape = site.rows.clone();
    shape.extend_from_slice(event);
    ctx.rows_of(ctx.tape().constant_array(&shape, values.iter().copied()), event)
}
