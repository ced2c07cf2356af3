//! Durations as Go programs write them, because the arguments of the peers we replace are Go's.

use std::time::Duration;

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration; write it as in 15s, 1m30s or 500ms")]
pub struct ParseDurationError(pub String);

/// Reads what Go's `time.ParseDuration` reads, without a sign: `1h2m3.5s`, `300ms`, `0`.
///
/// # Errors
/// Anything else, negative durations and those longer than Go can hold (292 years) among them.
pub fn parse_go_duration(text: &str) -> Result<Duration, ParseDurationError> {
    let fail = || ParseDurationError(text.to_owned());
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut nanos: f64 = 0.0;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(fail)?;
        let (number, after) = rest.split_at(number_end);
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, remainder) = after.split_at(unit_end);
        let number: f64 = number.parse().map_err(|_| fail())?;
        nanos += number * nanos_per(unit).ok_or_else(fail)?;
        rest = remainder;
    }
    if text.is_empty() || nanos > 9.2e18 {
        return Err(fail());
    }
    Duration::try_from_secs_f64(nanos / 1e9).map_err(|_| fail())
}

fn nanos_per(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1.0,
        "us" | "µs" | "μs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 60e9,
        "h" => 3600e9,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_writes() {
        for (text, millis) in
            [("15s", 15_000), ("1h2m3.5s", 3_723_500), ("300ms", 300), ("0", 0), ("1m30s", 90_000)]
        {
            assert_eq!(parse_go_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in ["", "15", "s", "-1s", "1x", "1.2.3s", "1e3s", "99999999999h", "1 s"] {
            assert!(parse_go_duration(text).is_err(), "{text}");
        }
    }
}
