//! Priors over the parameters of a module: one for all, by name, or computed from the parameter.

use ppl_core::distributions::{Dist, DistExt};
use ppl_core::error::Error;
use ppl_core::runtime::context::Ctx;
use ppl_core::runtime::site::Site;
use ppl_core::runtime::stop::{Res, Stop};
use ppl_core::tape::var::Var;

use crate::parameter::Parameter;

/// Draws one parameter at its site.
type Rule<'t> = Box<dyn Fn(Ctx<'t>, Site<'_>, &Parameter) -> Res<Var<'t>> + 't>;

/// Priors over the parameters of a module: one for all, and others for those whose names match a pattern.
///
/// A pattern is a parameter's name (`0.weight`), a layer's (`0`), or either with `*` for any text (`*.bias`). Of several
/// that match, the last counts.
///
/// ```
/// use ppl_core::distributions::Normal;
/// use ppl_nn::{Parameter, Priors};
///
/// let scaled = |p: &Parameter| Normal(0, 1.0 / (p.fan_in() as f64).sqrt());
/// let priors = Priors::new(Normal(0, 1)).with("*.bias", Normal(0, 0.1)).with("1", scaled);
/// ```
pub struct Priors<'t> {
    rules: Vec<(String, Rule<'t>)>,
}

impl<'t> Priors<'t> {
    /// Returns the same prior for all parameters.
    pub fn new<K>(prior: impl Prior<'t, K>) -> Self {
        Priors { rules: Vec::new() }.with("*", prior)
    }

    /// Returns these priors with another one for the parameters whose names match a pattern.
    pub fn with<K>(mut self, pattern: &str, prior: impl Prior<'t, K>) -> Self {
        let rule = Box::new(move |ctx, site: Site<'_>, parameter: &Parameter| prior.draw(ctx, site, parameter));
        self.rules.push((pattern.to_string(), rule));
        self
    }

    /// Returns the first pattern that matches none of the parameters.
    pub(crate) fn unused(&self, parameters: &[Parameter]) -> Option<&str> {
        let is_used = |pattern: &str| parameters.iter().any(|p| is_match(pattern, p.name()));
        let mut patterns = self.rules.iter().skip(1).map(|(pattern, _)| pattern.as_str());
        patterns.find(|pattern| !is_used(pattern))
    }

    /// Draws one parameter.
    pub(crate) fn draw(&self, ctx: Ctx<'t>, site: Site<'_>, parameter: &Parameter) -> Res<Var<'t>> {
        let mut rules = self.rules.iter().rev();
        let (_, rule) = rules
            .find(|(pattern, _)| is_match(pattern, parameter.name()))
            .expect("the first pattern matches every name");
        rule(ctx, site, parameter)
    }
}

/// Returns whether a pattern matches a name, or the name of a layer that it is a part of.
fn is_match(pattern: &str, name: &str) -> bool {
    let ends = name.match_indices('.').map(|(at, _)| at).chain([name.len()]);
    ends.into_iter().any(|end| is_glob_match(pattern, &name[..end]))
}

/// Returns whether a pattern matches the whole text; `*` stands for any text.
fn is_glob_match(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(head) else {
        return false;
    };
    (0..=text.len()).any(|at| text.is_char_boundary(at) && is_glob_match(rest, &text[at..]))
}

/// What can be the prior of a parameter: a distribution, or a function from the parameter to one.
///
/// A distribution over numbers is expanded to the parameter's shape, one over arrays along the axes that it lacks.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no prior for the parameters of a module",
    label = "neither a distribution nor a function from a parameter to one",
    note = "write `Normal(0, 1)`, `|p: &Parameter| Normal(0, 1.0 / (p.fan_in() as f64).sqrt())` or `Priors::new(…).with(…)`"
)]
pub trait Prior<'t, K>: 't {
    /// Draws a parameter at its site.
    ///
    /// # Errors
    ///
    /// If the site is at fault, or the distribution has another shape than the parameter.
    fn draw(&self, ctx: Ctx<'t>, site: Site<'_>, parameter: &Parameter) -> Res<Var<'t>>;
}

/// Marks a prior that is a distribution.
pub struct ByDistribution;
/// Marks a prior that is a function to distributions `D`.
pub struct ByFunction<D>(std::marker::PhantomData<D>);
/// Marks priors that are chosen by name.
pub struct ByName;

impl<'t, D: Dist<'t> + Clone + 't> Prior<'t, ByDistribution> for D {
    fn draw(&self, ctx: Ctx<'t>, site: Site<'_>, parameter: &Parameter) -> Res<Var<'t>> {
        sample_expanded(ctx, site, parameter, self.clone())
    }
}

impl<'t, D: Dist<'t>, F: Fn(&Parameter) -> D + 't> Prior<'t, ByFunction<D>> for F {
    fn draw(&self, ctx: Ctx<'t>, site: Site<'_>, parameter: &Parameter) -> Res<Var<'t>> {
        sample_expanded(ctx, site, parameter, self(parameter))
    }
}

/// What can be the priors of a module: a [`Prior`] for all parameters, or [`Priors`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no prior for the parameters of a module",
    label = "neither a distribution nor a function from a parameter to one nor `Priors`",
    note = "write `Normal(0, 1)`, `|p: &Parameter| Normal(0, 1.0 / (p.fan_in() as f64).sqrt())` or `Priors::new(…).with(…)`"
)]
pub trait IntoPriors<'t, K> {
    /// Returns the priors.
    fn into_priors(self) -> Priors<'t>;
}

impl<'t, K, P: Prior<'t, K>> IntoPriors<'t, K> for P {
    fn into_priors(self) -> Priors<'t> {
        Priors::new(self)
    }
}

impl<'t> IntoPriors<'t, ByName> for Priors<'t> {
    fn into_priors(self) -> Priors<'t> {
        self
    }
}

fn sample_expanded<'t, D: Dist<'t>>(ctx: Ctx<'t>, site: Site<'_>, parameter: &Parameter, prior: D) -> Res<Var<'t>> {
    let event = prior.event_shape();
    let Some(outer) = parameter.shape().strip_suffix(event.as_slice()) else {
        let message = format!(
            "the prior {} has the shape {:?}, the parameter {:?}: give it numbers, or arrays over the last axes",
            D::NAME,
            event.as_slice(),
            parameter.shape()
        );
        return Err(Stop(Error::at_site(ctx.address(site.name), site.place(), message)));
    };
    ctx.sample(site, prior.expand(outer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names_layers_and_texts() {
        let rows = [
            ("0.weight", "0.weight", true),
            ("0", "0.weight", true),
            ("0", "10.weight", false),
            ("*", "0.weight", true),
            ("*.bias", "0.bias", true),
            ("*.bias", "hidden.0.bias", true),
            ("*.bias", "0.weight", false),
            ("hid*.0", "hidden.0.bias", true),
            ("weight", "0.weight", false),
            ("*a*a", "banana", true),
            ("*a*b", "banana", false),
        ];
        for (pattern, name, expected) in rows {
            assert_eq!(is_match(pattern, name), expected, "{pattern} and {name}");
        }
    }
}
