//! The normal distribution over vectors.

use crate::constraints::Real as RealVectors;
use crate::distributions::affine_rows::affine_rows;
use crate::distributions::contract::{Dist, Kl, Params};
use crate::distributions::divergence::square_ratio_excess;
use crate::distributions::family::{Continuous, Family};
use crate::distributions::noise::{Drawn, Noise};
use crate::distributions::normal::Normal;
use crate::distributions::row_density::{self, RowDensity, RowsGrad, RowsOf, tape_for};
use crate::distributions::support::Support;
use crate::kernels::real::Real;
use crate::math::gamma::HALF_LN_2PI;
use crate::ops::broadcast::broadcast_to;
use crate::ops::param::{IntoVar, Param};
use crate::tape::call::Call;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::{Shape, broadcast};
#[cfg(test)]
use crate::testing::ops::op_tests;

/// The normal distribution over vectors of k numbers; [`MultivariateNormal::scale_tril`] makes one.
#[derive(Clone, Debug)]
pub struct MultivariateNormal<'t> {
    loc: Param<'t>,
    scale_tril: Param<'t>,
}

impl<'t> MultivariateNormal<'t> {
    /// Returns the normal distribution with mean `loc`: `[…, k]` and covariance L Lᵀ, for L = `scale_tril`: `[…, k, k]`, a
    /// lower triangle with a positive diagonal. What stands above the diagonal is not read.
    ///
    /// log p(x) = −|L⁻¹ (x − loc)|² / 2 − Σᵢ ln Lᵢᵢ − k ln(2π) / 2
    pub fn scale_tril(loc: impl IntoVar<'t>, scale_tril: impl IntoVar<'t>) -> Self {
        MultivariateNormal {
            loc: loc.into_param(),
            scale_tril: scale_tril.into_param(),
        }
    }

    fn k(&self) -> usize {
        self.scale_tril.event_shape().last().copied().unwrap_or(1)
    }
}

impl Family for MultivariateNormal<'_> {
    type Support = RealVectors;
    type Kind = Continuous;
}

impl<'t> Dist<'t> for MultivariateNormal<'t> {
    const NAME: &'static str = "MultivariateNormal";
    const REPARAMETERISED: bool = true;
    const EVENT_RANK: usize = 1;
    const KL: Option<Kl> = Some(kl);

    fn put_on(&mut self, tape: &'t Tape) {
        self.loc.put_on(tape);
        self.scale_tril.put_on(tape);
    }

    fn params(&self, tape: &'t Tape) -> Params<'t> {
        Params::from_slice(&[("loc", self.loc.on(tape)), ("scale_tril", self.scale_tril.on(tape))])
    }

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::Real
    }

    fn event_shape(&self) -> Shape {
        let mut rows = self.scale_tril.event_shape();
        rows.pop();
        if rows.is_empty() {
            rows.push(1);
        }
        broadcast(&rows, &self.loc.event_shape()).unwrap_or(rows)
    }

    #[track_caller]
    fn log_prob(&self, x: Var<'t>) -> Var<'t> {
        let (tape, k) = (tape_for(x, &[&self.loc, &self.scale_tril]), self.k());
        let (row, square): (&[usize], &[usize]) = (&[k], &[k, k]);
        let operands = [(x, row), (self.loc.on(tape), row), (self.scale_tril.on(tape), square)];
        row_density::each::<NormalRows, 3>(tape, operands, k)
    }

    fn log_prob_term(&self, tape: &'t Tape, x: Var<'t>, weight: f64, site: u32) {
        let k = self.k();
        let (row, square): (&[usize], &[usize]) = (&[k], &[k, k]);
        let operands = [(x, row), (self.loc.on(tape), row), (self.scale_tril.on(tape), square)];
        row_density::term::<NormalRows, 3>(tape, operands, k, weight, site);
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        self.drawn(at).value
    }

    fn drawn(&self, at: &Noise<'t>) -> Drawn<'t> {
        let noise = at.standard_normal();
        let value = affine_rows(at.tape, noise, self.loc.on(at.tape), self.scale_tril.on(at.tape));
        Drawn { value, noise }
    }

    fn drawn_log_prob(&self, drawn: Drawn<'t>) -> Var<'t> {
        let (tape, k) = (tape_for(drawn.noise, &[&self.scale_tril]), self.k());
        let (row, square): (&[usize], &[usize]) = (&[k], &[k, k]);
        let operands = [(drawn.noise, row), (self.scale_tril.on(tape), square)];
        row_density::each::<OwnRows, 2>(tape, operands, k)
    }

    fn drawn_term(&self, tape: &'t Tape, drawn: Drawn<'t>, weight: f64, site: u32) {
        let k = self.k();
        let (row, square): (&[usize], &[usize]) = (&[k], &[k, k]);
        let operands = [(drawn.noise, row), (self.scale_tril.on(tape), square)];
        row_density::term::<OwnRows, 2>(tape, operands, k, weight, site);
    }

    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        self.loc.on(tape)
    }

    /// The diagonal of L Lᵀ.
    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        let l = self.scale_tril.on(tape);
        let last = l.event_shape().len() - 1;
        l.square().sum_axis(last)
    }

    fn from_standard(&self, tape: &'t Tape, z: Var<'t>) -> Option<Var<'t>> {
        Some(affine_rows(tape, z, self.loc.on(tape), self.scale_tril.on(tape)))
    }

    fn standard_term(&self, tape: &'t Tape, z: Var<'t>, weight: f64, site: u32) {
        Normal(0, 1).log_prob_term(tape, z, weight, site);
    }
}

