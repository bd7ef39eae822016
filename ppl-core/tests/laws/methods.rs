//! Handlers and the methods of distributions: a mask or a scale is the same wherever it is written, in any order.

use ndarray::{Array1, array};
use ppl_core::distributions::{Bernoulli, DistExt, Gamma, Normal};
use ppl_core::rng::Key;
use ppl_core::runtime::handlers::{ModelExt, trace};
use ppl_core::runtime::model::Model;
use ppl_core::runtime::recording::Recorder;
use ppl_core::tape::gradient::gradient;
use ppl_core::tape::store::Precision;
use ppl_macros::model;

#[model(crate = ppl_core)]
fn plain(x: &Array1<f64>) {
    let mu = sample(Normal(0, 1));
    for i in plate(x) {
        let z = sample(Gamma(2, 1));
        let v = sample(Normal(mu, 1).expand([2]).ordered());
        let t = sample(Normal(mu, 1).truncate(-1, 2));
        let b = sample(Bernoulli::logits(mu));
        observe("y", x[i], Normal(z + v[0] * t - b, 1));
    }
}

#[model(crate = ppl_core)]
fn by_methods(x: &Array1<f64>, m: &Array1<f64>) {
    let mu = sample(Normal(0, 1));
    for i in plate(x) {
        let z = sample(Gamma(2, 1).mask(m[i]).scale(0.3));
        let v = sample(Normal(mu, 1).expand([2]).ordered().scale(0.3).mask(m[i]));
        let t = sample(Normal(mu, 1).truncate(-1, 2).mask(m[i]).scale(0.3));
        let b = sample(Bernoulli::logits(mu).scale(0.3).mask(m[i]));
        observe("y", x[i], Normal(z + v[0] * t - b, 1).mask(m[i]).scale(0.3));
    }
}

/// The same, the methods called before those that change the shape, and twice with what is the same together.
#[model(crate = ppl_core)]
fn by_early_methods(x: &Array1<f64>, m: &Array1<f64>, all: &Array1<f64>) {
    let mu = sample(Normal(0, 1));
    for i in plate(x) {
        let z = sample(Gamma(2, 1).mask(m[i]).mask(all[i]).scale(0.5).scale(0.6));
        let v = sample(Normal(mu, 1).scale(0.3).mask(all[i]).expand([2]).mask(m[i]).ordered());
        let t = sample(Normal(mu, 1).truncate(-1, 2).mask(all[i]).mask(m[i]).scale(0.3));
        let b = sample(Bernoulli::logits(mu).scale(0.6).mask(m[i]).scale(0.5));
        observe(
            "y",
            x[i],
            Normal(z + v[0] * t - b, 1).mask(all[i]).scale(0.3).mask(m[i]),
        );
    }
}

/// Returns the log density at a point, and its derivatives.
fn density(model: &impl Model) -> (f64, Vec<f64>) {
    let recording = Recorder::density(Precision::F64, Key::new(4)).record(model).unwrap();
    let derivatives = gradient(&recording.tape);
    (recording.tape.log_density(), derivatives)
}

fn assert_same(own: &impl Model, want: &impl Model) {
    let ((own, d_own), (want, d_want)) = (density(own), density(want));
    assert!(want.is_finite() && (own - want).abs() < 1e-12, "{own} for {want}");
    let off = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12;
    assert!(d_own.iter().zip(&d_want).all(off), "{d_own:?} for {d_want:?}");
}

#[test]
fn a_handler_does_what_the_method_does() {
    let (x, m, all) = (array![0.5, -1.0, 2.0], array![1.0, 0.0, 1.0], array![1.0, 1.0, 1.0]);
    let want = by_methods(&x, &m);
    assert_same(&by_early_methods(&x, &m, &all), &want);
    let masked = plain(&x)
        .mask(|s| s.z().v().t().b(), m.clone())
        .mask(|_| "y", m.clone());
    let scaled = masked.scale(|s| s.z().v().t().b(), 0.3).scale(|_| "y", 0.3);
    assert_same(&scaled, &want);
    assert!(
        (density(&plain(&x)).0 - density(&want).0).abs() > 0.1,
        "they do something"
    );
}

#[test]
fn handlers_and_methods_add_up() {
    let x = array![0.5, -1.0, 2.0];
    let (left, right, both) = (array![1.0, 0.0, 1.0], array![1.0, 1.0, 0.0], array![1.0, 0.0, 0.0]);
    let half = by_methods(&x, &left).mask(|s| s.z().v().t().b(), right.clone());
    let own = half
        .mask(|_| "y", right)
        .scale(|s| s.z().v().t().b(), 5.0)
        .scale(|_| "y", 5.0);
    let want = plain(&x).mask(|s| s.z().v().t().b(), both.clone()).mask(|_| "y", both);
    assert_same(&own, &want.scale(|s| s.z().v().t().b(), 1.5).scale(|_| "y", 1.5));
}

#[model(crate = ppl_core)]
fn alike() {
    let z = sample(Normal(0, 1));
    let z2 = sample(Normal(0, 1));
    for t in markov(12) {
        let zz = sample(Normal(0, 1));
    }
}

#[test]
fn a_name_chooses_its_site_and_its_family_alone() {
    let open = trace(&alike(), 1).unwrap();
    for (name, own) in [
        ("z", &["z"][..]),
        ("z2", &["z2"]),
        ("zz[1]", &["zz[1]"]),
        ("zz[11]", &["zz[11]"]),
    ] {
        let run = trace(&alike().scale(|_| name, 2.0), 1).unwrap();
        for (site, want) in run.sites().iter().zip(open.sites()) {
            let factor = if own.contains(&site.address.as_str()) { 2.0 } else { 1.0 };
            assert_eq!(site.log_prob, factor * want.log_prob, "{name} and {}", site.address);
        }
    }
    let family = trace(&alike().scale(|_| "zz", 2.0), 1).unwrap();
    let doubled = family
        .sites()
        .iter()
        .zip(open.sites())
        .filter(|(a, b)| a.log_prob == 2.0 * b.log_prob);
    assert_eq!(doubled.count(), 12);
}
