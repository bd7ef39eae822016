//! IDX files of unsigned bytes, plain or gzipped, read with memory bounded by what the file really holds.
//!
//! The form: a big-endian magic number `0x0000_08dd` (08 for unsigned bytes, dd the number of dimensions),
//! one big-endian `u32` for each size, then the bytes in row-major order.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use ndarray::{Array1, Array2, Array3};
use ppl_core::tensor::room::room;

use crate::error::DataError;

/// The first two bytes of every gzip stream (RFC 1952, section 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// What a value takes: the byte as it arrives, what the buffer doubles by, and the number that becomes of it.
const BYTES_A_VALUE: usize = 8;

/// The number of bytes behind the data that are counted.
const MAX_TRAILING: u64 = 1 << 20;

/// The third byte of an IDX magic number when the values are unsigned bytes.
const UNSIGNED_BYTE: u8 = 0x08;

/// Returns the images of an IDX file, one image a row, scaled from 0..=255 to 0..=1: [n, rows * columns].
///
/// Whether the file is gzipped is seen from its first bytes, not from its name.
///
/// # Errors
/// Returns an error if the file cannot be read, is no IDX file of three dimensions, is shorter or longer than its header
/// states, or holds no pixel. Nothing is allocated for values that the file does not hold.
///
/// # Examples
/// ```
/// let path = std::env::temp_dir().join("ppl_nn_doc_images.idx");
/// // One image of 1 x 2 pixels.
/// std::fs::write(&path, [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255])?;
/// assert_eq!(ppl_nn::data::read_images(&path)?, ndarray::array![[0.0, 1.0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_images(path: impl AsRef<Path>) -> Result<Array2<f32>, DataError> {
    let pixels = read_pixels(path)?;
    let (n, height, width) = pixels.dim();
    let scaled = pixels.iter().copied().map(scale_pixel).collect();
    Ok(Array2::from_shape_vec((n, height * width), scaled).expect("as many values as pixels"))
}

/// Returns the bytes of an IDX file of images: [n, rows, columns].
///
/// # Errors
/// As [`read_images`].
///
/// # Examples
/// ```
/// let path = std::env::temp_dir().join("ppl_nn_doc_pixels.idx");
/// std::fs::write(&path, [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 7, 9])?;
/// assert_eq!(ppl_nn::data::read_pixels(&path)?, ndarray::array![[[7, 9]]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_pixels(path: impl AsRef<Path>) -> Result<Array3<u8>, DataError> {
    let (sizes, bytes) = read_array::<3>(path.as_ref())?;
    Ok(Array3::from_shape_vec(sizes, bytes).expect("as many values as the sizes state"))
}

/// Returns the labels of an IDX file: \[n\].
///
/// # Errors
/// As [`read_images`], with one dimension in place of three.
///
/// # Examples
/// ```
/// let path = std::env::temp_dir().join("ppl_nn_doc_labels.idx");
/// std::fs::write(&path, [0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4])?;
/// assert_eq!(ppl_nn::data::read_labels(&path)?, ndarray::array![5, 0, 4]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_labels(path: impl AsRef<Path>) -> Result<Array1<usize>, DataError> {
    let (_, bytes) = read_array::<1>(path.as_ref())?;
    Ok(bytes.into_iter().map(usize::from).collect())
}

/// Returns the brightness of a byte on the scale from 0 to 1.
pub(crate) fn scale_pixel(byte: u8) -> f32 {
    f32::from(byte) / 255.0
}

/// Returns the sizes and the bytes of an IDX file of `D` dimensions.
fn read_array<const D: usize>(path: &Path) -> Result<([usize; D], Vec<u8>), DataError> {
    let mut source = Source::open(path)?;
    source.check_magic(D)?;
    let header = source.read(4 * D as u128)?;
    let mut sizes = [0; D];
    for (size, bytes) in sizes.iter_mut().zip(header.chunks_exact(4)) {
        *size = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
    }
    if sizes.contains(&0) {
        return Err(DataError::Empty {
            place: path.display().to_string(),
            sizes: sizes.to_vec(),
        });
    }
    let bytes = source.read(sizes.iter().map(|&size| size as u128).product())?;
    source.expect_end()?;
    Ok((sizes, bytes))
}

