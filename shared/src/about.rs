//! What a process says and knows about itself before it does anything.

use std::fmt::Display;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::process::ExitCode;

/// Answers `--help` and `version`, if that is all that was asked.
#[must_use]
pub fn answer(
    arguments: &[String],
    program: &str,
    version: &str,
    help: fn() -> String,
) -> Option<ExitCode> {
    let asked =
        |words: &[&str]| arguments.iter().any(|argument| words.contains(&argument.as_str()));
    if asked(&["-h", "--help", "help"]) {
        return Some(say(&help()));
    }
    if asked(&["--version"]) || arguments.first().is_some_and(|first| first == "version") {
        return Some(say(&format!("{program} {version}\n")));
    }
    None
}

/// Writes `text` to standard output.
#[must_use]
pub fn say(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Says what is wrong on standard error; the exit status says so too.
#[must_use]
pub fn refuse(error: &dyn Display) -> ExitCode {
    tell(error);
    ExitCode::from(2)
}

/// Says `sentence` on standard error.
pub fn tell(sentence: &dyn Display) {
    // Without a standard error there is nobody to tell.
    drop(writeln!(std::io::stderr(), "{sentence}"));
}

/// The environment, without what is not text.
#[must_use]
pub fn environment() -> Vec<(String, String)> {
    let pairs = std::env::vars_os();
    pairs
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The name of this host as the kernel has it; empty when it has none.
#[must_use]
pub fn host_name() -> String {
    let read = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    read.trim().to_owned()
}

/// `host`, made unique to this process, as client-go's programs name themselves in a Lease: two processes of one host, or
/// one before and after a restart, are never taken for each other.
#[must_use]
pub fn unique_name(host: &str) -> String {
    let random = RandomState::new().build_hasher().finish();
    format!("{host}_{random:016x}")
}
