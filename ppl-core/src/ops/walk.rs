//! Walks over the positions of an array in row-major order with the offsets that they have in several buffers.

/// The highest number of axes, plates included, that an operation can walk.
pub const MAX_RANK: usize = 12;

/// Calls `f` with the offset in each of `K` buffers for every position of an array of the lengths `lens`.
///
/// `strides[k]` gives for buffer k how far apart neighbours along each axis are; zero repeats the element.
///
/// # Panics
///
/// If there are more than [`MAX_RANK`] axes.
#[inline(always)]
pub fn walk<const K: usize>(lens: &[usize], strides: &[Strides; K], mut f: impl FnMut([usize; K])) {
    let rank = lens.len();
    assert!(
        rank <= MAX_RANK,
        "an array of {rank} axes: at most {MAX_RANK} are supported"
    );
    if lens.contains(&0) {
        return;
    }
    let mut position = [0; MAX_RANK];
    let mut at = [0; K];
    loop {
        f(at);
        let mut axis = rank;
        loop {
            if axis == 0 {
                return;
            }
            axis -= 1;
            position[axis] += 1;
            for k in 0..K {
                at[k] += strides[k][axis];
            }
            if position[axis] < lens[axis] {
                break;
            }
            for k in 0..K {
                at[k] -= strides[k][axis] * lens[axis];
            }
            position[axis] = 0;
        }
    }
}

/// The strides of a buffer along up to [`MAX_RANK`] axes.
pub type Strides = [usize; MAX_RANK];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_those_of_nested_loops() {
        let lens = [2, 3, 2];
        let [mut full, mut outer_and_inner] = [[0; MAX_RANK]; 2];
        full[..3].copy_from_slice(&[6, 2, 1]);
        outer_and_inner[..3].copy_from_slice(&[10, 0, 5]);
        let mut got = Vec::new();
        walk(&lens, &[full, outer_and_inner], |at| got.push(at));
        let mut want = Vec::new();
        for i in 0..2 {
            for j in 0..3 {
                for k in 0..2 {
                    want.push([(i * 3 + j) * 2 + k, (i * 2 + k) * 5]);
                }
            }
        }
        assert_eq!(got, want);
    }

    #[test]
    fn a_scalar_has_one_position_and_an_empty_array_none() {
        let mut n = 0;
        walk(&[], &[[0; MAX_RANK]], |_| n += 1);
        assert_eq!(n, 1);
        walk(&[2, 0], &[[0; MAX_RANK]], |_| n += 1);
        assert_eq!(n, 1);
    }
}
