//! A Bayesian network that says “I don't know”: SVI on images of digits, asked about digits, letters and noise.

#[path = "support/refusal.rs"]
mod refusal;

use std::path::PathBuf;

use clap::Parser;
use posterior::core::inference::svi::{Approximation, Initial, ScaleLink};
use posterior::nn::data::{DataSet, Glyphs, white_noise};
use posterior::prelude::*;
use rayon::prelude::*;

use refusal::{Failure, Regime, Report, Sets, print_table, write_json, write_sheet};

/// Trains a Bayesian network on digits and asks it about digits, letters and white noise.
#[derive(Parser)]
struct Args {
    /// Folder with the four MNIST files, plain or gzipped; without it digits are drawn by a generator.
    #[arg(long)]
    mnist: Option<PathBuf>,
    /// Folder with letters as IDX files (notMNIST); without it letters are drawn by a generator.
    #[arg(long)]
    ood: Option<PathBuf>,
    /// Writes every figure to this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Writes the picture to this file.
    #[arg(long, default_value = "bayesian_mlp.svg")]
    picture: PathBuf,
    /// Seed of all random numbers: that of the data that are drawn, and of the first network of each regime.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Networks that each regime trains, on the same images; each has a seed of its own.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    networks: u64,
    /// Passes over the training images [default: 5 on MNIST, 20 on generated digits].
    #[arg(long)]
    epochs: Option<usize>,
}

const BATCH: usize = 128;

/// `weight` multiplies the likelihood: 1 gives the evidence lower bound, less a tempered one.
#[model]
fn bayesian_mlp(images: &Array2<f32>, labels: Obs<Array1<usize>>, net: Mlp, weight: f64) {
    let net = sample(random_module(net.clone(), Normal(0, 1)));
    for i in plate(images, batch = BATCH) {
        let logits = net.forward(images[i]);
        track(logits, logits);
        observe(labels[i], Categorical::logits(logits).scale(weight));
    }
}

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let (train, sets) = load(&args)?;
    let hidden = if args.mnist.is_some() { 1024 } else { 512 };
    let net = Mlp::new(&[784, hidden, 10], Activation::Relu);
    let epochs = args.epochs.unwrap_or(if args.mnist.is_some() { 5 } else { 20 });
    println!(
        "784-{hidden}-10, {} training images, {epochs} epochs of batches of {BATCH}",
        train.len()
    );

    // A batch stands for n / BATCH batches; the tempered likelihood of the tutorial leaves that factor out, so that the
    // steps of an epoch count all images once. Those of the full bound count all of them at each step.
    let steps = train.len() / BATCH;
    let regimes = [("tempered", BATCH as f64 / train.len() as f64, 1), ("full", 1.0, steps)];
    let seeds: Vec<u64> = (0..args.networks).map(|k| args.seed + k).collect();
    let report = |((name, weight, times), seed): ((&'static str, f64, usize), u64)| {
        let images_counted = (times * train.len()) as f64;
        let (fit, losses) = fit(&train, &net, weight, epochs, images_counted, seed, name)?;
        let ask = |images: &Array2<f32>| {
            let answers = fit.predict(&bayesian_mlp(images, Obs::missing(), net.clone(), weight), 100)?;
            Ok(answers.get("logits").expect("the model tracks them").to_owned())
        };
        Report::new(&sets, losses, ask)
    };
    // The networks know nothing of each other, and each has a core.
    let jobs: Vec<_> = regimes
        .iter()
        .flat_map(|&regime| seeds.iter().map(move |&seed| (regime, seed)))
        .collect();
    let mut reports = jobs
        .into_par_iter()
        .map(report)
        .collect::<Result<Vec<_>, Failure>>()?
        .into_iter();
    let regimes: Vec<Regime> = regimes
        .iter()
        .map(|&(name, ..)| Regime {
            name,
            seeds: seeds.clone(),
            reports: reports.by_ref().take(seeds.len()).collect(),
        })
        .collect();
    print_table(&regimes, &sets);
    write_sheet(&args.picture, &regimes[0].reports[0], &sets)?;
    println!(
        "picture of the answers of the first tempered network: {}",
        args.picture.display()
    );
    args.json.map_or(Ok(()), |file| write_json(&file, &regimes))
}

/// Runs SVI and prints the mean loss after each epoch: the negative bound by image.
fn fit(
    train: &DataSet,
    net: &Mlp,
    weight: f64,
    epochs: usize,
    images_counted: f64,
    seed: u64,
    name: &str,
) -> Result<(Approximation<bayesian_mlp::Accessors>, Vec<f64>), Failure> {
    let guide = AutoNormal {
        loc: Initial::Normal(1.0),
        raw_scale: Initial::Normal(1.0),
        link: ScaleLink::Softplus,
    };
    let svi = Svi::new(guide, Adam::new(0.01)).seed(seed).precision(Precision::F32);
    let model = bayesian_mlp(&train.images, &train.labels, net.clone(), weight);
    let mut state = svi.start(&model)?;
    let mut losses = Vec::new();
    for epoch in 1..=epochs {
        let steps = train.len() / BATCH;
        let mut sum = 0.0;
        for _ in 0..steps {
            sum -= state.step()?;
        }
        let loss = sum / images_counted;
        losses.push(loss);
        println!("{name}, seed {seed}: epoch {epoch:2} of {epochs}, −ELBO per image {loss:.2}");
    }
    Ok((state.finish()?, losses))
}

fn load(args: &Args) -> Result<(DataSet, Sets), Failure> {
    let (train, test) = match &args.mnist {
        Some(dir) => DataSet::mnist_dir(dir)?,
        None => (
            Glyphs::digits().generate(12_000, args.seed),
            Glyphs::digits().generate(2000, args.seed + 1),
        ),
    };
    let letters = match &args.ood {
        Some(dir) => DataSet::idx_dir(dir, "tutorial459", 10).or_else(|_| DataSet::idx_dir(dir, "t10k", 10))?,
        None => Glyphs::letters().generate(1000, args.seed + 2),
    };
    Ok((
        train,
        Sets {
            test,
            letters,
            noise: white_noise(1000, args.seed + 3),
        },
    ))
}
