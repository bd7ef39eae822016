//! Draws of a fitted guide: by a program, or, where guide or model branch on values, by recording it for each draw.

use std::sync::{Arc, OnceLock};

use ndarray::{ArrayD, ArrayViewD};
use rayon::prelude::*;

use crate::draws::Draws;
use crate::error::{Error, Result};
use crate::inference::predictive::rows;
use crate::inference::site_draws::SiteDraws;
use crate::inference::site_rows::KeptSite;
use crate::program::compile::Program;
use crate::program::workspace::Workspace;
use crate::rng::Key;
use crate::runtime::model::Body;
use crate::runtime::recording::{Recorder, Recording};
use crate::runtime::sites::DrawsBySite;
use crate::runtime::slot_name::SlotName;
use crate::runtime::state::{SiteKind, SiteRecord, Slot};
use crate::tape::store::{Precision, Scalar};
use crate::tensor::room::room;
use crate::tensor::shape::size;

/// The parameters of a guide after a run, and how many draws are looked at.
#[derive(Clone, Debug)]
pub(crate) struct Sampler {
    pub slots: Vec<Slot>,
    pub values: Vec<f64>,
    pub precision: Precision,
    pub key: Key,
    pub n_draws: usize,
}

/// The latents of a fitted guide.
pub(crate) struct GuideDraws {
    pub sampler: Sampler,
    pub origin: Origin,
    /// The latents that a program draws.
    pub sites: Vec<KeptSite>,
    draws: OnceLock<SiteDraws>,
}

/// Where draws come from.
pub(crate) enum Origin {
    /// A program in double precision, which makes any number of them.
    F64(Program<f64>),
    /// A program in single precision.
    F32(Program<f32>),
    /// One recording for each: these are all.
    Recorded(Draws),
}

impl Sampler {
    /// Returns a parameter in its domain.
    pub fn param(&self, name: &str) -> Option<ArrayD<f64>> {
        let slot = self.slots.iter().find(|s| s.is_param && s.name.is_called(name))?;
        Some(slot.constrained(&self.values[slot.offset..][..size(&slot.shape)]))
    }

    /// Records a model by itself, its parameters having their fitted values.
    ///
    /// # Errors
    ///
    /// Those of the model, and a parameter that was not fitted, or in another shape.
    pub fn record(&self, recorder: &Recorder, model: &dyn Body) -> Result<Recording> {
        let slots = self.slots.iter().filter(|s| s.is_param).cloned();
        // A parameter of the model that shares its name with one of the guide counts here, and that of the guide does not.
        let is_of_model = |s: &Slot| matches!(s.name, SlotName::OfModel(_));
        let (of_model, mut slots): (Vec<Slot>, Vec<Slot>) = slots.partition(is_of_model);
        slots.extend(of_model.into_iter().map(|slot| Slot {
            name: SlotName::Own(slot.name.site().to_string()),
            ..slot
        }));
        let recording = recorder.with_values(&slots, self.values.clone()).record(model)?;
        for slot in recording.slots.iter().filter(|s| s.is_param) {
            let fitted = slots.iter().rev().find(|s| s.name == slot.name);
            let message = match fitted {
                Some(fitted) if fitted.shape == slot.shape => continue,
                Some(fitted) => format!(
                    "it was fitted with the shape {:?}, here it has {:?}",
                    fitted.shape, slot.shape
                ),
                None => "the model that was fitted has no such parameter".to_string(),
            };
            return Err(Error::at_site(slot.name.to_string(), slot.place, message));
        }
        Ok(recording)
    }
}

impl GuideDraws {
    /// Prepares draws of what `record` records, given a key and whether plates run over all rows.
    ///
    /// All rows are recorded where a latent lies in a subsampled plate; other latents need no data. A recording that
    /// depends on drawn values holds for its own draw only; parameters and data stay as they are.
    ///
    /// # Errors
    ///
    /// Those of the recordings, and a site of different shapes in different draws.
    pub fn new(sampler: Sampler, record: impl Fn(Key, bool) -> Result<Recording> + Sync) -> Result<Self> {
        let mut recording = record(sampler.key, false)?;
        let is_in_batch = |s: &SiteRecord| s.plates.iter().any(|&d| recording.tape.dim(d).rows.is_some());
        if recording.tape.is_tainted() || latents(&recording).any(is_in_batch) {
            recording = record(sampler.key, true)?;
        }
        let mut sites = Vec::new();
        let origin = if recording.tape.is_tainted_by_noise() {
            Origin::Recorded(recorded(&sampler, record)?)
        } else {
            let found: Vec<&SiteRecord> = latents(&recording).collect();
            sites.extend(found.iter().map(|s| KeptSite::of(&recording, s)));
            match sampler.precision {
                Precision::F64 => Origin::F64(recording.values(&found)?),
                Precision::F32 => Origin::F32(recording.values(&found)?),
            }
        };
        Ok(GuideDraws {
            sampler,
            origin,
            sites,
            draws: OnceLock::new(),
        })
    }

