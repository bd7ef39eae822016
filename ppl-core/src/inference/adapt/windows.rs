//! When a warm-up learns what: windows of doubling length between two parts that adapt the step only.

/// The steps of a warm-up in which draws are collected, and where each collection ends.
///
/// Early draws lie on the way to the typical set, and must be forgotten: each window begins anew and is twice as long as
/// that before. The last takes what would be too short for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// The first step that is collected.
    begin: usize,
    /// The first step after the windows.
    end: usize,
    /// The length of the first window.
    first: usize,
}

impl Windows {
    /// Returns the windows of a random walk: the first tenth and the last of `of` steps adapt the step only; windows of
    /// 1/20, 1/10, 1/5, … lie between.
    pub fn of_random_walk(of: usize) -> Self {
        Windows {
            begin: of / 10,
            end: of - of / 10,
            first: (of / 20).max(10),
        }
    }

    /// Returns the windows of Stan: 75 steps before them, 50 behind, 25 in the first; parts of 15 %, 75 % and 10 % where a
    /// warm-up is shorter than 150 steps, and none below 20.
    ///
    /// The rule is that of the Stan Reference Manual, section “Automatic parameter tuning”.
    pub fn of_stan(of: usize) -> Self {
        let (before, behind, first) = match of {
            0..20 => (of, 0, 1),
            20..150 => (of * 15 / 100, of / 10, of - of * 15 / 100 - of / 10),
            _ => (75, 50, 25),
        };
        Windows {
            begin: before,
            end: of - behind,
            first,
        }
    }

    /// Returns whether a step lies in a window.
    pub fn holds(&self, step: usize) -> bool {
        (self.begin..self.end).contains(&step)
    }

    /// Returns whether a window ends with this step.
    pub fn end_at(&self, step: usize) -> bool {
        let (mut at, mut len) = (self.begin, self.first);
        while at < self.end {
            // The next window would be twice as long: this one takes the rest if that does not fit.
            let next = if at + 3 * len > self.end { self.end } else { at + len };
            if step + 1 == next {
                return true;
            }
            at = next;
            len *= 2;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(windows: Windows, of: usize) -> Vec<usize> {
        (0..of).filter(|&s| windows.end_at(s)).map(|s| s + 1).collect()
    }

    #[test]
    fn windows_double_and_cover_the_middle_of_the_warm_up() {
        assert_eq!(ends(Windows::of_random_walk(1000), 1000), [150, 250, 450, 900]);
        assert_eq!(ends(Windows::of_random_walk(100), 100), [20, 40, 90]);
    }

    #[test]
    fn windows_of_stan_end_where_its_manual_says() {
        assert_eq!(ends(Windows::of_stan(1000), 1000), [100, 150, 250, 450, 950]);
        assert_eq!(ends(Windows::of_stan(100), 100), [90]);
        assert_eq!(ends(Windows::of_stan(10), 10), [0; 0]);
        let windows = Windows::of_stan(1000);
        assert_eq!([74, 75, 949, 950].map(|s| windows.holds(s)), [false, true, true, false]);
    }
}