/// The divergence of one vector from another normal vector, or from independent normal elements.
fn kl<'t>(tape: &'t Tape, p: &Params<'t>, q_name: &str, q: &Params<'t>) -> Option<Var<'t>> {
    if q_name == Normal::NAME {
        return kl_from_independent(tape, p, q);
    }
    kl_from_vector(tape, p, q_name, q)
}

/// KL((m, L) ‖ (μ, σ)) = Σᵢ [(Lᵢᵢ² / σᵢ² − 1) / 2 − ln(Lᵢᵢ / σᵢ) + (Σⱼ Lᵢⱼ² + (mᵢ − μᵢ)²) / (2 σᵢ²)], the inner sum over j < i:
/// the terms of the outer sum, one for each element.
fn kl_from_independent<'t>(tape: &'t Tape, p: &Params<'t>, q: &Params<'t>) -> Option<Var<'t>> {
    let (l, mean, scale) = (p[1].1, q[0].1, q[1].1);
    let k = l.event_shape().last().copied()?;
    let fits = |x: &Var<'t>| x.event_shape().iter().all(|&n| n == 1 || n == k) && x.event_shape().len() <= 1;
    if l.event_shape().len() != 2 || !fits(&mean) || !fits(&scale) {
        return None;
    }
    let triangle = |is_in: fn(usize, usize) -> bool| {
        let ones = (0..k * k).map(move |at| f64::from(u8::from(is_in(at / k, at % k))));
        l * tape.constant_array(&[k, k], ones)
    };
    let diagonal = triangle(|i, j| i == j).sum_axis(1);
    let below = triangle(|i, j| j < i).square().sum_axis(1);
    let own = square_ratio_excess(diagonal, scale);
    let apart = (below + (p[0].1 - mean).square()) / scale.square() * 0.5;
    Some(own + apart)
}

/// KL((m, L) ‖ (μ, M)) = (|M⁻¹ L|² + |M⁻¹ (m − μ)|² − k) / 2 + ln det M − ln det L, for one vector
fn kl_from_vector<'t>(tape: &'t Tape, p: &Params<'t>, q_name: &str, q: &Params<'t>) -> Option<Var<'t>> {
    let (l, m) = (p[1].1, q[1].1);
    let k = l.event_shape().last().copied()?;
    if q_name != MultivariateNormal::NAME || l.event_shape().len() != 2 || m.event_shape() != l.event_shape() {
        return None;
    }
    let lower = (0..k * k).map(|at| if at % k <= at / k { 1.0 } else { 0.0 });
    let l_clean = l * tape.constant_array(&[k, k], lower);
    let shift = tape.lift(p[0].1 - q[0].1);
    let shift = broadcast_to(tape, shift, &shift.dims(), &[k]);
    let square = m.solve_lower(l_clean).square().sum() + m.solve_lower(shift).square().sum();
    Some((square - k as f64) * 0.5 + m.ln_det_tril() - l.ln_det_tril())
}

/// Solves L w = b for a lower triangle L: `[k, k]`, with b in the place of w.
fn solve<F: Real>(l: &[F], w: &mut [F]) {
    let k = w.len();
    for i in 0..k {
        let row = &l[i * k..][..i];
        let known: f64 = row.iter().zip(&w[..i]).map(|(l, w)| l.to_f64() * w.to_f64()).sum();
        w[i] = F::from_f64((w[i].to_f64() - known) / l[i * k + i].to_f64());
    }
}

/// Solves Lᵀ u = w, with w in the place of u.
fn solve_transposed<F: Real>(l: &[F], u: &mut [F]) {
    let k = u.len();
    for i in (0..k).rev() {
        let known: f64 = (i + 1..k).map(|j| l[j * k + i].to_f64() * u[j].to_f64()).sum();
        u[i] = F::from_f64((u[i].to_f64() - known) / l[i * k + i].to_f64());
    }
}

/// The log density of each row.
struct NormalRows;

