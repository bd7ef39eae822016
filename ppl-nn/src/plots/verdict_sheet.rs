//! A sheet of example images, each beside the posterior of its class probabilities and the verdict.

use std::io;
use std::path::Path;

use ndarray::{ArrayView1, ArrayView2};
use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontFamily, FontStyle, IntoFont, RGBColor, ShapeStyle, TextStyle, WHITE};

use crate::calibration::{ClassIntervals, Refusal, Verdict};
use crate::data::check_counts;
use crate::error::DataError;

/// An image to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The row of the image in the arrays of its panel.
    pub row: usize,
    /// What is written below the image.
    pub caption: String,
    /// The class that would be right, or `None` if any class is wrong, as for an image from elsewhere.
    pub truth: Option<usize>,
}

/// A titled group of examples.
#[derive(Clone, Debug)]
pub struct Panel<'a> {
    /// What the images have in common.
    pub title: &'a str,
    /// The images from which the examples are taken, from 0 (black) to 1 (white): [n, height * width].
    pub images: ArrayView2<'a, f32>,
    /// Height and width of an image in pixels.
    pub image_shape: [usize; 2],
    /// The class probabilities of the same images.
    pub intervals: &'a ClassIntervals,
    /// The images to show, three a line.
    pub examples: Vec<Example>,
}

/// Writes an SVG file that shows examples by panel: the image, the median and interval of each class probability, and the
/// verdict of the rule, coloured by whether it is right, wrong or a refusal.
///
/// # Errors
/// Returns an error if a panel has not as many images as intervals, if its images have not the stated shape, or if the
/// file cannot be written.
///
/// # Panics
/// Panics if an example names a row that its panel has not.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use ppl_nn::calibration::{ClassIntervals, Refusal};
/// use ppl_nn::plots::{Example, Panel, verdict_sheet};
///
/// let path = std::env::temp_dir().join("ppl_nn_doc_sheet.svg");
/// let samples = array![[[0.9, 0.1]], [[0.8, 0.2]]];
/// let images = array![[0.0, 1.0]];
/// let intervals = ClassIntervals::of(samples.view(), 0.9)?;
/// let panel = Panel {
///     title: "one image of 1 x 2 pixels",
///     images: images.view(),
///     image_shape: [1, 2],
///     intervals: &intervals,
///     examples: vec![Example { row: 0, caption: "a 0".to_owned(), truth: Some(0) }],
/// };
/// verdict_sheet(&path, &[panel], Refusal::default())?;
/// assert!(std::fs::read_to_string(&path)?.contains("one image of 1 x 2 pixels"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn verdict_sheet(path: impl AsRef<Path>, panels: &[Panel<'_>], refusal: Refusal) -> Result<(), DataError> {
    for panel in panels {
        panel.check()?;
    }
    let path = path.as_ref();
    let io_error = |source| DataError::Io {
        path: path.to_owned(),
        source,
    };
    let mut svg = String::new();
    draw_sheet(&mut svg, panels, refusal).map_err(|error| io_error(io::Error::other(error.to_string())))?;
    // Without smoothing no ground shines through between neighbouring pixels.
    let svg = svg.replacen("<svg ", "<svg shape-rendering=\"crispEdges\" ", 1);
    std::fs::write(path, svg).map_err(io_error)
}

type Sheet<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<io::Error>>;

// The layout, in pixels.
const N_COLUMNS: usize = 3;
const MARGIN: i32 = 36;
const HEAD_HEIGHT: i32 = 104;
const TITLE_HEIGHT: i32 = 48;
const PANEL_GAP: i32 = 0;
const CELL: [i32; 2] = [336, 132];
const IMAGE_SIDE: i32 = 84;
/// The chart's left, top, right and bottom edges in its cell.
const CHART: [i32; 4] = [122, 26, 304, 92];

