//! Bad input that could end or stop the process: each is tried in a process of its own, with a limit of time and, on Unix,
//! of memory.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use posterior::nn::data::{Batches, Glyphs, LastBatch, read_labels, white_noise};
use posterior::prelude::*;

use crate::table::{AnyModel, Table, Way, mh, svi};

/// The variable that names the case which a child process tries.
const CASE: &str = "POSTERIOR_BAD_INPUT";

/// How long a case may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The memory of a child process in KiB, where the shell can limit it: 6 GiB.
const MEMORY: u64 = 6 << 20;

/// A million million, more than any memory holds.
const HUGE: usize = 1_000_000_000_000;

#[model]
fn counted(n: usize) {
    let mu = sample(Normal(0, 1));
    for i in plate("rows", n) {
        let z = sample(Normal(mu, 1));
    }
}

#[model]
fn expanded(sizes: Vec<usize>) {
    let mu = sample(Normal(0, 1).expand(&sizes));
}

#[model]
fn ones_of(k: usize) {
    let p = sample(Dirichlet(ones(k)));
}

#[model]
fn each(n: usize) {
    let mu = sample(Normal(0, 1));
    for i in plate(n).each() {
        let z = sample(Normal(mu, 1));
    }
}

#[model]
fn steps(n: usize) {
    let mut z = sample(Normal(0, 1));
    for t in markov(n) {
        z = sample(Normal(z, 1));
    }
}

#[model]
fn batches(n: usize, size: usize) {
    let mu = sample(Normal(0, 1));
    for i in plate(n, batch = size) {
        let z = sample(Normal(mu, 1));
    }
}

#[model]
fn tracked(n: usize) {
    let mu = sample(Normal(0, 1));
    let all = for i in plate(n) {
        mu
    };
    track(total, all.sum());
}

#[model]
fn broadcast(n: usize) {
    let mu = sample(Normal(0, 1));
    factor(mu.broadcast(&[n, 2]).sum());
}

#[model]
fn missing(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    for i in plate(y) {
        observe(y[i], Normal(mu, 1));
    }
}

#[model]
fn learnt(n: usize) {
    for i in plate(n) {
        let s = param(0.0);
        factor(-s * s);
    }
}

#[model]
fn network(net: Mlp) {
    let net = sample(random_module(net, Normal(0, 1)));
}

#[model]
fn small(y: Obs<f64>) {
    let mu = sample(Normal(0, 1));
    observe(y, Normal(mu, 1));
}

#[model]
fn overlapping(n: usize, m: usize) {
    for i in plate(n) {
        for j in plate(m) {
            let z = sample(Normal(0, 1));
        }
    }
}

/// Tries a case and returns the text of its error.
type Try = fn() -> Result<(), String>;

fn text<T, E: std::fmt::Display>(outcome: Result<T, E>) -> Result<(), String> {
    outcome.map(drop).map_err(|error| error.to_string())
}

fn prior<M: Model + Sync>(model: M) -> Result<(), String> {
    Way::Prior.run(&AnyModel(&model))
}

fn sampled<M: Model + Sync>(model: M) -> Result<(), String> {
    Way::Mh.run(&AnyModel(&model))
}

fn fitted<M: Model + Sync>(model: M) -> Result<(), String> {
    Way::Svi.run(&AnyModel(&model))
}

fn traced<M: Model + Sync>(model: M) -> Result<(), String> {
    Way::Trace.run(&AnyModel(&model))
}

const ROOM: &str = "of memory";
const HERE: &str = "tests/bad_input/danger.rs:";

