//! Plates and loops: guards that open and close dimensions, and number the sites of loops.

use crate::error::Error;
use crate::kernels::random::fill_uniform;
use crate::ops::concat::stack_on;
use crate::ops::plates::leave;
use crate::rng::{Key, name_hash};
use crate::runtime::context::Ctx;
use crate::runtime::plate_size::{PlateOptions, PlateSize};
use crate::runtime::site::Site;
use crate::runtime::state::Subsample;
use crate::runtime::stop::{Res, Stop};
use crate::tape::records::Node;
use crate::tape::store::Buffer;
use crate::tape::var::{Ix, Var};
use crate::tensor::dims::{Dim, DimId};
use crate::tensor::room::room;

/// An open plate; it closes when dropped.
pub struct PlateGuard<'t> {
    ctx: Ctx<'t>,
    dim: DimId,
}

impl<'t> PlateGuard<'t> {
    /// Returns the index of the plate.
    pub fn index(&self) -> Ix<'t> {
        Ix {
            tape: self.ctx.tape(),
            dim: self.dim,
        }
    }

    /// Closes the plate and returns the loop's value with the plate as first dimension.
    ///
    /// # Errors
    ///
    /// If an operation in the body was at fault.
    pub fn exit<T: Leave<'t>>(self, out: T) -> Res<T::Out> {
        let out = out.leave(self.ctx, self.dim);
        self.ctx.check()?;
        Ok(out)
    }

    /// Closes a subsampled plate, which has no value.
    ///
    /// # Errors
    ///
    /// As [`PlateGuard::exit`].
    pub fn finish<T>(self, _: T) -> Res<()> {
        self.ctx.check()
    }
}

impl Drop for PlateGuard<'_> {
    fn drop(&mut self) {
        self.ctx.state().plates.pop();
        self.ctx.tape().close_dim(self.dim);
    }
}

/// What a plate's body can return: values, tuples and arrays of them, or nothing.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` cannot leave a plate",
    label = "the loop's value is its last expression",
    note = "return values of the model, or tuples, arrays and vectors of them; of a struct its fields, `(c.a, c.b)`; end the body with \
            `;` to return nothing"
)]
pub trait Leave<'t> {
    /// The value outside of the plate.
    type Out;

    /// Makes the plate the first event axis; a value that does not depend on it is repeated.
    fn leave(self, ctx: Ctx<'t>, dim: DimId) -> Self::Out;

    /// Stacks the values of the steps of a loop along a first axis.
    fn stack(steps: Vec<Self>, ctx: Ctx<'t>) -> Self::Out
    where
        Self: Sized;
}

impl<'t> Leave<'t> for () {
    type Out = ();

    fn leave(self, _: Ctx<'t>, _: DimId) {}

    fn stack(_: Vec<()>, _: Ctx<'t>) {}
}

impl<'t> Leave<'t> for Var<'t> {
    type Out = Var<'t>;

    fn leave(self, ctx: Ctx<'t>, dim: DimId) -> Var<'t> {
        let tape = ctx.tape();
        leave(tape.lift(self), Ix { tape, dim })
    }

    fn stack(steps: Vec<Self>, ctx: Ctx<'t>) -> Var<'t> {
        let steps: Vec<_> = steps.into_iter().map(|x| ctx.tape().lift(x)).collect();
        stack_on(ctx.tape(), &steps)
    }
}

macro_rules! leave_tuple {
    ($($t:ident $i:tt),*) => {
        impl<'t, $($t: Leave<'t>),*> Leave<'t> for ($($t,)*) {
            type Out = ($($t::Out,)*);

            fn leave(self, ctx: Ctx<'t>, dim: DimId) -> Self::Out {
                ($(self.$i.leave(ctx, dim),)*)
            }

            #[allow(non_snake_case)]
            fn stack(steps: Vec<Self>, ctx: Ctx<'t>) -> Self::Out {
                $(let mut $t = Vec::with_capacity(steps.len());)*
                for step in steps {
                    $($t.push(step.$i);)*
                }
                ($($t::stack($t, ctx),)*)
            }
        }
    };
}

leave_tuple!(A 0);
leave_tuple!(A 0, B 1);
leave_tuple!(A 0, B 1, C 2);
leave_tuple!(A 0, B 1, C 2, D 3);

impl<'t, T: Leave<'t>, const N: usize> Leave<'t> for [T; N] {
    type Out = [T::Out; N];

    fn leave(self, ctx: Ctx<'t>, dim: DimId) -> Self::Out {
        self.map(|x| x.leave(ctx, dim))
    }

    fn stack(steps: Vec<Self>, ctx: Ctx<'t>) -> Self::Out {
        let mut columns: [Vec<T>; N] = std::array::from_fn(|_| Vec::with_capacity(steps.len()));
        for step in steps {
            for (column, x) in columns.iter_mut().zip(step) {
                column.push(x);
            }
        }
        columns.map(|column| T::stack(column, ctx))
    }
}

impl<'t, T: Leave<'t>> Leave<'t> for Vec<T> {
    type Out = Vec<T::Out>;

    fn leave(self, ctx: Ctx<'t>, dim: DimId) -> Self::Out {
        self.into_iter().map(|x| x.leave(ctx, dim)).collect()
    }

    fn stack(steps: Vec<Self>, ctx: Ctx<'t>) -> Self::Out {
        let n = steps.first().map_or(0, Vec::len);
        let mut columns: Vec<Vec<T>> = (0..n).map(|_| Vec::with_capacity(steps.len())).collect();
        for step in steps {
            for (column, x) in columns.iter_mut().zip(step) {
                column.push(x);
            }
        }
        columns.into_iter().map(|column| T::stack(column, ctx)).collect()
    }
}

