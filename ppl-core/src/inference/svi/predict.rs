//! Predictions of a fitted guide: one program draws the latents, another runs the model with them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::inference::predictive::share_something;
use crate::inference::site_table::SiteTable;
use crate::inference::svi::guide_draws::Sampler;
use crate::program::compile::Program;
use crate::program::workspace::Workspace;
use crate::rng::Key;
use crate::runtime::context::Ctx;
use crate::runtime::model::Model;
use crate::runtime::recording::{Recorder, Recording};
use crate::runtime::source::{Latent, LatentSite, Source};
use crate::runtime::state::{Held, SiteKind, SiteRecord};
use crate::runtime::stop::{Res, Stop};
use crate::tape::store::Scalar;

/// The latents of one draw by address, with their shapes.
pub(crate) type Draw = HashMap<String, (Vec<usize>, Vec<f64>)>;

/// Makes latents that were drawn elsewhere inputs of the recording, on their supports; others are drawn afresh.
struct FromValues {
    draw: Draw,
    n_given: Cell<usize>,
    of_other_rows: RefCell<Vec<String>>,
}

impl Source for FromValues {
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
                let stored = ctx.input(site.address, site.place, shape, false, false, || values.clone());
                Ok(Latent::Value(ctx.rows_of(stored, &site.event)))
            }
            given => {
                if given.is_some() {
                    self.of_other_rows.borrow_mut().push(site.address.to_string());
                }
                Ok(Latent::Fresh(1.0))
            }
        }
    }
}

/// A model as a function of latents that are given.
pub(crate) struct Predictor<F> {
    program: Program<F>,
    sites: Vec<String>,
    /// For each slot its address and its range in the vector of inputs.
    slots: Vec<(String, std::ops::Range<usize>)>,
    /// The vector of inputs of the recording: latents are overwritten, parameters stay.
    initial: Vec<F>,
}

impl<F: Scalar> Predictor<F> {
    /// Records `model` with one draw; `None` if its body reads values, so that no program stands for it.
    pub(crate) fn new<M: Model>(model: &M, draw: Draw, key: Key, sampler: &Sampler) -> Result<Option<Self>> {
        let names: Vec<String> = draw.keys().cloned().collect();
        let source = Rc::new(FromValues {
            draw,
            n_given: Cell::new(0),
            of_other_rows: RefCell::default(),
        });
        let recorder = Recorder {
            source: Rc::clone(&source) as Rc<dyn Source>,
            whole_plates: true,
            is_prediction: true,
            ..Recorder::density(F::PRECISION, key)
        };
        let recording = sampler.record(&recorder, model)?;
        if source.n_given.get() == 0 {
            share_something(&recording, model.name(), names, &source.of_other_rows.borrow())?;
        }
        if recording.tape.is_tainted() {
            return Ok(None);
        }
        let is_wanted = |s: &&SiteRecord| {
            let is_given = source.draw.contains_key(&s.address);
            (s.kind == SiteKind::Tracked || !is_given) && matches!(s.stored, Held::Node(_))
        };
        Ok(Some(Self::compile(
            &recording,
            recording.kept_sites().filter(is_wanted).collect(),
        )?))
    }

    fn compile(recording: &Recording, sites: Vec<&SiteRecord>) -> Result<Self> {
        let range = |s: &crate::runtime::state::Slot| s.offset..s.offset + s.shape.iter().product::<usize>();
        Ok(Predictor {
            program: recording.values(&sites)?,
            sites: sites.iter().map(|s| s.address.clone()).collect(),
            initial: recording.initial.iter().map(|&x| F::from_f64(x)).collect(),
            slots: recording.slots.iter().map(|s| (s.address.clone(), range(s))).collect(),
        })
    }

    /// Runs the model for `n` draws, which `fill` writes: given the draw's number, a site and its place in the vector.
    pub(crate) fn run(
        &self,
        n: usize,
        key: Key,
        fill: impl Fn(usize, &mut dyn FnMut(&str, &[F])) + Sync,
    ) -> Result<SiteTable> {
        let start = || (self.program.workspace(), self.initial.clone());
        let one = |(workspace, theta): &mut (Workspace<F>, Vec<F>), i: usize| {
            fill(i, &mut |site, values| {
                if let Some((_, range)) = self.slots.iter().find(|(address, _)| address == site) {
                    theta[range.clone()].copy_from_slice(values);
                }
            });
            workspace.key = key.split(i as u64);
            self.program.value(workspace, theta);
            let output = |k| {
                let (values, shape) = self.program.output(workspace, theta, k);
                (shape.to_vec(), values.iter().map(|x| x.to_f64()).collect::<Vec<_>>())
            };
            (0..self.sites.len()).map(output).collect::<Vec<_>>()
        };
        let rows: Vec<_> = (0..n).into_par_iter().map_init(start, one).collect();
        let mut table = SiteTable::new(n);
        for (i, row) in rows.into_iter().enumerate() {
            for (site, (shape, values)) in self.sites.iter().zip(row) {
                table.set(i, site, &shape, &values)?;
            }
        }
        Ok(table)
    }
}
