//! Images with their labels, checked once when they come together.

use std::path::{Path, PathBuf};

use ndarray::{Array1, Array2, ArrayView1, Axis};

use crate::data::idx::{read_labels, read_pixels, scale_pixel};
use crate::error::DataError;

/// Images, one a row, each with its class.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use ppl_nn::data::DataSet;
///
/// let data = DataSet::new(array![[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]], array![0, 1, 1], 2, [1, 2])?;
/// assert_eq!(data.class_counts(), [1, 2]);
/// let (images, labels) = data.batch(&[2, 0]);
/// assert_eq!(images, array![[0.5, 0.5], [0.0, 1.0]]);
/// assert_eq!(labels, array![1, 0]);
/// # Ok::<(), ppl_nn::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DataSet {
    /// The pixels of the images in row-major order, from 0 (ground) to 1 (ink): [n, height * width].
    pub images: Array2<f32>,
    /// The class of each image: \[n\], each below `n_classes`.
    pub labels: Array1<usize>,
    /// The number of classes.
    pub n_classes: usize,
    /// Height and width of an image in pixels.
    pub image_shape: [usize; 2],
}

impl DataSet {
    /// Returns the data set of these images [n, height * width] and labels \[n\].
    ///
    /// # Errors
    /// Returns an error if there is no image, if the counts of images and labels differ, if the columns are not
    /// height * width, if a pixel is not finite, or if a label is not below `n_classes`.
    pub fn new(
        images: Array2<f32>,
        labels: Array1<usize>,
        n_classes: usize,
        image_shape: [usize; 2],
    ) -> Result<Self, DataError> {
        let place = "labels";
        if images.is_empty() {
            return Err(DataError::Empty {
                place: "images".to_owned(),
                sizes: images.shape().to_vec(),
            });
        }
        let [height, width] = image_shape;
        if height.checked_mul(width) != Some(images.ncols()) {
            return Err(DataError::ImageShape {
                height,
                width,
                n_columns: images.ncols(),
            });
        }
        check_counts(place, images.nrows(), labels.len())?;
        check_labels(place, labels.view(), n_classes)?;
        if let Some(((row, column), &value)) = images.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(DataError::Pixel { row, column, value });
        }
        Ok(DataSet {
            images,
            labels,
            n_classes,
            image_shape,
        })
    }

    /// Returns the data set of an IDX file of images and an IDX file of labels, plain or gzipped, pixels scaled to 0..=1.
    ///
    /// # Errors
    /// Those of [`read_images`](crate::data::read_images) and of [`DataSet::new`], naming the files.
    pub fn idx_pair(images: impl AsRef<Path>, labels: impl AsRef<Path>, n_classes: usize) -> Result<Self, DataError> {
        let (images_path, labels_path) = (images.as_ref(), labels.as_ref());
        let pixels = read_pixels(images_path)?;
        let labels = read_labels(labels_path)?;
        let (n, height, width) = pixels.dim();
        check_counts(
            &format!("{} and {}", images_path.display(), labels_path.display()),
            n,
            labels.len(),
        )?;
        check_labels(&labels_path.display().to_string(), labels.view(), n_classes)?;
        let scaled = pixels.iter().copied().map(scale_pixel).collect();
        let images = Array2::from_shape_vec((n, height * width), scaled).expect("as many values as pixels");
        Ok(DataSet {
            images,
            labels,
            n_classes,
            image_shape: [height, width],
        })
    }

    /// Returns the data set of `PREFIX-images-idx3-ubyte` and `PREFIX-labels-idx1-ubyte` in a folder, each plain or,
    /// if there is no such file, with `.gz` at the end of its name.
    ///
    /// # Errors
    /// An error that names both candidates if a file is missing, else those of [`DataSet::idx_pair`].
    pub fn idx_dir(dir: impl AsRef<Path>, prefix: &str, n_classes: usize) -> Result<Self, DataError> {
        let find = |kind: &str| find_file(dir.as_ref(), format!("{prefix}-{kind}-ubyte"));
        DataSet::idx_pair(find("images-idx3")?, find("labels-idx1")?, n_classes)
    }

    /// Returns the training set (prefix `train`) and the test set (prefix `t10k`) of a folder with the files of MNIST,
    /// Fashion-MNIST or another set of ten classes in that form.
    ///
    /// # Errors
    /// Those of [`DataSet::idx_dir`].
    ///
    /// # Examples
    /// ```no_run
    /// let (train, test) = ppl_nn::data::DataSet::mnist_dir("data/mnist")?;
    /// assert_eq!((train.len(), test.len()), (60_000, 10_000));
    /// # Ok::<(), ppl_nn::DataError>(())
    /// ```
    pub fn mnist_dir(dir: impl AsRef<Path>) -> Result<(Self, Self), DataError> {
        const N_CLASSES: usize = 10;
        let dir = dir.as_ref();
        Ok((
            DataSet::idx_dir(dir, "train", N_CLASSES)?,
            DataSet::idx_dir(dir, "t10k", N_CLASSES)?,
        ))
    }

    /// Returns the number of images.
    #[expect(clippy::len_without_is_empty, reason = "a data set is never empty")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Returns how many images each class has: \[n_classes\].
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.n_classes];
        for &label in &self.labels {
            counts[label] += 1;
        }
        counts
    }

    /// Returns copies of these rows, in this order: images [rows, height * width] and labels \[rows\].
    ///
    /// # Panics
    /// Panics if a row is not below [`DataSet::len`].
    pub fn batch(&self, rows: &[usize]) -> (Array2<f32>, Array1<usize>) {
        (self.images.select(Axis(0), rows), self.labels.select(Axis(0), rows))
    }
}

