//! Condition: latents are observed at given values.

use std::sync::Arc;

use ndarray::{ArrayD, Axis};

use crate::runtime::arguments_key::ArgumentsKey;
use crate::runtime::handler::{Fate, Handler, Message};
use crate::runtime::handlers::handled::Effect;
use crate::runtime::sites::SiteValues;

/// The handler of [`ModelExt::condition`](crate::runtime::handlers::ModelExt::condition).
#[derive(Clone, Debug)]
pub struct Condition {
    values: Arc<SiteValues>,
}

impl Condition {
    pub(super) fn new(values: SiteValues) -> Self {
        Condition {
            values: Arc::new(values),
        }
    }
}

impl Handler for Condition {
    fn handle(&self, message: &mut Message<'_>) {
        if let (Fate::Open, Some(value)) = (&message.fate, value_of(&self.values, message.address)) {
            message.fate = Fate::Observed(value);
        }
    }
}

impl Effect for Condition {
    fn hash_into(&self, key: &mut ArgumentsKey) {
        self.values.hash_into(key);
    }
}

/// Returns the value of a site; a site `z[k]` of a loop takes row k of a value for `z`.
pub(super) fn value_of(values: &SiteValues, address: &str) -> Option<ArrayD<f64>> {
    if let Some(value) = values.get(address) {
        return Some(value.0.clone());
    }
    let (family, numbers) = address.split_once('[')?;
    let mut value = values.get(family)?.0.clone();
    for number in numbers.strip_suffix(']')?.split("][") {
        let k: usize = number.parse().ok()?;
        if value.ndim() == 0 || k >= value.len_of(Axis(0)) {
            return None;
        }
        value = value.index_axis_move(Axis(0), k);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_site_of_a_loop_takes_its_row() {
        let values = SiteValues::default()
            .with("z", array![[1.0, 2.0], [3.0, 4.0]])
            .with("z[5]", 9.0);
        assert_eq!(value_of(&values, "z[1]"), Some(array![3.0, 4.0].into_dyn()));
        assert_eq!(value_of(&values, "z[1][0]"), Some(ndarray::arr0(3.0).into_dyn()));
        assert_eq!(value_of(&values, "z[5]"), Some(ndarray::arr0(9.0).into_dyn()));
        assert_eq!(value_of(&values, "z[2]"), None);
        assert_eq!(value_of(&values, "y[0]"), None);
    }
}
