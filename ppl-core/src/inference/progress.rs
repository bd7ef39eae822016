//! Progress bars of long runs, shown only on a terminal.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Whether a run shows its progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// Where standard error is a terminal.
    #[default]
    Auto,
    /// Never.
    Hidden,
}

impl Progress {
    /// Returns a bar of `steps` steps.
    pub(crate) fn bar(self, steps: u64, label: &'static str) -> ProgressBar {
        ProgressBar::with_draw_target(Some(steps), self.target())
            .with_style(style())
            .with_prefix(label)
    }

    /// Returns `n` bars of `steps` steps, one below the other.
    pub(crate) fn bars(self, n: usize, steps: u64, label: &str) -> Vec<ProgressBar> {
        let stack = MultiProgress::with_draw_target(self.target());
        let bar = |i| {
            let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::hidden());
            stack.add(bar.with_style(style()).with_prefix(format!("{label} {i}")))
        };
        (0..n).map(bar).collect()
    }

    fn target(self) -> ProgressDrawTarget {
        match self {
            Progress::Auto => ProgressDrawTarget::stderr_with_hz(10),
            Progress::Hidden => ProgressDrawTarget::hidden(),
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {elapsed} ({eta} left) {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_count_apart_and_are_hidden_where_asked() {
        let bars = Progress::Hidden.bars(2, 10, "chain");
        bars[1].inc(4);
        assert_eq!((bars[0].position(), bars[1].position()), (0, 4));
        assert!(bars.iter().all(ProgressBar::is_hidden));
        assert_eq!(bars[1].prefix(), "chain 1");
    }
}
