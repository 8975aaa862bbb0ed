//! Sizes, rates, durations and shares as people write them.
//!
//! Everything is reckoned in whole numbers, so that `29.97Hz` is what it says and nothing drifts.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// Digits after the point that are read.
const FRACTION_DIGITS: usize = 9;
/// What a number is kept in: billionths.
const ONE: u128 = 1_000_000_000;
/// Digits before the point that are read.
const WHOLE_DIGITS: usize = 12;

/// Why a quantity was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UnitError {
    /// There is nothing that a number begins with.
    #[error("`{text}` does not begin with a number; write it like {example}")]
    Number {
        /// What was written.
        text: String,
        /// What would be understood.
        example: &'static str,
    },
    /// The number is longer than anything that makes sense.
    #[error("`{text}` has too many digits")]
    Digits {
        /// What was written.
        text: String,
    },
    /// The unit is not one of this quantity.
    #[error("`{unit}` is no unit here; use one of {known}")]
    Unit {
        /// What was written.
        unit: String,
        /// Every unit of the quantity.
        known: String,
    },
    /// It comes to a part of what cannot be divided.
    #[error("`{text}` is no whole number of {smallest}")]
    Fraction {
        /// What was written.
        text: String,
        /// What cannot be divided.
        smallest: &'static str,
    },
    /// It is outside what the quantity can be.
    #[error("`{text}` is out of range; {range}")]
    Range {
        /// What was written.
        text: String,
        /// What is in range.
        range: &'static str,
    },
}

/// A quantity's units and how they are spoken of.
struct Dimension {
    /// Lower case, each with how many of the smallest unit it is. The first is meant where none is written.
    units: &'static [(&'static str, u128)],
    smallest: &'static str,
    example: &'static str,
}

const BYTES: Dimension = Dimension {
    units: &[
        ("b", 1),
        ("kb", 1_000),
        ("mb", 1_000_000),
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("k", 1 << 10),
        ("m", 1 << 20),
    ],
    smallest: "bytes",
    example: "64B, 75KiB or 1MiB",
};

const MILLIHERTZ: Dimension = Dimension {
    units: &[("hz", 1_000), ("khz", 1_000_000), ("fps", 1_000), ("/s", 1_000)],
    smallest: "thousandths of a hertz",
    example: "100Hz, 0.5Hz or 1kHz",
};

