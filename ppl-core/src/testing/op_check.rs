//! The checks behind `op_tests!`: gradients against central differences, plates against loops, f32 against f64.

use crate::ops::sum::SumTerm;
use crate::program::compile::{Program, Roots};
use crate::program::passes::Passes;
use crate::rng::Key;
use crate::tape::gradient::gradient;
use crate::tape::op::{Op, Role};
use crate::tape::record::Tape;
use crate::tape::store::{Buffer, Precision, Scalar};
use crate::tape::var::Var;
use crate::tensor::dims::Dim;
use crate::tensor::shape::size;

/// A function of values on a tape.
pub type Function = for<'t> fn(&[Var<'t>]) -> Var<'t>;

/// An argument of an operation at a point: an event shape and its elements.
#[derive(Clone, Debug)]
pub struct Arg {
    event: Vec<usize>,
    values: Vec<f64>,
}

impl Arg {
    /// Returns an array of reproducible numbers between −2 and 2.
    pub fn random(event: &[usize], seed: usize) -> Self {
        let value = |i| 4.0 * golden(i + 101 * seed) - 2.0;
        Arg {
            event: event.to_vec(),
            values: (0..size(event)).map(value).collect(),
        }
    }

    /// Returns the same array after `f` on each element.
    pub fn map(mut self, f: impl Fn(f64) -> f64) -> Self {
        self.values.iter_mut().for_each(|v| *v = f(*v));
        self
    }

    /// Rounds to single precision, so that both precisions see the same numbers.
    fn rounded(self) -> Self {
        self.map(|v| v as f32 as f64)
    }
}

impl From<f64> for Arg {
    fn from(value: f64) -> Self {
        Arg {
            event: vec![],
            values: vec![value],
        }
        .rounded()
    }
}

impl<const N: usize> From<[f64; N]> for Arg {
    fn from(values: [f64; N]) -> Self {
        Arg {
            event: vec![N],
            values: values.to_vec(),
        }
        .rounded()
    }
}

impl<const N: usize, const M: usize> From<[[f64; N]; M]> for Arg {
    fn from(values: [[f64; N]; M]) -> Self {
        Arg {
            event: vec![M, N],
            values: values.concat(),
        }
        .rounded()
    }
}

impl<const N: usize, const M: usize, const K: usize> From<[[[f64; N]; M]; K]> for Arg {
    fn from(values: [[[f64; N]; M]; K]) -> Self {
        let flat = values.concat().concat();
        Arg {
            event: vec![K, M, N],
            values: flat,
        }
        .rounded()
    }
}

/// How an argument is put onto the tape.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Variable,
    Constant,
    Data,
}

/// An argument with the plates that it carries; plates come first in `values`.
#[derive(Clone, Debug)]
struct Placed {
    dims: Vec<u32>,
    arg: Arg,
    values: Vec<f64>,
}

/// The lengths of the two plates of a test, the outer first.
const PLATES: [usize; 2] = [3, 2];
/// The weight of the only term, so that a forgotten weight shows.
const WEIGHT: f64 = 1.5;

/// The derivative of the term that uses the arguments a second time.
const SECOND_USE: f64 = 0.375;

/// A recording of a function of arguments: the log density is a weighted sum of all elements of its value.
struct Recording {
    tape: Tape,
    value: Vec<f64>,
    dims: Vec<u32>,
    event: Vec<usize>,
}

/// Checks the derivative by each argument at each point.
pub fn gradient_matches_central_differences(f: Function, points: &[Vec<Arg>]) {
    for args in &cases(points) {
        let placed = without_plates(args);
        let kinds = vec![Kind::Variable; args.len()];
        let recording = record(Precision::F64, f, &placed, &kinds, 0);
        check_recording(&recording.tape);
        let got = gradient(&recording.tape);
        let want = differences(f, &placed, &recording);
        let scale = recording.value.iter().fold(1.0, |m: f64, v| m.max(v.abs()));
        compare("gradient and central differences", &got, &want, 1e-8, scale, args);
        use_arguments_again(&recording.tape, args.len());
        check_recording(&recording.tape);
        let got = gradient(&recording.tape);
        let want: Vec<f64> = want.iter().map(|d| d + SECOND_USE).collect();
        compare(
            "gradient of arguments that are used twice",
            &got,
            &want,
            1e-8,
            scale,
            args,
        );
    }
}