/// A file, decompressed where needed, that knows where it is.
struct Source {
    path: PathBuf,
    reader: Box<dyn Read>,
    /// The position in decompressed bytes.
    offset: u64,
    /// The length of a plain file; that of a gzip stream is unknown until its end.
    plain_length: Option<u64>,
}

impl Source {
    fn open(path: &Path) -> Result<Self, DataError> {
        let io_error = |source| DataError::Io {
            path: path.to_owned(),
            source,
        };
        // A pipe would wait for a writer, and a device has no end: they are not opened.
        let metadata = std::fs::metadata(path).map_err(io_error)?;
        if !metadata.is_file() {
            let is_folder = metadata.is_dir();
            return Err(DataError::NotAFile {
                path: path.to_owned(),
                found: if is_folder {
                    "a folder"
                } else {
                    "a pipe, a socket or a device"
                },
            });
        }
        let file = File::open(path).map_err(io_error)?;
        let mut buffered = BufReader::new(file);
        let is_gzip = buffered.fill_buf().map_err(io_error)?.starts_with(&GZIP_MAGIC);
        let reader: Box<dyn Read> = if is_gzip {
            Box::new(MultiGzDecoder::new(buffered))
        } else {
            Box::new(buffered)
        };
        let plain_length = (!is_gzip).then_some(metadata.len());
        Ok(Source {
            path: path.to_owned(),
            reader,
            offset: 0,
            plain_length,
        })
    }

    fn check_magic(&mut self, n_dimensions: usize) -> Result<(), DataError> {
        let bytes = self.read(4)?;
        let found = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let path = self.path.clone();
        if bytes[..3] != [0, 0, UNSIGNED_BYTE] {
            let expected = u32::from(UNSIGNED_BYTE) << 8 | n_dimensions as u32;
            return Err(DataError::Magic { path, expected, found });
        }
        let found = usize::from(bytes[3]);
        if found != n_dimensions {
            return Err(DataError::Dimensions {
                path,
                expected: n_dimensions,
                found,
            });
        }
        Ok(())
    }

    /// Returns exactly the next `expected` bytes; the memory grows with what arrives, not with what is asked for.
    fn read(&mut self, expected: u128) -> Result<Vec<u8>, DataError> {
        if let Some(length) = self.plain_length {
            let found = length.saturating_sub(self.offset);
            if u128::from(found) < expected {
                return Err(self.truncated(expected, found));
            }
        }
        let no_room = room(&[usize::try_from(expected).unwrap_or(usize::MAX)], BYTES_A_VALUE).err();
        let limit = match &no_room {
            Some(no_room) => no_room.memory / (2 * BYTES_A_VALUE as u64),
            None => u64::try_from(expected).unwrap_or(u64::MAX),
        };
        let mut bytes = Vec::new();
        let outcome = self.reader.by_ref().take(limit).read_to_end(&mut bytes);
        let found = bytes.len() as u64;
        if let Some(no_room) = no_room.filter(|_| found == limit) {
            let place = self.path.display().to_string();
            return Err(DataError::NoRoom { place, no_room });
        }
        match outcome {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(self.damaged(found, error)),
            _ if u128::from(found) < expected => Err(self.truncated(expected, found)),
            _ => {
                self.offset += found;
                Ok(bytes)
            }
        }
    }

    /// Reads to the end, where a gzip stream has its checksum, and demands that nothing comes; much more is not counted to
    /// its end.
    fn expect_end(&mut self) -> Result<(), DataError> {
        match io::copy(&mut self.reader.by_ref().take(MAX_TRAILING), &mut io::sink()) {
            Err(error) => Err(self.damaged(0, error)),
            Ok(0) => Ok(()),
            Ok(found) => Err(DataError::TrailingBytes {
                path: self.path.clone(),
                offset: self.offset,
                found,
            }),
        }
    }

    fn truncated(&self, expected: u128, found: u64) -> DataError {
        DataError::Truncated {
            path: self.path.clone(),
            offset: self.offset,
            expected,
            found,
        }
    }

