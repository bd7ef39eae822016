//! The loops over a density: its values, or its values with all derivatives, chunk by chunk.

// Several arrays are walked by one index in these loops.
#![allow(clippy::needless_range_loop)]

use std::marker::PhantomData;

use crate::kernels::density::chunk::{CHUNK, Chunk, Sources, Target, times_seeds};
use crate::kernels::density::{Adjoint, Density, Operands};
use crate::kernels::dispatch::Loop;
use crate::kernels::real::Real;

/// Sums in lanes of `F` are moved to an f64 total after this many elements.
const FOLD: usize = 32 * CHUNK;

/// The log densities of at least [`CHUNK`] elements, to be summed or written.
pub struct Values<'t, 'a, D: Density<P>, const P: usize, F: Real> {
    pub operands: &'t Operands<'a, P, F>,
    pub prepared: &'t [D::Shared<F>],
    /// The slice to be written; the sum is returned without one.
    pub out: Adjoint<'a, F>,
    pub density: PhantomData<D>,
}

impl<D: Density<P>, const P: usize, F: Real> Loop for Values<'_, '_, D, P, F> {
    type Out = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let n = self.operands.n;
        let mut sources = Sources::empty();
        sources.set(self.operands);
        let shared = self.operands.shared::<D>(self.prepared, false);
        let mut to = Target::SUM;
        if self.out.is_some() {
            to.set(self.out, n);
        }
        let mut log_prob = Chunk::ZERO;
        for block in (0..n).step_by(FOLD) {
            let end = n.min(block + FOLD);
            for i in (block..end).step_by(CHUNK) {
                // The last chunk overlaps the one before.
                let start = i.min(n - CHUNK);
                let (x, params) = sources.at(start);
                values::<D, P, F>(x, &params, &shared, &mut log_prob.0);
                if start < i {
                    to.put_last(start, i - start, F::ONE, &log_prob.0);
                } else {
                    to.put(i, F::ONE, &log_prob.0);
                }
            }
            to.fold();
        }
        to.finish(F::ONE)
    }
}

#[inline(always)]
fn values<D: Density<P>, const P: usize, F: Real>(
    x: &[F; CHUNK],
    params: &[&[F; CHUNK]; P],
    shared: &Option<D::Shared<F>>,
    out: &mut [F; CHUNK],
) {
    if let Some(shared) = shared {
        for l in 0..CHUNK {
            out[l] = D::log_prob(x[l], at(params, l), shared);
        }
    } else {
        for l in 0..CHUNK {
            let p = at(params, l);
            out[l] = D::log_prob(x[l], p, &D::shared(p, false));
        }
    }
}

/// By what the derivatives are multiplied.
#[derive(Clone, Copy)]
pub enum Seed<'a, F> {
    /// One number, which is not zero.
    Weight(F),
    /// A number for each element.
    Each(&'a [F]),
}

/// The log density of at least [`CHUNK`] elements and all its derivatives in one pass.
pub struct Partials<'t, 'a, D: Density<P>, const P: usize, F: Real> {
    pub operands: &'t Operands<'a, P, F>,
    pub prepared: &'t [D::Shared<F>],
    pub seed: Seed<'a, F>,
    pub d_x: &'t mut Adjoint<'a, F>,
    pub d_params: &'t mut [Adjoint<'a, F>; P],
    pub density: PhantomData<D>,
}

/// What the pass computes of a chunk.
struct Computed<const P: usize, F> {
    log_prob: Chunk<F>,
    d_x: Chunk<F>,
    d_params: [Chunk<F>; P],
}

impl<D: Density<P>, const P: usize, F: Real> Loop for Partials<'_, '_, D, P, F> {
    type Out = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let n = self.operands.n;
        let mut sources = Sources::empty();
        sources.set(self.operands);
        let shared = self.operands.shared::<D>(self.prepared, true);
        let mut total = Target::SUM;
        let mut to_x = Target::NOWHERE;
        to_x.set(self.d_x.take(), n);
        let mut to_params = [const { Target::NOWHERE }; P];
        for (to, d) in to_params.iter_mut().zip(self.d_params) {
            to.set(d.take(), n);
        }
        let (weight, seeds) = match self.seed {
            Seed::Weight(weight) => (weight, None),
            Seed::Each(seeds) => (F::ONE, Some(seeds)),
        };
        let mut c = Computed {
            log_prob: Chunk::ZERO,
            d_x: Chunk::ZERO,
            d_params: [const { Chunk::ZERO }; P],
        };
        for block in (0..n).step_by(FOLD) {
            let end = n.min(block + FOLD);
            for i in (block..end).step_by(CHUNK) {
                // The last chunk overlaps the one before.
                let start = i.min(n - CHUNK);
                let (x, params) = sources.at(start);
                partials::<D, P, F>(x, &params, &shared, &mut c);
                if let Some(seeds) = seeds {
                    c.times_seeds(seeds[start..].first_chunk().expect("a chunk"));
                }
                if start < i {
                    let skipped = i - start;
                    total.put_last(start, skipped, F::ONE, &c.log_prob.0);
                    to_x.put_last(start, skipped, weight, &c.d_x.0);
                    for (to, d) in to_params.iter_mut().zip(&c.d_params) {
                        to.put_last(start, skipped, weight, &d.0);
                    }
                } else {
                    total.put(i, F::ONE, &c.log_prob.0);
                    to_x.put(i, weight, &c.d_x.0);
                    for (to, d) in to_params.iter_mut().zip(&c.d_params) {
                        to.put(i, weight, &d.0);
                    }
                }
            }
            total.fold();
            to_x.fold();
            to_params.iter_mut().for_each(Target::fold);
        }
        to_x.finish(weight);
        for to in &mut to_params {
            to.finish(weight);
        }
        total.finish(F::ONE)
    }
}

#[inline(always)]
fn partials<D: Density<P>, const P: usize, F: Real>(
    x: &[F; CHUNK],
    params: &[&[F; CHUNK]; P],
    shared: &Option<D::Shared<F>>,
    out: &mut Computed<P, F>,
) {
    if let Some(shared) = shared {
        for l in 0..CHUNK {
            out.element::<D>(l, x[l], at(params, l), shared);
        }
    } else {
        for l in 0..CHUNK {
            let p = at(params, l);
            out.element::<D>(l, x[l], p, &D::shared(p, true));
        }
    }
}

impl<const P: usize, F: Real> Computed<P, F> {
    #[inline(always)]
    fn element<D: Density<P>>(&mut self, l: usize, x: F, params: [F; P], shared: &D::Shared<F>) {
        let log_prob = D::log_prob(x, params, shared);
        let (d_x, d_params) = D::partials(x, params, shared);
        self.log_prob.0[l] = log_prob;
        self.d_x.0[l] = d_x;
        for k in 0..P {
            self.d_params[k].0[l] = d_params[k];
        }
    }

    #[inline(always)]
    fn times_seeds(&mut self, seeds: &[F; CHUNK]) {
        times_seeds(&mut self.d_x.0, seeds);
        for d in &mut self.d_params {
            times_seeds(&mut d.0, seeds);
        }
    }
}

/// Returns element `l` of each parameter.
#[inline(always)]
fn at<const P: usize, F: Real>(params: &[&[F; CHUNK]; P], l: usize) -> [F; P] {
    std::array::from_fn(|k| params[k][l])
}
