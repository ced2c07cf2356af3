//! What is meant about hellos.

use super::control_plane::port;
use announcer_decide::config::HelloConfig;
use model::claim::scattered;
use model::duration::parse_go_duration;
use model::hello::Sender;
use model::node::NodeName;
use model::settings::Typed;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Time between two hellos of an owner when nobody says anything.
const INTERVAL: Duration = Duration::from_millis(50);
/// What can be kept: more often than every 5 ms no thread runs for sure, and after 2 s a Lease is as fast.
const INTERVALS: [Duration; 2] = [Duration::from_millis(5), Duration::from_secs(2)];
/// A port that nobody else uses for anything on a segment.
const PORT: u16 = 2119;
/// Longest name of an instance in kube-vip.
const LONGEST_INSTANCE: usize = 243;
/// Longest one that a hello carries.
const LONGEST_SPOKEN: usize = 63;

/// How this process speaks on the segment; `usual` is its instance where none is named.
pub(super) fn config(typed: &mut Typed, node: NodeName, usual: &str) -> HelloConfig {
    let interval = typed.parsed("helloInterval", interval).unwrap_or(Some(INTERVAL));
    let port = typed.parsed("helloPort", port).unwrap_or(PORT);
    let instance = typed.parsed("instanceName", instance).unwrap_or_else(|| usual.to_owned());
    HelloConfig { sender: Sender { node, instance }, interval, port }
}

/// The file with the key that hellos are signed by.
pub(super) fn key(typed: &mut Typed) -> Option<PathBuf> {
    let read = |text: &str| {
        let path = PathBuf::from(text);
        // The manifest mounts a Secret at the folder.
        let in_folder = path.parent().is_some_and(|folder| folder != Path::new("/"));
        let sentence = || format!("{text:?} is not the full path of a file in a folder");
        (path.is_absolute() && in_folder).then_some(path).ok_or_else(sentence)
    };
    typed.parsed("helloKeyFile", read)
}

/// A duration as Go writes it, or milliseconds; zero is none.
fn interval(text: &str) -> Result<Option<Duration>, String> {
    let millis = text.parse::<u32>().map(|millis| Duration::from_millis(u64::from(millis)));
    let interval =
        millis.or_else(|_| parse_go_duration(text).map_err(|error| error.to_string()))?;
    let [shortest, longest] = INTERVALS;
    if interval.is_zero() {
        return Ok(None);
    }
    if interval < shortest || interval > longest {
        return Err(format!("{text:?} is not between {shortest:?} and {longest:?}; 0 is off"));
    }
    Ok(Some(interval))
}

/// kube-vip's rule, by the octet. A name that is too long for a hello is cut, and told from others by a number.
fn instance(text: &str) -> Result<String, String> {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b".-_".contains(&octet);
    if text.len() > LONGEST_INSTANCE || !text.bytes().all(plain) {
        return Err(format!(
            "{text:?} is not the name of an instance: up to {LONGEST_INSTANCE} letters, digits, dots, hyphens and underscores"
        ));
    }
    if text.len() <= LONGEST_SPOKEN {
        return Ok(text.to_owned());
    }
    let number = format!("-{:016x}", scattered(text.as_bytes()));
    let begin: String = text.chars().take(LONGEST_SPOKEN - number.len()).collect();
    Ok(begin + &number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_a_duration_or_milliseconds() {
        let millis = |millis| Ok(Some(Duration::from_millis(millis)));
        let cases =
            [("10ms", 10), ("10", 10), ("0.5s", 500), ("5", 5), ("2s", 2000), ("2000", 2000)];
        for (text, expected) in cases {
            assert_eq!(interval(text), millis(expected), "{text}");
        }
        for text in ["0", "0s", "0ms"] {
            assert_eq!(interval(text), Ok(None), "{text}");
        }
        for text in ["4", "4.9ms", "2001", "3s", "1m", "-10", "fast", "10 ms", "99999999999"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_instance_is_named_as_in_kube_vip() {
        for text in ["edge", "a.b-c_D9", &"x".repeat(243)] {
            assert!(instance(text).is_ok(), "{text}");
        }
        for text in ["a b", "a/b", "$a", "a@b", "a\n", "a\0", "\u{e4}", &"x".repeat(244)] {
            assert!(instance(text).is_err(), "{text}");
        }
    }

    #[test]
    fn long_names_of_instances_stay_apart_and_are_not_too_long_to_be_spoken() {
        let [one, other] = ["a", "b"].map(|end| instance(&("x".repeat(200) + end)).unwrap());
        assert_ne!(one, other);
        assert_eq!((one.len(), other.len()), (63, 63));
        assert_eq!(instance(&"x".repeat(63)).unwrap(), "x".repeat(63));
    }
}