    fn damaged(&self, n_read: u64, source: io::Error) -> DataError {
        let path = self.path.clone();
        match self.plain_length {
            Some(_) => DataError::Io { path, source },
            None => DataError::Gzip {
                path,
                offset: self.offset + n_read,
                source,
            },
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use ppl_core::rng::Key;
    use rand::Rng;

    use super::*;

    /// A file in the folder for temporary files, removed when dropped.
    pub(crate) struct Scratch(pub(crate) PathBuf);

    impl Scratch {
        pub(crate) fn new(name: &str, bytes: &[u8]) -> Self {
            let path = std::env::temp_dir().join(format!("ppl_nn_{}_{name}", std::process::id()));
            std::fs::write(&path, bytes).unwrap();
            Scratch(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    pub(crate) fn idx(sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut file = vec![0, 0, UNSIGNED_BYTE, sizes.len() as u8];
        for size in sizes {
            file.extend(size.to_be_bytes());
        }
        file.extend(bytes);
        file
    }

    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn images_error(name: &str, bytes: &[u8]) -> DataError {
        let file = Scratch::new(name, bytes);
        read_pixels(&file.0).expect_err(name)
    }

    #[test]
    fn plain_and_gzipped_files_hold_the_same_pixels_whatever_their_names() {
        let bytes = idx(&[2, 2, 3], &[0, 51, 102, 153, 204, 255, 1, 2, 3, 4, 5, 6]);
        let plain = Scratch::new("plain.gz", &bytes);
        let packed = Scratch::new("packed", &gzip(&bytes));
        let expected = ndarray::array![[[0, 51, 102], [153, 204, 255]], [[1, 2, 3], [4, 5, 6]]];
        assert_eq!(read_pixels(&plain.0).unwrap(), expected);
        assert_eq!(read_pixels(&packed.0).unwrap(), expected);
        let images = read_images(&packed.0).unwrap();
        assert_eq!(images.dim(), (2, 6));
        assert_eq!(images.row(0).to_vec(), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        assert_eq!(images[[1, 5]], 6.0 / 255.0);
    }

    #[test]
    fn labels_are_the_bytes() {
        let file = Scratch::new("labels", &gzip(&idx(&[4], &[7, 0, 9, 255])));
        assert_eq!(read_labels(&file.0).unwrap(), ndarray::array![7, 0, 9, 255]);
    }

    #[test]
    fn gzip_members_in_a_row_are_one_file() {
        let bytes = idx(&[4], &[1, 2, 3, 4]);
        let file = Scratch::new("members", &[gzip(&bytes[..6]), gzip(&bytes[6..])].concat());
        assert_eq!(read_labels(&file.0).unwrap(), ndarray::array![1, 2, 3, 4]);
    }

    #[test]
    fn twenty_bytes_that_claim_four_billion_images_are_refused() {
        let bytes = idx(&[u32::MAX, u32::MAX, u32::MAX], &[0; 4]);
        let claimed = u128::from(u32::MAX).pow(3);
        for (name, bytes) in [("claim", bytes.clone()), ("claim.gz", gzip(&bytes))] {
            match images_error(name, &bytes) {
                DataError::Truncated {
                    offset: 16,
                    expected,
                    found: 4,
                    ..
                } => assert_eq!(expected, claimed),
                other => panic!("{name}: {other}"),
            }
        }
        let modest = idx(&[4_000_000_000, 1, 1], &[0; 4]);
        let message = images_error("modest", &modest).to_string();
        assert!(
            message.ends_with("byte 16: expected 4000000000 more bytes, found 4"),
            "{message}"
        );
    }

    #[test]
    fn a_plain_file_that_is_too_short_is_refused_before_it_is_read() {
        let file = Scratch::new("unread", &[1, 2, 3]);
        let mut source = Source::open(&file.0).unwrap();
        assert!(source.read(4).is_err());
        assert_eq!(source.read(3).unwrap(), [1, 2, 3]);
    }

    #[test]
    fn truncated_headers_and_data_say_where() {
        let bytes = idx(&[2, 2, 3], &[9; 12]);
        for (length, at, lacks, has) in [(0, 0, 4, 0), (3, 0, 4, 3), (9, 4, 12, 5), (27, 16, 12, 11)] {
            for (name, bytes) in [("cut", bytes[..length].to_vec()), ("cut.gz", gzip(&bytes[..length]))] {
                match images_error(&format!("{length}_{name}"), &bytes) {
                    DataError::Truncated {
                        offset,
                        expected,
                        found,
                        ..
                    } => {
                        assert_eq!((offset, expected, found), (at, lacks, has), "{name} of length {length}");
                    }
                    other => panic!("{name} of length {length}: {other}"),
                }
            }
        }
    }

    #[test]
    fn a_gzip_stream_cut_short_is_refused() {
        let packed = gzip(&idx(&[2, 2, 3], &[1, 5, 2, 8, 3, 9, 4, 7, 1, 2, 6, 5]));
        let cut_in_data = images_error("cut_data.gz", &packed[..packed.len() - 12]);
        assert!(
            matches!(
                cut_in_data,
                DataError::Truncated {
                    offset: 16,
                    expected: 12,
                    ..
                }
            ),
            "{cut_in_data}"
        );
        let cut_in_checksum = images_error("cut_checksum.gz", &packed[..packed.len() - 3]);
        assert!(
            matches!(cut_in_checksum, DataError::Gzip { offset: 28, .. }),
            "{cut_in_checksum}"
        );
    }

    #[test]
    fn foreign_files_and_wrong_dimensions_are_told_apart() {
        let png = images_error("foreign", b"\x89PNG\r\n\x1a\n0000000000000000");
        assert!(
            matches!(
                png,
                DataError::Magic {
                    expected: 0x803,
                    found: 0x8950_4e47,
                    ..
                }
            ),
            "{png}"
        );
        let floats = images_error("floats", &[0, 0, 0x0d, 3, 0, 0, 0, 0]);
        assert!(
            matches!(
                floats,
                DataError::Magic {
                    expected: 0x803,
                    found: 0xd03,
                    ..
                }
            ),
            "{floats}"
        );
        let labels = images_error("swapped", &idx(&[3], &[1, 2, 3]));
        assert!(
            matches!(
                labels,
                DataError::Dimensions {
                    expected: 3,
                    found: 1,
                    ..
                }
            ),
            "{labels}"
        );
    }

    #[test]
    fn trailing_bytes_are_counted() {
        let bytes = idx(&[1, 1, 2], &[1, 2, 3, 4, 5]);
        for (name, bytes) in [("long", bytes.clone()), ("long.gz", gzip(&bytes))] {
            let error = images_error(name, &bytes);
            assert!(
                matches!(
                    error,
                    DataError::TrailingBytes {
                        offset: 18,
                        found: 3,
                        ..
                    }
                ),
                "{name}: {error}"
            );
        }
        let mut packed = gzip(&idx(&[1, 1, 2], &[1, 2]));
        packed.extend(b"junk");
        let error = images_error("junk.gz", &packed);
        assert!(matches!(error, DataError::Gzip { offset: 18, .. }), "{error}");
    }

    #[test]
    fn a_size_of_zero_is_an_empty_data_set() {
        let error = images_error("none", &idx(&[0, 28, 28], &[]));
        assert!(
            matches!(&error, DataError::Empty { sizes, .. } if sizes == &[0, 28, 28]),
            "{error}"
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read_labels("no/such/file").unwrap_err();
        assert!(error.to_string().starts_with("no/such/file: "), "{error}");
    }

    #[test]
    fn damaged_files_are_read_rightly_or_refused_but_never_panic() {
        let pixels: Vec<u8> = (0..3 * 7 * 5).map(|i| (i * 31 % 251) as u8).collect();
        let plain = idx(&[3, 7, 5], &pixels);
        let packed = gzip(&plain);
        let mut rng = Key::new(1).generator();
        let mut n_refused = 0;
        let n_trials = 3000;
        for trial in 0..n_trials {
            let mut bytes = if trial % 4 == 0 { plain.clone() } else { packed.clone() };
            bytes.truncate(if trial % 3 == 0 {
                rng.random_range(0..bytes.len())
            } else {
                bytes.len()
            });
            for _ in 0..rng.random_range(0..4) {
                if !bytes.is_empty() {
                    let at = rng.random_range(0..bytes.len());
                    bytes[at] ^= 1 << rng.random_range(0..8);
                }
            }
            let file = Scratch::new("damaged", &bytes);
            match read_pixels(&file.0) {
                Ok(images) => assert_eq!(images.len(), pixels.len()),
                Err(_) => n_refused += 1,
            }
        }
        assert!(
            (n_trials / 2..n_trials).contains(&n_refused),
            "{n_refused} of {n_trials} refused"
        );
    }
}
