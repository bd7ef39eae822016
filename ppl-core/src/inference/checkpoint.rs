//! Chains in files, so that a run that was killed goes on where it was.
//!
//! A file holds a chain after some of its steps: the fields of its [`Record`] as tensors in the format safetensors, and as
//! metadata the version, the settings, where the chain began, the number of steps, and a checksum of all of it. It is written
//! beside its name and then renamed, so that a name always holds a whole file.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use safetensors::{Dtype, SafeTensors, View};

use crate::error::{Error, Result};
use crate::inference::persist::{Record, VERSION};

/// Where and how often chains are written.
///
/// A run with a checkpoint begins where its files end. Chains draw the random numbers of a step from its number, so that a run
/// that was killed at any instant and started again has the bits of one that was not. More chains and more draws may be asked
/// for than before; other settings, another model or other data are an error.
///
/// ```
/// use ndarray::{Array1, array};
/// use ppl_core::distributions::Normal;
/// use ppl_core::inference::checkpoint::Checkpoint;
/// use ppl_core::inference::nuts::Nuts;
/// use ppl_macros::model;
///
/// #[model(crate = ppl_core)]
/// fn mean_of(y: Obs<Array1<f64>>) {
///     let mu = sample(Normal(0, 10));
///     for i in plate(y) {
///         observe(y[i], Normal(mu, 1));
///     }
/// }
///
/// let folder = std::env::temp_dir().join("posterior-checkpoint-example");
/// # let _ = std::fs::remove_dir_all(&folder);
/// let y = array![4.0, 5.0, 6.0];
/// let nuts = Nuts::default().warmup(100).seed(1).checkpoint(Checkpoint::to(&folder));
/// let first = nuts.clone().draws(100).run(&mean_of(&y))?;
/// // Two hundred more draws: the first hundred are read.
/// let both = nuts.draws(300).run(&mean_of(&y))?;
/// assert_eq!(both.mu()[[0, 99]], first.mu()[[0, 99]]);
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), ppl_core::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    folder: PathBuf,
    every: Every,
}

/// How much passes between two files of a chain.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Every {
    Time(Duration),
    Steps(usize),
}

/// The file of one chain.
pub(crate) struct ChainFile {
    path: PathBuf,
    every: Every,
    identity: Identity,
    last: Instant,
}

/// What a file must have in common with a chain that goes on from it.
pub(crate) struct Identity {
    /// The sampler and those of its settings on which the steps depend.
    pub settings: String,
    /// The log density where the chain began, to the bit: that of another model or of other data is another.
    pub origin: f64,
}

impl Checkpoint {
    /// Writes each chain into a file of its own in this folder, every ten seconds and at its end.
    pub fn to(folder: impl AsRef<Path>) -> Self {
        Checkpoint {
            folder: folder.as_ref().to_path_buf(),
            every: Every::Time(Duration::from_secs(10)),
        }
    }

    /// Writes after so much time.
    pub fn every(mut self, time: Duration) -> Self {
        self.every = Every::Time(time);
        self
    }

    /// Writes after so many steps.
    ///
    /// # Panics
    ///
    /// If the number is zero.
    pub fn every_steps(mut self, steps: usize) -> Self {
        assert!(steps > 0, "a checkpoint is written every 1 step or more, not every 0");
        self.every = Every::Steps(steps);
        self
    }

    /// Returns the file of a chain.
    pub(crate) fn of_chain(&self, chain_idx: usize, identity: Identity) -> ChainFile {
        ChainFile {
            path: self.folder.join(format!("chain-{chain_idx}.safetensors")),
            every: self.every,
            identity,
            last: Instant::now(),
        }
    }
}

impl ChainFile {
    /// Returns whether a file is due after `step` steps.
    pub(crate) fn is_due(&self, step: usize) -> bool {
        match self.every {
            Every::Time(time) => self.last.elapsed() >= time,
            Every::Steps(steps) => step.is_multiple_of(steps),
        }
    }

