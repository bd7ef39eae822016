//! Masks, and other arrays from outside, as values of the rows of a site.

use ndarray::ArrayD;

use crate::error::Error;
use crate::runtime::context::Ctx;
use crate::runtime::site::Site;
use crate::runtime::stop::{Res, Stop};
use crate::tape::var::Var;

impl<'t> Ctx<'t> {
    /// Puts the masks that handlers give a site onto the tape, with that of its distribution.
    ///
    /// # Errors
    ///
    /// If a mask has other rows than the site, or NaN among its elements.
    pub(crate) fn masks(
        self,
        address: &str,
        site: Site,
        given: &[ArrayD<f64>],
        own: Option<Var<'t>>,
    ) -> Res<Vec<Var<'t>>> {
        let given = given.iter().map(|m| self.mask_rows(address, site, m));
        let masks = given.chain(own.map(Ok)).collect::<Res<Vec<_>>>()?;
        for mask in &masks {
            let values = mask.elements();
            if let Some(i) = values.iter().position(|x| x.is_nan()) {
                let message = format!(
                    "element {i} of its mask of {} is NaN, neither zero nor one",
                    values.len()
                );
                return Err(Stop(Error::at_site(address, site.place(), message)));
            }
        }
        Ok(masks)
    }

    /// Puts the mask of a handler onto the tape: a number for each row, or one for all.
    fn mask_rows(self, address: &str, site: Site, mask: &ArrayD<f64>) -> Res<Var<'t>> {
        let rows = self.plate_lengths();
        if mask.len() != 1 && mask.shape() != rows.as_slice() {
            let message = format!(
                "a mask of shape {:?} was given, the rows of the site have shape {:?}",
                mask.shape(),
                rows.as_slice()
            );
            return Err(Stop(Error::at_site(address, site.place(), message)));
        }
        Ok(self.given_rows(mask, &[]))
    }

    /// Puts an array `[plates…, event…]` onto the tape; a single number stands for all.
    pub(crate) fn given_rows(self, value: &ArrayD<f64>, event: &[usize]) -> Var<'t> {
        let stored = self.tape().constant_array(value.shape(), value.iter().copied());
        if value.len() == 1 && event.is_empty() {
            stored.reshape(&[])
        } else {
            self.rows_of(stored, event)
        }
    }
}
