//! Data beside a mask: NaN where the mask is zero.

use crate::runtime::data::Data;
use crate::tensor::shape::{Shape, size};

/// Data whose elements count where a mask is not zero.
pub(crate) struct Masked<'a, A: ?Sized> {
    data: &'a A,
    mask: Box<dyn Data + 'a>,
}

impl<'a, A: Data + ?Sized> Masked<'a, A> {
    pub fn new(data: &'a A, mask: &'a (impl Data + ?Sized)) -> Self {
        Masked {
            data,
            mask: Box::new(mask),
        }
    }

    fn is_there(&self) -> Vec<f64> {
        let mut mask = vec![0.0; size(&self.mask.shape())];
        self.mask.write_f64(&mut mask);
        mask
    }
}

impl<A: Data + ?Sized> Data for Masked<'_, A> {
    fn shape(&self) -> Shape {
        self.data.shape()
    }

    fn write_f64(&self, out: &mut [f64]) {
        self.data.write_f64(out);
        for (x, mask) in out.iter_mut().zip(self.is_there()) {
            if mask == 0.0 {
                *x = f64::NAN;
            }
        }
    }

    fn write_f32(&self, out: &mut [f32]) {
        self.data.write_f32(out);
        for (x, mask) in out.iter_mut().zip(self.is_there()) {
            if mask == 0.0 {
                *x = f32::NAN;
            }
        }
    }

    fn fault(&self) -> Option<String> {
        let (data, mask) = (self.data.shape(), self.mask.shape());
        if data != mask {
            return Some(format!(
                "the mask of a partly missing observation has the shape {:?}, its data {:?}",
                mask.as_slice(),
                data.as_slice()
            ));
        }
        self.is_there().iter().any(|m| m.is_nan()).then(|| {
            "the mask of a partly missing observation holds NaN: it is zero or false where an element is missing"
                .to_string()
        })
    }
}
