//! Draws that typed accessors read: by address, or a whole family of numbered sites as one array.

use std::collections::{BTreeMap, HashMap};

use ndarray::{ArcArray, ArrayD, ArrayViewD, Axis, IxDyn};

use crate::draws::Draws;
use crate::runtime::sites::{DrawsBySite, SiteNames};

/// Draws with their families: `z[0]`, `z[1]`, … are read together as `z: [chain, draw, number…, event…]`.
///
/// A site `z` that is drawn before the loop comes first in its family. Members that a draw lacks are NaN.
#[derive(Clone, Debug)]
pub struct SiteDraws {
    /// The draws by address.
    pub draws: Draws,
    families: HashMap<String, ArcArray<f64, IxDyn>>,
}

impl SiteDraws {
    /// Stacks the families among the draws.
    pub fn new(draws: Draws) -> Self {
        let mut members: BTreeMap<String, Vec<(Vec<usize>, &str)>> = BTreeMap::new();
        for address in draws.names() {
            if let Some((family, numbers)) = split(address) {
                members.entry(family).or_default().push((numbers, address));
            }
        }
        let families = members
            .into_iter()
            .filter_map(|(name, members)| Some((name.clone(), stack(&draws, &name, &members)?.into_shared())));
        SiteDraws {
            families: families.collect(),
            draws,
        }
    }

    /// Returns the draws of a site or family, if there are any: `[chain, draw, event…]`.
    pub fn get(&self, site: &str) -> Option<ArrayViewD<'_, f64>> {
        match self.families.get(site) {
            Some(family) => Some(family.view()),
            None => self.draws.get(site),
        }
    }
}

impl DrawsBySite for SiteDraws {
    fn draws_of(&self, site: &str) -> ArrayViewD<'_, f64> {
        self.get(site).unwrap_or_else(|| {
            let family = SiteNames::default().with(site);
            let names: Vec<&str> = self.draws.names().collect();
            let members: Vec<&str> = names.iter().copied().filter(|n| family.contains(n)).collect();
            match members.first() {
                Some(first) => panic!(
                    "`{site}` is no single site, it has the sites {}: read each by its whole name, as in \
                     `fit.draws().get(\"{first}\")`",
                    members.join(", ")
                ),
                None => panic!(
                    "there are no draws of site `{site}`; there are draws of {} (observed sites have none, and what a \
                     model tracks is in `predict` where a guide drew the latents)",
                    names.join(", ")
                ),
            }
        })
    }

    fn draws_of_latent(&self, site: &str) -> ArrayViewD<'_, f64> {
        let own = SiteNames::default().with(site);
        if self.get(site).is_some() || self.draws.names().any(|name| own.contains(name)) {
            return self.draws_of(site);
        }
        let empty = [self.draws.n_chains(), self.draws.n_draws(), 0];
        ArrayViewD::from_shape(empty.as_slice(), &[]).expect("there are no elements")
    }
}

/// Returns the name of the family of a site in a loop, and its numbers; `None` for a site outside of loops.
fn split(address: &str) -> Option<(String, Vec<usize>)> {
    let mut family = String::new();
    let mut numbers = Vec::new();
    let mut rest = address;
    while let Some(open) = rest.find('[') {
        let close = open + rest[open..].find(']')?;
        numbers.push(rest[open + 1..close].parse().ok()?);
        family.push_str(&rest[..open]);
        rest = &rest[close + 1..];
    }
    family.push_str(rest);
    (!numbers.is_empty()).then_some((family, numbers))
}

