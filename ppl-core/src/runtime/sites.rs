//! Values, choices and draws of sites by name, behind the typed accessors that the macros write.

use std::sync::Arc;

use ndarray::{Array, ArrayD, ArrayViewD, Dimension};
use num_traits::AsPrimitive;

/// A value given to a site from outside: a number, a truth value or an array.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteValue(pub ArrayD<f64>);

macro_rules! numbers {
    ($($t:ty),*) => {$(
        impl From<$t> for SiteValue {
            fn from(value: $t) -> Self {
                SiteValue(ndarray::arr0(value as f64).into_dyn())
            }
        }
    )*};
}

numbers!(f64, f32, i32, i64, u32, u64, u8, usize);

impl From<bool> for SiteValue {
    fn from(value: bool) -> Self {
        SiteValue::from(value as u8)
    }
}

impl<A: AsPrimitive<f64>, D: Dimension> From<&Array<A, D>> for SiteValue {
    fn from(value: &Array<A, D>) -> Self {
        SiteValue(value.mapv(|x| x.as_()).into_dyn())
    }
}

impl<A: AsPrimitive<f64>, D: Dimension> From<Array<A, D>> for SiteValue {
    fn from(value: Array<A, D>) -> Self {
        SiteValue::from(&value)
    }
}

impl From<Vec<f64>> for SiteValue {
    fn from(value: Vec<f64>) -> Self {
        SiteValue(ndarray::Array1::from_vec(value).into_dyn())
    }
}

/// Values for some sites of a model, in the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SiteValues(Vec<(String, SiteValue)>);

impl SiteValues {
    /// Returns these values and one more; a later value for a site replaces an earlier one.
    pub fn with(mut self, site: &str, value: impl Into<SiteValue>) -> Self {
        self.0.retain(|(name, _)| name != site);
        self.0.push((site.to_string(), value.into()));
        self
    }

    /// Returns the value of a site.
    pub fn get(&self, site: &str) -> Option<&SiteValue> {
        self.0.iter().find(|(name, _)| name == site).map(|(_, value)| value)
    }

    /// Returns the sites with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SiteValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// A choice of sites of a model.
///
/// The name of a family chooses its members: `z` chooses `z[0]`, `net` chooses `net.0.weight`, and `s.w` chooses `s[0].w[1]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SiteNames(Vec<String>);

impl SiteNames {
    /// Returns this choice and one more site or family.
    pub fn with(mut self, site: &str) -> Self {
        self.0.push(site.to_string());
        self
    }

    /// Returns whether a site is chosen.
    pub fn contains(&self, site: &str) -> bool {
        self.0.iter().any(|name| is_of(name, site))
    }

    /// Returns the names in the order in which they were chosen.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// Returns whether a site has this name, or belongs to the family or submodel of this name: numbers of loops may be left out.
fn is_of(name: &str, site: &str) -> bool {
    let (mut name, mut rest) = (name, site);
    loop {
        let n_common = name.bytes().zip(rest.bytes()).take_while(|(a, b)| a == b).count();
        (name, rest) = (&name[n_common..], &rest[n_common..]);
        if name.is_empty() {
            return rest.is_empty() || rest.starts_with(['.', '[']);
        }
        match rest.strip_prefix('[').and_then(|number| number.split_once(']')) {
            Some((_, after)) if name.starts_with('.') => rest = after,
            _ => return false,
        }
    }
}

/// The typed accessors of a model: what a fit of it can be asked for.
pub trait SiteAccessors: From<Arc<dyn DrawsBySite>> {
    /// The [`Names`](crate::runtime::model::Model::Names) of the model, by which a fit's sites are chosen.
    type Names: From<SiteNames> + Into<SiteNames>;
}

/// Draws that can be looked up by the name of a site: what typed accessors read.
pub trait DrawsBySite: Send + Sync {
    /// Returns the draws of a site or family: `[chain, draw, event…]`.
    ///
    /// # Panics
    ///
    /// If there are no draws of it, as of an observed site; the text lists the sites that there are.
    fn draws_of(&self, site: &str) -> ArrayViewD<'_, f64>;

    /// Returns the draws of a latent or tracked site or family: `[chain, draw, event…]`, without elements,
    /// `[chain, draw, 0]`, where the sites change from draw to draw and no draw has met it.
    ///
    /// # Panics
    ///
    /// If the name stands for several sites that are no family, or if the sites are the same in all draws and it is none of
    /// them; the text lists the sites that there are.
    fn draws_of_latent(&self, site: &str) -> ArrayViewD<'_, f64> {
        self.draws_of(site)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_chooses_its_members_and_no_namesakes() {
        let names = SiteNames::default().with("z").with("net");
        assert!(names.contains("z") && names.contains("z[3]") && names.contains("net.0.weight"));
        assert!(!names.contains("zeta") && !names.contains("a.z"));
        let inner = SiteNames::default().with("s.w");
        assert!(inner.contains("s.w[1]") && inner.contains("s[0].w[1]") && inner.contains("s[0][2].w.b"));
        assert!(
            !inner.contains("s[0].wide")
                && !inner.contains("s")
                && !inner.contains("s[0]")
                && !inner.contains("s[0].v")
        );
    }

    #[test]
    fn a_later_value_replaces_an_earlier_one() {
        let values = SiteValues::default().with("mu", 1).with("tau", true).with("mu", 2.5);
        assert_eq!(values.get("mu"), Some(&SiteValue::from(2.5)));
        assert_eq!(values.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["tau", "mu"]);
    }
}
