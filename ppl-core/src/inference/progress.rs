//! Progress bars of long runs, shown only on a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Whether a run shows a bar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// Where standard error is a terminal.
    #[default]
    Auto,
    /// Never.
    Hidden,
}

impl Progress {
    /// Returns a bar of so many steps.
    pub(crate) fn bar(self, steps: u64, label: &'static str) -> ProgressBar {
        let target = match self {
            Progress::Auto => ProgressDrawTarget::stderr_with_hz(10),
            Progress::Hidden => ProgressDrawTarget::hidden(),
        };
        let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {elapsed} ({eta} left) {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::with_draw_target(Some(steps), target)
            .with_style(style)
            .with_prefix(label)
    }
}
