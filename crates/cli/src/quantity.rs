//! Sizes and rates as people write them.

/// No frame is larger, by far.
const BYTES_MAX: f64 = 16.0 * 1024.0 * 1024.0;
/// No file is larger, by far.
const FILE_BYTES_MAX: f64 = 1e15;
/// Timers are no finer.
const HZ_MAX: f64 = 1_000_000.0;

/// Reads a number of bytes, such as `64`, `100kB` or `16KiB`.
///
/// # Errors
/// What it takes instead.
pub(crate) fn bytes(text: &str) -> Result<usize, String> {
    let units =
        [("KiB", 1024.0), ("MiB", 1024.0 * 1024.0), ("kB", 1e3), ("KB", 1e3), ("MB", 1e6), ("B", 1.0)];
    let bytes = scaled(text, &units).filter(|bytes| (0.0..=BYTES_MAX).contains(bytes));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within bounds")]
    bytes
        .map(|bytes| bytes.round() as usize)
        .ok_or_else(|| "it takes a size such as 64, 16KiB or 1MB".to_owned())
}

/// Reads the length of a file, such as `500kB`, `100MB` or `2GiB`.
///
/// # Errors
/// What it takes instead.
pub(crate) fn file_bytes(text: &str) -> Result<u64, String> {
    let binary =
        [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)].map(|(unit, power)| (unit, 2_f64.powi(power)));
    let decimal = [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("KB", 1e3), ("B", 1.0)];
    let units = [&binary[..], &decimal[..]].concat();
    let bytes = scaled(text, &units).filter(|bytes| (0.0..=FILE_BYTES_MAX).contains(bytes));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within bounds")]
    bytes
        .map(|bytes| bytes.round() as u64)
        .ok_or_else(|| "it takes a size such as 500kB, 100MB or 2GiB".to_owned())
}

/// Reads a rate per second, such as `50`, `0.5Hz` or `1kHz`.
///
/// # Errors
/// What it takes instead.
pub(crate) fn hertz(text: &str) -> Result<f64, String> {
    let hertz = scaled(text, &[("kHz", 1e3), ("Hz", 1.0)]).filter(|hertz| *hertz > 0.0 && *hertz <= HZ_MAX);
    hertz.ok_or_else(|| "it takes a rate above zero such as 50Hz, 0.5 or 1kHz".to_owned())
}

/// A number with one of these units, or with none.
fn scaled(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let (number, factor) = units
        .iter()
        .find_map(|(unit, factor)| text.strip_suffix(unit).map(|number| (number, *factor)))
        .unwrap_or((text, 1.0));
    let number = number.trim_end();
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    plain.then(|| number.parse::<f64>().ok()).flatten().map(|number| number * factor)
}

/// A number of bytes for people.
pub(crate) fn readable_bytes(bytes: f64) -> String {
    match bytes {
        bytes if bytes >= 1e6 => format!("{:.2} MB", bytes / 1e6),
        bytes if bytes >= 1e3 => format!("{:.2} kB", bytes / 1e3),
        bytes => format!("{bytes:.0} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_and_decimal_units() {
        for (text, expected) in
            [("0", 0), ("64", 64), ("64B", 64), ("16KiB", 16_384), ("1.5kB", 1_500), ("1 MiB", 1 << 20)]
        {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for text in ["", "KiB", "-1", "1e3", "inf", "NaN", "16KiBs", "1GB", "17MiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn files_are_larger_than_frames() {
        for (text, expected) in [("0", 0), ("10 B", 10), ("4GiB", 4 << 30), ("1.5TB", 1_500_000_000_000)] {
            assert_eq!(file_bytes(text), Ok(expected), "{text}");
        }
        for text in ["", "-1", "GiB", "1PiB", "2000TB", "inf"] {
            assert!(file_bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_are_above_zero() {
        for (text, expected) in [("50", 50.0), ("50Hz", 50.0), ("0.5", 0.5), ("1kHz", 1e3)] {
            assert_eq!(hertz(text), Ok(expected), "{text}");
        }
        for text in ["", "0", "0Hz", "-1", "2MHz", "inf"] {
            assert!(hertz(text).is_err(), "{text}");
        }
    }
}
