//! Whether what a run keeps finds room in memory: asked before the run.

use crate::error::{Error, Place, Result};
use crate::runtime::recording::Recording;
use crate::runtime::state::Held;
use crate::tensor::room::{NoRoom, room};

/// What a chain or a particle takes at the least, in bytes.
const AT_LEAST: usize = 4096;

/// Refuses `n` chains, particles or draws, named so, if there is no room for them, whatever the model is.
pub(crate) fn check_number(name: &str, n: usize) -> Result<()> {
    check_elements(name, n, AT_LEAST)
}

/// Refuses `n` of what takes so many bytes each, if there is no room for them.
pub(crate) fn check_elements(name: &str, n: usize, bytes_each: usize) -> Result<()> {
    let fault = |no_room: NoRoom| Error::Invalid(format!("{name} = {n} are too many: {no_room}"));
    room(&[n], bytes_each).map(drop).map_err(fault)
}

/// A site whose draws are kept: its address, its place, the shape of its value.
pub(crate) type KeptShape = (String, Place, Vec<usize>);

/// Returns the sites of a recording whose draws are kept.
pub(crate) fn kept_shapes(recording: &Recording) -> Vec<KeptShape> {
    let records = recording.tape.records();
    let shape = |held| match held {
        Held::Node(node) => records.shape(node).to_vec(),
        Held::Constant(_) => Vec::new(),
    };
    let sites = recording.kept_sites();
    sites.map(|s| (s.address.clone(), s.place, shape(s.stored))).collect()
}

/// Refuses draws of these sites if there is no room for them.
pub(crate) fn check_draws(kept: &[KeptShape], n_chains: usize, n_draws: usize) -> Result<()> {
    for (address, place, shape) in kept {
        let whole = [&[n_chains, n_draws], shape.as_slice()].concat();
        let fault = |no_room: NoRoom| {
            let message = format!("{n_draws} draws of it find no room: {no_room}; ask for fewer");
            Error::at_site(address, *place, message)
        };
        room(&whole, size_of::<f64>()).map_err(fault)?;
    }
    Ok(())
}
