//! All that a run leaves behind, in groups: draws, statistics, predictions, data, and what is to be said of the run.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::draws::{Draws, DrawsError, similar};
use crate::error::{Error, Result};
use crate::inference::attributes::Attributes;
use crate::inference::site_draws::SiteDraws;

/// A group of variables that belong to a run; the names are those of the ArviZ schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Group {
    /// Latents and tracked values, given the data.
    Posterior,
    /// Statistics of the steps that made the draws.
    SampleStats,
    /// The log densities of the observations, row by row, at the draws.
    LogLikelihood,
    /// The log densities of the latents under their distributions in the model, row by row, at the draws.
    LogPrior,
    /// Observations drawn at the draws of the latents.
    PosteriorPredictive,
    /// Latents and tracked values, drawn before the data.
    Prior,
    /// Observations drawn with the latents from the prior.
    PriorPredictive,
    /// The values of the observed sites: one draw of one chain, NaN where an element is missing.
    ObservedData,
    /// The other arguments of the model: one draw of one chain.
    ConstantData,
    /// Latents and tracked values during the warm-up.
    WarmupPosterior,
    /// Statistics of the steps of the warm-up.
    WarmupSampleStats,
}

impl Group {
    /// Returns the name of the group in the ArviZ schema.
    pub fn name(self) -> &'static str {
        match self {
            Group::Posterior => "posterior",
            Group::SampleStats => "sample_stats",
            Group::LogLikelihood => "log_likelihood",
            Group::LogPrior => "log_prior",
            Group::PosteriorPredictive => "posterior_predictive",
            Group::Prior => "prior",
            Group::PriorPredictive => "prior_predictive",
            Group::ObservedData => "observed_data",
            Group::ConstantData => "constant_data",
            Group::WarmupPosterior => "warmup_posterior",
            Group::WarmupSampleStats => "warmup_sample_stats",
        }
    }
}

/// What a run leaves behind; [`Fit`](crate::inference::fit::Fit) reads it with the names of the model.
///
/// A dimension is the same in all groups that have it with one length: its coordinates are set once.
#[derive(Clone, Debug)]
pub struct Results {
    posterior: Arc<SiteDraws>,
    others: BTreeMap<Group, Draws>,
    attributes: Attributes,
}

impl Results {
    /// Returns results of draws alone.
    pub(crate) fn new(posterior: Draws, attributes: Attributes) -> Self {
        Results {
            posterior: Arc::new(SiteDraws::new(posterior)),
            others: BTreeMap::new(),
            attributes,
        }
    }

    /// Returns the draws of the posterior.
    pub fn posterior(&self) -> &Draws {
        &self.posterior.draws
    }

    /// Returns the draws of the posterior with families of sites.
    pub(crate) fn sites(&self) -> &Arc<SiteDraws> {
        &self.posterior
    }

    /// Returns a group, if the results have it.
    pub fn group(&self, group: Group) -> Option<&Draws> {
        match group {
            Group::Posterior => Some(self.posterior()),
            _ => self.others.get(&group),
        }
    }

    /// Returns all groups that there are.
    pub fn groups(&self) -> impl Iterator<Item = (Group, &Draws)> {
        let others = self.others.iter().map(|(&group, draws)| (group, draws));
        std::iter::once((Group::Posterior, self.posterior())).chain(others)
    }

    /// Returns how the results came about.
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// Adds a group, or replaces the one of that name; groups without variables are left out. Its dimensions get the
    /// coordinates that other groups have for them.
    ///
    /// # Errors
    ///
    /// If the group goes with the draws of the posterior and has another number of them.
    pub(crate) fn put(&mut self, group: Group, mut draws: Draws) -> Result<()> {
        let own = self.posterior();
        let (wanted, got) = (shape(own), shape(&draws));
        if matches!(
            group,
            Group::LogLikelihood | Group::LogPrior | Group::PosteriorPredictive
        ) && wanted != got
        {
            return Err(Error::Invalid(format!(
                "{} of {} chains of {} draws do not go with a posterior of {} chains of {} draws: make them from this fit",
                group.name(),
                got.0,
                got.1,
                wanted.0,
                wanted.1
            )));
        }
        let dimensions: Vec<(String, usize)> = draws.dimensions().map(|(name, len)| (name.to_string(), len)).collect();
        for (name, len) in dimensions {
            let known = self.groups().find_map(|(_, other)| labels(other, &name, len));
            if let Some(known) = known.map(<[String]>::to_vec) {
                draws.set_coords(&name, known)?;
            }
        }
        if draws.names().next().is_some() {
            self.others.insert(group, draws);
        }
        Ok(())
    }

    /// Gives a dimension coordinates, in each group that has it with one for each.
    ///
    /// # Errors
    ///
    /// If no group has a dimension of this name and length, or two coordinates are the same.
    pub fn set_coords(&mut self, dimension: &str, labels: Vec<String>) -> Result<(), DrawsError> {
        let fits = |draws: &Draws| draws.dimensions().any(|own| own == (dimension, labels.len()));
        if !self.groups().any(|(_, draws)| fits(draws)) {
            return Err(self.no_dimension(dimension, labels.len()));
        }
        if fits(self.posterior()) {
            let posterior = &mut Arc::make_mut(&mut self.posterior).draws;
            posterior.set_coords(dimension, labels.iter().cloned())?;
        }
        for draws in self.others.values_mut().filter(|draws| fits(draws)) {
            draws.set_coords(dimension, labels.iter().cloned())?;
        }
        Ok(())
    }

    /// Returns the error of coordinates for a dimension that no group has with this length.
    fn no_dimension(&self, name: &str, got: usize) -> DrawsError {
        let all: BTreeMap<&str, usize> = self.groups().flat_map(|(_, draws)| draws.dimensions()).collect();
        match all.get(name) {
            Some(&expected) => DrawsError::WrongCoords {
                dimension: name.to_string(),
                expected,
                got,
            },
            None => DrawsError::UnknownDimension {
                name: name.to_string(),
                similar: similar(name, all.into_keys()),
            },
        }
    }
}

fn shape(draws: &Draws) -> (usize, usize) {
    (draws.n_chains(), draws.n_draws())
}

/// Returns the coordinates that a dimension of this name and length was given.
fn labels<'a>(draws: &'a Draws, name: &str, len: usize) -> Option<&'a [String]> {
    let has_it = draws.dimensions().any(|own| own == (name, len));
    draws.coords(name).ok().flatten().filter(|_| has_it)
}
