//! Event shapes: sizes, broadcasting and their text form.

use smallvec::SmallVec;

/// The lengths of the axes of an array, outermost first; `[]` is a scalar.
pub type Shape = SmallVec<[usize; 4]>;

/// Returns the number of elements of an array of this shape, the largest number where there are more.
pub fn size(shape: &[usize]) -> usize {
    shape.iter().fold(1, |all, &n| all.saturating_mul(n))
}

/// Returns the index along each axis of element `i` of an array of this shape, row-major.
pub fn position(shape: &[usize], mut i: usize) -> Shape {
    let mut at = Shape::from_elem(0, shape.len());
    for (index, &n) in at.iter_mut().zip(shape).rev() {
        *index = i % n.max(1);
        i /= n.max(1);
    }
    at
}

/// Returns the shape that two event shapes broadcast to, aligned at their last axes, or `None` if they clash.
pub fn broadcast(a: &[usize], b: &[usize]) -> Option<Shape> {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let lead = long.len() - short.len();
    let mut out = Shape::from_slice(long);
    for (axis, &n) in short.iter().enumerate() {
        let m = &mut out[lead + axis];
        match (*m, n) {
            (x, y) if x == y => {}
            (1, y) => *m = y,
            (_, 1) => {}
            _ => return None,
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_align_at_their_last_axes() {
        assert_eq!(broadcast(&[3, 1], &[4]).unwrap().as_slice(), &[3, 4]);
        assert_eq!(broadcast(&[], &[2]).unwrap().as_slice(), &[2]);
        assert!(broadcast(&[3], &[2]).is_none());
        assert_eq!(size(&[]), 1);
        assert_eq!(size(&[usize::MAX, 2]), usize::MAX);
    }

    #[test]
    fn positions_count_the_last_axis_first() {
        assert_eq!(position(&[2, 3], 5).as_slice(), &[1, 2]);
        assert_eq!(position(&[4], 3).as_slice(), &[3]);
        assert!(position(&[], 0).is_empty());
    }
}