const INK: RGBColor = RGBColor(34, 34, 34);
const SOFT: RGBColor = RGBColor(110, 110, 110);
const GRID: RGBColor = RGBColor(225, 225, 225);
const BAR: RGBColor = RGBColor(190, 196, 204);
const RIGHT: RGBColor = RGBColor(0, 107, 166);
const WRONG: RGBColor = RGBColor(196, 48, 36);
const REFUSED: RGBColor = RGBColor(204, 130, 0);

impl Panel<'_> {
    fn check(&self) -> Result<(), DataError> {
        let [height, width] = self.image_shape;
        if height.checked_mul(width) != Some(self.images.ncols()) {
            return Err(DataError::ImageShape {
                height,
                width,
                n_columns: self.images.ncols(),
            });
        }
        check_counts(self.title, self.images.nrows(), self.intervals.median.nrows())
    }

    fn height(&self) -> i32 {
        TITLE_HEIGHT + self.examples.len().div_ceil(N_COLUMNS) as i32 * CELL[1] + PANEL_GAP
    }
}

fn draw_sheet(svg: &mut String, panels: &[Panel<'_>], refusal: Refusal) -> Drawn {
    let width = 2 * MARGIN + N_COLUMNS as i32 * CELL[0] - (CELL[0] - CHART[2]);
    let height = HEAD_HEIGHT + panels.iter().map(Panel::height).sum::<i32>() + MARGIN / 2;
    let sheet = SVGBackend::with_string(svg, (width as u32, height as u32)).into_drawing_area();
    sheet.fill(&WHITE)?;
    draw_head(&sheet, panels, refusal)?;
    let mut top = HEAD_HEIGHT;
    for panel in panels {
        line(&sheet, [MARGIN, top + 8], [width - MARGIN, top + 8], GRID)?;
        text(
            &sheet,
            panel.title,
            [MARGIN, top + 27],
            font(16, FontStyle::Bold, INK),
            HPos::Left,
        )?;
        let verdicts = refusal.judge(panel.intervals);
        for (i, example) in panel.examples.iter().enumerate() {
            let (column, row) = (i % N_COLUMNS, i / N_COLUMNS);
            let corner = [
                MARGIN + column as i32 * CELL[0],
                top + TITLE_HEIGHT + row as i32 * CELL[1],
            ];
            let verdict = verdicts.as_slice()[example.row];
            draw_image(&sheet, panel.images.row(example.row), panel.image_shape, corner)?;
            let below = [corner[0] + IMAGE_SIDE / 2, corner[1] + IMAGE_SIDE + 16];
            text(
                &sheet,
                &example.caption,
                below,
                font(12, FontStyle::Normal, SOFT),
                HPos::Center,
            )?;
            draw_posterior(&sheet, panel.intervals, example, verdict, refusal, corner)?;
        }
        top += panel.height();
    }
    sheet.present()
}

/// Draws the title and the legend.
fn draw_head(sheet: &Sheet<'_>, panels: &[Panel<'_>], refusal: Refusal) -> Drawn {
    let title = "What the sampled networks answer, and when they refuse";
    text(sheet, title, [MARGIN, 32], font(22, FontStyle::Bold, INK), HPos::Left)?;
    let mut masses: Vec<String> = panels
        .iter()
        .map(|panel| format!("{} %", 100.0 * panel.intervals.mass))
        .collect();
    masses.dedup();
    let how = format!(
        "Bar: posterior median of a class probability; whisker: its {} posterior interval. No median above {} (dashed): “{}”.",
        masses.join(", "),
        refusal.threshold,
        Verdict::Unknown
    );
    text(sheet, &how, [MARGIN, 60], font(13, FontStyle::Normal, SOFT), HPos::Left)?;
    let mut left = MARGIN;
    for (name, colour) in [("right class", RIGHT), ("wrong class", WRONG), ("refused", REFUSED)] {
        sheet.draw(&Rectangle::new([(left, 78), (left + 12, 90)], colour.filled()))?;
        text(
            sheet,
            name,
            [left + 18, 84],
            font(13, FontStyle::Normal, INK),
            HPos::Left,
        )?;
        left += 116;
    }
    Ok(())
}