/// Adds a term of the arguments alone, so that the operation adds to adjoints that hold something already.
fn use_arguments_again(tape: &Tape, n_args: usize) {
    // Arguments are the first nodes of a recording in which all are variables.
    for node in 0..n_args as u32 {
        let term = Var::on(tape, node) * SECOND_USE;
        tape.term(SumTerm::DEF, &[term], &[], 0, 1.0, 0);
    }
}

/// Checks that value and gradient are the same whichever arguments are constants or data.
pub fn constant_arguments_change_nothing(f: Function, points: &[Vec<Arg>]) {
    for args in &cases(points) {
        let placed = without_plates(args);
        let all = record(Precision::F64, f, &placed, &vec![Kind::Variable; args.len()], 0);
        let full = gradient(&all.tape);
        for variable in 0..1 << args.len() {
            for fixed in [Kind::Constant, Kind::Data] {
                if variable == 0 && fixed == Kind::Constant {
                    continue;
                }
                let is_variable = |k: usize| variable & (1 << k) != 0;
                let kinds: Vec<_> = (0..args.len())
                    .map(|k| if is_variable(k) { Kind::Variable } else { fixed })
                    .collect();
                let part = record(Precision::F64, f, &placed, &kinds, 0);
                compare(
                    "values with constants and without",
                    &part.value,
                    &all.value,
                    1e-13,
                    1.0,
                    args,
                );
                check_recording(&part.tape);
                let mut want = Vec::new();
                let mut at = 0;
                for (k, arg) in args.iter().enumerate() {
                    if is_variable(k) {
                        want.extend_from_slice(&full[at..at + arg.values.len()]);
                    }
                    at += arg.values.len();
                }
                let got = gradient(&part.tape);
                compare("gradients with constants and without", &got, &want, 1e-12, 1.0, args);
            }
        }
    }
}

/// Checks that arguments that carry plates, in every combination of two of them, give what a loop over the rows gives.
pub fn plates_equal_loops_over_their_rows(f: Function, points: &[Vec<Arg>]) {
    for args in points {
        for combination in 1..4usize.pow(args.len() as u32) {
            let plates = |k: usize| combination / 4usize.pow(k as u32) % 4;
            let placed: Vec<_> = args.iter().enumerate().map(|(k, arg)| place(arg, plates(k))).collect();
            let kinds = vec![Kind::Variable; args.len()];
            let recording = record(Precision::F64, f, &placed, &kinds, 0);
            check_recording(&recording.tape);
            compare_with_loop(f, args, &placed, &recording);
        }
    }
}

/// Checks values and gradients in single precision.
pub fn single_precision_agrees_with_double(f: Function, points: &[Vec<Arg>]) {
    for args in &cases(points) {
        let placed = without_plates(args);
        let kinds = vec![Kind::Variable; args.len()];
        let single = record(Precision::F32, f, &placed, &kinds, 0);
        let double = record(Precision::F64, f, &placed, &kinds, 0);
        check_recording(&single.tape);
        compare(
            "values in single and double precision",
            &single.value,
            &double.value,
            1e-5,
            1.0,
            args,
        );
        let (got, want) = (gradient(&single.tape), gradient(&double.tape));
        compare("gradients in single and double precision", &got, &want, 1e-4, 1.0, args);
    }
}

/// Checks a recording against its compiled program under every setting of the passes, with data fixed and rebound.
///
/// Buffers hold NaN before each run, so that a value or an adjoint that is read before it is written shows.
pub fn check_recording(tape: &Tape) {
    match tape.precision() {
        Precision::F64 => check_programs::<f64>(tape, 1e-12),
        Precision::F32 => check_programs::<f32>(tape, 1e-5),
    }
}

fn check_programs<F: Scalar>(tape: &Tape, tolerance: f64) {
    let records = tape.records();
    let mut theta = vec![F::ZERO; records.n_inputs];
    for node in records.nodes.iter().filter(|n| n.def.role == Role::Input) {
        let values = &F::buffer(&records.store)[node.offset as usize..][..node.len as usize];
        theta[records.attrs[node.attrs.0 as usize] as usize..][..values.len()].copy_from_slice(values);
    }
    let want = gradient(tape);
    for passes in Passes::every() {
        let has_data = !records.slots.is_empty();
        for is_rebound in [false, true].into_iter().take(1 + has_data as usize) {
            let rebound = vec![is_rebound; records.slots.len()];
            let roots = Roots {
                density: true,
                outputs: &[],
                rebound: &rebound,
            };
            let program = Program::<F>::compile(&records, &roots, passes);
            let mut workspace = program.workspace();
            workspace.work.fill(F::NAN);
            workspace.adjoint.fill(F::NAN);
            let mut got = vec![F::NAN; theta.len()];
            let density = program.value_and_gradient(&mut workspace, &theta, &mut got);
            let what = format!("density of the program with {passes:?} and of the recording");
            let scale = records.terms.iter().fold(1.0, |m: f64, t| m.max(t.value.abs()));
            compare(&what, &[density], &[tape.log_density()], tolerance, scale, &[]);
            let got: Vec<f64> = got.iter().map(|g| g.to_f64()).collect();
            let what = format!("gradient of the program with {passes:?} and of the recording");
            compare(&what, &got, &want, tolerance, 1.0, &[]);
        }
    }
}

