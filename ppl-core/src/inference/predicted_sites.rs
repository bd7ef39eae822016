//! Where the values of predictions come from, site by site, in words.

use std::collections::HashMap;

use crate::inference::row_words::family_of;

/// Where the value of a site comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From the fit.
    TakenOver,
    /// From the fit for its rows, whose numbers in each plate these are, and drawn anew for later ones.
    Extended(Vec<usize>),
    /// From its distribution.
    DrawnAnew,
    /// From the fit in some runs and drawn anew in others.
    Mixed,
    /// Drawn in place of a missing observation.
    Missing,
    /// From a handler.
    Given,
    /// From the body: a tracked value.
    Tracked,
}

/// A latent or tracked site of predictions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PredictedSite {
    pub address: String,
    /// `[plates…, event…]`
    pub shape: Vec<usize>,
    pub origin: Origin,
    /// Whether it lies in a plate or loop.
    pub has_rows: bool,
}

impl PredictedSite {
    /// Returns whether words may name it: a random choice of the model.
    pub fn is_drawable(&self) -> bool {
        !matches!(self.origin, Origin::Tracked | Origin::Given)
    }
}

/// The sites of all runs in the order in which they were met.
#[derive(Clone, Debug, Default)]
pub(crate) struct PredictedSites {
    all: Vec<PredictedSite>,
    places: HashMap<String, usize>,
    /// Whether the values are draws from the prior, so that nothing could be taken over.
    is_prior: bool,
}

impl PredictedSites {
    /// Returns the sites of runs; a site that differs between them is mixed.
    pub fn of(runs: impl IntoIterator<Item = Vec<PredictedSite>>, is_prior: bool) -> Self {
        let mut sites = PredictedSites {
            is_prior,
            ..PredictedSites::default()
        };
        for site in runs.into_iter().flatten() {
            match sites.places.get(&site.address) {
                Some(&k) if sites.all[k].origin != site.origin => sites.all[k].origin = Origin::Mixed,
                Some(_) => {}
                None => {
                    sites.places.insert(site.address.clone(), sites.all.len());
                    sites.all.push(site);
                }
            }
        }
        sites
    }

    /// Returns the sites.
    pub fn all(&self) -> &[PredictedSite] {
        &self.all
    }

    /// Returns whether the values are draws from the prior.
    pub fn is_prior(&self) -> bool {
        self.is_prior
    }

    /// Returns whether a site stands in place of a missing observation.
    pub fn is_missing(&self, address: &str) -> bool {
        let site = self.places.get(address).map(|&k| &self.all[k]);
        site.is_some_and(|s| s.origin == Origin::Missing)
    }

    /// Returns the latents that were drawn anew, or a part of them.
    pub fn drawn_anew(&self) -> impl Iterator<Item = &str> {
        let is_anew = |s: &&PredictedSite| matches!(s.origin, Origin::Extended(_) | Origin::DrawnAnew | Origin::Mixed);
        self.all.iter().filter(is_anew).map(|s| s.address.as_str())
    }

    /// Returns families of sites with what their members have in common: name, shape, text.
    pub fn lines(&self) -> Vec<(String, String, String)> {
        let mut families: Vec<(String, Vec<&PredictedSite>)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for site in &self.all {
            let family = family_of(&site.address);
            let place = *places.entry(family.clone()).or_insert_with(|| {
                families.push((family, Vec::new()));
                families.len() - 1
            });
            families[place].1.push(site);
        }
        families
            .into_iter()
            .map(|(name, members)| self.line(name, &members))
            .collect()
    }

    fn line(&self, name: String, members: &[&PredictedSite]) -> (String, String, String) {
        if let [only] = members
            && only.address == name
        {
            return (name, format!("{:?}", only.shape), self.text(&only.origin, &only.shape));
        }
        let mut parts: Vec<(String, usize)> = Vec::new();
        for site in members {
            let text = self.text(&site.origin, &site.shape);
            match parts.iter_mut().find(|(other, _)| *other == text) {
                Some((_, n)) => *n += 1,
                None => parts.push((text, 1)),
            }
        }
        let is_one_shape = members.iter().all(|s| s.shape == members[0].shape);
        let shape = if is_one_shape {
            format!("{:?}", members[0].shape)
        } else {
            "of several shapes".to_string()
        };
        let parts: Vec<String> = parts.into_iter().map(|(text, n)| format!("{n} {text}")).collect();
        (name, format!("{} × {shape}", members.len()), parts.join(", "))
    }

    fn text(&self, origin: &Origin, shape: &[usize]) -> String {
        match origin {
            Origin::TakenOver => "taken over from the fit".to_string(),
            Origin::Extended(before) if before.len() == 1 => {
                format!(
                    "{} rows taken over from the fit, {} drawn anew",
                    before[0],
                    shape[0] - before[0]
                )
            }
            Origin::Extended(before) => format!("{before:?} rows taken over from the fit, the others drawn anew"),
            Origin::DrawnAnew if self.is_prior => "drawn from the prior".to_string(),
            Origin::DrawnAnew => "drawn anew".to_string(),
            Origin::Mixed => "taken over from the fit in some draws, drawn anew in others".to_string(),
            Origin::Missing => "drawn in place of a missing observation".to_string(),
            Origin::Given => "given by a handler".to_string(),
            Origin::Tracked => "tracked".to_string(),
        }
    }
}