    /// Writes the state of the chain after `step` steps.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; the one before then stays as it was.
    pub(crate) fn write(&mut self, step: usize, record: &Record) -> Result<()> {
        let bytes = encode(record, &self.identity, step).map_err(|e| self.fault("cannot be written", e))?;
        replace(&self.path, &bytes).map_err(|e| self.fault("cannot be written", e))?;
        self.last = Instant::now();
        Ok(())
    }

    /// Reads the state of the chain and the number of its steps; `None` if there is no file.
    ///
    /// # Errors
    ///
    /// If the file is damaged, or that of another version, run or model.
    pub(crate) fn read(&self) -> Result<Option<(usize, Record)>> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(self.fault("cannot be read", e)),
        };
        decode(&bytes, &self.identity)
            .map(Some)
            .map_err(|e| self.fault("is of no use", e))
    }

    fn fault(&self, what: &str, why: impl std::fmt::Display) -> Error {
        let path = self.path.display();
        Error::Invalid(format!("the checkpoint {path} {what}: {why}"))
    }
}

/// Puts bytes in the place of a file, at once.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension("tmp");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// A field as it stands in a file.
struct Tensor {
    dtype: Dtype,
    shape: [usize; 1],
    bytes: Vec<u8>,
}

impl View for &Tensor {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

fn encode(record: &Record, identity: &Identity, step: usize) -> Result<Vec<u8>, String> {
    let numbers = record.numbers.iter().map(|(name, values)| {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        (name.clone(), Dtype::F64, values.len(), bytes)
    });
    let counts = record
        .counts
        .iter()
        .map(|(name, count)| (name.clone(), Dtype::U64, 1, count.to_le_bytes().to_vec()));
    let tensors: BTreeMap<String, Tensor> = numbers
        .chain(counts)
        .map(|(name, dtype, n, bytes)| {
            let tensor = Tensor {
                dtype,
                shape: [n],
                bytes,
            };
            (name, tensor)
        })
        .collect();
    let mut metadata = BTreeMap::from([
        ("version".to_string(), VERSION.to_string()),
        ("settings".to_string(), identity.settings.clone()),
        ("origin".to_string(), format!("{:016x}", identity.origin.to_bits())),
        ("step".to_string(), step.to_string()),
    ]);
    let checksum = checksum(
        &metadata,
        tensors.iter().map(|(name, t)| (name.as_str(), t.bytes.as_slice())),
    );
    metadata.insert("crc32".to_string(), format!("{checksum:08x}"));
    let metadata: HashMap<String, String> = metadata.into_iter().collect();
    safetensors::serialize(&tensors, Some(metadata)).map_err(|e| e.to_string())
}

/// Returns the checksum of metadata and fields, each in the order of their names.
fn checksum<'a>(metadata: &BTreeMap<String, String>, fields: impl Iterator<Item = (&'a str, &'a [u8])>) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    let mut add = |bytes: &[u8]| {
        crc.update(&(bytes.len() as u64).to_le_bytes());
        crc.update(bytes);
    };
    for (key, value) in metadata.iter().filter(|(key, _)| *key != "crc32") {
        add(key.as_bytes());
        add(value.as_bytes());
    }
    for (name, bytes) in fields {
        add(name.as_bytes());
        add(bytes);
    }
    crc.finalize()
}