/// Draws an image in 16 shades of grey, each run of equal pixels in a row as one rectangle.
fn draw_image(sheet: &Sheet<'_>, image: ArrayView1<'_, f32>, shape: [usize; 2], corner: [i32; 2]) -> Drawn {
    let [height, width] = shape;
    let side = height.max(width);
    let edge = |position: usize| (position as f64 * f64::from(IMAGE_SIDE) / side as f64).round() as i32;
    let shade = |y: usize, x: usize| (image[y * width + x].clamp(0.0, 1.0) * 15.0).round() as u8 * 17;
    let rectangle = |x: [i32; 2], y: [i32; 2], grey: u8| {
        let corners = [
            (corner[0] + x[0], corner[1] + y[0]),
            (corner[0] + x[1], corner[1] + y[1]),
        ];
        sheet.draw(&Rectangle::new(corners, RGBColor(grey, grey, grey).filled()))
    };
    rectangle([0, edge(width)], [0, edge(height)], 0)?;
    for y in 0..height {
        let mut start = 0;
        for end in 1..=width {
            let grey = shade(y, start);
            if end < width && shade(y, end) == grey {
                continue;
            }
            if grey > 0 {
                rectangle([edge(start), edge(end)], [edge(y), edge(y + 1)], grey)?;
            }
            start = end;
        }
    }
    Ok(())
}

/// Draws the verdict and below it the median and the interval of each class.
fn draw_posterior(
    sheet: &Sheet<'_>,
    intervals: &ClassIntervals,
    example: &Example,
    verdict: Verdict,
    refusal: Refusal,
    corner: [i32; 2],
) -> Drawn {
    let n_classes = intervals.median.ncols();
    let chart = Chart::in_cell(corner, n_classes);
    let colour = match verdict {
        Verdict::Unknown => REFUSED,
        Verdict::Class(class) if example.truth == Some(class) => RIGHT,
        Verdict::Class(_) => WRONG,
    };
    text(
        sheet,
        &verdict.to_string(),
        [chart.left, corner[1] + 8],
        font(18, FontStyle::Bold, colour),
        HPos::Left,
    )?;
    chart.draw_scale(sheet, refusal.threshold)?;
    // Twelve names fit below a chart.
    let name_step = n_classes.div_ceil(12);
    for class in 0..n_classes {
        let quantiles =
            [&intervals.lower, &intervals.median, &intervals.upper].map(|quantile| quantile[[example.row, class]]);
        let fill = if verdict == Verdict::Class(class) { colour } else { BAR };
        chart.draw_class(sheet, class, quantiles, fill)?;
        if class % name_step == 0 {
            chart.draw_name(sheet, class, example.truth == Some(class))?;
        }
    }
    line(sheet, [chart.left, chart.bottom], [chart.right, chart.bottom], SOFT)?;
    chart.draw_threshold(sheet, refusal.threshold)
}

/// A bar chart of class probabilities: its edges on the sheet.
struct Chart {
    left: i32,
    top: i32,
    right: i32,
    bottom: i32,
    n_classes: usize,
}

impl Chart {
    fn in_cell(corner: [i32; 2], n_classes: usize) -> Chart {
        Chart {
            left: CHART[0] + corner[0],
            top: CHART[1] + corner[1],
            right: CHART[2] + corner[0],
            bottom: CHART[3] + corner[1],
            n_classes,
        }
    }

    /// Returns the place along the classes: class k reaches from k to k + 1.
    fn across(&self, class: f64) -> i32 {
        self.left + (class * f64::from(self.right - self.left) / self.n_classes as f64).round() as i32
    }

    /// Returns the height of a probability.
    fn up(&self, p: f64) -> i32 {
        self.bottom - (p.clamp(0.0, 1.0) * f64::from(self.bottom - self.top)).round() as i32
    }

