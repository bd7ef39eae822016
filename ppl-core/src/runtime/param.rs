//! Learnable values: the word `param`.

use ndarray::ArrayD;

use crate::bijectors::default::for_support;
use crate::constraints;
use crate::distributions::inside;
use crate::distributions::support::{Bounded, Support};
use crate::error::Error;
use crate::ops::param::IntoVar;
use crate::rng::{Key, name_hash};
use crate::runtime::context::{Ctx, hold};
use crate::runtime::site::Site;
use crate::runtime::state::{SiteKind, SiteRecord, Slot};
use crate::runtime::stop::{Res, Stop};
use crate::tape::record::Tape;
use crate::tape::store::Precision;
use crate::tape::var::Var;
use crate::tensor::shape::{Shape, size};

/// The domain of a learnable value: `Real`, `Positive`, `UnitInterval`, `Interval(lo, hi)`, `Simplex`, `Ordered`,
/// `LowerCholesky`.
pub trait Domain {
    /// Returns the set.
    fn support<'t>(&self) -> Support<'t>;
}

macro_rules! domains {
    ($($name:ident),*) => {$(
        impl Domain for constraints::$name {
            fn support<'t>(&self) -> Support<'t> {
                Support::$name
            }
        }
    )*};
}

domains!(Real, Positive, UnitInterval, Simplex, Ordered, LowerCholesky);

impl Domain for constraints::Interval {
    fn support<'t>(&self) -> Support<'t> {
        Support::Interval(Var::constant(self.0), Var::constant(self.1))
    }
}

impl Slot {
    /// Returns the values of a parameter in its domain, of its unconstrained `values`: `[plates…, event…]`.
    pub(crate) fn constrained(&self, values: &[f64]) -> ArrayD<f64> {
        let (domain, free_rank) = &self.domain;
        let (plates, free_event) = self.shape.split_at(self.shape.len() - free_rank);
        let tape = Tape::new(Precision::F64, Key::new(0));
        let bijector = for_support(&domain.map(Var::constant)).expect("a learnable value is continuous");
        let n_free = size(free_event);
        let mut out = Vec::new();
        let mut shape = plates.to_vec();
        for row in 0..size(plates) {
            let z = tape.input(row * n_free, &[], free_event, &values[row * n_free..][..n_free], false);
            let x = bijector.constrain(z);
            out.extend(x.elements());
            if row == 0 {
                shape.extend_from_slice(&x.event_shape());
            }
        }
        ArrayD::from_shape_vec(shape, out).expect("each row has the event's shape")
    }
}

impl<'t> Ctx<'t> {
    /// Declares a learnable value that starts at `initial`; inside a plate there is one for each row.
    ///
    /// # Errors
    ///
    /// If `initial` lies outside of the domain, depends on other sites, or the name is taken.
    pub fn param<D: Domain>(self, site: Site, initial: impl IntoVar<'t>, domain: D) -> Res<Var<'t>> {
        self.check()?;
        let tape = self.tape();
        let address = self.address(site.name);
        let fault = |message: String| Stop(Error::at_site(address.clone(), site.place(), message));
        let initial = tape.lift(initial.into_param().on(tape));
        let event = initial.event_shape();
        let support = domain.support();
        let bijector = for_support(&support).ok_or_else(|| fault("a learnable value is continuous".to_string()))?;
        let values = initial.elements();
        if !initial.dims().is_empty() {
            return Err(fault(
                "the starting value of a parameter cannot depend on a plate".to_string(),
            ));
        }
        let set = support.map(|bound| bound.value());
        if let Some(message) = inside::fault(|_| set, &values, &event, tape.precision()) {
            return Err(fault(format!("the starting value {message}")));
        }
        let free = bijector.unconstrain(&values, &event);
        self.check_room(&address, site.place(), &event)?;
        let mut shape: Shape = self.plate_lengths();
        let n_rows = size(&shape);
        let free_event = bijector.unconstrained_event(&event);
        shape.extend_from_slice(&free_event);
        let slot = self.state().slots.len();
        let stored = self.input(&address, site.place(), &shape, false, true, || free.repeat(n_rows));
        self.state().slots[slot].domain = (support.map(|bound| bound.value()), free_event.len());
        let x = bijector.constrain(self.rows_of(stored, &free_event));
        self.add_site(SiteRecord {
            support: Some(support.map(hold)),
            ..self.site_record(site, SiteKind::Param, x)
        })?;
        self.check()?;
        Ok(x)
    }
    /// Declares a learnable array of real numbers that starts at values made from the key of its address; inside a plate
    /// there is one for each row.
    ///
    /// The starting values are made only where no earlier run left any.
    ///
    /// # Errors
    ///
    /// If the name is taken.
    pub fn free_param(self, site: Site<'_>, event: &[usize], initial: impl Fn(Key) -> Vec<f64>) -> Res<Var<'t>> {
        self.check()?;
        let address = self.address(site.name);
        self.check_room(&address, site.place(), event)?;
        let mut shape: Shape = self.plate_lengths();
        let n_rows = size(&shape);
        shape.extend_from_slice(event);
        let slot = self.state().slots.len();
        let key = self.tape().key().split(name_hash(&address));
        let stored = self.input(&address, site.place(), &shape, false, true, || {
            (0..n_rows as u64).flat_map(|row| initial(key.split(row))).collect()
        });
        let x = self.rows_of(stored, event);
        self.state().slots[slot].domain = (Bounded::Real, event.len());
        self.add_site(self.site_record(site, SiteKind::Param, x))?;
        Ok(x)
    }
}
