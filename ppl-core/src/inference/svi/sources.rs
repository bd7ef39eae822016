//! Sources for guide and model: the guide draws, the model takes what the guide drew.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::error::Error;
use crate::runtime::context::Ctx;
use crate::runtime::source::{Latent, LatentSite, Source};
use crate::runtime::state::{Held, SiteKind, SiteRecord};
use crate::runtime::stop::{Res, Stop};
use crate::tape::var::Var;

/// The guide's own draws, whose log density is subtracted.
#[derive(Clone, Debug, Default)]
pub struct FromGuide {
    /// Sites whose divergence from the prior has a closed form: their density is left to the model's side.
    pub analytic: Rc<HashSet<String>>,
}

impl Source for FromGuide {
    fn latent<'t>(&self, _: Ctx<'t>, site: &LatentSite<'_, 't>) -> Res<Latent<'t>> {
        if !site.is_reparameterised {
            let message = format!(
                "the guide draws from {}, whose draws have no derivative by the parameters; use a reparameterised \
                 distribution, or sum the site out of the model",
                site.distribution
            );
            return Err(Stop(Error::at_site(site.address, site.place, message)));
        }
        Ok(Latent::OfGuide(if self.analytic.contains(site.address) {
            0.0
        } else {
            -1.0
        }))
    }
}

/// What the guide drew, by address.
#[derive(Clone, Debug)]
pub struct FromDrawn {
    drawn: HashMap<String, (Held, usize)>,
    analytic: Rc<HashSet<String>>,
    taken: RefCell<HashSet<String>>,
}

impl FromDrawn {
    /// Takes the latents among the sites of a guide.
    pub fn new(guide: &[SiteRecord], analytic: Rc<HashSet<String>>) -> Self {
        let latents = guide.iter().enumerate().filter(|(_, s)| s.kind == SiteKind::Latent);
        FromDrawn {
            drawn: latents.map(|(i, s)| (s.address.clone(), (s.stored, i))).collect(),
            analytic,
            taken: RefCell::default(),
        }
    }

    /// Returns the number of the guide's first site whose draw the model did not take: its density has no counterpart.
    pub fn unused(&self) -> Option<usize> {
        let taken = self.taken.borrow();
        let unused = self.drawn.iter().filter(|(name, _)| !taken.contains(*name));
        unused.map(|(_, &(_, number))| number).min()
    }
}

impl Source for FromDrawn {
    fn latent<'t>(&self, ctx: Ctx<'t>, site: &LatentSite<'_, 't>) -> Res<Latent<'t>> {
        let fault = |message: String| Stop(Error::at_site(site.address, site.place, message));
        if site.start.is_some() {
            let message = "a starting value was given, and the site is drawn by a guide whose parameters have their own: give \
                           these to `param`";
            return Err(fault(message.to_string()));
        }
        let Some(&(stored, number)) = self.drawn.get(site.address) else {
            let mut names: Vec<_> = self.drawn.keys().map(String::as_str).collect();
            names.sort_unstable();
            return Err(fault(format!(
                "the guide draws no such site; it draws {}",
                names.join(", ")
            )));
        };
        let x = ctx.unhold(stored);
        let value = plates_of(ctx, x, site).ok_or_else(|| {
            let mut wanted = site.rows.clone();
            wanted.extend_from_slice(&site.event);
            fault(format!(
                "the guide draws the shape {:?}, the model needs {:?}: give the guide's site the same plates and event",
                x.event_shape().as_slice(),
                wanted.as_slice()
            ))
        })?;
        self.taken.borrow_mut().insert(site.address.to_string());
        Ok(if self.analytic.contains(site.address) {
            Latent::WithKl(value, number)
        } else {
            Latent::Value(value)
        })
    }
}

/// Gives a stored draw the open plates, or `None` if its shape is another.
fn plates_of<'t>(ctx: Ctx<'t>, x: Var<'t>, site: &LatentSite<'_, 't>) -> Option<Var<'t>> {
    let shape = x.event_shape();
    let n_plates = site.rows.len();
    let is_fit = shape.len() == n_plates + site.event.len()
        && shape[n_plates..] == site.event[..]
        && (shape[..n_plates] == site.rows[..] || shape[..n_plates] == ctx.batch_lengths()[..]);
    is_fit.then(|| ctx.rows_of(x, &site.event))
}