    /// Returns the left and the right edge of the bar of a class.
    fn bar(&self, class: usize) -> [i32; 2] {
        [0.18, 0.82].map(|part| self.across(class as f64 + part))
    }

    fn draw_scale(&self, sheet: &Sheet<'_>, threshold: f64) -> Drawn {
        for p in [0.5, 1.0] {
            line(sheet, [self.left, self.up(p)], [self.right, self.up(p)], GRID)?;
        }
        for (name, p) in [("0", 0.0), (&*threshold.to_string(), threshold), ("1", 1.0)] {
            let style = font(11, FontStyle::Normal, SOFT);
            text(sheet, name, [self.left - 6, self.up(p)], style, HPos::Right)?;
        }
        Ok(())
    }

    /// Draws a bar as high as the median, and the interval as a line with two ends.
    fn draw_class(&self, sheet: &Sheet<'_>, class: usize, [lower, median, upper]: [f64; 3], fill: RGBColor) -> Drawn {
        let [from, to] = self.bar(class);
        let bar = [(from, self.up(median)), (to, self.bottom)];
        sheet.draw(&Rectangle::new(bar, fill.filled()))?;
        let middle = (from + to) / 2;
        line(sheet, [middle, self.up(lower)], [middle, self.up(upper)], INK)?;
        for end in [lower, upper] {
            line(sheet, [middle - 2, self.up(end)], [middle + 3, self.up(end)], INK)?;
        }
        Ok(())
    }

    fn draw_name(&self, sheet: &Sheet<'_>, class: usize, is_true: bool) -> Drawn {
        let weight = if is_true { FontStyle::Bold } else { FontStyle::Normal };
        let [from, to] = self.bar(class);
        let below = [(from + to) / 2, self.bottom + 11];
        text(sheet, &class.to_string(), below, font(12, weight, INK), HPos::Center)
    }

    /// Draws a dashed line at the height of the threshold.
    fn draw_threshold(&self, sheet: &Sheet<'_>, threshold: f64) -> Drawn {
        let y = self.up(threshold);
        for start in (self.left..self.right).step_by(7) {
            line(sheet, [start, y], [(start + 4).min(self.right), y], INK)?;
        }
        Ok(())
    }
}

fn line(sheet: &Sheet<'_>, from: [i32; 2], to: [i32; 2], colour: RGBColor) -> Drawn {
    sheet.draw(&PathElement::new(
        [from.into(), to.into()],
        ShapeStyle::from(colour).stroke_width(1),
    ))
}

fn font(size: i32, style: FontStyle, colour: RGBColor) -> TextStyle<'static> {
    (FontFamily::SansSerif, size, style).into_font().color(&colour)
}

