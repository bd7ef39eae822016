//! Numbers in the cells of a table.

/// Returns four significant digits, or the integer part if that is longer; very large and small ones as a power of ten.
pub(crate) fn significant(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 || !x.is_finite() {
        return x.to_string();
    }
    if !(1e-3..1e7).contains(&size) {
        return format!("{x:.3e}");
    }
    let decimals = (3 - size.log10().floor() as i32).max(0) as usize;
    format!("{x:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_digits_are_kept() {
        let rows = [
            (2.71252, "2.713"),
            (-0.0123456, "-0.01235"),
            (1234.56, "1235"),
            (123456.7, "123457"),
            (2.5e-7, "2.500e-7"),
            (-1.5e12, "-1.500e12"),
            (0.0, "0"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "NaN"),
        ];
        for (x, expected) in rows {
            assert_eq!(significant(x), expected);
        }
    }
}
