//! The laws of plates leave nothing out: every operation that has a name in the sources occurs on values of plates.

use std::fs;
use std::path::Path;

use crate::laws::Names;
use crate::{distributions, latents, operations};

/// Names in the sources that no log density in a plate has, with the reason.
const WITHOUT_LAW: &str = "
    made of other operations: Truncated Ordered
    no distribution over triangular matrices: lower_cholesky_log_det
    parts of divergences, whose own laws have plates: deviance ratio_excess square_ratio_excess laplace_divergence log_deviance
    gamma_excess beta_divergence
";

/// Names in the sources of operations that draw, and of the densities of draws by their noise: a loop draws other numbers than
/// a plate.
const DRAWS: &str = "
    standard_normal standard_uniform standard_exponential standard_cauchy standard_laplace
    gamma_draw log_gamma_draw log_gamma_ratio_draw inverse_gamma_draw student_t_stretch interval_draw
    Normal_own_draw MultivariateNormal_own_draw Gamma_of_log_ratio Beta_of_logit Dirichlet_of_logarithms sort_rows
    normal_quantile cauchy_quantile laplace_quantile exponential_quantile uniform_quantile
";

/// Returns the names of operations in the files of a module of ppl-core.
fn named(module: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ppl-core/src").join(module);
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.expect("a readable folder").path();
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let shipped = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let constants = shipped.split(": &'static str = \"").skip(1).map(Some);
        // The macros of elementwise operations are called with the name as their only string.
        let calls = ["unary_op! {", "binary_op! {"]
            .into_iter()
            .flat_map(|call| shipped.split(call).skip(1));
        let is_definition = path.ends_with("ops/elementwise.rs");
        let calls = calls
            .filter(|_| !is_definition)
            .map(|call| call.split_once('"').map(|(_, name)| name));
        names.extend(
            constants
                .chain(calls)
                .flatten()
                .filter_map(|name| Some(name.split_once('"')?.0.to_string())),
        );
    }
    names
}

#[test]
fn every_operation_and_every_distribution_occurs() {
    let mut met = Names::new();
    for group in [
        operations::operations,
        distributions::operations,
        distributions::point_masses::operations,
        latents::operations,
    ] {
        met.extend(group());
    }
    let named = ["ops", "distributions", "bijectors"].map(named).concat();
    assert!(named.len() > 100, "{named:?}");
    let exempt: Vec<&str> = WITHOUT_LAW.split_whitespace().chain(DRAWS.split_whitespace()).collect();
    let missing: Vec<_> = named
        .iter()
        .filter(|name| !met.contains(name.as_str()) && !exempt.contains(&name.as_str()))
        .collect();
    assert!(missing.is_empty(), "no body in a plate has {missing:?}");
    let listed: Vec<_> = met.iter().filter(|name| exempt.contains(*name)).collect();
    assert!(listed.is_empty(), "{listed:?} need no exemption");
}
