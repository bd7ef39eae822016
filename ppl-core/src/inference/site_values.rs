//! From unconstrained vectors to the values that users see: latents on their supports, and tracked values.

use crate::draws::Draws;
use crate::error::Result;
use crate::inference::site_rows::{KeptSite, put};
use crate::program::compile::Program;
use crate::program::workspace::Workspace;
use crate::runtime::recording::Recording;
use crate::runtime::state::{Held, SiteRecord};

/// The kept sites of a model of fixed structure, as functions of the vector.
pub(crate) struct SiteProgram {
    program: Program<f64>,
    sites: Vec<Value>,
}

struct Value {
    site: KeptSite,
    /// The value if it is the same always; otherwise it is the next output of the program.
    constant: Option<f64>,
}

impl SiteProgram {
    /// Compiles the values of the kept sites of a recording.
    pub(crate) fn new(recording: &Recording) -> Result<Self> {
        let varying: Vec<&SiteRecord> = recording
            .kept_sites()
            .filter(|s| matches!(s.stored, Held::Node(_)))
            .collect();
        let sites = recording.kept_sites().map(|site| Value {
            site: KeptSite::of(recording, site),
            constant: match site.stored {
                Held::Constant(x) => Some(x),
                Held::Node(_) => None,
            },
        });
        Ok(SiteProgram {
            program: recording.values(&varying)?,
            sites: sites.collect(),
        })
    }

    pub(crate) fn workspace(&self) -> Workspace<f64> {
        self.program.workspace()
    }

    /// Writes the values at `position` as a draw.
    pub(crate) fn write(
        &self,
        workspace: &mut Workspace<f64>,
        position: &[f64],
        draw_idx: usize,
        draws: &mut Draws,
    ) -> Result<()> {
        self.program.value(workspace, position);
        let mut output = 0;
        for Value { site, constant } in &self.sites {
            match constant {
                Some(x) => put(draws, draw_idx, site, &[*x])?,
                None => {
                    let (values, _) = self.program.output(workspace, position, output);
                    put(draws, draw_idx, site, values)?;
                    output += 1;
                }
            }
        }
        Ok(())
    }
}

/// Writes the kept values of a run as a draw.
pub(crate) fn write_recording(recording: &Recording, draw_idx: usize, draws: &mut Draws) -> Result<()> {
    for site in recording.kept_sites() {
        put(
            draws,
            draw_idx,
            &KeptSite::of(recording, site),
            &recording.values_of(site).0,
        )?;
    }
    Ok(())
}
