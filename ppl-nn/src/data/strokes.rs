//! Pen strokes in the unit square, x to the right and y down, and the chains of straight lines that stand for them.

use std::f32::consts::PI;

/// A point in the plane.
pub(crate) type Point = [f32; 2];

/// One movement of the pen, given by points that may be displaced one by one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stroke {
    /// Straight lines from point to point.
    Lines(&'static [Point]),
    /// A smooth curve through all points: the uniform Catmull–Rom spline, which is a chain of cubic Bézier curves.
    Curve(&'static [Point]),
    /// An arc of the ellipse with this centre and these radii, between two angles in half turns clockwise from the x axis.
    Arc {
        centre: Point,
        radii: Point,
        angles: [f32; 2],
    },
}

use Stroke::{Arc, Curve, Lines};

/// The number of straight pieces that stand for one span of a curve.
const PIECES_PER_SPAN: usize = 6;

/// The number of straight pieces that stand for one arc.
const PIECES_PER_ARC: usize = 24;

impl Stroke {
    /// Returns the corners of a chain of straight lines along the stroke, each of its points displaced by `jitter()`.
    pub(crate) fn flatten(&self, mut jitter: impl FnMut() -> Point) -> Vec<Point> {
        let mut displace = |point: Point| {
            let [dx, dy] = jitter();
            [point[0] + dx, point[1] + dy]
        };
        match *self {
            Lines(points) => points.iter().map(|&point| displace(point)).collect(),
            Curve(points) => catmull_rom(&points.iter().map(|&point| displace(point)).collect::<Vec<_>>()),
            Arc { centre, radii, angles } => arc(displace(centre), displace(radii), angles),
        }
    }
}

/// Returns points on the uniform Catmull–Rom spline through `points`, whose tangent at a point is half the step from the
/// point before to the point after; the end points count twice.
fn catmull_rom(points: &[Point]) -> Vec<Point> {
    let last = points.len() - 1;
    let mut corners = vec![points[0]];
    for i in 0..last {
        let [before, from, to, after] = [
            points[i.saturating_sub(1)],
            points[i],
            points[i + 1],
            points[(i + 2).min(last)],
        ];
        for piece in 1..=PIECES_PER_SPAN {
            let t = piece as f32 / PIECES_PER_SPAN as f32;
            let coordinate = |k: usize| {
                let (d_from, d_to) = (0.5 * (to[k] - before[k]), 0.5 * (after[k] - from[k]));
                let (s, step) = (1.0 - t, to[k] - from[k]);
                // The cubic Hermite form, by deviations from the straight line.
                from[k] + t * step + t * s * (s * (d_from - step) - t * (d_to - step))
            };
            corners.push([coordinate(0), coordinate(1)]);
        }
    }
    corners
}

fn arc(centre: Point, radii: Point, [from, to]: [f32; 2]) -> Vec<Point> {
    let corner = |piece: usize| {
        let angle = PI * (from + (to - from) * piece as f32 / PIECES_PER_ARC as f32);
        [centre[0] + radii[0] * angle.cos(), centre[1] + radii[1] * angle.sin()]
    };
    (0..=PIECES_PER_ARC).map(corner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn still() -> Point {
        [0.0, 0.0]
    }

    #[test]
    fn a_curve_passes_its_points_with_the_tangents_of_catmull_and_rom() {
        let points = [[0.0, 0.0], [1.0, 2.0], [3.0, 1.0], [4.0, 5.0]];
        let corners = catmull_rom(&points);
        for (i, point) in points.iter().enumerate() {
            assert_eq!(corners[i * PIECES_PER_SPAN], *point);
        }
        // The middle of a span is (9 (p1 + p2) - (p0 + p3)) / 16.
        let middle = corners[PIECES_PER_SPAN + PIECES_PER_SPAN / 2];
        let expected = [(9.0 * 4.0 - 4.0) / 16.0, (9.0 * 3.0 - 5.0) / 16.0];
        assert!(
            (middle[0] - expected[0]).abs() < 1e-6 && (middle[1] - expected[1]).abs() < 1e-6,
            "{middle:?} {expected:?}"
        );
    }

    #[test]
    fn an_arc_starts_and_ends_at_its_angles() {
        let corners = Arc {
            centre: [1.0, 2.0],
            radii: [3.0, 4.0],
            angles: [0.0, 0.5],
        }
        .flatten(still);
        let (first, last) = (corners[0], corners[PIECES_PER_ARC]);
        assert_eq!(first, [4.0, 2.0]);
        assert!((last[0] - 1.0).abs() < 1e-6 && (last[1] - 6.0).abs() < 1e-6, "{last:?}");
    }

    #[test]
    fn displacements_are_added_to_each_point() {
        let mut n_points = 0.0;
        let corners = Lines(&[[0.0, 0.0], [1.0, 1.0]]).flatten(|| {
            n_points += 1.0;
            [n_points, -n_points]
        });
        assert_eq!(corners, [[1.0, -1.0], [3.0, -1.0]]);
    }
}