impl NormalRows {
    /// Writes w = L⁻¹ (x − loc) and returns the log density.
    fn log_prob<F: Real>(x: &[F], loc: &[F], l: &[F], w: &mut [F]) -> f64 {
        for ((w, &x), &loc) in w.iter_mut().zip(x).zip(loc) {
            *w = x - loc;
        }
        solve(l, w);
        let k = w.len();
        let ln_det: f64 = (0..k).map(|i| l[i * k + i].to_f64().ln()).sum();
        let square: f64 = w.iter().map(|w| w.to_f64() * w.to_f64()).sum();
        -0.5 * square - ln_det - k as f64 * HALF_LN_2PI
    }
}

impl RowDensity for NormalRows {
    const NAME: &'static str = "MultivariateNormal";

    fn aux(_: usize, k: usize) -> usize {
        2 * k
    }

    fn forward<F: Real>(call: &mut Call<'_, F>, mut put: impl FnMut(usize, f64)) {
        let (n, k) = (call.attr(0) as usize, call.attr(1) as usize);
        let (x, loc, l) = (
            RowsOf::new(call, 0, k),
            RowsOf::new(call, 1, k),
            RowsOf::new(call, 2, k * k),
        );
        let w = &mut call.aux()[..k];
        (0..n).for_each(|r| put(r, Self::log_prob(x.row(r), loc.row(r), l.row(r), w)));
    }

    /// With w = L⁻¹ (x − loc) and u = L⁻ᵀ w, the derivatives are −u by x, u by loc, uᵢ wⱼ − [i = j] / Lᵢᵢ by L.
    fn backward<F: Real>(call: &mut Call<'_, F>, seed: impl Fn(usize) -> F, mut put: impl FnMut(usize, f64)) {
        let (n, k) = (call.attr(0) as usize, call.attr(1) as usize);
        let (x, loc, l) = (
            RowsOf::new(call, 0, k),
            RowsOf::new(call, 1, k),
            RowsOf::new(call, 2, k * k),
        );
        let (mut d_x, mut d_loc) = (RowsGrad::new(call, 0, k), RowsGrad::new(call, 1, k));
        let mut d_l = RowsGrad::new(call, 2, k * k);
        let (w, u) = call.aux().split_at_mut(k);
        for r in 0..n {
            let (l, seed) = (l.row(r), seed(r));
            put(r, Self::log_prob(x.row(r), loc.row(r), l, w));
            if seed == F::ZERO {
                continue;
            }
            u.copy_from_slice(w);
            solve_transposed(l, u);
            if let Some(d_x) = &mut d_x {
                d_x.row(r).iter_mut().zip(&*u).for_each(|(d, &u)| *d += -(seed * u));
            }
            if let Some(d_loc) = &mut d_loc {
                d_loc.row(r).iter_mut().zip(&*u).for_each(|(d, &u)| *d += seed * u);
            }
            if let Some(d_l) = &mut d_l {
                let d_l = d_l.row(r);
                for i in 0..k {
                    for j in 0..i {
                        d_l[i * k + j] += seed * u[i] * w[j];
                    }
                    d_l[i * k + i] += seed * (u[i] * w[i] - F::ONE / l[i * k + i]);
                }
            }
        }
    }
}

/// The log density of each row at the distribution's own draw, of its noise ε and L: −|ε|² / 2 − Σᵢ ln Lᵢᵢ − k ln(2π) / 2.
struct OwnRows;

impl OwnRows {
    fn log_prob<F: Real>(noise: &[F], l: &[F]) -> f64 {
        let k = noise.len();
        let ln_det: f64 = (0..k).map(|i| l[i * k + i].to_f64().ln()).sum();
        let square: f64 = noise.iter().map(|e| e.to_f64() * e.to_f64()).sum();
        -0.5 * square - ln_det - k as f64 * HALF_LN_2PI
    }
}

impl RowDensity for OwnRows {
    const NAME: &'static str = "MultivariateNormal_own_draw";

    fn aux(_: usize, _: usize) -> usize {
        0
    }

    fn forward<F: Real>(call: &mut Call<'_, F>, mut put: impl FnMut(usize, f64)) {
        let (n, k) = (call.attr(0) as usize, call.attr(1) as usize);
        let (noise, l) = (RowsOf::new(call, 0, k), RowsOf::new(call, 1, k * k));
        (0..n).for_each(|r| put(r, Self::log_prob(noise.row(r), l.row(r))));
    }