/// A loop that runs step by step: its sites are numbered.
pub struct LoopGuard<'t> {
    ctx: Ctx<'t>,
    steps: std::vec::IntoIter<usize>,
    outer_scale: f64,
}

impl<'t> LoopGuard<'t> {
    /// Returns the next step, or `None` at the end.
    pub fn step(&mut self) -> Option<usize> {
        let step = self.steps.next()?;
        if let Some(last) = self.ctx.state().suffix.last_mut() {
            *last = step;
        }
        Some(step)
    }

    /// Ends the loop and stacks the values of its steps along a first axis.
    ///
    /// # Errors
    ///
    /// If an operation in the body was at fault.
    pub fn exit<T: Leave<'t>>(self, out: Vec<T>) -> Res<T::Out> {
        let out = T::stack(out, self.ctx);
        self.ctx.check()?;
        Ok(out)
    }

    /// Ends a loop over a subset, which has no value.
    ///
    /// # Errors
    ///
    /// As [`LoopGuard::exit`].
    pub fn finish<T>(self, _: Vec<T>) -> Res<()> {
        self.ctx.check()
    }
}

impl Drop for LoopGuard<'_> {
    fn drop(&mut self) {
        let mut state = self.ctx.state();
        state.suffix.pop();
        state.loop_scale = self.outer_scale;
    }
}

/// An ordinary Rust loop that holds words: it numbers their sites.
pub struct LoopScope<'t> {
    ctx: Ctx<'t>,
    step: usize,
}

impl LoopScope<'_> {
    /// Begins the next step.
    pub fn next(&mut self) {
        if let Some(last) = self.ctx.state().suffix.last_mut() {
            *last = self.step;
        }
        self.step += 1;
    }
}

impl Drop for LoopScope<'_> {
    fn drop(&mut self) {
        self.ctx.state().suffix.pop();
    }
}

/// The range of an ordinary `for` loop that holds words: asking for an item begins a step, so that what the range's own
/// closures draw is numbered with the body's sites.
pub struct LoopSteps<'t, I> {
    scope: LoopScope<'t>,
    range: I,
}

impl<I: Iterator> Iterator for LoopSteps<'_, I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.scope.next();
        self.range.next()
    }
}

/// The rows of a plate or loop.
struct Rows {
    /// The number in memory.
    len: usize,
    /// The number altogether.
    full: usize,
    /// The number that a step works on, if not all.
    batch: Option<usize>,
}

