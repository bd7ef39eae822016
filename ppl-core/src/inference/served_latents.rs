//! Latents from a draw: a source that serves what was drawn elsewhere, and draws what is left.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::runtime::context::Ctx;
use crate::runtime::recording::Recording;
use crate::runtime::source::{Latent, LatentSite, Source};
use crate::runtime::stop::{Res, Stop};

/// The latents of one draw by address: shape and values.
pub(crate) type LatentValues = HashMap<String, (Vec<usize>, Vec<f64>)>;

/// How the values of a draw stand on the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    /// Baked into the recording.
    Constants,
    /// As inputs, so that the recording serves other draws too.
    Inputs,
}

/// Serves latents from a draw, on their supports, and draws those that it lacks or has for other rows.
pub(crate) struct ServedLatents {
    draw: LatentValues,
    served: Served,
    n_given: Cell<usize>,
    drawn: RefCell<HashSet<String>>,
}

impl ServedLatents {
    /// Serves this draw.
    pub fn new(draw: LatentValues, served: Served) -> Self {
        ServedLatents {
            draw,
            served,
            n_given: Cell::new(0),
            drawn: RefCell::default(),
        }
    }

    /// Returns whether a latent was not served but drawn.
    pub fn is_drawn(&self, address: &str) -> bool {
        self.drawn.borrow().contains(address)
    }

    /// Refuses a recording that would not depend on the fit: of a model with neither served latents nor parameters.
    pub fn check_shared(&self, recording: &Recording, model: &str) -> Result<()> {
        if self.n_given.get() > 0 || recording.slots.iter().any(|s| s.is_param) {
            return Ok(());
        }
        let sorted = |mut names: Vec<&str>| {
            names.sort_unstable();
            names.join(", ")
        };
        let drawn = self.drawn.borrow();
        let of_other_rows: Vec<&str> = drawn
            .iter()
            .map(String::as_str)
            .filter(|site| self.draw.contains_key(*site))
            .collect();
        Err(Error::Invalid(if of_other_rows.is_empty() {
            let known = sorted(self.draw.keys().map(String::as_str).collect());
            format!("model {model} has none of the latents that were drawn, which are {known}")
        } else {
            let sites = sorted(of_other_rows);
            format!(
                "all latents of model {model} lie in plates that had another length in the fit: {sites}; predictions would \
                 not depend on it"
            )
        }))
    }
}

impl Source for ServedLatents {
    fn latent<'t>(&self, ctx: Ctx<'t>, site: &LatentSite<'_, 't>) -> Res<Latent<'t>> {
        let n_rows = site.rows.len();
        match self.draw.get(site.address) {
            Some((shape, _)) if shape.get(n_rows..) != Some(&site.event[..]) => {
                let event = site.event.as_slice();
                let message = format!("its draws have the shape {shape:?}, here its event is {event:?}");
                Err(Stop(Error::at_site(site.address, site.place, message)))
            }
            Some((shape, values)) if shape[..n_rows] == site.rows[..] => {
                self.n_given.set(self.n_given.get() + 1);
                let stored = match self.served {
                    Served::Constants => ctx.tape().constant_array(shape, values.iter().copied()),
                    Served::Inputs => ctx.input(site.address, site.place, shape, false, false, || values.clone()),
                };
                Ok(Latent::Value(ctx.rows_of(stored, &site.event)))
            }
            _ => {
                self.drawn.borrow_mut().insert(site.address.to_string());
                Ok(Latent::Forward)
            }
        }
    }
}
