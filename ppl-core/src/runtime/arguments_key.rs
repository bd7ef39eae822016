//! What a bound model bakes into its recording, as one hash: its owned arguments, and the shapes of its data.

use std::hash::{DefaultHasher, Hash, Hasher};

use ndarray::{Array, Dimension};

use crate::runtime::data_source::{DataSource, Detached, Handle};

/// Collects all that tells the recordings of a bound model apart, but for the values of its data.
///
/// Two bindings of one model with equal keys are recorded alike, so that a program recorded from one serves the other
/// when its data are copied in.
pub struct ArgumentsKey {
    hasher: DefaultHasher,
    is_known: bool,
}

impl ArgumentsKey {
    /// Returns the key of what `put` puts in, or `None` if something cannot be hashed.
    pub fn of(put: impl FnOnce(&mut ArgumentsKey)) -> Option<u64> {
        let mut key = ArgumentsKey {
            hasher: DefaultHasher::new(),
            is_known: true,
        };
        put(&mut key);
        key.is_known.then(|| key.hasher.finish())
    }

    /// Says that something is baked in that cannot be hashed: each binding is then recorded.
    pub fn unknown(&mut self) {
        self.is_known = false;
    }

    /// Takes something that is baked in.
    pub fn put(&mut self, value: impl Hash) {
        value.hash(&mut self.hasher);
    }

    /// Takes an argument that is a value of an enclosing model: only a constant is the same in each recording.
    pub fn value(&mut self, handle: &Handle<'_>) {
        match handle.value {
            Detached::Constant(value) => self.put(value.to_bits()),
            Detached::Node { .. } => self.unknown(),
        }
    }

    /// Takes the shape of data, and whether they are missing.
    pub fn source(&mut self, source: &DataSource<'_>) {
        match source {
            DataSource::Array(data) => self.put((0u8, data.shape())),
            DataSource::Partly(data) => self.put((2u8, data.shape(), data.fault())),
            DataSource::Missing(shape) => self.put((1u8, shape)),
            DataSource::Value(handle) => self.value(handle),
        }
    }
}

/// An owned argument, as the macros hand it to its key: by [`ByHash`] if its type has `Hash`, else by [`ByBits`] if it
/// is made of floating-point numbers, else by [`ByNothing`].
///
/// `(&&&Owned(&x)).hash_into(key)` finds the first of the three that the type has.
pub struct Owned<'a, T: ?Sized>(pub &'a T);

/// Owned arguments with `Hash`.
pub trait ByHash {
    /// Adds the argument to the key.
    fn hash_into(&self, key: &mut ArgumentsKey);
}

impl<T: Hash + ?Sized> ByHash for &&Owned<'_, T> {
    fn hash_into(&self, key: &mut ArgumentsKey) {
        key.put(self.0);
    }
}

/// Owned arguments made of floating-point numbers, which have no `Hash`.
pub trait ByBits {
    /// Adds the argument to the key.
    fn hash_into(&self, key: &mut ArgumentsKey);
}

impl<T: Bits + ?Sized> ByBits for &Owned<'_, T> {
    fn hash_into(&self, key: &mut ArgumentsKey) {
        self.0.put_bits(key);
    }
}

/// Any other owned argument: models with it are recorded at each binding, unless its type has but one value.
pub trait ByNothing {
    /// Adds the argument to the key.
    fn hash_into(&self, key: &mut ArgumentsKey);
}

impl<T> ByNothing for Owned<'_, T> {
    fn hash_into(&self, key: &mut ArgumentsKey) {
        // Closures of one function share a name, so that the name of the model's type does not tell them apart.
        if size_of::<T>() != 0 || std::any::type_name::<T>().contains("{{closure}}") {
            key.unknown();
        }
    }
}

/// Floating-point numbers and what is made of them.
pub trait Bits {
    /// Adds all bits to the key.
    fn put_bits(&self, key: &mut ArgumentsKey);
}

impl Bits for f64 {
    fn put_bits(&self, key: &mut ArgumentsKey) {
        key.put(self.to_bits());
    }
}

impl Bits for f32 {
    fn put_bits(&self, key: &mut ArgumentsKey) {
        key.put(self.to_bits());
    }
}

macro_rules! integers {
    ($($t:ty),*) => {$(
        impl Bits for $t {
            fn put_bits(&self, key: &mut ArgumentsKey) {
                key.put(self);
            }
        }
    )*};
}

integers!(bool, u8, u32, u64, usize, i32, i64);

impl<T: Bits> Bits for Option<T> {
    fn put_bits(&self, key: &mut ArgumentsKey) {
        key.put(self.is_some());
        if let Some(value) = self {
            value.put_bits(key);
        }
    }
}

impl<T: Bits> Bits for [T] {
    fn put_bits(&self, key: &mut ArgumentsKey) {
        key.put(self.len());
        self.iter().for_each(|x| x.put_bits(key));
    }
}

impl<T: Bits> Bits for Vec<T> {
    fn put_bits(&self, key: &mut ArgumentsKey) {
        self.as_slice().put_bits(key);
    }
}

impl<T: Bits, const N: usize> Bits for [T; N] {
    fn put_bits(&self, key: &mut ArgumentsKey) {
        self.as_slice().put_bits(key);
    }
}

impl<A: Bits, B: Bits> Bits for (A, B) {
    fn put_bits(&self, key: &mut ArgumentsKey) {
        self.0.put_bits(key);
        self.1.put_bits(key);
    }
}

impl<T: Bits, D: Dimension> Bits for Array<T, D> {
    fn put_bits(&self, key: &mut ArgumentsKey) {
        key.put(self.shape());
        self.iter().for_each(|x| x.put_bits(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    /// Returns the hash of an argument by the path that the macros write, or `None` if there is none.
    macro_rules! key_of {
        ($x:expr) => {
            ArgumentsKey::of(|key| (&&&Owned(&$x)).hash_into(key))
        };
    }

    #[test]
    fn numbers_arrays_and_everything_with_hash_have_a_key_of_their_value() {
        assert!(key_of!(3_usize).is_some() && key_of!(3_usize) == key_of!(3_usize));
        assert_ne!(key_of!(3_usize), key_of!(4_usize));
        assert_ne!(key_of!("a".to_string()), key_of!("b".to_string()));
        assert_ne!(key_of!(0.0_f64), key_of!(-0.0_f64));
        assert_ne!(key_of!(array![1.0, 2.0]), key_of!(array![1.0, 2.5]));
        assert_ne!(key_of!(array![[1.0, 2.0]]), key_of!(array![[1.0], [2.0]]));
        assert_ne!(key_of!(vec![Some(0.5_f32)]), key_of!(vec![None::<f32>]));
        assert!(key_of!(vec![(1.0, 2_usize)]).is_some());
    }

    #[test]
    fn a_type_that_cannot_be_hashed_has_no_key_unless_it_has_one_value() {
        struct Logit;
        struct Prior {
            _scale: f64,
        }
        assert!(key_of!(Logit).is_some());
        assert_eq!(key_of!(|x: f64| x + 1.0), None);
        assert_eq!(key_of!(Prior { _scale: 1.0 }), None);
    }
}
