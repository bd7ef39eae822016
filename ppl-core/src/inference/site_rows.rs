//! What results say of a site beside its values, and how its values are kept draw by draw.

use crate::distributions::support::Bounded;
use crate::draws::{Draws, Kind, NamedAxis};
use crate::error::{Error, Result};
use crate::runtime::recording::Recording;
use crate::runtime::state::{Held, SiteRecord};
use crate::tensor::room::room;

/// A site whose values are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeptSite {
    /// Its address.
    pub address: String,
    /// The axes of its value: its plates, then those of its event.
    pub axes: Vec<NamedAxis>,
    /// What its numbers are.
    pub kind: Kind,
}

impl KeptSite {
    /// Returns what is known of a site of a recording.
    pub fn of(recording: &Recording, site: &SiteRecord) -> Self {
        let shape = match site.stored {
            Held::Constant(_) => Vec::new(),
            Held::Node(node) => recording.tape.records().shape(node).to_vec(),
        };
        KeptSite {
            axes: axes(recording, site, &shape),
            address: site.address.clone(),
            kind: kind(site),
        }
    }

    /// Returns the lengths of its axes.
    pub fn shape(&self) -> impl Iterator<Item = usize> {
        self.axes.iter().map(|axis| axis.len)
    }
}

/// Returns the axes of a value of this shape, `[plates…, event…]`.
pub(crate) fn axes(recording: &Recording, site: &SiteRecord, shape: &[usize]) -> Vec<NamedAxis> {
    let mut axes = NamedAxis::unnamed(&site.address, shape);
    for (axis, &plate) in axes.iter_mut().zip(&site.plates) {
        if let Some(name) = recording.dimension(plate) {
            axis.name = name;
        }
    }
    axes
}

fn kind(site: &SiteRecord) -> Kind {
    match site.support {
        Some(Bounded::Boolean | Bounded::OneHot(_)) => Kind::Boolean,
        Some(Bounded::Category(_)) => Kind::Category,
        Some(Bounded::Count(_)) => Kind::Integer,
        _ => Kind::Real,
    }
}

/// Writes the values of a site in a draw into the draws of a chain; a site that a draw lacks stays NaN there.
///
/// # Errors
///
/// If the site had another shape in an earlier draw, or its draws find no room in memory.
pub(crate) fn put(draws: &mut Draws, draw_idx: usize, site: &KeptSite, values: &[f64]) -> Result<()> {
    if let Some(row) = draws.row_mut(&site.address, draw_idx, &site.axes, site.kind)? {
        row.copy_from_slice(values);
        return Ok(());
    }
    let n_draws = draws.n_draws();
    let whole: Vec<usize> = std::iter::once(n_draws).chain(site.shape()).collect();
    let no_room = |error| {
        Error::Invalid(format!(
            "{n_draws} draws of site {} find no room: {error}",
            site.address
        ))
    };
    let mut all = vec![f64::NAN; room(&whole, size_of::<f64>()).map_err(no_room)?];
    all[draw_idx * values.len()..][..values.len()].copy_from_slice(values);
    Ok(draws.insert_axes(&site.address, site.kind, &site.axes, all)?)
}
