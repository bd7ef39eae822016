//! The evidence lower bound as a recording: the guide draws, the model scores, on one tape.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use crate::diagnostics::{GuideWarning, Warning};
use crate::distributions::{Dist, MultivariateNormal};
use crate::error::{Error, Result};
use crate::inference::svi::guides::Family;
use crate::inference::svi::sources::FromDrawn;
use crate::runtime::model::Body;
use crate::runtime::recording::{Recorder, Recording};
use crate::runtime::source::Source;
use crate::runtime::state::{SiteKind, SiteRecord};
use crate::tape::var::Var;

/// Records Σ log p − Σ log q at one draw of the guide; the divergence of `analytic` sites is taken in closed form.
///
/// # Errors
///
/// Those of the two bodies, and sites of the guide that are no latents of the model: without a prior to go with it, the
/// entropy of such a site would grow without bound.
pub fn record_elbo(
    recorder: &Recorder,
    model: &dyn Body,
    guide: &dyn Family,
    analytic: &Rc<HashSet<String>>,
) -> Result<Recording> {
    let recorder = Recorder {
        source: guide.source(analytic),
        ..recorder.clone()
    };
    let drawn = RefCell::new(None);
    let recording = recorder.imputing(|| {
        let run = recorder.start();
        let outcome = {
            let ctx = run.ctx();
            if guide.has_sites() {
                ctx.expect_arguments(|visitor| guide.visit_data(visitor));
            }
            guide.draw(ctx).and_then(|()| {
                ctx.check()?;
                if guide.has_sites() {
                    let source = Rc::new(FromDrawn::new(&ctx.state().sites, Rc::clone(analytic)));
                    ctx.state().end_guide();
                    ctx.state().source = Rc::clone(&source) as Rc<dyn Source>;
                    *drawn.borrow_mut() = Some(source);
                }
                ctx.expect_arguments(|visitor| model.visit_arguments(visitor));
                model.run_body(ctx)?;
                ctx.check()
            })
        };
        (run, outcome.map_err(|stop| stop.into_error()))
    })?;
    let drawn = drawn.into_inner();
    match drawn.and_then(|drawn| drawn.unused()) {
        Some(number) => Err(not_latent(&recording, &recording.sites[number])),
        None => Ok(recording),
    }
}

/// Returns the error of a guide's site whose draw the model does not take.
fn not_latent(recording: &Recording, drawn: &SiteRecord) -> Error {
    let is_counterpart = |s: &&SiteRecord| !s.is_guide && s.address == drawn.address;
    let message = match recording.sites.iter().find(is_counterpart).map(|s| s.kind) {
        Some(SiteKind::Observed) => "the guide draws this site, and the model observes it: leave it out of the guide",
        Some(SiteKind::Intervened) => {
            "the guide draws this site, and the model has its value set from outside: leave it out of the guide"
        }
        Some(SiteKind::Latent) => {
            "the guide draws this site, and the model takes its value from elsewhere: leave it out of the guide"
        }
        Some(_) => "the guide draws this site, and the model's site of this name is no latent",
        None => "the guide draws this site, and the model has none of this name",
    };
    Error::at_site(&drawn.address, drawn.place, message)
}

/// Records the guide's sites alone, with whole plates, for draws from it.
///
/// # Errors
///
/// Those of the guide's body; for a guide made from the model those of the model's.
pub fn record_guide(recorder: &Recorder, guide: &dyn Family) -> Result<Recording> {
    let source = guide.source(&Rc::default());
    Recorder {
        source,
        whole_plates: true,
        ..recorder.clone()
    }
    .record_with(|ctx| guide.draw(ctx))
}

/// Returns the sites whose divergence from the prior has a closed form.
///
/// Of a site that is scaled or masked, in the guide or in the model, the two densities count by different factors, so that
/// what counts is no divergence: it is not among them.
pub fn analytic_sites(recording: &Recording) -> HashSet<String> {
    let tape = &recording.tape;
    let has_closed_form = |guide: &SiteRecord| {
        let model = recording
            .sites
            .iter()
            .find(|s| !s.is_guide && s.kind == SiteKind::Latent && s.address == guide.address)
            .filter(|model| !guide.is_weighted && !model.is_weighted)
            // The elements of a vector that are the rows of a plate have no divergence row by row.
            .filter(|model| guide.distribution != MultivariateNormal::NAME || guide.event == model.event)?;
        let on_tape = |site: &SiteRecord| {
            let params = site.params.iter().map(|&(name, value, _)| (name, value.on(tape)));
            params.map(|(name, x): (_, Var<'_>)| (name, x)).collect()
        };
        guide.kl?(tape, &on_tape(guide), model.distribution, &on_tape(model)).map(drop)
    };
    let guides = recording
        .sites
        .iter()
        .filter(|s| s.is_guide && s.kind == SiteKind::Latent);
    let sites = guides
        .filter(|s| has_closed_form(s).is_some())
        .map(|s| s.address.clone())
        .collect();
    // What the trials left behind is no part of the recording's density.
    tape.take_error();
    sites
}

/// Returns the warning of a run in which the divergence of some sites was to be taken in closed form, and is sampled.
pub fn sampled_sites(recording: &Recording, analytic: &HashSet<String>) -> Option<Warning> {
    let sites = &recording.sites;
    let is_sampled = |s: &&SiteRecord| s.is_guide && s.kind == SiteKind::Latent && !analytic.contains(&s.address);
    let describe = |guide: &SiteRecord| {
        let model = sites.iter().find(|s| !s.is_guide && s.address == guide.address);
        let prior = model.map_or("nothing", |s| s.distribution);
        format!("`{}` ({} from {prior})", guide.address, guide.distribution)
    };
    let sites: Vec<String> = sites.iter().filter(is_sampled).map(describe).collect();
    (!sites.is_empty()).then_some(Warning::Guide(GuideWarning::SampledDivergence { sites }))
}
