//! A model with a handler around it, and the methods that put one there.

use std::rc::Rc;

use crate::draws::Draws;
use crate::runtime::arguments_key::ArgumentsKey;
use crate::runtime::context::Ctx;
use crate::runtime::data::DataVisitor;
use crate::runtime::handlers::block::Block;
use crate::runtime::handlers::choice::{Choose, Chosen, Give, SiteChoice};
use crate::runtime::handlers::condition::Condition;
use crate::runtime::handlers::do_::Do;
use crate::runtime::handlers::effect::Effect;
use crate::runtime::handlers::init::Init;
use crate::runtime::handlers::mask::Mask;
use crate::runtime::handlers::replay::Replay;
use crate::runtime::handlers::scale::Scale;
use crate::runtime::handlers::trace::Trace;
use crate::runtime::model::Model;
use crate::runtime::sites::{SiteNames, SiteValue, SiteValues};
use crate::runtime::stop::Res;

/// A model with a handler around it: a model with the same sites.
#[derive(Clone, Debug)]
pub struct Handled<M, H> {
    model: M,
    effect: H,
}

impl<M: Model, H: Effect> Model for Handled<M, H> {
    type Out<'t>
        = M::Out<'t>
    where
        Self: 't;
    type Values = M::Values;
    type Names = M::Names;
    type Accessors = M::Accessors;

    fn run<'t>(&'t self, ctx: Ctx<'t>) -> Res<M::Out<'t>> {
        ctx.state().handlers.push(Rc::new(self.effect.clone()));
        let out = self.model.run(ctx);
        ctx.state().handlers.pop();
        let out = out?;
        self.effect.check(ctx)?;
        Ok(out)
    }

    fn visit_data(&self, visitor: &mut dyn DataVisitor) {
        self.model.visit_data(visitor);
    }

    fn hash_arguments(&self, key: &mut ArgumentsKey) {
        self.model.hash_arguments(key);
        self.effect.hash_into(key);
    }

    fn name(&self) -> &'static str {
        self.model.name()
    }
}

/// Handlers as methods of models. A reference to a model is a model too: `(&model).block(…)` leaves the model where it is.
pub trait ModelExt: Model + Sized {
    /// Returns the model with latents observed at given values.
    ///
    /// A value is `[plates…, event…]`; the sites `z[0]`, `z[1]`, … of a loop take the rows of one array for `z`. Sites of
    /// submodels and modules take values by their whole names, `|s| SiteValues::from(s).with("net.0.weight", w).into()`.
    /// A value that no site takes, or with more or fewer rows than there are sites, is an error of the run, except that sites
    /// may be missing where the course of the run depends on values.
    ///
    /// ```
    /// use ppl_core::distributions::Normal;
    /// use ppl_core::runtime::handlers::{ModelExt, trace};
    /// use ppl_macros::model;
    ///
    /// #[model(crate = ppl_core)]
    /// fn pair() {
    ///     let mu = sample(Normal(0, 1));
    ///     let x = sample(Normal(mu, 1));
    /// }
    ///
    /// let at_four = trace(&pair().condition(|s| s.mu(4.0)), 1)?;
    /// assert_eq!(at_four.get("mu").unwrap().value[[]], 4.0);
    /// assert_eq!(at_four.get("mu").unwrap().log_prob, -8.0 - 0.5 * std::f64::consts::TAU.ln());
    /// # Ok::<(), ppl_core::error::Error>(())
    /// ```
    fn condition(self, values: impl Give<Self::Values>) -> Handled<Self, Condition> {
        let effect = Condition::new(chosen_values::<Self>(values));
        Handled { model: self, effect }
    }

    /// Returns the model with sites set from outside: they have these values whatever their distribution is, and no
    /// density (Pearl's intervention). Values are given as to [`ModelExt::condition`].
    fn do_(self, values: impl Give<Self::Values>) -> Handled<Self, Do> {
        let effect = Do::new(chosen_values::<Self>(values));
        Handled { model: self, effect }
    }