/// Its name, words that its error contains, and how it is tried.
type Case = (&'static str, &'static [&'static str], Try);

fn danger(name: &'static str, words: &'static [&'static str], attempt: Try) -> Case {
    (name, words, attempt)
}

fn many() -> Obs<Array1<f64>> {
    Obs::missing_like(&[1_000_000])
}

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    let mut all = vec![
        danger("a huge plate, prior", &["site z (", HERE, "[1000000000000]", "8.0 TB", ROOM], || prior(counted(HUGE))),
        danger("a huge plate, Mh", &["site z (", HERE, "[1000000000000]", ROOM], || sampled(counted(HUGE))),
        danger("a huge plate, Svi", &["site z (", HERE, "[1000000000000]", ROOM], || fitted(counted(HUGE))),
        danger("a huge plate, trace", &["site z (", HERE, "[1000000000000]", ROOM], || traced(counted(HUGE))),
        danger("the largest plate, prior", &["site z (", HERE, "[18446744073709551615]"], || prior(counted(usize::MAX))),
        danger("the largest plate, Mh", &["site z (", HERE, "[18446744073709551615]"], || sampled(counted(usize::MAX))),
        danger("a huge expansion, prior", &["site mu (", HERE, "[1000000000000]", ROOM], || prior(expanded(vec![HUGE]))),
        danger("a huge expansion, Mh", &["site mu (", HERE, "[1000000000000]", ROOM], || sampled(expanded(vec![HUGE]))),
        danger("a huge expansion, Svi", &["site mu (", HERE, "[1000000000000]", ROOM], || fitted(expanded(vec![HUGE]))),
        danger("an expansion beyond all numbers", &["site mu (", "[18446744073709551615, 3]"], || sampled(expanded(vec![usize::MAX, 3]))),
        danger("an expansion beyond a limit of memory", &["site mu (", "[500000000]", "4.0 GB", ROOM], || sampled(expanded(vec![500_000_000]))),
        danger("a huge simplex", &["site p (", HERE, "room for 1000000000000 numbers"], || prior(ones_of(HUGE))),
        danger("a huge simplex, Mh", &["site p (", HERE, "room for 1000000000000 numbers"], || sampled(ones_of(HUGE))),
        danger("a huge loop", &["plate i (", HERE, "1000000000000 steps", ROOM], || prior(each(HUGE))),
        danger("the longest loop", &["plate i (", HERE, ROOM], || sampled(each(usize::MAX))),
        danger("a huge chain of sites", &["plate t (", HERE, "1000000000000 steps", ROOM], || prior(steps(HUGE))),
        danger("the longest chain of sites", &["plate t (", HERE, ROOM], || sampled(steps(usize::MAX))),
        danger("a huge batch", &["plate i (", HERE, ROOM], || fitted(batches(2 * HUGE, HUGE))),
        danger("a small batch of a huge plate", &["site z (", HERE, ROOM], || fitted(batches(HUGE, 10))),
        danger("the value of a huge plate", &["room", "1000000000000"], || sampled(tracked(HUGE))),
        danger("a huge broadcast", &["room", "2000000000000"], || sampled(broadcast(HUGE))),
        danger("a broadcast beyond all numbers", &["room"], || prior(broadcast(usize::MAX))),
        danger("huge plates in each other", &["site z (", "[1000000, 1000000]", ROOM], || sampled(overlapping(1_000_000, 1_000_000))),
        danger("the largest plates in each other", &["site z (", ROOM], || prior(overlapping(usize::MAX, usize::MAX))),
        danger("huge missing data", &["missing", "1000000000000"], || prior(missing(Obs::missing_like(&[HUGE])))),
        danger("huge data by a view", &["`data`", "1000000000000"], || {
            let one = ndarray::arr0(1.0);
            let y = one.broadcast(HUGE).unwrap();
            sampled(missing(y))
        }),
        danger("huge parameters", &["site s (", HERE, ROOM], || fitted(learnt(HUGE))),
        danger("a huge network", &["site net.0.weight (", HERE, "[1000000000000, 10]", ROOM], || sampled(network(Mlp::new(&[HUGE, 10], Activation::Relu)))),
        danger("the largest network", &["site net.0.weight (", ROOM], || fitted(network(Mlp::new(&[usize::MAX, usize::MAX], Activation::Relu)))),
        danger("huge draws of the prior", &["draws = 1000000000000", "8.0 TB", ROOM], || text(Prior::default().draws(HUGE).run(&small(&1.0)))),
        danger("the most draws of the prior", &["draws = 18446744073709551615"], || text(Prior::default().draws(usize::MAX).run(&small(&1.0)))),
        danger("huge draws of Mh", &["draws = 1000000000000", ROOM], || text(mh().draws(HUGE).run(&small(&1.0)))),
        danger("the most draws of Mh", &["draws = 18446744073709551615"], || text(mh().draws(usize::MAX).run(&small(&1.0)))),
        danger("many draws of a large site", &["site mu (", "[1, 100000000, 1000]", ROOM], || text(mh().draws(100_000_000).run(&expanded(vec![1000])))),
        danger("huge chains", &["chains = 1000000000000", ROOM], || text(mh().chains(HUGE).run(&small(&1.0)))),
        danger("the most chains", &["chains = 18446744073709551615"], || text(mh().chains(usize::MAX).run(&small(&1.0)))),
        danger("a huge warm-up", &["warmup + draws · thin = 1000000000000 ", "more than a day"], || text(mh().warmup(HUGE).run(&small(&1.0)))),
        danger("the longest warm-up", &["warmup + draws · thin = 18446744073709551615"], || text(mh().warmup(usize::MAX).run(&small(&1.0)))),
        danger("the most thinning", &["· 18446744073709551615 steps"], || text(mh().thin(usize::MAX).run(&small(&1.0)))),
        danger("a random walk of too many coordinates", &["random walk of 200000 coordinates", "SingleSite", ROOM], || sampled(expanded(vec![200_000]))),
        danger("huge steps of Svi", &["steps = 1000000000000", ROOM], || text(svi().steps(HUGE).run(&small(&1.0)))),
        danger("huge particles", &["particles = 1000000000000", ROOM], || text(svi().particles(HUGE).run(&small(&1.0)))),
        danger("the most particles", &["particles = 18446744073709551615"], || text(svi().particles(usize::MAX).run(&small(&1.0)))),
        danger("huge draws of an approximation", &["site mu (", "1000000000000 draws", ROOM], || text(svi().draws(HUGE).run(&small(&1.0)))),
        danger("huge predictions", &["n = 1000000000000", ROOM], || text(svi().run(&small(&1.0)).unwrap().predict(&small(Obs::missing()), HUGE))),
        danger("draws of the prior that are many and large", &["1000 draws of site z", "8.0 GB", ROOM], || text(Prior::default().run(&counted(1_000_000)))),
        danger("predictions that are many and large", &["1000 draws of site y", "8.0 GB", ROOM], || text(svi().run(&missing(&[0.5, 1.5])).unwrap().predict(&missing(many()), 1000))),
        danger("predictions of Mh that are many and large", &["1000 draws of site y", "8.0 GB", ROOM], || text(mh().chains(1).draws(1000).run(&missing(&[0.5, 1.5])).unwrap().predict(&missing(many())))),
        danger("huge draws of a guide", &["1000000000000 draws of a guide", ROOM], || caught(|| drop(svi().run(&small(&1.0)).unwrap().draws(HUGE)))),
    ];
    all.extend(data_cases());
    all
}

#[rustfmt::skip]
fn data_cases() -> Vec<Case> {
    vec![
        danger("batches of a huge data set", &["epoch", "[1000000000000]", ROOM], || text(Batches::new(HUGE, 1, LastBatch::Keep, posterior::core::rng::Key::new(1)))),
        danger("huge generated images", &["cannot generate 1000000000000 images", ROOM], || caught(|| drop(Glyphs::digits().generate(HUGE, 1)))),
        danger("huge noise", &["cannot generate 1000000000000 images", ROOM], || caught(|| drop(white_noise(HUGE, 1)))),
        danger("a device without an end", &["/dev/zero", "a device"], || text(read_labels("/dev/zero"))),
        danger("a pipe without a writer", &["expected a file", "a pipe"], pipe),
    ]
}

/// Returns the message of a documented panic.
fn caught(f: impl FnOnce() + std::panic::UnwindSafe) -> Result<(), String> {
    std::panic::catch_unwind(f).map_err(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())
}

fn pipe() -> Result<(), String> {
    let path = std::env::temp_dir().join(format!("posterior_bad_input_{}_pipe", std::process::id()));
    let made = Command::new("mkfifo")
        .arg(&path)
        .status()
        .is_ok_and(|status| status.success());
    let outcome = text(read_labels(&path));
    let _ = std::fs::remove_file(&path);
    match made {
        true => outcome,
        false => Err("expected a file, but a pipe could not be made here".to_string()),
    }
}

/// Tries the case that the variable names, and says how it ended; without the variable it does nothing.
#[test]
fn one_case_in_a_process_of_its_own() {
    let Ok(wanted) = std::env::var(CASE) else { return };
    let cases = cases();
    let (.., attempt) = cases
        .iter()
        .find(|(name, ..)| *name == wanted)
        .expect("a case of the table");
    match attempt() {
        Ok(()) => println!("{CASE} succeeds"),
        Err(text) => println!("{CASE} refused: {text}"),
    }
}

/// Runs a child process that tries a case, and returns the text of the error or how the child ended.
fn in_child(name: &str) -> Result<(), String> {
    let program = std::env::current_exe().expect("this program has a path");
    let test = "danger::one_case_in_a_process_of_its_own";
    let limited = format!("ulimit -v {MEMORY} 2>/dev/null; exec \"$0\" \"$@\"");
    let mut command = match cfg!(unix) {
        true => {
            let mut shell = Command::new("sh");
            shell.args(["-c", &limited]).arg(&program);
            shell
        }
        false => Command::new(&program),
    };
    let child = command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CASE, name);
    let mut child = child
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child process");
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child that can be waited for") {
            break status;
        }
        if start.elapsed() > PATIENCE {
            child.kill().expect("a child that can be ended");
            child.wait().expect("a child that has ended");
            return Err(format!("hangs for more than {PATIENCE:?}"));
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let mut said = String::new();
    let mut out = child.stdout.take().expect("its output is piped");
    out.read_to_string(&mut said).expect("text");
    let marked = said
        .lines()
        .find_map(|line| line.split_once(CASE).map(|(_, rest)| rest.to_string()));
    match marked {
        Some(rest) if rest == " succeeds" => Ok(()),
        Some(rest) => Err(rest.trim_start_matches(" refused: ").to_string()),
        None => Err(format!("ends the process: {status}")),
    }
}

#[test]
fn sizes_and_files_without_an_end_are_refused_before_memory_is_asked_for() {
    let mut t = Table::default();
    for (name, words, _) in cases() {
        t.call(name, words, || in_child(name));
    }
    t.finish();
}
