//! The written form of what a sampler has learnt: each part names its fields once, for writing and for reading alike.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// The version of the written form; it changes when a file of before can no longer be read.
pub const VERSION: u64 = 1;

/// Sees the fields of a part of a sampler, to write them down or to fill them.
///
/// A part calls it for each field in the same way in both directions, so that what is written is what is read.
pub trait Fields {
    /// Sees a real number.
    fn number(&mut self, name: &str, value: &mut f64);
    /// Sees a whole number.
    fn count(&mut self, name: &str, value: &mut u64);
    /// Sees real numbers, as many in the sampler as in what was written.
    fn numbers(&mut self, name: &str, values: &mut Vec<f64>);
    /// Sees real numbers, however many were written.
    fn list(&mut self, name: &str, values: &mut Vec<f64>);
    /// Sees the fields of a part inside this part.
    fn part(&mut self, name: &str, visit: &mut dyn FnMut(&mut dyn Fields));

    /// Sees a truth value.
    fn truth(&mut self, name: &str, value: &mut bool) {
        let mut count = u64::from(*value);
        self.count(name, &mut count);
        *value = count != 0;
    }
}

/// The fields of a sampler by their full names, such as `transition/step_size`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Real numbers by name, with the bits that they had.
    pub numbers: BTreeMap<String, Vec<f64>>,
    /// Whole numbers by name.
    pub counts: BTreeMap<String, u64>,
}

impl Record {
    /// Writes down what `visit` shows.
    ///
    /// ```
    /// use ppl_core::inference::persist::Record;
    ///
    /// let (mut scale, mut steps) = (0.5, 7);
    /// let record = Record::of(|fields| {
    ///     fields.number("scale", &mut scale);
    ///     fields.count("steps", &mut steps);
    /// });
    /// let (mut scale, mut steps) = (0.0, 0);
    /// record.fill(|fields| {
    ///     fields.number("scale", &mut scale);
    ///     fields.count("steps", &mut steps);
    /// })?;
    /// assert_eq!((scale, steps), (0.5, 7));
    /// # Ok::<(), ppl_core::error::Error>(())
    /// ```
    pub fn of(visit: impl FnOnce(&mut dyn Fields)) -> Self {
        let mut writer = Writer {
            record: Record::default(),
            path: String::new(),
        };
        visit(&mut writer);
        writer.record
    }

    /// Fills the fields that `visit` shows with what is written here.
    ///
    /// # Errors
    ///
    /// If a field is not written here or has another length, or something is written that no field takes: the record is of
    /// another sampler or model. Fields that were filled before keep their new values.
    pub fn fill(&self, visit: impl FnOnce(&mut dyn Fields)) -> Result<()> {
        let mut reader = Reader {
            record: self,
            path: String::new(),
            n_read: 0,
            fault: None,
        };
        visit(&mut reader);
        let n_written = self.numbers.len() + self.counts.len();
        match reader.fault {
            Some(fault) => Err(Error::Invalid(fault)),
            None if reader.n_read < n_written => Err(Error::Invalid(format!(
                "the state has {n_written} fields, of which this sampler knows {}: it is that of another",
                reader.n_read
            ))),
            None => Ok(()),
        }
    }
}

struct Writer {
    record: Record,
    path: String,
}

impl Fields for Writer {
    fn number(&mut self, name: &str, value: &mut f64) {
        self.record.numbers.insert(full(&self.path, name), vec![*value]);
    }

    fn count(&mut self, name: &str, value: &mut u64) {
        self.record.counts.insert(full(&self.path, name), *value);
    }

    fn numbers(&mut self, name: &str, values: &mut Vec<f64>) {
        self.record.numbers.insert(full(&self.path, name), values.clone());
    }

    fn list(&mut self, name: &str, values: &mut Vec<f64>) {
        self.numbers(name, values);
    }

