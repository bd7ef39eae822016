//! The value buffer of a tape in one of two precisions.

use crate::kernels::real::Real;
use crate::tape::call::Call;
use crate::tape::op::Kernel;

/// The scalar type of a tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Precision {
    /// Double precision: the default.
    #[default]
    F64,
    /// Single precision: for networks.
    F32,
}

impl Precision {
    /// Returns how many whole numbers from zero on are told apart: an index must be below.
    pub fn n_indexes(self) -> u64 {
        match self {
            Precision::F64 => 1 << f64::MANTISSA_DIGITS,
            Precision::F32 => 1 << f32::MANTISSA_DIGITS,
        }
    }
}

/// Values of all nodes of a tape, one after the other.
#[derive(Clone, Debug)]
pub enum Store {
    /// In double precision.
    F64(Vec<f64>),
    /// In single precision.
    F32(Vec<f32>),
}

/// A part of a store to be written.
pub enum Buffer<'a> {
    /// In double precision.
    F64(&'a mut [f64]),
    /// In single precision.
    F32(&'a mut [f32]),
}

/// The scalar types of tapes with what the executor needs beside arithmetic.
pub trait Scalar: Real {
    /// The precision that this type is.
    const PRECISION: Precision;
    /// Picks the kernel of this precision.
    fn kernel(kernel: &Kernel) -> fn(&mut Call<'_, Self>);
    /// Returns the buffer.
    ///
    /// # Panics
    ///
    /// If the store has the other precision.
    fn buffer(store: &Store) -> &Vec<Self>;
    /// Returns the buffer to be changed; panics as [`Scalar::buffer`] does.
    fn buffer_mut(store: &mut Store) -> &mut Vec<Self>;
    /// Names the precision of a slice.
    fn part(values: &mut [Self]) -> Buffer<'_>;
}

macro_rules! scalar {
    ($t:ident, $variant:ident) => {
        impl Scalar for $t {
            const PRECISION: Precision = Precision::$variant;
            #[inline(always)]
            fn kernel(kernel: &Kernel) -> fn(&mut Call<'_, Self>) {
                kernel.$t
            }
            fn buffer(store: &Store) -> &Vec<Self> {
                match store {
                    Store::$variant(values) => values,
                    _ => panic!("the tape does not hold {} values", stringify!($t)),
                }
            }
            fn buffer_mut(store: &mut Store) -> &mut Vec<Self> {
                match store {
                    Store::$variant(values) => values,
                    _ => panic!("the tape does not hold {} values", stringify!($t)),
                }
            }
            fn part(values: &mut [Self]) -> Buffer<'_> {
                Buffer::$variant(values)
            }
        }
    };
}

scalar!(f64, F64);
scalar!(f32, F32);

impl Store {
    /// Returns an empty buffer.
    pub fn new(precision: Precision) -> Self {
        match precision {
            Precision::F64 => Store::F64(Vec::new()),
            Precision::F32 => Store::F32(Vec::new()),
        }
    }

    /// Returns the number of values.
    pub fn len(&self) -> usize {
        match self {
            Store::F64(v) => v.len(),
            Store::F32(v) => v.len(),
        }
    }

    /// Returns whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes room for `n` more values, and returns whether there is any.
    pub fn reserve(&mut self, n: usize) -> bool {
        match self {
            Store::F64(v) => v.try_reserve(n).or_else(|_| v.try_reserve_exact(n)).is_ok(),
            Store::F32(v) => v.try_reserve(n).or_else(|_| v.try_reserve_exact(n)).is_ok(),
        }
    }

    /// Returns the bytes of a value.
    pub fn bytes_each(&self) -> usize {
        match self {
            Store::F64(_) => size_of::<f64>(),
            Store::F32(_) => size_of::<f32>(),
        }
    }

    /// Appends `n` zeros and returns where they start.
    pub fn grow(&mut self, n: usize) -> usize {
        let at = self.len();
        match self {
            Store::F64(v) => v.resize(at + n, 0.0),
            Store::F32(v) => v.resize(at + n, 0.0),
        }
        at
    }

    /// Returns value `i`, widened.
    pub fn get(&self, i: usize) -> f64 {
        match self {
            Store::F64(v) => v[i],
            Store::F32(v) => v[i] as f64,
        }
    }

    /// Sets value `i`, rounded.
    pub fn set(&mut self, i: usize, value: f64) {
        match self {
            Store::F64(v) => v[i] = value,
            Store::F32(v) => v[i] = value as f32,
        }
    }

    /// Returns a range of values, widened.
    pub fn to_vec(&self, at: usize, n: usize) -> Vec<f64> {
        match self {
            Store::F64(v) => v[at..at + n].to_vec(),
            Store::F32(v) => v[at..at + n].iter().map(|&x| x as f64).collect(),
        }
    }

    /// Returns a range of values to be written.
    pub fn range_mut(&mut self, range: std::ops::Range<usize>) -> Buffer<'_> {
        match self {
            Store::F64(v) => Buffer::F64(&mut v[range]),
            Store::F32(v) => Buffer::F32(&mut v[range]),
        }
    }
}
