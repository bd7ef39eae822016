//! Errors of operations on plain numbers, which no tape can keep: a NaN stands for each until it comes onto a tape.

use std::sync::{Mutex, PoisonError};

use crate::error::Error;

/// The first of the NaNs that stand for errors; the number of the error is in the last 32 bits.
const FIRST: u64 = 0x7ffc_5eed_0000_0000;

/// The errors by number: at most one for each operation that is written in a source, so that the list ends.
static ERRORS: Mutex<Vec<Error>> = Mutex::new(Vec::new());

/// Keeps an error about shapes and returns the NaN that stands for it.
pub fn keep(error: Error) -> f64 {
    let mut errors = ERRORS.lock().unwrap_or_else(PoisonError::into_inner);
    let number = errors
        .iter()
        .position(|kept| is_same_line(kept, &error))
        .unwrap_or_else(|| {
            errors.push(error);
            errors.len() - 1
        });
    f64::from_bits(FIRST | number as u64)
}

/// Returns the error that a number stands for.
pub fn recall(value: f64) -> Option<Error> {
    let bits = value.to_bits();
    if !is_refusal(value) {
        return None;
    }
    let errors = ERRORS.lock().unwrap_or_else(PoisonError::into_inner);
    errors.get((bits - FIRST) as usize).cloned()
}

/// Returns whether a number stands for an error.
pub fn is_refusal(value: f64) -> bool {
    value.to_bits() >> 32 == FIRST >> 32
}

fn is_same_line(a: &Error, b: &Error) -> bool {
    match (a, b) {
        (
            Error::Shape { op, place, .. },
            Error::Shape {
                op: other,
                place: there,
                ..
            },
        ) => op == other && place == there,
        _ => false,
    }
}
