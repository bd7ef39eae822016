//! Handwriting-like images of digits and letters, drawn from pen strokes with a seed: a data set without a download.

use ndarray::{Array1, Array2};
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::StandardUniform;
use ppl_core::rng::{Generator, Key};
use ppl_core::tensor::room::room;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use crate::data::alphabets::{DIGITS, Drawing, LETTERS};
use crate::data::data_set::DataSet;
use crate::data::idx::scale_pixel;
use crate::data::strokes::Point;

/// Height and width of an image in pixels, those of MNIST.
const SIDE: usize = 28;

/// The side of the square in the middle of an image that a character fills before it is distorted, as in MNIST.
const CHARACTER_SIDE: f32 = 20.0;

/// The standard deviation of the displacement of a point of a stroke, in character sides.
const JITTER: f32 = 0.035;

/// The standard deviation of the rotation in radians.
const ROTATION: f32 = 0.12;

/// The standard deviation of the shear, which makes handwriting lean.
const SHEAR: f32 = 0.2;

/// The smallest and largest height relative to `CHARACTER_SIDE`.
const HEIGHT: [f32; 2] = [0.75, 1.05];

/// The smallest and largest width relative to the height.
const ASPECT: [f32; 2] = [0.75, 1.15];

/// The largest shift along each axis in pixels.
const SHIFT: f32 = 1.75;

/// The smallest and largest radius of the pen in pixels.
const PEN_RADIUS: [f32; 2] = [0.7, 1.9];

/// The largest change of the radius along a character, relative to the radius.
const PRESSURE: f32 = 0.25;

/// The smallest and largest brightness of the ink.
const BRIGHTNESS: [f32; 2] = [0.75, 1.0];

/// The standard deviation of the noise of a pixel on the ground and the part added on full ink.
const NOISE: [f32; 2] = [0.02, 0.06];

/// A generator of images of the characters of one alphabet.
///
/// Each image is one of several handwritings of its character: strokes whose points are displaced a little, under a random
/// rotation, shear, scale and shift, drawn by a pen of random radius and brightness, with noise on all pixels. An image depends
/// on the seed, the alphabet and its row only, not on the number of threads or of images.
///
/// # Examples
/// ```
/// use ppl_nn::data::Glyphs;
///
/// let digits = Glyphs::digits().generate(20, 1);
/// assert_eq!(digits.images.dim(), (20, 784));
/// assert_eq!(digits.labels.to_vec()[8..12], [8, 9, 0, 1]);
/// assert_eq!(digits, Glyphs::digits().generate(20, 1));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Glyphs {
    alphabet: &'static [&'static [Drawing]],
    /// The child of the seed's key from which this alphabet draws.
    child: u64,
}

impl Glyphs {
    /// Returns the generator of the digits, class k being the digit k.
    pub fn digits() -> Self {
        Glyphs {
            alphabet: &DIGITS,
            child: 0,
        }
    }

    /// Returns the generator of the letters A to J, class 0 being the letter A.
    pub fn letters() -> Self {
        Glyphs {
            alphabet: &LETTERS,
            child: 1,
        }
    }

    /// Returns `n` images of 28 x 28 pixels with their classes, which take turns: row i has class i modulo 10.
    ///
    /// Like those of MNIST, pixels are multiples of 1/255.
    ///
    /// # Panics
    /// Panics if `n` is zero, or so large that the images find no room in memory.
    pub fn generate(&self, n: usize, seed: u64) -> DataSet {
        assert!(n > 0, "cannot generate a data set of 0 images: ask for one at least");
        check_room(n);
        let key = Key::new(seed).split(self.child);
        let n_classes = self.alphabet.len();
        let mut images = Array2::zeros((n, SIDE * SIDE));
        let rows = images
            .as_slice_mut()
            .expect("a standard layout")
            .par_chunks_mut(SIDE * SIDE);
        rows.enumerate().for_each(|(row, pixels)| {
            let mut rng = key.split(row as u64).generator();
            let drawings = self.alphabet[row % n_classes];
            draw(drawings[rng.random_range(0..drawings.len())], &mut rng, pixels);
        });
        let labels = Array1::from_shape_fn(n, |row| row % n_classes);
        DataSet::new(images, labels, n_classes, [SIDE, SIDE]).expect("classes in turn and finite pixels")
    }
}

/// Refuses more images than find room in memory.
fn check_room(n: usize) {
    if let Err(no_room) = room(&[n, SIDE * SIDE], size_of::<f32>()) {
        panic!("cannot generate {n} images: {no_room}; ask for fewer");
    }
}