/// Writes a line of text whose middle height, and whose end or middle along the line, is at this point.
fn text(sheet: &Sheet<'_>, text: &str, at: [i32; 2], style: TextStyle<'_>, anchor: HPos) -> Drawn {
    sheet.draw(&Text::new(text, at.into(), style.pos(Pos::new(anchor, VPos::Center))))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use ndarray::{Array2, Array3, array};

    use super::*;

    /// Three images of 2 x 2 pixels whose verdicts are the class 0, the class 1 and a refusal.
    fn intervals() -> ClassIntervals {
        let row = |row: usize| [[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.3, 0.4, 0.3]][row];
        ClassIntervals::of(Array3::from_shape_fn((2, 3, 3), |(_, i, k)| row(i)[k]).view(), 0.9).unwrap()
    }

    fn images() -> Array2<f32> {
        array![[0.0, 1.0, 0.0, 0.0], [0.2, 0.2, 0.4, 0.4], [1.0, 1.0, 1.0, 0.0]]
    }

    fn example(row: usize, caption: &str, truth: Option<usize>) -> Example {
        Example {
            row,
            caption: caption.to_owned(),
            truth,
        }
    }

    fn sheet(
        name: &str,
        images: &Array2<f32>,
        image_shape: [usize; 2],
        examples: Vec<Example>,
    ) -> Result<String, DataError> {
        let path = std::env::temp_dir().join(format!("ppl_nn_{}_{name}.svg", std::process::id()));
        let intervals = intervals();
        let panel = Panel {
            title: "the panel",
            images: images.view(),
            image_shape,
            intervals: &intervals,
            examples,
        };
        verdict_sheet(&path, &[panel], Refusal { threshold: 0.5 })?;
        let svg = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        Ok(svg)
    }

    /// Returns the number of elements of this name with this fill.
    fn count(svg: &str, element: &str, fill: &str) -> usize {
        let is_one = |part: &&str| {
            let tag = &part[..part.find('>').unwrap_or(part.len())];
            tag.starts_with(element) && tag.contains(&format!("fill=\"{fill}\""))
        };
        svg.split('<').filter(is_one).count()
    }

    #[test]
    fn verdicts_are_coloured_by_right_wrong_and_refused() {
        let examples = vec![
            example(0, "a 0", Some(0)),
            example(1, "a letter", None),
            example(2, "a 2", Some(2)),
        ];
        let svg = sheet("colours", &images(), [2, 2], examples).unwrap();
        for (colour, n_bars) in [("#006BA6", 1), ("#C43024", 1), ("#CC8200", 0)] {
            assert_eq!(count(&svg, "text", colour), 1, "verdicts in {colour}");
            // One square of the legend, and the bar of the class that is named.
            assert_eq!(count(&svg, "rect", colour), 1 + n_bars, "rectangles in {colour}");
        }
        for text in [
            "the panel",
            "a letter",
            "I don't know",
            "its 90 % posterior interval",
            "above 0.5",
        ] {
            let escaped = text.replace('\'', "&apos;");
            assert!(svg.contains(text) || svg.contains(&escaped), "{text} is missing");
        }
    }

    #[test]
    fn runs_of_equal_pixels_are_one_rectangle() {
        let svg = sheet("runs", &images(), [2, 2], vec![example(1, "", None)]).unwrap();
        assert_eq!((count(&svg, "rect", "#333333"), count(&svg, "rect", "#666666")), (1, 1));
        let svg = sheet("single", &images(), [2, 2], vec![example(0, "", None)]).unwrap();
        assert_eq!((count(&svg, "rect", "#000000"), count(&svg, "rect", "#FFFFFF")), (1, 2));
    }

    #[test]
    fn captions_are_escaped() {
        let svg = sheet("escape", &images(), [2, 2], vec![example(0, "<&>", None)]).unwrap();
        assert!(svg.contains("&lt;&amp;&gt;"), "no escaped caption");
    }

    #[test]
    fn the_sheet_grows_by_lines_of_three() {
        let height = |n: usize| {
            let svg = sheet("grow", &images(), [2, 2], vec![example(0, "", None); n]).unwrap();
            let start = svg.find("height=\"").unwrap() + 8;
            svg[start..].split('"').next().unwrap().parse::<i32>().unwrap()
        };
        assert_eq!(height(3), height(1));
        assert_eq!(height(4) - height(3), CELL[1]);
    }

    #[test]
    fn bad_panels_and_paths_are_refused() {
        let shape = sheet("shape", &images(), [2, 3], vec![]).unwrap_err();
        assert!(
            matches!(
                shape,
                DataError::ImageShape {
                    height: 2,
                    width: 3,
                    n_columns: 4
                }
            ),
            "{shape}"
        );
        let counts = sheet("counts", &Array2::zeros((5, 4)), [2, 2], vec![]).unwrap_err();
        assert_eq!(counts.to_string(), "the panel: 5 images but 3 labels");
        let error = verdict_sheet(PathBuf::from("no/such/folder/sheet.svg"), &[], Refusal::default()).unwrap_err();
        assert!(error.to_string().starts_with("no/such/folder/sheet.svg: "), "{error}");
    }
}
