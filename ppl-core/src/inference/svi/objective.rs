//! The evidence lower bound as a recording: the guide draws, the model scores, on one tape.

use std::collections::HashSet;
use std::rc::Rc;

use crate::error::{Error, Result};
use crate::inference::svi::guides::Approximates;
use crate::inference::svi::replay::FromDrawn;
use crate::runtime::model::Model;
use crate::runtime::recording::{Recorder, Recording};
use crate::runtime::source::Source;
use crate::runtime::state::{SiteKind, SiteRecord};
use crate::tape::var::Var;

/// Records Σ log p − Σ log q at one draw of the guide; the divergence of `analytic` sites is taken in closed form.
///
/// # Errors
///
/// Those of the two bodies, and sites of the guide that the model does not have.
pub fn record_elbo<M: Model, G: Approximates<M>>(
    recorder: &Recorder,
    model: &M,
    guide: &G,
    analytic: &Rc<HashSet<String>>,
) -> Result<Recording> {
    let run = Recorder {
        source: guide.source(analytic),
        ..recorder.clone()
    }
    .start();
    let mut drawn = None;
    let outcome = {
        let ctx = run.ctx();
        guide.draw(ctx).and_then(|()| {
            ctx.check()?;
            if guide.has_sites() {
                let source = Rc::new(FromDrawn::new(&ctx.state().sites, Rc::clone(analytic)));
                ctx.state().end_guide();
                ctx.state().source = Rc::clone(&source) as Rc<dyn Source>;
                drawn = Some(source);
            }
            model.run(ctx)?;
            ctx.check()
        })
    };
    outcome.map_err(|stop| stop.into_error())?;
    let recording = Recording::from_run(run);
    if let Some(drawn) = drawn
        && let Some(name) = drawn.unused(&recording.sites).next()
    {
        let site = recording.sites.iter().find(|s| s.is_guide && s.address == name);
        let place = site.map(|s| s.place).expect("a drawn site is recorded");
        return Err(Error::at_site(
            name,
            place,
            "the guide draws this site, and the model has none of this name",
        ));
    }
    Ok(recording)
}

/// Records the guide's sites alone, with whole plates, for draws from it.
///
/// # Errors
///
/// Those of the guide's body; for a guide made from the model those of the model's.
pub fn record_guide<M: Model, G: Approximates<M>>(recorder: &Recorder, guide: &G) -> Result<Recording> {
    let source = guide.source(&Rc::default());
    Recorder {
        source,
        whole_plates: true,
        ..recorder.clone()
    }
    .record_with(|ctx| guide.draw(ctx))
}

/// Returns the sites whose divergence from the prior has a closed form.
pub fn analytic_sites(recording: &Recording) -> HashSet<String> {
    let tape = &recording.tape;
    let has_closed_form = |guide: &SiteRecord| {
        let model = recording
            .sites
            .iter()
            .find(|s| !s.is_guide && s.address == guide.address)?;
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