    /// Returns the draws that accessors read.
    pub fn all(&self) -> &SiteDraws {
        self.draws
            .get_or_init(|| SiteDraws::new(self.draw(self.sampler.n_draws)))
    }

    /// Returns the vector of inputs.
    pub fn theta<F: Scalar>(&self) -> Vec<F> {
        self.sampler.values.iter().map(|&x| F::from_f64(x)).collect()
    }

    /// Returns the first `n` draws.
    ///
    /// # Panics
    ///
    /// If they were recorded one by one, and there are fewer, or if they find no room in memory.
    pub fn draw(&self, n: usize) -> Draws {
        match &self.origin {
            Origin::F64(program) => self.run(program, n),
            Origin::F32(program) => self.run(program, n),
            Origin::Recorded(draws) => first(draws, n),
        }
    }

    fn run<F: Scalar>(&self, program: &Program<F>, n: usize) -> Draws {
        let theta = self.theta::<F>();
        let one = |workspace: &mut Workspace<F>, i: usize| {
            workspace.key = self.sampler.key.split(i as u64);
            program.value(workspace, &theta);
            let value = |k| {
                let (values, _) = program.output(workspace, &theta, k);
                values.iter().map(|x| x.to_f64()).collect::<Vec<_>>()
            };
            (0..self.sites.len()).map(value).collect::<Vec<_>>()
        };
        let workspace = program.workspace();
        let n_values: usize = (0..self.sites.len())
            .map(|k| program.output(&workspace, &theta, k).0.len())
            .sum();
        if let Err(no_room) = room(&[n, n_values.max(1)], size_of::<f64>()) {
            panic!("{n} draws of a guide find no room: {no_room}; ask for fewer");
        }
        let start = || program.workspace();
        let rows: Vec<_> = (0..n).into_par_iter().map_init(start, one).collect();
        let mut draws = Draws::new(1, n);
        for (k, site) in self.sites.iter().enumerate() {
            let values = rows.iter().flat_map(|row| row[k].iter().copied()).collect();
            let inserted = draws.insert_axes(&site.address, site.kind, &site.axes, values);
            inserted.expect("each draw has the shape of its site");
        }
        draws
    }
}

impl DrawsBySite for GuideDraws {
    fn draws_of(&self, site: &str) -> ArrayViewD<'_, f64> {
        self.all().draws_of(site)
    }
}

/// Returns the latents of the model, or of a guide that was recorded alone.
fn latents(recording: &Recording) -> impl Iterator<Item = &SiteRecord> {
    let is_latent = |s: &&SiteRecord| s.kind == SiteKind::Latent && !s.is_guide;
    recording.sites.iter().filter(is_latent)
}

/// Records each draw with the key that a program would draw it by; a site that a draw lacks is NaN there.
fn recorded(sampler: &Sampler, record: impl Fn(Key, bool) -> Result<Recording> + Sync) -> Result<Draws> {
    let one = |(): &mut (), i: usize| {
        let recording = record(sampler.key.split(i as u64), true)?;
        let value = |site: &SiteRecord| {
            let values = recording.values_of(site).0;
            (Arc::new(KeptSite::of(&recording, site)), values)
        };
        Ok(latents(&recording).map(value).collect())
    };
    rows(sampler.n_draws, || (), one)
}

/// Returns the first `n` of some draws.
fn first(draws: &Draws, n: usize) -> Draws {
    let n_kept = draws.n_draws();
    assert!(
        n <= n_kept,
        "{n} draws of a guide that branches on values, of which {n_kept} were made: set `Svi::draws` before the run"
    );
    draws.first(n)
}
