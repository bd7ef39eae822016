//! Which site is to blame for a log density that is not finite.

use std::collections::HashSet;
use std::ops::Range;

use crate::distributions::support::Bounded;
use crate::error::{Error, Result, number};
use crate::ops::cholesky::Cholesky;
use crate::runtime::recording::Recording;
use crate::runtime::state::{Held, SiteKind, SiteRecord};
use crate::tape::op::{Op, Role};
use crate::tape::records::Term;
use crate::tape::store::Precision;
use crate::tensor::shape::{Shape, position};

impl Recording {
    /// Returns the error of the first site whose term is NaN or infinite at the recorded values, with its value and
    /// parameters, or `None` if all are finite.
    pub fn fault(&self) -> Option<Error> {
        self.fault_of(|_, x| !x.is_finite())
    }

    /// Returns the error of the first site of a run from the prior whose term is NaN, as [`Recording::fault`] does; of a latent
    /// also where it says that the distribution has no draws. A value that is replayed may lie outside of the support.
    pub fn undefined(&self) -> Option<Error> {
        self.fault_of(|site, x| x.is_nan() || site.kind == SiteKind::Latent && self.has_no_draws(site, x))
    }

    fn fault_of(&self, is_bad: impl Fn(&SiteRecord, f64) -> bool) -> Option<Error> {
        let records = self.tape.records();
        let is_at_fault = |t: &&Term| is_bad(&self.sites[t.site as usize], t.weight * t.value);
        let term = records.terms.iter().find(is_at_fault)?;
        let site = &self.sites[term.site as usize];
        let culprits = self.culprits(site, None);
        let what = match site.kind {
            SiteKind::Factor => format!("the factor is {}: {culprits}", number(term.value)),
            _ => format!("log_prob is {}: {} {culprits}", number(term.value), site.distribution),
        };
        let is_nan = |held: Held| self.elements_of(held).iter().any(|x| x.is_nan());
        let remedy = match site.kind {
            SiteKind::Observed if is_nan(site.stored) => {
                "; if NaN means missing, pass the data as `Obs::partly(&y)`, or beside a mask as `Obs::masked(&y, &is_there)`"
            }
            _ => "",
        };
        Some(Error::at_site(&site.address, site.place, what + remedy))
    }

    /// Checks the values that the run drew [forward](crate::runtime::source::Latent::Forward).
    ///
    /// # Errors
    ///
    /// If the log density of one at its own draw is NaN or +∞: parameters are not allowed, or the distribution is a single
    /// point (`truncate(1, 1)`). It is −∞ where a draw is rounded to zero or infinity, which is no error, unless a parameter
    /// is not finite or there is nothing to draw. The error names the first such site, the row, and what is wrong there.
    pub fn check_draws(&self) -> Result<()> {
        let fault = self.sites.iter().find_map(|site| {
            let own = self.elements_of(site.drawn_log_prob?);
            let is_bad =
                |&x: &f64| x.is_nan() || self.has_no_draws(site, x) || x < f64::MIN && self.has_infinite_params(site);
            let i = own.iter().position(is_bad)?;
            let n_rows: usize = site.plates.iter().map(|&d| self.tape.dim(d).len).product();
            let row = i / (own.len() / n_rows);
            let culprits = self.culprits(site, Some((row, n_rows)));
            let place = self.place_of(site, row, n_rows);
            let what = format!(
                "log_prob is {} at its own draw{place}: {} {culprits}",
                number(own[i]),
                site.distribution
            );
            Some(Error::at_site(&site.address, site.place, what))
        });
        fault.map_or(Ok(()), Err)
    }

    /// Returns whether a log density says that there are no draws: it is +∞, or −∞ of a value without elements.
    fn has_no_draws(&self, site: &SiteRecord, log_prob: f64) -> bool {
        log_prob == f64::INFINITY || log_prob < f64::MIN && self.elements_of(site.stored).is_empty()
    }

    /// Returns whether a parameter is not finite.
    fn has_infinite_params(&self, site: &SiteRecord) -> bool {
        let mut params = site.params.iter().flat_map(|&(_, held, _)| self.elements_of(held));
        params.any(|x| !x.is_finite())
    }

