//! Progress bars on the terminal: one for each chain or run.

use std::borrow::Cow;
use std::io::IsTerminal;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Whether progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// Shown if the standard error output is a terminal.
    #[default]
    Auto,
    /// Never shown.
    Hidden,
}

/// The bars of a run, one below the other.
#[derive(Debug)]
pub struct Bars {
    bars: Vec<ProgressBar>,
}

impl Progress {
    /// Returns a bar of `len` steps for each label.
    pub fn bars(self, labels: impl IntoIterator<Item = String>, len: u64) -> Bars {
        let is_shown = self == Progress::Auto && std::io::stderr().is_terminal();
        let target = if is_shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let stack = MultiProgress::with_draw_target(target);
        let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg} {eta}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let bars = labels.into_iter().map(|label| {
            let bar = stack.add(ProgressBar::new(len).with_style(style.clone()));
            bar.set_prefix(label);
            bar
        });
        Bars { bars: bars.collect() }
    }
}

impl Bars {
    /// Advances a bar.
    pub fn advance(&self, bar_idx: usize, steps: u64) {
        self.bars[bar_idx].inc(steps);
    }

    /// Sets the text behind a bar, such as the present ELBO.
    pub fn message(&self, bar_idx: usize, text: impl Into<Cow<'static, str>>) {
        self.bars[bar_idx].set_message(text);
    }

    /// Leaves a bar as it is.
    pub fn finish(&self, bar_idx: usize) {
        self.bars[bar_idx].abandon();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_drawn_where_progress_is_hidden() {
        let bars = Progress::Hidden.bars(["chain 0".to_string(), "chain 1".to_string()], 10);
        bars.advance(1, 4);
        assert_eq!((bars.bars[0].position(), bars.bars[1].position()), (0, 4));
        assert!(bars.bars.iter().all(ProgressBar::is_hidden));
    }
}