/// Checks that there is one label for each image.
pub(crate) fn check_counts(place: &str, n_images: usize, n_labels: usize) -> Result<(), DataError> {
    if n_images != n_labels {
        return Err(DataError::Counts {
            place: place.to_owned(),
            n_images,
            n_labels,
        });
    }
    Ok(())
}

/// Checks that each label is a class.
pub(crate) fn check_labels(place: &str, labels: ArrayView1<'_, usize>, n_classes: usize) -> Result<(), DataError> {
    match labels.iter().position(|&label| label >= n_classes) {
        Some(row) => Err(DataError::Label {
            place: place.to_owned(),
            row,
            label: labels[row],
            n_classes,
        }),
        None => Ok(()),
    }
}

fn find_file(dir: &Path, name: String) -> Result<PathBuf, DataError> {
    let candidates = [dir.join(&name), dir.join(format!("{name}.gz"))];
    let found = candidates.into_iter().find(|path| path.exists());
    found.ok_or_else(|| DataError::MissingFile {
        dir: dir.to_owned(),
        name,
    })
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::data::idx::tests::{Scratch, gzip, idx};

    #[test]
    fn a_pair_of_files_becomes_rows_and_classes() {
        let images = Scratch::new("pair_images", &gzip(&idx(&[2, 1, 2], &[0, 255, 51, 0])));
        let labels = Scratch::new("pair_labels", &idx(&[2], &[1, 0]));
        let data = DataSet::idx_pair(&images.0, &labels.0, 2).unwrap();
        let expected = DataSet::new(array![[0.0, 1.0], [0.2, 0.0]], array![1, 0], 2, [1, 2]).unwrap();
        assert_eq!(data, expected);
    }

    #[test]
    fn a_folder_is_searched_for_plain_and_gzipped_names() {
        let dir = std::env::temp_dir().join(format!("ppl_nn_{}_folder", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let write = |name: &str, bytes: Vec<u8>| std::fs::write(dir.join(name), bytes).unwrap();
        write("train-images-idx3-ubyte", idx(&[2, 1, 1], &[255, 0]));
        write("train-labels-idx1-ubyte.gz", gzip(&idx(&[2], &[3, 9])));
        write("t10k-images-idx3-ubyte.gz", gzip(&idx(&[1, 1, 1], &[51])));
        let missing = DataSet::mnist_dir(&dir).unwrap_err().to_string();
        write("t10k-labels-idx1-ubyte", idx(&[1], &[4]));
        let (train, test) = DataSet::mnist_dir(&dir).unwrap();
        std::fs::remove_dir_all(&dir).unwrap();
        assert!(
            missing.ends_with("found neither t10k-labels-idx1-ubyte nor t10k-labels-idx1-ubyte.gz"),
            "{missing}"
        );
        assert_eq!((train.images, train.labels), (array![[1.0], [0.0]], array![3, 9]));
        assert_eq!((test.images, test.labels), (array![[0.2]], array![4]));
    }

    #[test]
    fn unequal_counts_name_both_numbers() {
        let images = Scratch::new("counts_images", &idx(&[3, 1, 1], &[0; 3]));
        let labels = Scratch::new("counts_labels", &idx(&[2], &[0; 2]));
        let message = DataSet::idx_pair(&images.0, &labels.0, 10).unwrap_err().to_string();
        assert!(
            message.contains("counts_images") && message.ends_with("3 images but 2 labels"),
            "{message}"
        );
    }

    #[test]
    fn a_label_out_of_range_names_file_row_and_value() {
        let images = Scratch::new("range_images", &idx(&[3, 1, 1], &[0; 3]));
        let labels = Scratch::new("range_labels", &idx(&[3], &[9, 0, 10]));
        let message = DataSet::idx_pair(&images.0, &labels.0, 10).unwrap_err().to_string();
        let expected = "range_labels: the label of row 2 is 10, expected a class below 10";
        assert!(message.ends_with(expected), "{message}");
    }

    #[test]
    fn arrays_are_checked_like_files() {
        let error =
            |images: Array2<f32>, labels, n_classes, shape| DataSet::new(images, labels, n_classes, shape).unwrap_err();
        let empty = error(Array2::zeros((0, 4)), array![], 2, [2, 2]);
        assert!(
            matches!(&empty, DataError::Empty { sizes, .. } if sizes == &[0, 4]),
            "{empty}"
        );
        let shape = error(array![[0.0, 0.0]], array![0], 2, [2, 2]);
        assert!(
            matches!(
                shape,
                DataError::ImageShape {
                    height: 2,
                    width: 2,
                    n_columns: 2
                }
            ),
            "{shape}"
        );
        let counts = error(array![[0.0]], array![0, 1], 2, [1, 1]);
        assert!(
            matches!(
                counts,
                DataError::Counts {
                    n_images: 1,
                    n_labels: 2,
                    ..
                }
            ),
            "{counts}"
        );
        let label = error(array![[0.0], [1.0]], array![0, 5], 2, [1, 1]);
        assert!(
            matches!(
                label,
                DataError::Label {
                    row: 1,
                    label: 5,
                    n_classes: 2,
                    ..
                }
            ),
            "{label}"
        );
        let pixel = error(array![[0.0, 0.0], [1.0, f32::NAN]], array![0, 1], 2, [1, 2]);
        assert!(
            matches!(pixel, DataError::Pixel { row: 1, column: 1, value } if value.is_nan()),
            "{pixel}"
        );
    }

    /// The class counts of MNIST as its authors' files have them, where `POSTERIOR_DATA` names the folder above `mnist`.
    #[test]
    fn mnist_has_its_published_class_counts() {
        let Some(root) = std::env::var_os("POSTERIOR_DATA") else {
            eprintln!("skipped: POSTERIOR_DATA is not set");
            return;
        };
        let (train, test) = DataSet::mnist_dir(Path::new(&root).join("mnist")).unwrap();
        assert_eq!(
            train.class_counts(),
            [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
        );
        assert_eq!(
            test.class_counts(),
            [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
        );
        assert_eq!((train.image_shape, train.images.ncols()), ([28, 28], 784));
    }
}