impl<'t> Ctx<'t> {
    /// Opens a plate.
    ///
    /// # Errors
    ///
    /// If there are no rows, if `batch` is larger than their number, if they are those of a missing observation, if
    /// there are more of them than row numbers in the precision of the tape, or if a plate of the same name, given as a
    /// string, has another number of rows.
    pub fn plate(self, site: Site, size: PlateSize<'t>, options: PlateOptions) -> Res<PlateGuard<'t>> {
        self.check()?;
        let rows = self.rows(site, size, options)?;
        let address = self.plate_address(site.name);
        let mut slot = None;
        let mut len = rows.len;
        if let Some(batch) = rows.batch {
            self.check_row_numbers(site, rows.len)?;
            if let Some(why) = self.tape().lack(&[batch]) {
                let address = format!("plate {}", self.address(site.name));
                let message = format!("the row numbers of a batch need {why}");
                return Err(Stop(Error::at_site(address, site.place(), message)));
            }
            slot = Some(self.subsample(&address, rows.len, batch));
            len = batch;
        }
        let dim = self.tape().open_dim(Dim {
            name: site.name.to_string(),
            place: (site.file, site.line),
            len,
            in_memory: rows.len,
            full: rows.full,
            rows: slot.map(|s| s as u32),
            open: true,
        });
        let mut state = self.state();
        state.plates.push(dim);
        state.plate_addresses.insert(dim, address);
        drop(state);
        Ok(PlateGuard { ctx: self, dim })
    }

    /// Runs a loop over independent rows step by step; over a subset the program is recorded anew at each evaluation.
    ///
    /// # Errors
    ///
    /// As [`Ctx::plate`].
    pub fn each(self, site: Site, size: PlateSize<'t>, options: PlateOptions) -> Res<LoopGuard<'t>> {
        self.check()?;
        let rows = self.rows(site, size, options)?;
        self.check_steps(site, rows.batch.unwrap_or(rows.len))?;
        let address = self.plate_address(site.name);
        let steps = match rows.batch {
            None => (0..rows.len).collect(),
            Some(batch) => {
                self.tape().taint(site.place());
                random_subset(self.tape().key().split(name_hash(&address)), rows.len, batch)
            }
        };
        let scale = rows.full as f64 / rows.batch.unwrap_or(rows.len) as f64;
        Ok(self.start_loop(steps, scale))
    }

    /// Runs a loop whose steps depend on each other.
    ///
    /// # Errors
    ///
    /// As [`Ctx::plate`].
    pub fn markov(self, site: Site, size: PlateSize<'t>) -> Res<LoopGuard<'t>> {
        self.check()?;
        let rows = self.rows(site, size, PlateOptions::default())?;
        self.check_steps(site, rows.len)?;
        Ok(self.start_loop((0..rows.len).collect(), 1.0))
    }

    /// Begins an ordinary loop.
    pub fn loop_enter(self) -> LoopScope<'t> {
        self.state().suffix.push(0);
        LoopScope { ctx: self, step: 0 }
    }

    /// Begins an ordinary `for` loop over a range that was evaluated outside of it.
    pub fn loop_steps<I: IntoIterator>(self, range: I) -> LoopSteps<'t, I::IntoIter> {
        let range = range.into_iter();
        LoopSteps {
            scope: self.loop_enter(),
            range,
        }
    }

    fn start_loop(self, steps: Vec<usize>, scale: f64) -> LoopGuard<'t> {
        let mut state = self.state();
        state.suffix.push(0);
        let outer_scale = state.loop_scale;
        state.loop_scale *= scale;
        drop(state);
        LoopGuard {
            ctx: self,
            steps: steps.into_iter(),
            outer_scale,
        }
    }

    /// Refuses a loop whose steps, each of which is recorded, find no room in memory.
    fn check_steps(self, site: Site, n_steps: usize) -> Res<()> {
        let Err(no_room) = room(&[n_steps], size_of::<Node>()) else {
            return Ok(());
        };
        let address = format!("plate {}", self.address(site.name));
        let message = format!("each of the {n_steps} steps is recorded, for which there is no room: {no_room}");
        Err(Stop(Error::at_site(address, site.place(), message)))
    }

    /// Refuses rows whose numbers the precision of the tape does not tell apart.
    fn check_row_numbers(self, site: Site, n_rows: usize) -> Res<()> {
        let limit = self.tape().precision().n_indexes();
        if n_rows as u64 <= limit {
            return Ok(());
        }
        let address = format!("plate {}", self.address(site.name));
        let message = format!("single precision tells apart {limit} rows, and there are {n_rows}: use f64");
        Err(Stop(Error::at_site(address, site.place(), message)))
    }

    fn rows(self, site: Site, size: PlateSize<'t>, options: PlateOptions) -> Res<Rows> {
        let fault = |message: String| {
            Stop(Error::at_site(
                format!("plate {}", self.address(site.name)),
                site.place(),
                message,
            ))
        };
        let len = match size {
            PlateSize::Count(n) => n,
            PlateSize::Rows(x) if self.tape().is_shapeless(x) => {
                let message = "it runs over a missing observation, which has no length; run it over other data or a number, \
                               or pass `Obs::missing_like(shape)`";
                return Err(fault(message.to_string()));
            }
            PlateSize::Rows(x) => match x.event_shape().first() {
                Some(&n) => n,
                None => return Err(fault("it runs over a single number, which has no rows".to_string())),
            },
        };
        if len == 0 {
            return Err(fault("there are no rows: the data are empty".to_string()));
        }
        if options.is_named {
            let first = (len, site.place());
            let address = self.address(site.name);
            let (other, place) = *self.state().named_plates.entry(address).or_insert(first);
            if other != len {
                return Err(fault(format!(
                    "it has {len} rows here and {other} at {place}: plates of one name run over the same rows, give one of \
                     them another name"
                )));
            }
        }
        // Predictions may be of fewer rows than a batch, and of more than there were.
        let is_whole = self.state().whole_plates;
        let is_prediction = self.state().is_prediction;
        if let Some(batch) = options.batch
            && (batch == 0 || (batch > len && !is_prediction))
        {
            return Err(fault(format!(
                "batch = {batch} of {len} rows: it must be from 1 to {len}"
            )));
        }
        if let Some(total) = options.total
            && total < len
            && !is_prediction
        {
            return Err(fault(format!("total = {total} is less than the {len} rows given")));
        }
        Ok(Rows {
            len,
            full: options.total.map_or(len, |total| total.max(len)),
            batch: options.batch.filter(|&b| b < len && !is_whole),
        })
    }

