//! A number of addresses, which may be too large for people and for JSON.

use serde::{Serialize, Serializer};
use std::fmt;

/// From here on programs that read JSON may lose digits: not every larger number is a double (RFC 8259, section 6).
const EXACT: u128 = 1 << 53;
/// From here on nobody reads the digits any more; all of IPv4 is below.
const READABLE: u128 = 10_000_000_000;

/// How many addresses.
///
/// As text: the number, or a power of two like the prefix lengths that people think in: `2^64`, and `~2^64` where it is
/// nearly that. As JSON: a number up to 2^53, from there on the digits as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u128);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0;
        if number < READABLE {
            return f.pad(&number.to_string());
        }
        if number.is_power_of_two() {
            return f.pad(&format!("2^{}", number.ilog2()));
        }
        let tenths = log2(number);
        let text = format!("{tenths:.1}");
        f.pad(&format!("~2^{}", text.strip_suffix(".0").unwrap_or(&text)))
    }
}

#[expect(clippy::cast_precision_loss, reason = "one digit behind the point is printed")]
fn log2(number: u128) -> f64 {
    (number as f64).log2()
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match u64::try_from(self.0) {
            Ok(number) if self.0 <= EXACT => serializer.serialize_u64(number),
            _ => serializer.collect_str(&self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_digits_or_a_power_of_two() {
        for (number, text) in [
            (0, "0"),
            (1 << 32, "4294967296"),
            (9_999_999_999, "9999999999"),
            (1 << 34, "2^34"),
            (1 << 64, "2^64"),
            ((1 << 64) - 2, "~2^64"),
            ((1 << 64) + 1, "~2^64"),
            (3 << 64, "~2^65.6"),
            (u128::MAX, "~2^128"),
        ] {
            assert_eq!(Count(number).to_string(), text);
        }
    }

    #[test]
    fn programs_read_a_number_as_long_as_it_is_exact() {
        for (number, json) in [
            (14, "14"),
            (1 << 53, "9007199254740992"),
            ((1 << 53) + 1, "\"9007199254740993\""),
            (1 << 64, "\"18446744073709551616\""),
        ] {
            assert_eq!(serde_json::to_string(&Count(number)).unwrap(), json);
        }
    }
}
