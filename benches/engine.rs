//! Replayed programs against hand-written floors, in the same run: one row a workload.

mod floors;

use std::hint::black_box;
use std::time::Instant;

use comfy_table::Table;
use posterior::core::inference::progress::Progress;
use posterior::core::inference::svi::{AutoNormal, Initial, ScaleLink};
use posterior::core::kernels::random::{fill_normal, fill_uniform};
use posterior::core::program::compile::Program;
use posterior::core::program::passes::Passes;
use posterior::core::rng::Key;
use posterior::core::runtime::recording::Recorder;
use posterior::prelude::*;

#[model]
fn eight_schools(sigma: &Array1<f64>, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 5));
    let tau = sample(HalfCauchy(5));
    for j in plate(sigma) {
        let theta = sample(Normal(mu, tau).noncentered());
        observe(y[j], Normal(theta, sigma[j]));
    }
}

#[model]
fn logistic(x: &Array2<f64>, y: Obs<Array1<bool>>) {
    let w = sample(Normal(0, 1).expand([x.ncols()]));
    let b = sample(Normal(0, 10));
    for i in plate(x) {
        observe(y[i], Bernoulli::logits(x[i].dot(w) + b));
    }
}

#[model]
fn radon(floor: &Array1<f64>, county: &Array1<usize>, n_counties: usize, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 10));
    let tau = sample(HalfNormal(1));
    let slope = sample(Normal(0, 10));
    let sigma = sample(HalfNormal(1));
    let alpha = for c in plate(n_counties) {
        sample(Normal(mu, tau).noncentered())
    };
    for i in plate(floor) {
        observe(y[i], Normal(alpha[county[i]] + slope * floor[i], sigma));
    }
}

#[model]
fn mlp(x: &Array2<f64>, y: Obs<Array2<f64>>) {
    let h = floors::mlp::H;
    let w1 = sample(Normal(0, 1).expand([1, h]));
    let b1 = sample(Normal(0, 1).expand([h]));
    let w2 = sample(Normal(0, 1).expand([h, h]));
    let b2 = sample(Normal(0, 1).expand([h]));
    let w3 = sample(Normal(0, 1).expand([h, 1]));
    let b3 = sample(Normal(0, 1).expand([1]));
    for i in plate(x) {
        let hidden = (x[i].dot(w1) + b1).tanh();
        let hidden = (hidden.dot(w2) + b2).tanh();
        observe(y[i], Normal(hidden.dot(w3) + b3, 0.1));
    }
}

#[model]
fn chain(x: &Array1<f64>) {
    let a = sample(Normal(0, 1));
    let b = sample(Normal(0, 1));
    factor(-(x * a + b).tanh().square().sum());
}

#[model]
fn network(x: &Array2<f32>, y: Obs<Array1<usize>>) {
    let [n_in, n_hidden, n_out] = floors::svi_step::SIZES;
    let w1 = sample(Normal(0, 1).expand([n_in, n_hidden]));
    let b1 = sample(Normal(0, 1).expand([n_hidden]));
    let w2 = sample(Normal(0, 1).expand([n_hidden, n_out]));
    let b2 = sample(Normal(0, 1).expand([n_out]));
    for i in plate(x, batch = floors::svi_step::BATCH) {
        let hidden = (x[i].dot(w1) + b1).relu();
        observe(
            y[i],
            Categorical::logits(hidden.dot(w2) + b2).scale(floors::svi_step::BATCH as f64 / 1280.0),
        );
    }
}

/// Milliseconds that both are timed for, in turns.
const BUDGET_MS: u128 = 1500;

/// The median of the ratios of neighbouring timings, and the median time of each in nanoseconds a call.
struct Race {
    floor_ns: f64,
    ours_ns: f64,
    ratio: f64,
}

/// Runs one workload.
type Workload = fn() -> Race;