    /// Returns the name of a plate with its number among the plates of that name, by which a guide's plate finds the
    /// model's.
    fn plate_address(self, name: &str) -> String {
        let address = self.address(name);
        let mut state = self.state();
        let count = state.plate_names.entry(address.clone()).or_insert(0);
        *count += 1;
        format!("{address}#{}", *count - 1)
    }

    /// Returns the data slot with the row numbers of a subsampled plate; plates of one address share it.
    fn subsample(self, address: &str, full: usize, batch: usize) -> usize {
        let same = |s: &&Subsample| s.address == address && s.full == full && s.batch == batch;
        if let Some(other) = self.state().subsamples.iter().find(same) {
            return other.slot;
        }
        let slot = self.tape().records().slots.len();
        let known = self.state().known.rows.get(address).cloned();
        let fresh = || random_subset(self.tape().key().split(name_hash(address)), full, batch);
        let rows = known.filter(|rows| rows.len() == batch).unwrap_or_else(fresh);
        self.tape().data(&[batch], |buffer| write_rows(&rows, buffer));
        self.state().subsamples.push(Subsample {
            address: address.to_string(),
            slot,
            full,
            batch,
        });
        slot
    }
}

/// Writes row numbers into a data slot.
fn write_rows(rows: &[usize], buffer: Buffer<'_>) {
    match buffer {
        Buffer::F64(out) => out.iter_mut().zip(rows).for_each(|(o, &r)| *o = r as f64),
        Buffer::F32(out) => out.iter_mut().zip(rows).for_each(|(o, &r)| *o = r as f32),
    }
}

/// Returns `batch` different numbers below `full`, each subset as likely as any other: the beginning of a
/// Fisher–Yates shuffle.
pub(crate) fn random_subset(key: Key, full: usize, batch: usize) -> Vec<usize> {
    let mut uniform = vec![0.0_f64; batch];
    fill_uniform(key, &mut uniform);
    let mut moved = std::collections::HashMap::new();
    uniform
        .iter()
        .enumerate()
        .map(|(i, u)| {
            let j = i + ((full - i) as f64 * u) as usize;
            let chosen = moved.get(&j).copied().unwrap_or(j);
            let displaced = moved.get(&i).copied().unwrap_or(i);
            moved.insert(j, displaced);
            chosen
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::recording::Recorder;
    use crate::tape::store::Precision;
    use ppl_macros::model;

    #[model(crate = crate)]
    fn many_rows(n: usize) {
        for i in plate(n, batch = 2) {
            let z = sample(crate::distributions::Normal(0, 1));
        }
    }

    #[test]
    fn rows_that_single_precision_cannot_number_need_double() {
        let record = |precision, n| {
            Recorder::density(precision, Key::new(1))
                .record(&many_rows(n))
                .map(drop)
        };
        let n = 1 << 24;
        assert_eq!(record(Precision::F32, n), Ok(()));
        assert_eq!(record(Precision::F64, n + 1), Ok(()));
        let error = record(Precision::F32, n + 1).unwrap_err().to_string();
        assert!(
            error.starts_with("site plate i (")
                && error.ends_with("single precision tells apart 16777216 rows, and there are 16777217: use f64"),
            "{error}"
        );
    }

    #[test]
    fn a_subset_has_no_repetitions_and_every_row_is_equally_likely() {
        let (full, batch, n) = (7, 3, 20_000);
        let mut counts = vec![0; full];
        for step in 0..n {
            let mut rows = random_subset(Key::new(5).split(step), full, batch);
            rows.iter().for_each(|&r| counts[r] += 1);
            rows.sort_unstable();
            rows.dedup();
            assert_eq!(rows.len(), batch);
        }
        let expected = n as f64 * batch as f64 / full as f64;
        let chi2: f64 = counts.iter().map(|&c| (c as f64 - expected).powi(2) / expected).sum();
        assert!(
            chi2 < 30.0,
            "chi-square {chi2} on 6 degrees of freedom, counts {counts:?}"
        );
    }
}
