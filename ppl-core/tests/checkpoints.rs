//! Runs that stop and go on: with the same bits, or with an error that says why not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ndarray::{Array1, array};
use ppl_core::distributions::{DistExt, HalfNormal, Normal, Poisson};
use ppl_core::draws::Draws;
use ppl_core::inference::checkpoint::Checkpoint;
use ppl_core::inference::gibbs::Gibbs;
use ppl_core::inference::mh::{Mh, Proposal};
use ppl_core::inference::nuts::{Hmc, Nuts};
use ppl_core::inference::progress::Progress;
use ppl_macros::model;

#[model(crate = ppl_core)]
fn schools(sigma: &Array1<f64>, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 5));
    let tau = sample(HalfNormal(5));
    for j in plate(sigma) {
        let theta = sample(Normal(mu, tau).noncentered());
        observe(y[j], Normal(theta, sigma[j]));
    }
}

/// A model with a discrete latent.
#[model(crate = ppl_core)]
fn counted(y: Obs<f64>) {
    let n = sample(Poisson(4));
    let s = sample(HalfNormal(1));
    observe(y, Normal(n, 0.5 + s));
}

#[model(crate = ppl_core)]
fn changing(y: Obs<f64>) {
    let x = sample(Normal(0, 1));
    if x > 0.0 {
        let z = sample(Normal(0, 1));
        observe(y, Normal(x + z, 1));
    } else {
        observe(y, Normal(x, 1));
    }
}

const SIGMA: [f64; 4] = [15.0, 10.0, 16.0, 11.0];
const Y: [f64; 4] = [28.0, 8.0, -3.0, 7.0];

/// A folder that no other test uses, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("posterior-checkpoints-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn nuts() -> Nuts {
    Nuts::default()
        .chains(2)
        .warmup(60)
        .draws(80)
        .seed(3)
        .progress(Progress::Hidden)
}

fn run(nuts: Nuts) -> Result<(Draws, Draws), String> {
    let (sigma, y) = (Array1::from(SIGMA.to_vec()), Array1::from(Y.to_vec()));
    let fit = nuts.run(&schools(&sigma, &y)).map_err(|e| e.to_string())?;
    Ok((fit.draws().clone(), fit.statistics().clone()))
}

#[test]
fn more_draws_go_on_from_the_last_with_the_bits_of_a_run_that_did_not_stop() {
    let folder = Folder::new("more");
    let whole = run(nuts()).unwrap();
    // In the warm-up no file is due; then there are files of all steps, and one after the last.
    for every in [1, 7, 1000] {
        let _ = fs::remove_dir_all(&folder.0);
        let checkpoint = Checkpoint::to(&folder.0).every_steps(every);
        run(nuts().draws(30).checkpoint(checkpoint.clone())).unwrap();
        let more = run(nuts().checkpoint(checkpoint.clone())).unwrap();
        assert_eq!(more, whole, "a file every {every} steps");
        assert_eq!(run(nuts().checkpoint(checkpoint)).unwrap(), whole, "all steps are done");
    }
}

#[test]
fn a_chain_more_is_made_beside_those_that_are_read() {
    let folder = Folder::new("chain");
    let checkpoint = Checkpoint::to(&folder.0);
    run(nuts().chains(1).checkpoint(checkpoint.clone())).unwrap();
    assert_eq!(run(nuts().checkpoint(checkpoint)).unwrap(), run(nuts()).unwrap());
}

#[test]
fn every_sampler_of_vectors_goes_on() {
    let (sigma, y) = (array![15.0, 10.0, 16.0, 11.0], array![28.0, 8.0, -3.0, 7.0]);
    let schools = schools(&sigma, &y);
    let counted = counted(&6.0);
    let hmc = || Hmc::default().chains(2).warmup(60).seed(4).progress(Progress::Hidden);
    let mh = || Mh::default().chains(2).warmup(60).seed(5).progress(Progress::Hidden);
    let gibbs = || {
        Gibbs::auto(&counted)
            .chains(2)
            .warmup(60)
            .seed(6)
            .progress(Progress::Hidden)
    };
    let check = |name: &str, run: &dyn Fn(usize, Option<Checkpoint>) -> Draws| {
        let folder = Folder::new(name);
        let checkpoint = || Some(Checkpoint::to(&folder.0).every_steps(13));
        run(25, checkpoint());
        assert_eq!(run(90, checkpoint()), run(90, None), "{name}");
    };
    check("hmc", &|draws, checkpoint| {
        let fit = Hmc {
            draws,
            checkpoint,
            ..hmc()
        }
        .run(&schools)
        .unwrap();
        fit.draws().clone()
    });
    for proposal in [Proposal::RandomWalk, Proposal::SingleSite] {
        check("mh", &|draws, checkpoint| {
            let fit = Mh {
                draws,
                checkpoint,
                proposal: proposal.clone(),
                ..mh()
            }
            .run(&counted)
            .unwrap();
            fit.draws().clone()
        });
    }
    check("gibbs", &|draws, checkpoint| {
        let mut own = gibbs().draws(draws);
        own.checkpoint = checkpoint;
        own.run(&counted).unwrap().draws().clone()
    });
}

