//! Data beside a mask: NaN where the mask is zero.

use std::sync::Arc;

use crate::runtime::data::Data;
use crate::tensor::shape::{Shape, size};

/// Which elements of data are there: those whose number is not zero.
#[derive(Clone, Debug)]
pub(crate) struct Mask {
    shape: Shape,
    values: Vec<f64>,
}

impl Mask {
    pub fn new(mask: &(impl Data + ?Sized)) -> Self {
        let shape = mask.shape();
        let mut values = vec![0.0; size(&shape)];
        mask.write_f64(&mut values);
        Mask { shape, values }
    }
}

/// Data whose elements count where a mask is not zero.
pub(crate) struct Masked<'a> {
    pub data: Box<dyn Data + 'a>,
    pub mask: Arc<Mask>,
}

impl Data for Masked<'_> {
    fn shape(&self) -> Shape {
        self.data.shape()
    }

    fn write_f64(&self, out: &mut [f64]) {
        self.data.write_f64(out);
        for (x, &mask) in out.iter_mut().zip(&self.mask.values) {
            if mask == 0.0 {
                *x = f64::NAN;
            }
        }
    }

    fn write_f32(&self, out: &mut [f32]) {
        self.data.write_f32(out);
        for (x, &mask) in out.iter_mut().zip(&self.mask.values) {
            if mask == 0.0 {
                *x = f32::NAN;
            }
        }
    }

    fn fault(&self) -> Option<String> {
        let (data, mask) = (self.data.shape(), &self.mask.shape);
        if data != *mask {
            return Some(format!(
                "the mask of a partly missing observation has the shape {:?}, its data {:?}",
                mask.as_slice(),
                data.as_slice()
            ));
        }
        self.mask.values.iter().any(|m| m.is_nan()).then(|| {
            "the mask of a partly missing observation holds NaN: it is zero or false where an element is missing"
                .to_string()
        })
    }
}