const NANOSECONDS: Dimension = Dimension {
    units: &[
        ("s", 1_000_000_000),
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("ms", 1_000_000),
        ("m", 60_000_000_000),
        ("min", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ],
    smallest: "nanoseconds",
    example: "30s, 500ms or 1m30s",
};

const BITS_PER_SECOND: Dimension = Dimension {
    units: &[
        ("bit", 1),
        ("bps", 1),
        ("bit/s", 1),
        ("kbit", 1_000),
        ("kbps", 1_000),
        ("kbit/s", 1_000),
        ("mbit", 1_000_000),
        ("mbps", 1_000_000),
        ("mbit/s", 1_000_000),
        ("gbit", 1_000_000_000),
        ("gbps", 1_000_000_000),
        ("gbit/s", 1_000_000_000),
    ],
    smallest: "bits",
    example: "5mbit, 500kbit or 18Mbit/s",
};

/// Parts of a billion.
const SHARE: Dimension = Dimension {
    units: &[("", ONE), ("%", ONE / 100)],
    smallest: "parts of a billion",
    example: "1%, 0.5% or 0.01",
};

/// Bytes, as in `64B`, `75KiB`, `1MiB`, `1MB`; without a unit, bytes.
///
/// # Errors
/// When it is no size.
pub fn bytes(text: &str) -> Result<usize, UnitError> {
    usize::try_from(BYTES.one(text)?).map_err(|_| out_of_range(text, "no machine holds it"))
}

/// A time, as in `30s`, `500ms`, `1m30s`; without a unit, seconds.
///
/// # Errors
/// When it is no time.
pub fn duration(text: &str) -> Result<Duration, UnitError> {
    let mut rest = text.trim();
    let mut sum = 0;
    loop {
        let (value, after) = NANOSECONDS.first(rest)?;
        sum += value;
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    let nanos = u64::try_from(sum).map_err(|_| out_of_range(text, "at most 584 years"))?;
    Ok(Duration::from_nanos(nanos))
}

/// Bits per second, as in `5mbit`, `500kbps`, `18Mbit/s`; without a unit, bits per second.
///
/// # Errors
/// When it is no bit rate, or none at all.
pub fn bit_rate(text: &str) -> Result<u64, UnitError> {
    match u64::try_from(BITS_PER_SECOND.one(text)?) {
        Ok(rate) if rate > 0 => Ok(rate),
        _ => Err(out_of_range(text, "more than nothing, less than 18 exabits")),
    }
}

/// A share of the whole, as in `1%` or `0.01`; 0.0..=1.0.
///
/// # Errors
/// When it is no share.
pub fn share(text: &str) -> Result<f64, UnitError> {
    let parts = SHARE.one(text)?;
    if parts > ONE {
        return Err(out_of_range(text, "from 0% to 100%"));
    }
    Ok(parts as f64 / ONE as f64)
}

/// How often something happens, in thousandths of a hertz so that nothing drifts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate {
    millihertz: u64,
}

impl Rate {
    /// So many times in 1,000 seconds; `None` for zero, which is no rate.
    #[must_use]
    pub fn from_millihertz(millihertz: u64) -> Option<Self> {
        (millihertz > 0).then_some(Self { millihertz })
    }

    /// In thousandths of a hertz; never zero.
    #[must_use]
    pub fn millihertz(self) -> u64 {
        self.millihertz
    }

    /// In hertz.
    #[must_use]
    pub fn hertz(self) -> f64 {
        self.millihertz as f64 / 1_000.0
    }

    /// When event `number` is due after event 0, rounded down to the nanosecond; no error adds up.
    #[must_use]
    pub fn offset(self, number: u64) -> Duration {
        let nanos = u128::from(number) * 1_000 * ONE / u128::from(self.millihertz);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// How many events are due before `end`, the first at zero.
    #[must_use]
    pub fn count_before(self, end: Duration) -> u64 {
        let nanos = end.as_nanos();
        if nanos == 0 {
            return 0;
        }
        // Event n is due at floor(n · 10¹² / mHz), which is below `end` for every n below end · mHz / 10¹².
        let count = nanos.saturating_mul(self.millihertz.into()).div_ceil(1_000 * ONE);
        u64::try_from(count).unwrap_or(u64::MAX)
    }
}

impl FromStr for Rate {
    type Err = UnitError;

    /// As in `100Hz`, `0.5Hz`, `1kHz`; without a unit, hertz.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let millihertz = MILLIHERTZ.one(text)?;
        u64::try_from(millihertz)
            .ok()
            .and_then(Self::from_millihertz)
            .ok_or_else(|| out_of_range(text, "more than nothing"))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Hz", self.hertz())
    }
}

/// Bytes as people write them: `75KiB` where that is exact, bytes otherwise. [`bytes`] reads it back.
#[must_use]
pub fn format_bytes(bytes: usize) -> String {
    match bytes {
        0 => "0B".to_owned(),
        n if n % (1 << 20) == 0 => format!("{}MiB", n >> 20),
        n if n % (1 << 10) == 0 => format!("{}KiB", n >> 10),
        n => format!("{n}B"),
    }
}

impl Dimension {
    /// One number with its unit, in the smallest unit.
    fn one(&self, text: &str) -> Result<u128, UnitError> {
        let (value, rest) = self.first(text.trim())?;
        if rest.is_empty() { Ok(value) } else { Err(self.unknown(rest)) }
    }

    /// The first number with its unit, and what follows.
    fn first<'t>(&self, text: &'t str) -> Result<(u128, &'t str), UnitError> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, rest) = text.split_at(end);
        let billionths = self.billionths(number, text)?;
        let rest = rest.trim_start();
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let (unit, rest) = rest.split_at(end);
        let product = billionths * self.factor(unit.trim_end())?;
        if product % ONE != 0 {
            return Err(UnitError::Fraction { text: text.to_owned(), smallest: self.smallest });
        }
        Ok((product / ONE, rest))
    }

    fn billionths(&self, number: &str, text: &str) -> Result<u128, UnitError> {
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return Err(UnitError::Number { text: text.to_owned(), example: self.example });
        }
        if whole.len() > WHOLE_DIGITS || fraction.len() > FRACTION_DIGITS {
            return Err(UnitError::Digits { text: text.to_owned() });
        }
        let digits = format!("0{whole}{fraction:0<FRACTION_DIGITS$}");
        digits.parse().map_err(|_| UnitError::Digits { text: text.to_owned() })
    }

    fn factor(&self, unit: &str) -> Result<u128, UnitError> {
        if unit.is_empty() {
            return Ok(self.units[0].1);
        }
        let lower = unit.to_lowercase();
        let found = self.units.iter().find(|(name, _)| *name == lower);
        found.map(|(_, factor)| *factor).ok_or_else(|| self.unknown(unit))
    }

    fn unknown(&self, unit: &str) -> UnitError {
        let known: Vec<_> =
            self.units.iter().map(|(name, _)| *name).filter(|name| !name.is_empty()).collect();
        UnitError::Unit { unit: unit.to_owned(), known: known.join(", ") }
    }
}

fn out_of_range(text: &str, range: &'static str) -> UnitError {
    UnitError::Range { text: text.to_owned(), range }
}

#[cfg(test)]
mod tests;