    fn backward<F: Real>(call: &mut Call<'_, F>, seed: impl Fn(usize) -> F, mut put: impl FnMut(usize, f64)) {
        let (n, k) = (call.attr(0) as usize, call.attr(1) as usize);
        let (noise, l) = (RowsOf::new(call, 0, k), RowsOf::new(call, 1, k * k));
        let (mut d_noise, mut d_l) = (RowsGrad::new(call, 0, k), RowsGrad::new(call, 1, k * k));
        for r in 0..n {
            let (noise, l, seed) = (noise.row(r), l.row(r), seed(r));
            put(r, Self::log_prob(noise, l));
            if seed == F::ZERO {
                continue;
            }
            if let Some(d_noise) = &mut d_noise {
                d_noise
                    .row(r)
                    .iter_mut()
                    .zip(noise)
                    .for_each(|(d, &e)| *d += -(seed * e));
            }
            if let Some(d_l) = &mut d_l {
                let d_l = d_l.row(r);
                (0..k).for_each(|i| d_l[i * k + i] += -(seed / l[i * k + i]));
            }
        }
    }
}

#[cfg(test)]
op_tests! {
    density |x| MultivariateNormal::scale_tril(x[1], x[2]).log_prob(x[0]);
    [[0.5, -1.0], [0.2, 0.3], [[1.5, 0.0], [0.4, 0.7]]], [[2.0, 1.0], [1.0, 0.0], [[0.5, 0.0], [-1.0, 2.0]]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::erf::ndtr;
    use crate::tape::op::Op;
    use crate::testing::own_draw;
    use crate::testing::rows_check::{draws_of, elements_equal_terms, p_value_of};

    const L: [f64; 4] = [1.5, 0.0, 0.4, 0.7];

    #[test]
    fn the_term_is_the_sum_of_the_rows() {
        let params: [(&[usize], &[f64]); 2] = [(&[2], &[0.5, -1.0]), (&[2, 2], &L)];
        elements_equal_terms(
            &[0.2, 0.3, 0.5, 0.6, 0.3, 0.1],
            &[3, 2],
            &params,
            |x, p| MultivariateNormal::scale_tril(p[0], p[1]).log_prob(x),
            |tape, x, p| MultivariateNormal::scale_tril(p[0], p[1]).log_prob_term(tape, x, 1.0, 0),
        );
    }

    #[test]
    fn the_density_of_a_draw_by_its_noise_is_that_at_its_value() {
        let three = [L.as_slice(), &[0.2, 0.0, -3.0, 1.0], &[2.0, 0.0, 0.5, 0.5]].concat();
        for scale_tril in [(&[2, 2][..], L.to_vec()), (&[3, 2, 2][..], three)] {
            let params = [(&[2][..], vec![0.5, -1.0]), scale_tril];
            own_draw::check(
                own_draw::densities!(|p| MultivariateNormal::scale_tril(p[0], p[1])),
                &params,
                &[3, 2],
            );
        }
    }

    #[test]
    fn whitened_draws_are_independent_standard_normals() {
        let x = draws_of(50_000, 2, |at| {
            let l = at.tape.constant_array(&[2, 2], L.into_iter());
            MultivariateNormal::scale_tril([0.5, -1.0], l).draw(at)
        });
        let whiten = |row: &[f64]| {
            let first = (row[0] - 0.5) / 1.5;
            [first, (row[1] + 1.0 - 0.4 * first) / 0.7]
        };
        let white: Vec<[f64; 2]> = x.chunks_exact(2).map(whiten).collect();
        let turned = |w: &[f64; 2]| [w[0], w[1], 0.6 * w[0] + 0.8 * w[1]];
        for i in 0..3 {
            let p = p_value_of(white.iter().map(|w| turned(w)[i]).collect(), ndtr);
            assert!(p > 1e-6, "direction {i}: p = {p:e}");
        }
    }

    #[test]
    fn draws_have_derivatives_of_an_affine_map() {
        use crate::ops::sum::SumTerm;
        use crate::rng::Key;
        use crate::tape::gradient::gradient;
        use crate::tape::store::Precision;
        let tape = Tape::new(Precision::F64, Key::new(3));
        let (loc, l) = (
            tape.input(0, &[], &[2], &[0.5, -1.0], false),
            tape.input(2, &[], &[2, 2], &L, false),
        );
        let at = Noise {
            tape: &tape,
            stream: 1,
            dims: Default::default(),
            event: Shape::from_slice(&[2]),
        };
        let x = MultivariateNormal::scale_tril(loc, l).draw(&at);
        let noise = [(x.elements()[0] - 0.5) / 1.5, 0.0];
        tape.term(
            SumTerm::DEF,
            &[x * tape.constant_array(&[2], [2.0, 3.0].into_iter())],
            &[],
            0,
            1.0,
            0,
        );
        let d = gradient(&tape);
        assert_eq!(&d[..2], [2.0, 3.0]);
        assert!((d[2] - 2.0 * noise[0]).abs() < 1e-14 && (d[4] - 3.0 * noise[0]).abs() < 1e-14 && d[3] == 0.0);
        let second = (x.elements()[1] + 1.0 - 0.4 * noise[0]) / 0.7;
        assert!((d[5] - 3.0 * second).abs() < 1e-14);
    }
}
