//! Evaluating a program allocates nothing, and a tape gives back all that it took.

mod models;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::rc::Rc;

use models::{Check, every, labels, normals};
use posterior::core::inference::svi::AutoNormal;
use posterior::core::inference::svi::objective::record_elbo;
use posterior::core::program::compile::Program;
use posterior::core::program::passes::Passes;
use posterior::core::rng::Key;
use posterior::core::runtime::recording::{Recorder, Recording};
use posterior::core::tape::record::Tape;
use posterior::core::tape::store::Scalar;
use posterior::prelude::*;

/// The allocator of the system, counting what a thread asks of it.
///
/// Each thread has its own count, as the test harness allocates on its own; evaluations stay on their thread, because no
/// product here is large enough to be shared out.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static FREED: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: each method hands its arguments to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        FREED.set(FREED.get() + 1);
        // SAFETY: `at` came from `alloc` with this layout, which had it from the system.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        FREED.set(FREED.get() + 1);
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns how many allocations a function makes, and how many pieces of memory it gives back.
fn allocations(f: impl FnOnce()) -> [usize; 2] {
    let before = [COUNT.get(), FREED.get()];
    f();
    [COUNT.get() - before[0], FREED.get() - before[1]]
}

/// Checks ten evaluations.
fn check_ten(name: &str, evaluate: impl FnMut(u64) -> f64) {
    let mut sum = 0.0;
    let [count, freed] = allocations(|| sum = (1..11).map(evaluate).sum());
    assert!(sum.is_finite(), "{name}");
    assert_eq!([count, freed], [0, 0], "{name}: allocated and given back");
}

/// Evaluates the density of a recording after a warm-up, and at other random numbers each time.
fn check<F: Scalar>(name: &str, recording: &Recording) {
    let program: Program<F> = recording.density(Passes::default());
    let theta: Vec<F> = recording.initial.iter().map(|&x| F::from_f64(x)).collect();
    let mut gradient = vec![F::ZERO; theta.len()];
    let mut workspace = program.workspace();
    let mut evaluate = |with_gradient: bool, k: u64| {
        workspace.key = Key::new(k);
        if with_gradient {
            program.value_and_gradient(&mut workspace, &theta, &mut gradient)
        } else {
            program.value(&mut workspace, &theta)
        }
    };
    for with_gradient in [true, false] {
        evaluate(with_gradient, 0);
        check_ten(name, |k| evaluate(with_gradient, k));
    }
}

fn check_both(name: &str, record: impl Fn(&Recorder) -> Recording) {
    check::<f64>(name, &record(&Recorder::density(Precision::F64, Key::new(1))));
    check::<f32>(name, &record(&Recorder::density(Precision::F32, Key::new(1))));
}

struct Densities;

impl Check for Densities {
    fn check<M: Model + Sync>(&mut self, name: &'static str, model: &M) {
        check_both(name, |recorder| recorder.record(model).expect(name));
    }
}

struct Elbos;

impl Check for Elbos {
    fn check<M: Model + Sync>(&mut self, name: &'static str, model: &M) {
        check_both(name, |recorder| {
            record_elbo(recorder, model, &AutoNormal::default(), &Rc::default()).expect(name)
        });
    }
}

/// The program that a run of SVI replays, on rows that differ from step to step.
struct Steps;

impl Check for Steps {
    fn check<M: Model + Sync>(&mut self, name: &'static str, model: &M) {
        let svi = Svi::new(AutoNormal::default(), Adam::new(0.01))
            .precision(Precision::F32)
            .progress(Progress::Hidden);
        let mut state = svi.start(model).expect(name);
        state.step().expect(name);
        let (program, params) = state.program_f32().expect("steps replay a program");
        let mut gradient = vec![0.0; params.len()];
        let mut workspace = program.workspace();
        let mut step = |k| {
            workspace.key = Key::new(k);
            program.value_and_gradient(&mut workspace, params, &mut gradient)
        };
        step(0);
        check_ten(name, step);
    }
}

/// A batch of a stream, whose groups number rows of a latent.
#[model]
fn stream(x: &Array2<f64>, group: &Array1<usize>, n_rows: usize, y: Obs<Array1<bool>>) {
    let w = sample(Normal(0, 1).expand([3]));
    let b = sample(Normal(0, 10).expand([4]));
    for i in plate(x, total = n_rows) {
        observe(y[i], Bernoulli::logits(x[i].dot(w) + b[group[i]]));
    }
}

/// Checks whole steps, of which each second is made on a shorter batch.
fn check_steps_on_a_stream(precision: Precision) {
    let data = [32, 20].map(|n| {
        let x = Array2::from_shape_vec((n, 3), normals(1, 3 * n)).expect("three numbers a row");
        (x, labels(2, n, 4), labels(3, n, 2).mapv(|label| label == 1))
    });
    let batches = data.each_ref().map(|(x, group, y)| stream(x, group, 1000, y));
    let svi = Svi::new(AutoNormal::default(), Adam::new(0.01)).precision(precision);
    let mut state = svi.start(&batches[0]).expect("the batch is sound");
    let mut step = |k: u64| state.step_on(&batches[k as usize % 2]).expect("the batch is sound");
    assert!((0..4).map(&mut step).sum::<f64>() < 0.0);
    check_ten("stream", step);
}

#[test]
fn steps_that_rebind_data_allocate_nothing() {
    check_steps_on_a_stream(Precision::F64);
    check_steps_on_a_stream(Precision::F32);
}

#[test]
fn steady_evaluation_allocates_nothing() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![1.0; 8]))), [1, 1]);
    every(&mut Densities);
    every(&mut Elbos);
    every(&mut Steps);
}

#[test]
fn a_tape_gives_back_all_memory_with_the_handles_that_it_lent() {
    let lend = || {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.constant_array(&[8], (0..8).map(f64::from));
        assert_eq!((0..8).map(|i| x[i].value()).sum::<f64>(), 28.0);
    };
    lend();
    let [taken, given_back] = allocations(lend);
    assert_eq!(taken, given_back);
}