fn decode(bytes: &[u8], identity: &Identity) -> Result<(usize, Record), String> {
    let damaged = |why: String| format!("it is damaged ({why}); remove it to begin anew");
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| damaged(e.to_string()))?;
    let file = SafeTensors::deserialize(bytes).map_err(|e| damaged(e.to_string()))?;
    let metadata: BTreeMap<String, String> = header.metadata().clone().unwrap_or_default().into_iter().collect();
    let entry = |key: &str| {
        let value = metadata.get(key);
        value.ok_or_else(|| damaged(format!("it does not tell its {key}")))
    };
    if *entry("version")? != VERSION.to_string() {
        let other = entry("version")?;
        return Err(format!("it has the version {other}, and this library reads {VERSION}"));
    }
    let mut fields: Vec<_> = file.tensors();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    let found = checksum(
        &metadata,
        fields.iter().map(|(name, view)| (name.as_str(), view.data())),
    );
    if *entry("crc32")? != format!("{found:08x}") {
        return Err(damaged("its checksum is another".to_string()));
    }
    if *entry("settings")? != identity.settings {
        let theirs = entry("settings")?;
        return Err(format!(
            "it is that of a run with other settings: {theirs}, and now {}",
            identity.settings
        ));
    }
    if *entry("origin")? != format!("{:016x}", identity.origin.to_bits()) {
        return Err(
            "it is that of another model, of other data or of another build: its chain began elsewhere".to_string(),
        );
    }
    let step = entry("step")?
        .parse()
        .map_err(|_| damaged("its step is no number".to_string()))?;
    let mut record = Record::default();
    for (name, view) in fields {
        let words = view.data().chunks_exact(8).map(|b| b.try_into().expect("eight bytes"));
        match view.dtype() {
            Dtype::F64 => {
                record.numbers.insert(name, words.map(f64::from_le_bytes).collect());
            }
            Dtype::U64 => {
                let count = words.map(u64::from_le_bytes).next();
                record
                    .counts
                    .insert(name, count.ok_or_else(|| damaged("an empty field".to_string()))?);
            }
            other => return Err(damaged(format!("a field of {other:?}"))),
        }
    }
    Ok((step, record))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let (mut x, mut n, mut values) = (-0.0, u64::MAX, vec![1.5, f64::NEG_INFINITY, 0.1]);
        Record::of(|fields| {
            fields.number("x", &mut x);
            fields.count("part/n", &mut n);
            fields.list("values", &mut values);
            fields.list("none", &mut Vec::new());
        })
    }

    fn identity(settings: &str, origin: f64) -> Identity {
        Identity {
            settings: settings.to_string(),
            origin,
        }
    }

    #[test]
    fn what_is_encoded_is_decoded_to_the_bit() {
        let own = identity("Nuts { seed: 1 }", -3.25);
        let bytes = encode(&record(), &own, 77).unwrap();
        assert_eq!(decode(&bytes, &own).unwrap(), (77, record()));
    }

    #[test]
    fn every_flipped_byte_and_every_cut_is_noticed() {
        let own = identity("Nuts { seed: 1 }", -3.25);
        let bytes = encode(&record(), &own, 77).unwrap();
        for i in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[i] ^= 1 << (i % 8);
            assert!(decode(&flipped, &own).is_err(), "byte {i} of {}", bytes.len());
            assert!(decode(&bytes[..i], &own).is_err(), "cut at {i}");
        }
        assert!(decode(&[bytes.as_slice(), b"x"].concat(), &own).is_err());
    }

    #[test]
    fn files_of_others_are_refused_in_words() {
        let bytes = encode(&record(), &identity("Nuts { seed: 1 }", -3.25), 77).unwrap();
        let error = decode(&bytes, &identity("Nuts { seed: 2 }", -3.25)).unwrap_err();
        assert!(
            error.contains("other settings: Nuts { seed: 1 }, and now Nuts { seed: 2 }"),
            "{error}"
        );
        let error = decode(&bytes, &identity("Nuts { seed: 1 }", -3.5)).unwrap_err();
        assert!(error.contains("another model, of other data"), "{error}");
        let older: Vec<u8> = {
            let at = bytes.windows(13).position(|w| w == b"\"version\":\"1\"").unwrap();
            let mut bytes = bytes.clone();
            bytes[at + 11] = b'9';
            bytes
        };
        let error = decode(&older, &identity("Nuts { seed: 1 }", -3.25)).unwrap_err();
        assert!(error.contains("version 9, and this library reads 1"), "{error}");
    }
}
