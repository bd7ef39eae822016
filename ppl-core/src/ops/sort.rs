//! The elements of each row in ascending order.

use crate::kernels::real::Real;
use crate::ops::align::refuse;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;
use crate::tensor::shape::size;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Works on rows as long as attribute 0; the own buffer keeps from where in its row each element came.
struct Sort;

impl Op for Sort {
    const NAME: &'static str = "sort";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, out, from) = (call.x(0), call.out(), call.aux());
        let n = (call.attr(0) as usize).max(1);
        for ((x, out), from) in x
            .chunks_exact(n)
            .zip(out.chunks_exact_mut(n))
            .zip(from.chunks_exact_mut(n))
        {
            for (j, from) in from.iter_mut().enumerate() {
                *from = F::from_f64(j as f64);
            }
            // A total order, NaN included: without one the sort of the standard library panics.
            from.sort_unstable_by(|&i, &j| {
                let at = |k: F| x[k.to_f64() as usize].to_f64();
                at(i).total_cmp(&at(j)).then(i.to_f64().total_cmp(&j.to_f64()))
            });
            for (out, &j) in out.iter_mut().zip(&*from) {
                *out = x[j.to_f64() as usize];
            }
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (from, d_out) = (call.aux(), call.d_out());
        let n = (call.attr(0) as usize).max(1);
        if let Some(mut d_x) = call.grad(0) {
            for (i, (&j, &d_out)) in from.iter().zip(d_out).enumerate() {
                d_x.put(i / n * n + j.to_f64() as usize, d_out);
            }
        }
    }
}

impl<'t> Var<'t> {
    /// Returns the elements in ascending order along the last event axis: x: […, n] gives […, n].
    ///
    /// Equal elements keep their order, −0 comes before 0, and NaN comes last, or first where its sign is set.
    #[track_caller]
    pub fn sort(self) -> Var<'t> {
        let event = self.event_shape();
        match (self.tape(), event.last()) {
            (Some(tape), Some(&n)) => {
                let dims = self.dims();
                let n_elements = size(&event) * dims.iter().map(|&d| tape.dim(d).len).product::<usize>();
                tape.record(Sort::DEF, &[self], &[n as u64], &dims, &event, n_elements)
            }
            _ => refuse("sort", &[self], &[], "a scalar has no last axis"),
        }
    }
}

#[cfg(test)]
op_tests! { |x| x[0].sort(); [[1.0, -2.0, 0.5]], [[[1.0, 2.0], [4.0, -3.0]]], [[3.0]], [[2.0, 5.0, 1.0, 0.0]] }

#[cfg(test)]
mod tests {
    use crate::ops::sum::SumTerm;
    use crate::rng::Key;
    use crate::tape::gradient::gradient;
    use crate::tape::op::Op;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;
    use crate::testing::op_check::data;

    #[test]
    fn derivatives_follow_their_elements() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[2, 3], &[3.0, 1.0, 2.0, 5.0, 5.0, 4.0], false);
        let sorted = x.sort();
        assert_eq!(sorted.elements(), [1.0, 2.0, 3.0, 4.0, 5.0, 5.0]);
        let weights = data(&tape, &[2, 3], [1.0, 2.0, 3.0, 10.0, 20.0, 30.0]);
        tape.term(SumTerm::DEF, &[sorted * weights], &[], 0, 1.0, 0);
        assert_eq!(gradient(&tape), [3.0, 1.0, 2.0, 20.0, 30.0, 10.0]);
    }

    #[test]
    fn a_row_with_elements_that_are_not_numbers_is_sorted_with_them_last() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let at = |i: usize| if i % 7 == 3 { f64::NAN } else { (i * 37 % 64) as f64 };
        let values: Vec<f64> = (0..64).map(at).collect();
        let sorted = tape.input(0, &[], &[64], &values, false).sort();
        let got = sorted.elements();
        let (numbers, others) = got.split_at(55);
        assert!(numbers.is_sorted() && others.iter().all(|x| x.is_nan()), "{got:?}");
        tape.term(SumTerm::DEF, &[sorted], &[], 0, 1.0, 0);
        assert_eq!(gradient(&tape), [1.0; 64]);
    }
}
