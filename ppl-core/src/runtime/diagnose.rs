//! Which site is to blame for a log density that is not finite.

use crate::error::Error;
use crate::runtime::recording::Recording;
use crate::runtime::state::{Held, SiteKind, SiteRecord};

impl Recording {
    /// Returns the error of the first site whose term is NaN or infinite at the recorded values, with its value and
    /// parameters, or `None` if all are finite.
    pub fn fault(&self) -> Option<Error> {
        let records = self.tape.records();
        let term = records.terms.iter().find(|t| !t.value.is_finite())?;
        let site = &self.sites[term.site as usize];
        let parts = std::iter::once(("value", site.stored)).chain(site.params.iter().map(|p| (p.0, p.1)));
        let parts: Vec<_> = parts.map(|(name, held)| (name, self.elements(held))).collect();
        let culprits = self.culprits(site, &parts);
        let what = match site.kind {
            SiteKind::Factor => format!("the factor is {}: {culprits}", text(term.value)),
            _ => format!("log_prob is {}: {} {culprits}", text(term.value), site.distribution),
        };
        Some(Error::at_site(&site.address, site.place, what))
    }

    fn elements(&self, held: Held) -> Vec<f64> {
        match held {
            Held::Constant(x) => vec![x],
            Held::Node(node) => self.tape.elements_of(node),
        }
    }

    /// Names what is wrong: values and parameters that are not finite, parameters that are not allowed, values outside of
    /// the support; if there are none, the first elements of all.
    fn culprits(&self, site: &SiteRecord, parts: &[(&str, Vec<f64>)]) -> String {
        let mut found: Vec<String> = parts
            .iter()
            .filter_map(|(name, values)| {
                let i = values
                    .iter()
                    .position(|&x| !x.is_finite() || !is_allowed(site.distribution, name, x))?;
                Some(element(name, values, i))
            })
            .collect();
        if found.is_empty() {
            found.extend(self.outside(site, &parts[0].1));
        }
        if found.is_empty() {
            let present = parts.iter().filter(|p| !p.1.is_empty());
            found.extend(present.map(|(name, values)| element(name, values, 0)));
        }
        found.join(", ")
    }

    /// Names the first value outside of the support, with the bounds there.
    fn outside(&self, site: &SiteRecord, values: &[f64]) -> Option<String> {
        let support = site.support?.map(|bound| self.elements(bound));
        let at = |i: usize| {
            let bound = |bounds: &Vec<f64>| bounds[if bounds.len() == values.len() { i } else { 0 }];
            support.clone().map(|bounds| bound(&bounds))
        };
        let i = (0..values.len()).find(|&i| !at(i).can_hold(values[i]))?;
        Some(format!("{} outside of {:?}", element("value", values, i), at(i)))
    }
}

/// Returns whether a parameter of a distribution can have this value.
fn is_allowed(distribution: &str, parameter: &str, x: f64) -> bool {
    match (distribution, parameter) {
        (_, "scale" | "rate" | "df" | "concentration" | "concentration0" | "concentration1") => x > 0.0,
        ("Bernoulli" | "Binomial", "probs") => (0.0..=1.0).contains(&x),
        (_, "probs" | "total_count") => x >= 0.0,
        _ => true,
    }
}

fn element(name: &str, values: &[f64], i: usize) -> String {
    if values.len() == 1 {
        format!("{name} = {}", text(values[i]))
    } else {
        format!("{name}[{i}] = {}", text(values[i]))
    }
}

fn text(x: f64) -> String {
    match x {
        x if x.is_nan() => "NaN".to_string(),
        f64::INFINITY => "+∞".to_string(),
        f64::NEG_INFINITY => "−∞".to_string(),
        x => x.to_string(),
    }
}
