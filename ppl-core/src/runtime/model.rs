//! What a model is to the algorithms: something that runs in a context, with typed names for its sites.

use std::any::{TypeId, type_name};

use crate::distributions::Dist;
use crate::runtime::arguments_key::ArgumentsKey;
use crate::runtime::context::Ctx;
use crate::runtime::data::DataVisitor;
use crate::runtime::site::Site;
use crate::runtime::sites::{SiteAccessors, SiteNames, SiteValues};
use crate::runtime::stop::Res;
use crate::tape::var::Var;

/// A model with its data: what a function marked `#[model]` returns.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no model",
    label = "not a model",
    note = "call the function that is marked `#[model]`: `eight_schools(&sigma, &y)`"
)]
pub trait Model {
    /// What the model returns, on a tape.
    type Out<'t>
    where
        Self: 't;
    /// Values for sites, by typed name: `|s| s.mu(4.0)`.
    type Values: From<SiteValues> + Into<SiteValues>;
    /// A choice of sites, by typed name: `|s| s.mu().tau()`. The type also tells models apart.
    type Names: From<SiteNames> + Into<SiteNames> + 'static;
    /// Draws of the sites, by typed name: `fit.tau()`.
    type Accessors: SiteAccessors<Names = Self::Names>;

    /// Runs the body once in a context.
    ///
    /// # Errors
    ///
    /// If a site, a plate or an operation is at fault, or the user's own code ends with `?`.
    fn run<'t>(&'t self, ctx: Ctx<'t>) -> Res<Self::Out<'t>>;

    /// Visits the borrowed and observed arguments in order, so that their slots can be bound again without running.
    fn visit_data(&self, visitor: &mut dyn DataVisitor);

    /// Adds to `key` what the recording bakes in, beside the text of the body: owned arguments and the shapes of data.
    ///
    /// A model that does not say is recorded at each binding.
    fn hash_arguments(&self, key: &mut ArgumentsKey) {
        key.unknown();
    }

    /// Returns the name of the function.
    fn name(&self) -> &'static str;
}

impl<M: Model> Model for &M {
    type Out<'t>
        = M::Out<'t>
    where
        Self: 't;
    type Values = M::Values;
    type Names = M::Names;
    type Accessors = M::Accessors;

    fn run<'t>(&'t self, ctx: Ctx<'t>) -> Res<Self::Out<'t>> {
        (**self).run(ctx)
    }

    fn visit_data(&self, visitor: &mut dyn DataVisitor) {
        (**self).visit_data(visitor);
    }

    fn hash_arguments(&self, key: &mut ArgumentsKey) {
        (**self).hash_arguments(key);
    }

    fn name(&self) -> &'static str {
        (**self).name()
    }
}

/// A model as the algorithms see it: without its types, so that they are compiled once for all models.
///
/// Every [`Model`] is one; nothing else has to be written.
pub trait Body {
    /// Runs the body once in a context, without its return value.
    ///
    /// # Errors
    ///
    /// Those of [`Model::run`].
    fn run_body<'t>(&'t self, ctx: Ctx<'t>) -> Res<()>;

    /// Visits the data arguments, as [`Model::visit_data`] does.
    fn visit_arguments(&self, visitor: &mut dyn DataVisitor);

    /// Adds to `key` which model this is, and what its recording bakes in.
    fn hash_into(&self, key: &mut ArgumentsKey);

    /// Returns the name of the function.
    fn model_name(&self) -> &'static str;
}

impl<M: Model> Body for M {
    fn run_body<'t>(&'t self, ctx: Ctx<'t>) -> Res<()> {
        self.run(ctx).map(drop)
    }

    fn visit_arguments(&self, visitor: &mut dyn DataVisitor) {
        self.visit_data(visitor);
    }

    fn hash_into(&self, key: &mut ArgumentsKey) {
        // Each function marked `#[model]` has its own type of site names. The name of the model's type tells the instances of a
        // generic one apart, and the handlers around it.
        key.put((TypeId::of::<M::Names>(), type_name::<M>()));
        self.hash_arguments(key);
    }

    fn model_name(&self) -> &'static str {
        self.name()
    }
}

/// A variational family for one model: what a function marked `#[guide(model)]` returns.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no guide",
    label = "not a guide",
    note = "mark the function `#[guide(model)]`, with the name of the model it approximates"
)]
pub trait Guide: Model {
    /// The [`Model::Names`] of the model.
    type Target;
}

/// What a function returns that is recorded in a context: the macros find the return type of a model with it, in which
/// lifetimes are left out as in the signature of any function.
pub trait Returned<'t> {
    /// The return type, on the tape of the context.
    type Out;
}

impl<'t, R, F: FnOnce(Ctx<'t>) -> R> Returned<'t> for F {
    type Out = R;
}

/// What can stand in `sample(…)`: distributions, models, random modules.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sampled",
    label = "neither a distribution nor a model nor a random module",
    note = "`sample` takes a distribution such as `Normal(0, 1)`, or a call of a function marked `#[model]`"
)]
pub trait Sample<'t> {
    /// What a draw is: a value for a distribution, the return value for a model.
    type Out;

    /// Draws at `site`.
    ///
    /// # Errors
    ///
    /// If parameters are outside of their domain, or a model's body fails.
    fn draw(self, ctx: Ctx<'t>, site: Site) -> Res<Self::Out>;
}

#[diagnostic::do_not_recommend]
impl<'t, D: Dist<'t>> Sample<'t> for D {
    type Out = Var<'t>;

    fn draw(self, ctx: Ctx<'t>, site: Site) -> Res<Var<'t>> {
        ctx.sample_from(site, self)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::runtime::sites::DrawsBySite;

    /// Returns the key of a model named `m` of no arguments, in a block of its own.
    macro_rules! key_of_m {
        () => {{
            struct Names(SiteNames);

            impl From<SiteNames> for Names {
                fn from(names: SiteNames) -> Self {
                    Names(names)
                }
            }

            impl From<Names> for SiteNames {
                fn from(names: Names) -> Self {
                    names.0
                }
            }

            struct Accessors;

            impl From<Arc<dyn DrawsBySite>> for Accessors {
                fn from(_: Arc<dyn DrawsBySite>) -> Self {
                    Accessors
                }
            }

            impl SiteAccessors for Accessors {
                type Names = Names;
            }

            #[allow(non_camel_case_types)]
            struct m;

            impl Model for m {
                type Out<'t> = ();
                type Values = SiteValues;
                type Names = Names;
                type Accessors = Accessors;

                fn run<'t>(&'t self, _: Ctx<'t>) -> Res<()> {
                    Ok(())
                }

                fn visit_data(&self, _: &mut dyn DataVisitor) {}

                fn hash_arguments(&self, _: &mut ArgumentsKey) {}

                fn name(&self) -> &'static str {
                    "m"
                }
            }

            (type_name::<m>(), ArgumentsKey::of(|key| m.hash_into(key)))
        }};
    }

    #[test]
    fn models_of_one_name_in_two_blocks_have_two_keys() {
        let ((one, key), (other, other_key)) = (key_of_m!(), key_of_m!());
        assert_eq!(one, other);
        assert!(key.is_some() && key != other_key);
    }
}