/// Asserts that two lists agree to `tolerance`, relative to the larger of `scale` and the number wanted.
pub fn compare(what: &str, got: &[f64], want: &[f64], tolerance: f64, scale: f64, args: &[Arg]) {
    assert_eq!(got.len(), want.len(), "{what}: lengths for {args:?}");
    for (i, (&g, &w)) in got.iter().zip(want).enumerate() {
        let off = (g - w).abs() / scale.max(w.abs());
        let same = g == w || (g.is_nan() && w.is_nan());
        assert!(
            same || off <= tolerance,
            "{what} at {i}: {g} and {w}; {off:e} would pass, not {tolerance:e}; {args:?}"
        );
    }
}

/// Returns the points, and for points of numbers alone their broadcasts.
fn cases(points: &[Vec<Arg>]) -> Vec<Vec<Arg>> {
    let mut cases = points.to_vec();
    if points.iter().flatten().any(|arg| !arg.event.is_empty()) {
        return cases;
    }
    let (n, n_args) = (points.len(), points[0].len());
    let column = |k: usize| -> Vec<f64> { points.iter().map(|p| p[k].values[0]).collect() };
    let vector = |k: usize| Arg {
        event: vec![n],
        values: column(k),
    };
    let matrix = |k: usize| Arg {
        event: vec![2, n],
        values: column(k).repeat(2),
    };
    cases.push((0..n_args).map(vector).collect());
    for odd in 0..if n_args > 1 { n_args } else { 0 } {
        let with = |other: &dyn Fn(usize) -> Arg, rest: &dyn Fn(usize) -> Arg| -> Vec<Arg> {
            (0..n_args).map(|k| if k == odd { other(k) } else { rest(k) }).collect()
        };
        cases.push(with(&|k| points[0][k].clone(), &vector));
        cases.push(with(&matrix, &vector));
        let tall = |k: usize| Arg {
            event: vec![2, 1],
            values: column(k)[..1].repeat(2),
        };
        cases.push(with(&tall, &vector));
    }
    cases
}

fn without_plates(args: &[Arg]) -> Vec<Placed> {
    args.iter().map(|arg| place(arg, 0)).collect()
}

/// Puts an argument into the plates of a set of two bits; each row is the argument times another factor near one.
fn place(arg: &Arg, plates: usize) -> Placed {
    let dims: Vec<u32> = (0..2).filter(|d| plates & (1 << d) != 0).collect();
    let rows: usize = dims.iter().map(|&d| PLATES[d as usize]).product();
    let values = (0..rows)
        .flat_map(|r| arg.values.iter().map(move |v| v * (1.0 + r as f64 / 64.0)))
        .collect();
    Placed {
        dims,
        arg: arg.clone(),
        values,
    }
}

/// Records `f`; element i of its value has the weight of number `first_weight + i`.
fn record(precision: Precision, f: Function, args: &[Placed], kinds: &[Kind], first_weight: usize) -> Recording {
    let tape = Tape::new(precision, Key::new(1));
    for (name, len) in ["i", "j"].into_iter().zip(PLATES) {
        tape.open_dim(Dim {
            name: name.into(),
            place: (file!(), line!()),
            len,
            in_memory: len,
            full: len,
            rows: None,
            open: true,
        });
    }
    let mut at = 0;
    let mut vars = Vec::new();
    for (Placed { dims, arg, values }, kind) in args.iter().zip(kinds) {
        let (flat, elements) = ([values.len()], values.iter().copied());
        vars.push(match kind {
            Kind::Variable => tape.input(at, dims, &arg.event, values, false),
            Kind::Constant if dims.is_empty() && arg.event.is_empty() => Var::constant(values[0]),
            Kind::Constant => tape.alias(tape.constant_array(&flat, elements), dims, &arg.event),
            Kind::Data => tape.alias(data(&tape, &flat, elements), dims, &arg.event),
        });
        at += if *kind == Kind::Variable { values.len() } else { 0 };
    }
    let out = f(&vars);
    if let Some(error) = tape.take_error() {
        panic!("{error}, for {args:?}");
    }
    let (value, dims, event) = (out.elements(), out.dims().to_vec(), out.event_shape().to_vec());
    let weights = (0..value.len()).map(|i| 3.0 * golden(first_weight + i) - 1.0);
    let weights = tape.alias(tape.constant_array(&[value.len()], weights), &dims, &event);
    tape.term(SumTerm::DEF, &[out * weights], &[], 0, WEIGHT, 0);
    Recording {
        value,
        dims,
        event,
        tape,
    }
}