/// Returns `n` images of 28 x 28 pixels, each pixel uniform on [0, 1): [n, 784].
///
/// # Panics
/// Panics if `n` is so large that the images find no room in memory.
///
/// # Examples
/// ```
/// let noise = ppl_nn::data::white_noise(100, 1);
/// assert_eq!(noise.dim(), (100, 784));
/// assert!((noise.mean().unwrap() - 0.5).abs() < 0.01);
/// ```
pub fn white_noise(n: usize, seed: u64) -> Array2<f32> {
    check_room(n);
    let mut rng = Key::new(seed).split(2).generator();
    Array2::random_using((n, SIDE * SIDE), StandardUniform, &mut rng)
}

/// Draws one character with random distortions on the black ground `pixels`.
fn draw(drawing: Drawing, rng: &mut Generator, pixels: &mut [f32]) {
    let affine = Affine::random(rng);
    let radius = uniform(rng, PEN_RADIUS);
    let pressure = PRESSURE * uniform(rng, [-1.0, 1.0]);
    for stroke in drawing {
        let corners = stroke.flatten(|| [JITTER * normal(rng), JITTER * normal(rng)]);
        let placed: Vec<(Point, f32)> = corners
            .iter()
            .map(|&corner| {
                (
                    affine.apply(corner),
                    radius * (1.0 + pressure * (2.0 * corner[1] - 1.0)),
                )
            })
            .collect();
        for piece in placed.windows(2) {
            ink(pixels, piece[0], piece[1]);
        }
    }
    let brightness = uniform(rng, BRIGHTNESS);
    for pixel in pixels {
        let value = brightness * *pixel + (NOISE[0] + NOISE[1] * *pixel) * normal(rng);
        *pixel = scale_pixel((255.0 * value).round() as u8);
    }
}

/// Covers the pixels within reach of a straight piece of a stroke, whose ends have a place and a pen radius each.
///
/// The cover of a pixel falls from 1 to 0 over one pixel width, half of it outside the radius.
fn ink(pixels: &mut [f32], (from, from_radius): (Point, f32), (to, to_radius): (Point, f32)) {
    let reach = from_radius.max(to_radius) + 0.5;
    let range = |k: usize| {
        let low = (from[k].min(to[k]) - reach).floor().clamp(0.0, SIDE as f32) as usize;
        let high = (from[k].max(to[k]) + reach).ceil().clamp(0.0, SIDE as f32) as usize;
        low..high
    };
    let step = [to[0] - from[0], to[1] - from[1]];
    let length_squared = (step[0] * step[0] + step[1] * step[1]).max(f32::MIN_POSITIVE);
    for y in range(1) {
        for x in range(0) {
            let from_centre = [x as f32 + 0.5 - from[0], y as f32 + 0.5 - from[1]];
            let t = ((from_centre[0] * step[0] + from_centre[1] * step[1]) / length_squared).clamp(0.0, 1.0);
            let [dx, dy] = [from_centre[0] - t * step[0], from_centre[1] - t * step[1]];
            let radius = from_radius + t * (to_radius - from_radius);
            let cover = (radius + 0.5 - (dx * dx + dy * dy).sqrt()).clamp(0.0, 1.0);
            let pixel = &mut pixels[y * SIDE + x];
            *pixel = pixel.max(cover);
        }
    }
}

/// A map from the unit square of strokes to pixels, x -> matrix (x - 1/2) + offset.
struct Affine {
    matrix: [[f32; 2]; 2],
    offset: Point,
}

impl Affine {
    /// Returns rotation after shear after scaling, each random, and a random shift from the middle of the image.
    fn random(rng: &mut Generator) -> Self {
        let (sin, cos) = (ROTATION * normal(rng)).sin_cos();
        // The shear moves the upper half, where y is negative, to the right when it is positive.
        let shear = -SHEAR * normal(rng);
        let height = CHARACTER_SIDE * uniform(rng, HEIGHT);
        let width = height * uniform(rng, ASPECT);
        let middle = 0.5 * SIDE as f32;
        Affine {
            matrix: [
                [cos * width, (cos * shear - sin) * height],
                [sin * width, (sin * shear + cos) * height],
            ],
            offset: [
                middle + uniform(rng, [-SHIFT, SHIFT]),
                middle + uniform(rng, [-SHIFT, SHIFT]),
            ],
        }
    }

    fn apply(&self, point: Point) -> Point {
        let [x, y] = [point[0] - 0.5, point[1] - 0.5];
        let [[xx, xy], [yx, yy]] = self.matrix;
        [self.offset[0] + xx * x + xy * y, self.offset[1] + yx * x + yy * y]
    }
}

fn uniform(rng: &mut Generator, [low, high]: [f32; 2]) -> f32 {
    low + (high - low) * rng.random::<f32>()
}