/// Times two functions in turns, so that both meet the same weather.
fn race(mut floor: impl FnMut(), mut ours: impl FnMut()) -> Race {
    let once = Instant::now();
    floor();
    ours();
    let calls = (2_000_000 / once.elapsed().as_nanos().max(1)).clamp(1, 20_000) as usize;
    let time = |f: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..calls).for_each(|_| f());
        start.elapsed().as_nanos() as f64 / calls as f64
    };
    let (mut a, mut b, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let start = Instant::now();
    while start.elapsed().as_millis() < BUDGET_MS || a.len() < 7 {
        let (x, y) = (time(&mut floor), time(&mut ours));
        a.push(x);
        b.push(y);
        ratios.push(y / x);
    }
    Race {
        floor_ns: median(a),
        ours_ns: median(b),
        ratio: median(ratios),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Compiles a model's density, checks it against the floor at one point, and races both.
fn density<M: Model>(model: &M, theta: &[f64], mut floor: impl FnMut(&[f64], &mut [f64]) -> f64) -> Race {
    let recording = Recorder::density(Precision::F64, Key::new(1))
        .record(model)
        .expect("the model records");
    let program: Program<f64> = recording.density(Passes::default());
    let mut workspace = program.workspace();
    assert_eq!(program.n_inputs(), theta.len());
    let (mut ours, mut theirs) = (vec![0.0; theta.len()], vec![0.0; theta.len()]);
    let value = program.value_and_gradient(&mut workspace, theta, &mut ours);
    let expected = floor(theta, &mut theirs);
    assert!(
        (value - expected).abs() <= 1e-9 * expected.abs(),
        "log density {value}, by hand {expected}"
    );
    for (i, (a, b)) in ours.iter().zip(&theirs).enumerate() {
        assert!(
            (a - b).abs() <= 1e-8 * (1.0 + b.abs()),
            "gradient {i}: {a}, by hand {b}"
        );
    }
    if std::env::args().any(|a| a == "--profile") {
        println!("{}", program.profile(&mut workspace, theta, 1000));
    }
    race(
        || {
            black_box(floor(black_box(theta), &mut theirs));
        },
        || {
            black_box(program.value_and_gradient(&mut workspace, black_box(theta), &mut ours));
        },
    )
}

fn normals(seed: u64, n: usize) -> Vec<f64> {
    let mut out = vec![0.0; n];
    fill_normal(Key::new(seed), &mut out);
    out
}

fn eight_schools_race() -> Race {
    let sigma = [15., 10., 16., 11., 9., 11., 10., 18.];
    let y = [28., 8., -3., 7., -1., 1., 18., 12.];
    let theta = normals(2, 10);
    let (s, o) = (Array1::from(sigma.to_vec()), Array1::from(y.to_vec()));
    density(&eight_schools(&s, &o), &theta, |theta, gradient| {
        let theta = theta.first_chunk().expect("ten inputs");
        floors::eight_schools::value_and_gradient(theta, &y, &sigma, gradient.first_chunk_mut().expect("ten inputs"))
    })
}

fn logistic_race() -> Race {
    let (n, d) = (1000, 25);
    let x = Array2::from_shape_vec((n, d), normals(3, n * d)).expect("n × d numbers");
    let mut u = vec![0.0; n];
    fill_uniform(Key::new(4), &mut u);
    let y: Array1<bool> = u.iter().map(|&u| u < 0.5).collect();
    let columns = x.t().iter().copied().collect();
    let mut floor = floors::logistic::Logistic {
        columns,
        y: y.mapv(f64::from).to_vec(),
        eta: vec![0.0; n],
        terms: vec![0.0; n],
    };
    density(&logistic(&x, &y), &normals(5, d + 1), |theta, gradient| {
        floor.value_and_gradient(theta, gradient)
    })
}

fn radon_race() -> Race {
    let (n, k) = (919, 85);
    let mut u = vec![0.0; n];
    fill_uniform(Key::new(6), &mut u);
    let county: Array1<usize> = u.iter().map(|u| (u * k as f64) as usize).collect();
    fill_uniform(Key::new(7), &mut u);
    let floor: Array1<f64> = u.iter().map(|&u| if u < 0.3 { 1.0 } else { 0.0 }).collect();
    let y = Array1::from(normals(8, n));
    let mut by_hand = floors::radon::Radon {
        floor: floor.to_vec(),
        county: county.to_vec(),
        y: y.to_vec(),
        n_counties: k,
        alpha: vec![0.0; 2 * k],
    };
    let model = radon(&floor, &county, k, &y);
    density(&model, &normals(9, k + 4), |theta, gradient| {
        by_hand.value_and_gradient(theta, gradient)
    })
}

fn mlp_race() -> Race {
    let n = 200;
    let (x, y) = (normals(10, n), normals(11, n));
    let column = |v: &[f64]| Array2::from_shape_vec((n, 1), v.to_vec()).expect("n numbers");
    let (x_data, y_data) = (column(&x), column(&y));
    let mut floor = floors::mlp::Mlp::new(x, y);
    let theta: Vec<f64> = normals(12, floors::mlp::N_WEIGHTS).iter().map(|w| 0.3 * w).collect();
    density(&mlp(&x_data, &y_data), &theta, |theta, gradient| {
        floor.value_and_gradient(theta, gradient)
    })
}

fn chain_race() -> Race {
    let x = normals(13, 1_000_000);
    let data = Array1::from(x.clone());
    density(&chain(&data), &[0.7, -0.2], |theta, gradient| {
        floors::chain::value_and_gradient(theta, &x, gradient)
    })
}

fn svi_race() -> Race {
    let [n_in, _, n_out] = floors::svi_step::SIZES;
    let (n, batch) = (1280, floors::svi_step::BATCH);
    let mut pixels = vec![0.0_f32; n * n_in];
    fill_uniform(Key::new(14), &mut pixels);
    let x = Array2::from_shape_vec((n, n_in), pixels).expect("n × 784 pixels");
    let y: Array1<usize> = (0..n).map(|i| i % n_out).collect();
    let guide = AutoNormal {
        loc: Initial::Normal(1.0),
        raw_scale: Initial::Normal(1.0),
        link: ScaleLink::Softplus,
    };
    let svi = Svi::new(guide, Adam::new(0.01))
        .precision(Precision::F32)
        .progress(Progress::Hidden);
    let model = network(&x, &y);
    let mut state = svi.start(&model).expect("the network records");
    assert!(state.is_replayed());
    if std::env::args().any(|a| a == "--profile") {
        let (program, params) = state.program_f32().expect("in single precision");
        println!("{}", program.profile(&mut program.workspace(), params, 20));
    }
    let mut floor = floors::svi_step::Step::new();
    let rows = x.as_slice().expect("row-major");
    let labels: Vec<usize> = y.iter().take(batch).copied().collect();
    let mut step = 0;
    race(
        || {
            step += 1;
            black_box(floor.step(Key::new(step), &rows[..batch * n_in], &labels));
        },
        || {
            black_box(state.step().expect("the bound is finite"));
        },
    )
}

fn main() {
    // One core: the figures are those of a single chain.
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global()
        .expect("the pool is built once");
    let only: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let rows: [(&str, f64, Workload); 6] = [
        ("eight schools, noncentered, f64", 0.13 / 0.031, eight_schools_race),
        ("logistic 1000 × 25, f64", 1.0, logistic_race),
        ("radon-like, 919 rows, 85 groups", 3.0 / 2.5, radon_race),
        ("MLP 1-50-50-1, N = 200, f64", 129.0 / 109.0, mlp_race),
        ("elementwise chain, N = 10⁶", 9.3 / 1.0, chain_race),
        ("SVI step 784-1024-10, batch 128, f32", 10.0 / 7.35, svi_race),
    ];
    let mut table = Table::new();
    table.set_header([
        "workload",
        "by hand",
        "replayed",
        "ratio",
        "prototype's ratio",
        "within 1.5 ×",
    ]);
    for (name, prototype, run) in rows {
        if !only.is_empty() && !only.iter().any(|o| name.contains(o.as_str())) {
            continue;
        }
        let race = run();
        let verdict = if race.ratio <= 1.5 * prototype { "yes" } else { "no" };
        table.add_row([
            name.to_string(),
            format!("{:.3} µs", race.floor_ns / 1e3),
            format!("{:.3} µs", race.ours_ns / 1e3),
            format!("{:.2}", race.ratio),
            format!("{prototype:.2}"),
            verdict.to_string(),
        ]);
    }
    println!("value and gradient on one core; medians of timings in turns\n{table}");
}
