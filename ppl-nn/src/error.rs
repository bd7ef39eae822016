//! The errors of data files, data sets, batches and predictive probabilities.

use std::io;
use std::path::PathBuf;

use ppl_core::tensor::room::NoRoom;

/// What is wrong with a file, a data set, a batch or a table of probabilities, with the place and the numbers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file cannot be opened, read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// A folder holds a data file under neither of its names.
    #[error("{}: found neither {name} nor {name}.gz", dir.display())]
    MissingFile {
        /// The folder.
        dir: PathBuf,
        /// The name without `.gz`.
        name: String,
    },

    /// The path leads to something that cannot be read as a file.
    #[error("{}: expected a file, found {found}", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },

    /// The values that a file states, or the rows of an epoch, find no room in memory.
    #[error("{place}: {no_room}")]
    NoRoom {
        /// The file or what else is too large.
        place: String,
        /// The sizes, and the bytes that they take.
        no_room: NoRoom,
    },

    /// The first four bytes are not those of an IDX file of unsigned bytes.
    #[error("{}: byte 0: expected the IDX magic {expected:#010x}, found {found:#010x}", path.display())]
    Magic {
        /// The file.
        path: PathBuf,
        /// The magic number of the form that was asked for.
        expected: u32,
        /// The number that stands there.
        found: u32,
    },

    /// The IDX file holds an array with another number of dimensions than was asked for.
    #[error("{}: byte 3: expected an array of {expected} dimensions, found {found}", path.display())]
    Dimensions {
        /// The file.
        path: PathBuf,
        /// The number of dimensions that was asked for: 3 for images, 1 for labels.
        expected: usize,
        /// The number of dimensions that the file states.
        found: usize,
    },

    /// The file ends before the data that its header promises.
    #[error("{}: byte {offset}: expected {expected} more bytes, found {found}", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Where the incomplete part starts, in decompressed bytes.
        offset: u64,
        /// The length of that part.
        expected: u128,
        /// How much of it is there.
        found: u64,
    },

    /// The file goes on after the data that its header promises.
    #[error("{}: byte {offset}: expected the end of the file, found {found} more bytes", path.display())]
    TrailingBytes {
        /// The file.
        path: PathBuf,
        /// Where the data end, in decompressed bytes.
        offset: u64,
        /// How many bytes follow, of which at most a million are counted.
        found: u64,
    },

    /// The gzip stream is damaged.
    #[error("{}: gzip stream is damaged after {offset} decompressed bytes: {source}", path.display())]
    Gzip {
        /// The file.
        path: PathBuf,
        /// How many bytes could be decompressed.
        offset: u64,
        /// What the decompressor said.
        source: io::Error,
    },

    /// A data set or a file holds no values.
    #[error("{place}: the data set is empty, its sizes are {sizes:?}")]
    Empty {
        /// The file or the array.
        place: String,
        /// The sizes, one of which is zero.
        sizes: Vec<usize>,
    },

    /// There is not one label, or one row of probabilities, for each image.
    #[error("{place}: {n_images} images but {n_labels} labels")]
    Counts {
        /// The files or the array.
        place: String,
        /// The number of images.
        n_images: usize,
        /// The number of labels.
        n_labels: usize,
    },

    /// The columns of an image array are not height times width.
    #[error("an image of {height} x {width} pixels does not fill a row of {n_columns} values")]
    ImageShape {
        /// The stated height in pixels.
        height: usize,
        /// The stated width in pixels.
        width: usize,
        /// The number of columns of the image array.
        n_columns: usize,
    },

    /// A label names a class that does not exist.
    #[error("{place}: the label of row {row} is {label}, expected a class below {n_classes}")]
    Label {
        /// The file or the array.
        place: String,
        /// The row of the label.
        row: usize,
        /// The label.
        label: usize,
        /// The number of classes.
        n_classes: usize,
    },

    /// A pixel is NaN or infinite.
    #[error("image {row} has the value {value} at pixel {column}, expected a finite number")]
    Pixel {
        /// The row of the image.
        row: usize,
        /// The position of the pixel in the row.
        column: usize,
        /// The value.
        value: f32,
    },

    /// A batch is empty or larger than the data.
    #[error("a batch of {batch} rows cannot be taken from {n} rows")]
    BatchSize {
        /// The number of rows of a batch.
        batch: usize,
        /// The number of rows of the data.
        n: usize,
    },

    /// A class probability is NaN or not between 0 and 1.
    #[error("the probability at {index:?} is {value}, expected a number between 0 and 1")]
    Probability {
        /// The index, ending with the class.
        index: Vec<usize>,
        /// The value.
        value: f64,
    },

    /// Class probabilities do not sum to one.
    #[error("the probabilities at {index:?} sum to {sum}, expected 1")]
    ProbabilitySum {
        /// The index without the class.
        index: Vec<usize>,
        /// The sum over the classes.
        sum: f64,
    },
}