/// Puts a data slot with these values onto the tape.
pub fn data<'t>(tape: &'t Tape, event: &[usize], values: impl IntoIterator<Item = f64>) -> Var<'t> {
    tape.data(event, |buffer| match buffer {
        Buffer::F64(out) => out.iter_mut().zip(values).for_each(|(out, v)| *out = v),
        Buffer::F32(out) => out.iter_mut().zip(values).for_each(|(out, v)| *out = v as f32),
    })
}

/// Returns the derivatives by all elements of all arguments, from four values each.
fn differences(f: Function, args: &[Placed], at: &Recording) -> Vec<f64> {
    let kinds = vec![Kind::Variable; args.len()];
    let centre = &at.value;
    let mut out = Vec::new();
    for k in 0..args.len() {
        for i in 0..args[k].values.len() {
            let x = args[k].values[i];
            let h = if x == 0.0 { 1e-3 } else { 1e-3 * x.abs().min(1.0) };
            // The value at the centre is taken off element by element, so that large elements leave no rounding.
            let mut moved = args.to_vec();
            let mut density = |steps: f64| {
                moved[k].values[i] = x + steps * h;
                let value = record(Precision::F64, f, &moved, &kinds, 0).value;
                let weighted = |j: usize| (3.0 * golden(j) - 1.0) * (value[j] - centre[j]);
                WEIGHT * (0..value.len()).map(weighted).sum::<f64>()
            };
            let near = density(1.0) - density(-1.0);
            let far = density(2.0) - density(-2.0);
            out.push((8.0 * near - far) / (12.0 * h));
        }
    }
    out
}

/// Compares a recording under plates with one recording for each row.
fn compare_with_loop(f: Function, args: &[Arg], placed: &[Placed], recording: &Recording) {
    let got = gradient(&recording.tape);
    let mut want = vec![0.0; got.len()];
    let n = size(&recording.event);
    let lens: Vec<usize> = recording.dims.iter().map(|&d| PLATES[d as usize]).collect();
    for row in 0..size(&lens) {
        let position = |d: u32| {
            let axis = recording
                .dims
                .iter()
                .position(|&own| own == d)
                .expect("a plate of an argument is one of the value");
            row / size(&lens[axis + 1..]) % lens[axis]
        };
        let mut starts = Vec::new();
        let mut rows = Vec::new();
        let mut at = 0;
        for Placed { dims, arg, values } in placed {
            let own_row = dims.iter().fold(0, |r, &d| r * PLATES[d as usize] + position(d));
            let start = own_row * arg.values.len();
            let row = Arg {
                event: arg.event.clone(),
                values: values[start..start + arg.values.len()].to_vec(),
            };
            rows.push(place(&row, 0));
            starts.push(at + start);
            at += values.len();
        }
        let one = record(Precision::F64, f, &rows, &vec![Kind::Variable; rows.len()], row * n);
        compare(
            "a row of a plate and the loop",
            &recording.value[row * n..][..n],
            &one.value,
            1e-12,
            1.0,
            args,
        );
        let mut taken = 0;
        let derivatives = gradient(&one.tape);
        for (start, row) in starts.iter().zip(&rows) {
            let len = row.values.len();
            for i in 0..len {
                want[start + i] += derivatives[taken + i];
            }
            taken += len;
        }
    }
    compare("gradient under plates and of the loop", &got, &want, 1e-11, 1.0, args);
}

/// Returns numbers in [0, 1) that look irregular: multiples of the golden ratio.
fn golden(i: usize) -> f64 {
    ((i + 1) as f64 * 0.618_033_988_749_894_9).fract()
}