fn normal(rng: &mut Generator) -> f32 {
    StandardNormal.sample(rng)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The FNV-1a hash of the bytes of all pixels.
    fn fingerprint(images: &Array2<f32>) -> u64 {
        images.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &pixel| {
            (hash ^ (pixel * 255.0).round() as u64).wrapping_mul(0x0100_0000_01b3)
        })
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_with_1_2_and_8_threads() {
        let with_threads = |n_threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| Glyphs::digits().generate(64, 5))
        };
        let one = with_threads(1);
        assert_eq!(one, with_threads(2));
        assert_eq!(one, with_threads(8));
        assert_ne!(one, Glyphs::digits().generate(64, 6));
    }

    #[test]
    fn an_image_does_not_depend_on_how_many_follow() {
        let (few, many) = (Glyphs::letters().generate(13, 2), Glyphs::letters().generate(40, 2));
        assert_eq!(few.images, many.images.slice(ndarray::s![..13, ..]));
    }

    #[test]
    fn the_values_of_a_seed_stay() {
        assert_eq!(
            fingerprint(&Glyphs::digits().generate(30, 1).images),
            11_436_281_747_209_865_017
        );
        assert_eq!(
            fingerprint(&Glyphs::letters().generate(30, 1).images),
            12_576_784_453_367_333_039
        );
        assert_eq!(
            white_noise(1, 1).row(0).to_vec()[..3],
            [0.5077262, 0.3452165, 0.3083123]
        );
    }

    #[test]
    fn classes_come_in_turn_and_pixels_are_bytes() {
        let data = Glyphs::letters().generate(25, 3);
        assert_eq!(data.class_counts(), [3, 3, 3, 3, 3, 2, 2, 2, 2, 2]);
        for pixel in &data.images {
            assert_eq!(scale_pixel((pixel * 255.0).round() as u8), *pixel);
        }
    }

    #[test]
    fn ink_covers_a_line_to_its_radius_and_falls_over_one_pixel() {
        let mut pixels = vec![0.0; SIDE * SIDE];
        ink(&mut pixels, ([5.5, 10.25], 1.5), ([15.5, 10.25], 1.5));
        let column: Vec<f32> = (7..14).map(|y| pixels[y * SIDE + 10]).collect();
        // Distances of the pixel centres: 2.75, 1.75, 0.75, 0.25, 1.25, 2.25, 3.25.
        assert_eq!(column, [0.0, 0.25, 1.0, 1.0, 0.75, 0.0, 0.0]);
        // The end is round: the centre at (17.5, 10.5) has the distance sqrt(4 + 1/16).
        assert_eq!(pixels[10 * SIDE + 17], 0.0);
        assert!((pixels[10 * SIDE + 16] - (2.0 - (1.0f32 + 0.0625).sqrt())).abs() < 1e-6);
    }

    #[test]
    fn the_pen_changes_its_radius_along_the_line() {
        let mut pixels = vec![0.0; SIDE * SIDE];
        ink(&mut pixels, ([10.5, 4.5], 0.5), ([10.5, 20.5], 2.5));
        let width = |y: usize| pixels[y * SIDE..(y + 1) * SIDE].iter().sum::<f32>();
        // The cover across a line of radius r, all distances whole numbers: 1 + 2 (r - 1/2) = 2 r.
        assert!(
            (width(4) - 1.0).abs() < 1e-5 && (width(12) - 3.0).abs() < 1e-5,
            "{} {}",
            width(4),
            width(12)
        );
    }

    #[test]
    fn strokes_outside_the_image_are_cut_off() {
        let mut pixels = vec![0.0; SIDE * SIDE];
        ink(&mut pixels, ([-30.0, -5.0], 1.0), ([60.0, -5.0], 1.0));
        assert!(pixels.iter().all(|&pixel| pixel == 0.0));
        ink(&mut pixels, ([-30.0, 0.5], 0.5), ([60.0, 0.5], 0.5));
        assert!((pixels.iter().sum::<f32>() - SIDE as f32).abs() < 1e-4);
    }

    /// A set that such a rule solves would be too easy, one where it fails would hold no digits.
    #[test]
    fn the_nearest_class_mean_finds_most_digits_but_not_all() {
        let (train, test) = (Glyphs::digits().generate(2000, 1), Glyphs::digits().generate(500, 2));
        let mut means = Array2::<f32>::zeros((10, SIDE * SIDE));
        for (image, &label) in train.images.rows().into_iter().zip(&train.labels) {
            means.row_mut(label).scaled_add(1.0 / 200.0, &image);
        }
        let n_right = test
            .images
            .rows()
            .into_iter()
            .zip(&test.labels)
            .filter(|(image, label)| {
                let distance = |k: usize| (&means.row(k) - image).mapv(|d| d * d).sum();
                (0..10).min_by(|&j, &k| distance(j).total_cmp(&distance(k))) == Some(**label)
            });
        let n_right = n_right.count();
        assert!((325..=425).contains(&n_right), "{n_right} of 500 right");
    }

    #[test]
    #[should_panic(expected = "ask for one at least")]
    fn no_images_are_misuse() {
        Glyphs::digits().generate(0, 1);
    }
}