    /// Names a row of a site by its number in each plate; forward, plates run over all rows.
    fn place_of(&self, site: &SiteRecord, row: usize, n_rows: usize) -> String {
        let records = self.tape.records();
        let mut below = n_rows;
        let numbers = site.plates.iter().map(|&d| {
            let dim = &records.dims[d as usize];
            below /= dim.len;
            format!("row {} of plate `{}`", row / below % dim.len, dim.name)
        });
        match numbers.collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => none,
            numbers => format!(" in {numbers}"),
        }
    }

    /// Returns all elements of a value.
    pub(crate) fn elements_of(&self, held: Held) -> Vec<f64> {
        match held {
            Held::Constant(x) => vec![x],
            Held::Node(node) => self.tape.elements_of(node),
        }
    }

    /// Names what is wrong: values and parameters that are not finite, parameters that are not allowed, values outside of
    /// the support or on its edge; where no parameter is, the first elements of all of them too.
    ///
    /// With a row, given by its number and that of all rows, only elements of this row and what all rows share are looked at.
    fn culprits(&self, site: &SiteRecord, row: Option<(usize, usize)>) -> String {
        let parts = std::iter::once(("value", site.stored, true)).chain(site.params.iter().copied());
        let part = |(name, held, has_plates)| {
            let values = self.elements_of(held);
            let row = row.filter(|&(_, n_rows)| has_plates && n_rows > 0);
            let range = row.map_or(0..values.len(), |(row, n_rows)| {
                let len = values.len() / n_rows;
                row * len..(row + 1) * len
            });
            Part {
                name,
                held,
                has_plates,
                values,
                range,
            }
        };
        let parts: Vec<Part> = parts.map(part).collect();
        let bad = |part: &Part| {
            let is_bad = |x: f64, i| !x.is_finite() || !self.is_allowed(site, part, x, i);
            let i = part.range.clone().find(|&i| is_bad(part.values[i], i))?;
            Some(self.element(site, part, i) + &self.origin(part, i))
        };
        let (value, params) = parts.split_at(1);
        let fault = bad(&value[0]).or_else(|| self.outside(site, &value[0]));
        let mut found: Vec<String> = params.iter().filter_map(bad).collect();
        if found.is_empty() {
            // The value farthest from zero is the most likely to be at fault, with the parameters that belong to it.
            let value = &parts[0];
            let size = |&i: &usize| value.values[i].abs();
            let largest = value.range.clone().max_by(|i, j| size(i).total_cmp(&size(j)));
            let shown = if fault.is_some() { params } else { &parts[..] };
            let present = shown.iter().filter(|p| !p.range.is_empty());
            found.extend(present.map(|part| {
                let own = largest.filter(|i| part.values.len() == value.values.len() && part.range.contains(i));
                self.element(site, part, own.unwrap_or(part.range.start))
            }));
        }
        if parts.iter().all(|p| p.range.is_empty()) {
            found.push("has no elements".to_string());
        }
        fault.into_iter().chain(found).collect::<Vec<_>>().join(", ")
    }

    /// Returns whether a parameter of a distribution can have the value `x` as its element `i`.
    fn is_allowed(&self, site: &SiteRecord, part: &Part, x: f64, i: usize) -> bool {
        match (site.distribution, part.name) {
            (_, "scale" | "rate" | "df" | "concentration" | "concentration0" | "concentration1") => x > 0.0,
            ("Bernoulli" | "Binomial", "probs") => (0.0..=1.0).contains(&x),
            (_, "probs" | "total_count") => x >= 0.0,
            // Only the diagonal has to be positive.
            (_, "scale_tril") => match *self.shape_of(part.held) {
                [.., n, m] if n == m => x > 0.0 || i / n % n != i % n,
                _ => true,
            },
            _ => true,
        }
    }

    /// Says where a value that is NaN comes from: the first operation that makes one of numbers.
    fn origin(&self, part: &Part, i: usize) -> String {
        let Held::Node(node) = part.held else {
            return String::new();
        };
        if !part.values[i].is_nan() {
            return String::new();
        }
        let records = self.tape.records();
        let (mut open, mut seen, mut first) = (vec![node], HashSet::new(), None);
        while let Some(node) = open.pop() {
            let is_nan = self.tape.elements_of(node).iter().any(|x| x.is_nan());
            if is_nan && seen.insert(node) {
                open.extend_from_slice(records.args(node));
                first = first.map_or(Some(node), |found: u32| Some(found.min(node)));
            }
        }
        // A draw that is NaN has parameters that are not allowed, and these are named.
        let is_told =
            |&first: &u32| !records.args(first).is_empty() && records.nodes[first as usize].def.role != Role::Random;
        let Some(first) = first.filter(is_told) else {
            return String::new();
        };
        let name = records.nodes[first as usize].def.name;
        let pivot = (name == Cholesky::NAME)
            .then(|| self.pivot(records.args(first)[0]))
            .flatten();
        format!(", which comes from `{name}`{}", pivot.unwrap_or_default())
    }

    /// Says which pivot of a matrix, or of the first such of several, is not positive.
    fn pivot(&self, node: u32) -> Option<String> {
        let shape = self.shape_of(Held::Node(node));
        let &[.., n, _] = shape.as_slice() else { return None };
        let values = self.tape.elements_of(node);
        let (row, (i, rest)) = values
            .chunks_exact(n * n)
            .enumerate()
            .find_map(|(row, matrix)| Some((row, bad_pivot(matrix, n)?)))?;
        let of = match values.len() == n * n {
            true => String::new(),
            false => format!(" of matrix {row}"),
        };
        let rest = number(rest);
        Some(format!(
            ": the matrix is not positive definite, pivot {i}{of} is {rest} in place of a positive number"
        ))
    }

    fn shape_of(&self, held: Held) -> Shape {
        match held {
            Held::Constant(_) => Shape::new(),
            Held::Node(node) => Shape::from_slice(self.tape.records().shape(node)),
        }
    }

    /// Names the first value outside of the support, or else on its edge, with the bounds there.
    fn outside(&self, site: &SiteRecord, part: &Part) -> Option<String> {
        let values = &part.values;
        let support = site.support?.map(|bound| self.elements_of(bound));
        let at = |i: usize| {
            let bound = |bounds: &Vec<f64>| bounds[if bounds.len() == values.len() { i } else { 0 }];
            support.clone().map(|bounds| bound(&bounds))
        };
        let first = |is_found: &dyn Fn(usize) -> bool| part.range.clone().find(|&i| is_found(i));
        let outside = first(&|i| !at(i).can_hold(values[i]));
        if let (Some(Bounded::Simplex), None) = (site.support, outside)
            && let Some(fault) = self.off_simplex(part)
        {
            return Some(fault);
        }
        let (i, place) = match outside {
            Some(i) => (i, "outside"),
            None => (first(&|i| at(i).is_edge(values[i]))?, "on the edge"),
        };
        Some(format!("{} {place} of {:?}", self.element(site, part, i), at(i)))
    }

    /// Tells the sum of the first row of a simplex that does not sum to one.
    fn off_simplex(&self, part: &Part) -> Option<String> {
        let k = *self.shape_of(part.held).last()?;
        let tolerance = match self.tape.precision() {
            Precision::F64 => 1e-6,
            Precision::F32 => 1e-3,
        };
        let rows = part.values[part.range.clone()].chunks_exact(k.max(1)).enumerate();
        let mut sums = rows.map(|(row, x)| (row, x.iter().sum::<f64>()));
        let (row, sum) = sums.find(|(_, sum)| (sum - 1.0).abs() > tolerance)?;
        let of = match part.values.len() == k {
            true => String::new(),
            false => format!(" in row {}", part.range.start / k.max(1) + row),
        };
        Some(format!("{}{of} sums to {} in place of 1", part.name, number(sum)))
    }

    /// Names an element and its value; of a subsampled plate it names the row among all rows too.
    fn element(&self, site: &SiteRecord, part: &Part, i: usize) -> String {
        let (name, value) = (part.name, number(part.values[i]));
        if part.values.len() == 1 {
            return format!("{name} = {value}");
        }
        let at = position(&self.shape_of(part.held), i);
        let at: Vec<String> = at.iter().map(usize::to_string).collect();
        format!("{name}[{}] = {value}{}", at.join(", "), self.rows_of(site, part, i))
    }

    /// Returns the rows of subsampled plates, among all rows, that an element of a part with these plates belongs to.
    fn rows_of(&self, site: &SiteRecord, part: &Part, i: usize) -> String {
        let Held::Node(node) = part.held else {
            return String::new();
        };
        let plates = if part.has_plates { site.plates.as_slice() } else { &[] };
        let records = self.tape.records();
        let shape = records.shape(node);
        let mut rows = String::new();
        for (axis, &dim) in plates.iter().enumerate() {
            let dim = &records.dims[dim as usize];
            if shape.get(axis) != Some(&dim.len) {
                break;
            }
            if let Some(slot) = dim.rows {
                let below: usize = shape[axis + 1..].iter().product();
                let chosen = &records.nodes[records.slots[slot as usize] as usize];
                let row = records.store.get(chosen.offset as usize + i / below % dim.len);
                rows += &format!(" (row {row} of plate `{}`)", dim.name);
            }
        }
        rows
    }
}

/// The value of a site, or a parameter of its distribution.
struct Part {
    name: &'static str,
    held: Held,
    /// Whether its first axes are the plates of the site.
    has_plates: bool,
    values: Vec<f64>,
    /// The elements that can be to blame.
    range: Range<usize>,
}

/// Returns the first pivot of the Cholesky factorisation of a matrix of `n` rows that is not positive: its number and value.
fn bad_pivot(matrix: &[f64], n: usize) -> Option<(usize, f64)> {
    let mut l = matrix.to_vec();
    for i in 0..n {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum();
            let rest = l[i * n + j] - known;
            if j < i {
                l[i * n + j] = rest / l[j * n + j];
            } else if rest > 0.0 {
                l[i * n + i] = rest.sqrt();
            } else {
                return Some((i, rest));
            }
        }
    }
    None
}
