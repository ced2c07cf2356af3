//! Flags, environment and configuration file as typed, read against a table: everything wrong with them is found in one
//! reading.
//!
//! A program lists its [`Setting`]s once; this reads what was said into [`Typed`], its documentation is printed from the
//! same table, and what the texts *mean* is decided elsewhere. An explicit flag beats the environment, which beats the file,
//! which beats the default. An empty variable counts as unset, as in kube-vip.

mod tables;
mod typed;

pub use tables::{markdown, markdown_in_full, table};
pub use typed::{FileValue, Source, Typed};

/// The version that has all settings which say nothing else.
const FIRST: &str = "0.1.0";

/// How a setting is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `--name` alone means true; also `--name=false`. Texts are those of Go's `strconv.ParseBool`.
    Switch,
    /// `--name VALUE` or `--name=VALUE`.
    Value,
    /// The same, with a value that nobody else is to see.
    Secret,
    /// The same, with a JSON object as the value; in a file an object of the file's own form.
    Object,
}

/// One thing that a user can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Name of the flag without dashes; empty when there is none.
    pub flag: &'static str,
    /// Name of the environment variable; empty when there is none.
    pub variable: &'static str,
    /// Names in a configuration file, beside those of the flag and the variable; the first is the one that is documented.
    pub keys: &'static [&'static str],
    /// Names that still work, flags, variables or keys, and are answered with a warning; but one letter is short for the
    /// flag.
    pub old_names: &'static [&'static str],
    /// Switch or value.
    pub kind: Kind,
    /// What holds when nobody says anything; empty for nothing.
    pub default: &'static str,
    /// One sentence for people.
    pub help: &'static str,
    /// The first version that has it.
    pub since: &'static str,
}

impl Setting {
    /// A setting that has been there from the first version on.
    #[must_use]
    pub const fn new(
        flag: &'static str,
        variable: &'static str,
        kind: Kind,
        default: &'static str,
        help: &'static str,
    ) -> Self {
        Self { flag, variable, keys: &[], old_names: &[], kind, default, help, since: FIRST }
    }

    /// The same, with names that still work.
    #[must_use]
    pub const fn renamed(self, old_names: &'static [&'static str]) -> Self {
        Self { old_names, ..self }
    }

    /// The same, with names in a configuration file.
    #[must_use]
    pub const fn keyed(self, keys: &'static [&'static str]) -> Self {
        Self { keys, ..self }
    }

    /// The name under which its value is found in [`Typed`].
    #[must_use]
    pub fn name(&self) -> &'static str {
        match (self.flag, self.variable, self.keys.first()) {
            ("", "", Some(key)) => key,
            ("", variable, _) => variable,
            (flag, ..) => flag,
        }
    }

    /// The documented name in a configuration file.
    #[must_use]
    pub fn key(&self) -> &'static str {
        self.keys.first().copied().unwrap_or(self.name())
    }

    /// The letter that is short for the flag, if there is one.
    fn letter(&self) -> Option<&'static str> {
        self.old_names.iter().copied().find(|name| name.len() == 1)
    }

    /// Names that still work, without the letter.
    fn deprecated(&self) -> impl Iterator<Item = &'static str> {
        self.old_names.iter().copied().filter(|name| name.len() > 1)
    }
}

/// Reads a boolean as Go's `strconv.ParseBool` does.
///
/// # Errors
/// A sentence that names the texts which are understood.
pub fn parse_go_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

/// Variables of `environment` that start with one of `prefixes` and are not in `settings`: probably typing errors.
#[must_use]
pub fn unknown_variables<'a>(
    settings: &[Setting],
    environment: &'a [(String, String)],
    prefixes: &[&str],
) -> Vec<&'a str> {
    let known = |name: &str| {
        settings.iter().any(|setting| setting.variable == name || setting.old_names.contains(&name))
    };
    let names = environment.iter().map(|(name, _)| name.as_str());
    names
        .filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)) && !known(name))
        .collect()
}

#[cfg(test)]
mod tests;