    /// Returns the model with values for its latents that algorithms start from: the chains of
    /// [`Mh`](crate::inference::mh::Mh), all of them, and the points and means of the automatic guides of
    /// [`Svi`](crate::inference::svi::Svi).
    ///
    /// Latents without a value start where the algorithm says, and so do all in a run that draws from the prior. Values are
    /// on the support, and given as to [`ModelExt::condition`]. A value outside of the support or of another shape, one
    /// that no latent takes, or one for a latent of a hand-written guide, whose parameters have starting values of their own,
    /// is an error of the run.
    ///
    /// ```
    /// use ndarray::{Array1, array};
    /// use ppl_core::distributions::{HalfNormal, Normal};
    /// use ppl_core::inference::svi::{AutoDelta, Svi};
    /// use ppl_core::optim::Sgd;
    /// use ppl_core::runtime::handlers::ModelExt;
    /// use ppl_macros::model;
    ///
    /// #[model(crate = ppl_core)]
    /// fn level(y: Obs<Array1<f64>>) {
    ///     let mu = sample(Normal(0, 10));
    ///     let sigma = sample(HalfNormal(1));
    ///     for i in plate(y) {
    ///         observe(y[i], Normal(mu, sigma));
    ///     }
    /// }
    ///
    /// let y = array![4.0, 5.0, 6.0];
    /// let model = level(&y).init(|s| s.mu(5.0).sigma(0.7));
    /// let svi = Svi::new(AutoDelta::default(), Sgd::new(0.01));
    /// let start = svi.start(&model)?.finish()?;
    /// assert!((start.sigma()[[0, 0]] - 0.7).abs() < 1e-15 && start.mu()[[0, 0]] == 5.0);
    /// # Ok::<(), ppl_core::error::Error>(())
    /// ```
    fn init(self, values: impl Give<Self::Values>) -> Handled<Self, Init> {
        let effect = Init::new(chosen_values::<Self>(values));
        Handled { model: self, effect }
    }

    /// Returns the model with the last draw of a fit, of its last chain, to start algorithms from, as [`ModelExt::init`]
    /// does: `init_from(fit.draws())` after `Mh`, `init_from(&fit.draws(1))` after `Svi`.
    ///
    /// The draw may lack latents of the model and hold other sites. None in common is an error of the run.
    fn init_from(self, draws: &Draws) -> Handled<Self, Init> {
        let effect = Init::from_draws(draws);
        Handled { model: self, effect }
    }

    /// Returns the model with sites left out of its density: latents are drawn afresh in each run, observations stay as
    /// they are.
    fn block<S: SiteChoice>(self, sites: impl Choose<Self::Names, S>) -> Handled<Self, Block> {
        let effect = Block::new(chosen::<Self, S>(sites));
        Handled { model: self, effect }
    }

    /// Returns the model with the latents of a run; those that the run lacks are open.
    fn replay(self, trace: &Trace) -> Handled<Self, Replay> {
        let effect = Replay::new(trace);
        Handled { model: self, effect }
    }

    /// Returns the model with only those rows of sites counting where the mask is not zero: `[plates…]`, or one number for
    /// all rows. A row counts where no mask of several is zero.
    ///
    /// As [`ModelExt::scale`], a mask acts on log p(x) alone: it never takes the Jacobian of unconstrained coordinates.
    ///
    /// Sites are chosen by typed name, `|s| s.theta()`, or, as observed ones are, by a string, `|_| "y"`.
    fn mask<S: SiteChoice>(
        self,
        sites: impl Choose<Self::Names, S>,
        mask: impl Into<SiteValue>,
    ) -> Handled<Self, Mask> {
        let effect = Mask::new(chosen::<Self, S>(sites), mask.into());
        Handled { model: self, effect }
    }

    /// Returns the model with the log densities of sites multiplied by a factor; sites are chosen as in
    /// [`ModelExt::mask`].
    ///
    /// The factor s multiplies log p(x), the log density of the site at its own value, exactly as
    /// [`DistExt::scale`](crate::distributions::DistExt::scale) does, and the factors of several handlers and of the method
    /// multiply each other. It never multiplies the Jacobian |dx/dz| of the coordinates z that an algorithm works in, so that
    /// all algorithms are about the one density p(x)ˢ: in z, s log p(x) + ln |dx/dz|. The factor N/B of a subsampled plate
    /// multiplies both.
    fn scale<S: SiteChoice>(self, sites: impl Choose<Self::Names, S>, factor: f64) -> Handled<Self, Scale> {
        let effect = Scale::new(chosen::<Self, S>(sites), factor);
        Handled { model: self, effect }
    }
}

impl<M: Model> ModelExt for M {}

fn chosen_values<M: Model>(values: impl Give<M::Values>) -> SiteValues {
    values(M::Values::from(SiteValues::default())).into()
}

fn chosen<M: Model, S: SiteChoice>(sites: impl Choose<M::Names, S>) -> Chosen {
    sites(M::Names::from(SiteNames::default())).chosen()
}