/// Returns a family as one array, or `None` if its members differ in shape or in the depth of their loops.
fn stack(draws: &Draws, name: &str, members: &[(Vec<usize>, &str)]) -> Option<ArrayD<f64>> {
    let depth = members[0].0.len();
    let first = draws.get(members[0].1)?;
    let event = &first.shape()[2..];
    let before = draws.get(name).filter(|z| depth == 1 && z.shape() == first.shape());
    let shift = before.is_some() as usize;
    let mut lengths = vec![0; depth];
    for (numbers, address) in members {
        if numbers.len() != depth || draws.get(address)?.shape() != first.shape() {
            return None;
        }
        lengths
            .iter_mut()
            .zip(numbers)
            .for_each(|(len, &k)| *len = (*len).max(k + 1 + shift));
    }
    let shape: Vec<usize> = [&first.shape()[..2], &lengths, event].concat();
    let mut out = ArrayD::from_elem(shape, f64::NAN);
    let mut put = |numbers: &[usize], values: ArrayViewD<'_, f64>| {
        let mut cell = out.view_mut();
        for &k in numbers {
            cell = cell.index_axis_move(Axis(2), k);
        }
        cell.assign(&values);
    };
    if let Some(z) = before {
        put(&[0], z);
    }
    for (numbers, address) in members {
        let numbers: Vec<usize> = numbers.iter().map(|k| k + shift).collect();
        put(&numbers, draws.get(address)?);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn draws_of(sites: &[(&str, f64)]) -> SiteDraws {
        let mut draws = Draws::new(1, 2);
        for &(name, value) in sites {
            draws.insert(name, &[], vec![value, value + 0.5]).unwrap();
        }
        SiteDraws::new(draws)
    }

    #[test]
    fn numbered_sites_are_read_as_one_array() {
        let draws = draws_of(&[("z[1]", 1.0), ("z[0]", 0.0), ("mu", 7.0)]);
        assert_eq!(draws.draws_of("z"), array![[[0.0, 1.0], [0.5, 1.5]]].into_dyn());
        assert_eq!(draws.draws_of("z[1]"), array![[1.0, 1.5]].into_dyn());
        assert_eq!(draws.draws_of("mu"), array![[7.0, 7.5]].into_dyn());
    }

    #[test]
    fn a_site_before_the_loop_comes_first() {
        let draws = draws_of(&[("z", 9.0), ("z[0]", 0.0), ("z[1]", 1.0)]);
        assert_eq!(
            draws.draws_of("z"),
            array![[[9.0, 0.0, 1.0], [9.5, 0.5, 1.5]]].into_dyn()
        );
    }

    #[test]
    fn loops_in_loops_give_an_axis_each() {
        let draws = draws_of(&[("s[0].w[1]", 1.0), ("s[1].w[0]", 2.0)]);
        let w = draws.draws_of("s.w");
        assert_eq!(w.shape(), [1, 2, 2, 2]);
        assert_eq!(
            (w[[0, 0, 0, 1]], w[[0, 1, 1, 0]], w[[0, 0, 0, 0]].is_nan()),
            (1.0, 2.5, true)
        );
    }

    #[test]
    #[should_panic(expected = "`a` is no single site, it has the sites a.z, a.w[0]: read each by its whole name")]
    fn a_submodel_panics_with_the_names_of_its_sites() {
        draws_of(&[("a.z", 0.0), ("a.w[0]", 1.0), ("ab", 2.0)]).draws_of("a");
    }

    #[test]
    fn a_site_that_no_draw_has_met_has_draws_without_elements() {
        let draws = draws_of(&[("go[0]", 0.0), ("stepping", 1.0)]);
        assert_eq!(draws.draws_of_latent("step").shape(), [1, 2, 0]);
        assert_eq!(draws.draws_of_latent("go").shape(), [1, 2, 1]);
    }

    #[test]
    #[should_panic(expected = "`net` is no single site, it has the sites net.0.weight")]
    fn a_name_of_several_sites_panics_with_them() {
        draws_of(&[("net.0.weight", 0.0)]).draws_of_latent("net");
    }

    #[test]
    #[should_panic(expected = "there are no draws of site `y`; there are draws of mu, tau")]
    fn an_unknown_site_panics_with_the_known_ones() {
        draws_of(&[("mu", 0.0), ("tau", 1.0)]).draws_of("y");
    }
}