#[test]
fn files_of_another_run_are_refused_with_the_reason() {
    let folder = Folder::new("other");
    let checkpoint = || Checkpoint::to(&folder.0);
    run(nuts().checkpoint(checkpoint())).unwrap();
    let refused = |nuts: Nuts, words: &[&str]| {
        let error = run(nuts.checkpoint(checkpoint())).unwrap_err();
        for word in words.iter().chain(&["chain-0.safetensors"]) {
            assert!(error.contains(word), "{word} is not in: {error}");
        }
    };
    refused(nuts().seed(4), &["other settings", "seed: 3", "seed: 4"]);
    refused(nuts().target_acceptance(0.9), &["other settings"]);
    let (sigma, y) = (array![15.0, 10.0, 16.0, 11.0], array![28.0, 8.0, -3.0, 7.5]);
    let error = nuts().checkpoint(checkpoint()).run(&schools(&sigma, &y)).err().unwrap();
    assert!(error.to_string().contains("another model, of other data"), "{error}");
    let error = run(nuts().draws(10).checkpoint(checkpoint())).unwrap_err();
    assert!(error.contains("has 140 steps, more than the 70 of this run"), "{error}");
    let file = folder.0.join("chain-0.safetensors");
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&file, &bytes).unwrap();
    refused(nuts(), &["damaged", "checksum", "remove it to begin anew"]);
    fs::write(&file, &bytes[..last / 2]).unwrap();
    refused(nuts(), &["damaged"]);
}

#[test]
fn a_chain_on_traces_has_no_checkpoint() {
    let folder = Folder::new("traces");
    let mh = Mh::default().draws(10).warmup(10).progress(Progress::Hidden);
    let error = mh
        .checkpoint(Checkpoint::to(&folder.0))
        .run(&changing(&0.5))
        .err()
        .unwrap();
    assert!(
        error.to_string().contains("a chain on traces has no checkpoint"),
        "{error}"
    );
}

#[test]
fn a_file_that_cannot_be_written_ends_the_run_with_its_draws() {
    let folder = Folder::new("blocked");
    fs::create_dir_all(&folder.0).unwrap();
    let blocked = folder.0.join("a file");
    fs::write(&blocked, "no folder").unwrap();
    let error = run(nuts().checkpoint(Checkpoint::to(&blocked).every_steps(100))).unwrap_err();
    assert!(
        error.contains("cannot be written") || error.contains("cannot be read"),
        "{error}"
    );
}

/// Set in a process that is to be killed: the folder of its files.
const CHILD: &str = "POSTERIOR_CHECKPOINT_CHILD";

#[test]
fn the_process_that_is_killed() {
    if let Ok(folder) = std::env::var(CHILD) {
        run(killed(Path::new(&folder))).unwrap();
    }
}

/// Long enough to be killed in its midst; a file is written at each step, so that many die while they are written.
fn killed(folder: &Path) -> Nuts {
    nuts()
        .warmup(150)
        .draws(250)
        .checkpoint(Checkpoint::to(folder).every_steps(1))
}

/// `POSTERIOR_KILLS=100` in the slow command; fewer by default.
#[test]
fn a_run_that_is_killed_at_any_instant_ends_with_the_bits_of_one_that_is_not() {
    let n_kills: u64 = std::env::var("POSTERIOR_KILLS").map_or(6, |n| n.parse().expect("a number of kills"));
    let whole = run(nuts().warmup(150).draws(250)).unwrap();
    for k in 0..n_kills {
        let folder = Folder::new(&format!("killed-{k}"));
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_process_that_is_killed"])
            .env(CHILD, &folder.0)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Instants spread by the golden ratio over the time of a run.
        let instant = (0.618_033_988_749_895 * (k + 1) as f64).fract();
        std::thread::sleep(Duration::from_millis((40.0 + 1200.0 * instant) as u64));
        let _ = child.kill();
        child.wait().unwrap();
        assert_eq!(run(killed(&folder.0)).unwrap(), whole, "kill {k}");
    }
}
