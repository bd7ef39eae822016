//! Where the parameters of an automatic guide start.

use crate::kernels::random::fill_normal;
use crate::rng::{Key, name_hash};
use crate::runtime::arguments_key::ArgumentsKey;
use crate::runtime::context::Ctx;
use crate::tensor::shape::size;

/// Where the elements of a parameter start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initial {
    /// Each at a uniform draw from (−2, 2), as Stan's chains do.
    Spread,
    /// Each at a draw from the normal distribution with mean zero and this standard deviation.
    Normal(f64),
    /// All at this value.
    Value(f64),
}

impl Initial {
    /// Adds the setting to a key.
    pub(crate) fn hash_into(self, key: &mut ArgumentsKey) {
        key.put(std::mem::discriminant(&self));
        if let Initial::Normal(x) | Initial::Value(x) = self {
            key.put(x.to_bits());
        }
    }

    /// Returns starting values, which depend on the seed and the parameter's address alone.
    pub(crate) fn values(self, ctx: Ctx<'_>, address: &str, shape: &[usize]) -> Vec<f64> {
        match self {
            Initial::Spread => ctx.spread(address, shape),
            Initial::Value(value) => vec![value; size(shape)],
            Initial::Normal(scale) => {
                let mut out = vec![0.0; size(shape)];
                let key: Key = ctx.tape().key();
                fill_normal(key.split(name_hash(address)), &mut out);
                out.iter_mut().for_each(|x| *x *= scale);
                out
            }
        }
    }
}
