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
            SiteKind::Factor => "factor".to_string(),
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

    /// Names what is wrong: values that are not finite or parameters that are not positive if there are any, else all.
    fn culprits(&self, site: &SiteRecord, parts: &[(&str, Vec<f64>)]) -> String {
        let suspicious = |name: &str, x: f64| {
            !x.is_finite() || (x <= 0.0 && matches!(name, "scale" | "rate" | "concentration" | "df" | "probs"))
        };
        let found: Vec<String> = parts
            .iter()
            .filter_map(|(name, values)| {
                let i = values.iter().position(|&x| suspicious(name, x))?;
                Some(element(name, values, i))
            })
            .collect();
        let _ = site;
        if !found.is_empty() {
            return found.join(", ");
        }
        parts
            .iter()
            .filter(|p| !p.1.is_empty())
            .map(|(name, values)| element(name, values, 0))
            .collect::<Vec<_>>()
            .join(", ")
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