    fn part(&mut self, name: &str, visit: &mut dyn FnMut(&mut dyn Fields)) {
        let inner = full(&self.path, name);
        let outer = std::mem::replace(&mut self.path, inner);
        visit(self);
        self.path = outer;
    }
}

struct Reader<'r> {
    record: &'r Record,
    path: String,
    n_read: usize,
    fault: Option<String>,
}

impl Reader<'_> {
    fn found<T>(&mut self, name: &str, value: Option<T>) -> Option<T> {
        match value {
            Some(_) => self.n_read += 1,
            None => self.refuse(format!(
                "the state lacks `{}`: it is that of another sampler",
                full(&self.path, name)
            )),
        }
        value
    }

    fn refuse(&mut self, fault: String) {
        self.fault.get_or_insert(fault);
    }
}

impl Fields for Reader<'_> {
    fn number(&mut self, name: &str, value: &mut f64) {
        let mut values = vec![*value];
        self.numbers(name, &mut values);
        *value = values[0];
    }

    fn count(&mut self, name: &str, value: &mut u64) {
        let written = self.record.counts.get(&full(&self.path, name)).copied();
        if let Some(written) = self.found(name, written) {
            *value = written;
        }
    }

    fn numbers(&mut self, name: &str, values: &mut Vec<f64>) {
        let written = self.record.numbers.get(&full(&self.path, name));
        let Some(written) = self.found(name, written) else {
            return;
        };
        if written.len() != values.len() {
            let (path, n, own) = (full(&self.path, name), written.len(), values.len());
            return self.refuse(format!(
                "`{path}` has {n} numbers in the state and {own} in the sampler: it is that of another model"
            ));
        }
        values.copy_from_slice(written);
    }

    fn list(&mut self, name: &str, values: &mut Vec<f64>) {
        let written = self.record.numbers.get(&full(&self.path, name));
        if let Some(written) = self.found(name, written) {
            values.clone_from(written);
        }
    }

    fn part(&mut self, name: &str, visit: &mut dyn FnMut(&mut dyn Fields)) {
        let inner = full(&self.path, name);
        let outer = std::mem::replace(&mut self.path, inner);
        visit(self);
        self.path = outer;
    }
}

fn full(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_string()
    } else {
        format!("{path}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Part {
        x: f64,
        n: u64,
        values: Vec<f64>,
        is_set: bool,
    }

    impl Part {
        fn visit(&mut self, fields: &mut dyn Fields) {
            fields.number("x", &mut self.x);
            fields.part("inner", &mut |fields| {
                fields.count("n", &mut self.n);
                fields.numbers("values", &mut self.values);
                fields.truth("is_set", &mut self.is_set);
            });
        }
    }

    fn part() -> Part {
        Part {
            x: f64::NEG_INFINITY,
            n: u64::MAX,
            values: vec![0.1 + 0.2, -0.0],
            is_set: true,
        }
    }

    fn blank(len: usize) -> Part {
        Part {
            x: 0.0,
            n: 0,
            values: vec![0.0; len],
            is_set: false,
        }
    }

    #[test]
    fn what_was_written_is_read_to_the_bit() {
        let record = Record::of(|f| part().visit(f));
        let mut read = blank(2);
        record.fill(|f| read.visit(f)).unwrap();
        assert_eq!(read, part());
        assert!(read.values[1].is_sign_negative());
    }

    #[test]
    fn a_record_of_another_sampler_is_refused_with_the_field() {
        let record = Record::of(|f| part().visit(f));
        let refused = |record: &Record, len: usize| record.fill(|f| blank(len).visit(f)).unwrap_err().to_string();
        assert!(refused(&record, 3).contains("`inner/values` has 2 numbers in the state and 3 in the sampler"));
        let mut less = record.clone();
        less.counts.remove("inner/n");
        assert!(refused(&less, 2).contains("the state lacks `inner/n`"));
        let mut more = record;
        more.counts.insert("other".to_string(), 1);
        assert!(refused(&more, 2).contains("has 5 fields, of which this sampler knows 4"));
    }
}
