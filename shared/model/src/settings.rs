//! Flags and environment as typed, read against a table: everything wrong with them is found in one reading.
//!
//! A program lists its [`Setting`]s once; this reads arguments and environment into [`Typed`], its documentation is
//! printed from the same table, and what the texts *mean* is decided elsewhere. An explicit flag beats the environment,
//! which beats the default. An empty variable counts as unset, as in kube-vip.

use std::collections::BTreeMap;

/// How a setting is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `--name` alone means true; also `--name=false`. Texts are those of Go's `strconv.ParseBool`.
    Switch,
    /// `--name VALUE` or `--name=VALUE`.
    Value,
}

/// One thing that a user can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Name of the flag without dashes; empty when there is only a variable.
    pub flag: &'static str,
    /// Name of the environment variable; empty when there is only a flag.
    pub variable: &'static str,
    /// Names that still work, flags or variables, and are answered with a warning; but one letter is short for the flag.
    pub old_names: &'static [&'static str],
    /// Switch or value.
    pub kind: Kind,
    /// What holds when nobody says anything; empty for nothing.
    pub default: &'static str,
    /// One sentence for people.
    pub help: &'static str,
}

impl Setting {
    /// The name under which its value is found in [`Typed`].
    #[must_use]
    pub const fn name(&self) -> &'static str {
        if self.flag.is_empty() { self.variable } else { self.flag }
    }

    /// The letter that is short for the flag, if there is one.
    fn letter(&self) -> Option<&'static str> {
        self.old_names.iter().copied().find(|name| name.len() == 1)
    }
}

/// Everything that was typed, and everything that is wrong or old about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Typed {
    values: BTreeMap<&'static str, (String, String)>,
    flags: Vec<(&'static str, String)>,
    /// Words that are no flags.
    pub words: Vec<String>,
    /// Sentences about what must be mended before the program can start.
    pub faults: Vec<String>,
    /// Sentences about what works for now.
    pub warnings: Vec<String>,
}

impl Typed {
    /// Reads `arguments` (without the program's name) and `environment` against `settings`.
    #[must_use]
    pub fn read(
        settings: &[Setting],
        arguments: &[String],
        environment: &[(String, String)],
    ) -> Self {
        let mut typed = Self::default();
        for setting in settings {
            typed.take_variable(setting, environment);
        }
        typed.take_arguments(settings, arguments);
        typed
    }

    /// The text of the setting called `name`, if anybody said anything and it is not empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Every value of the flag `name` in the order in which it was given, for one that may be repeated.
    pub fn every(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.flags.iter().filter(move |(flag, _)| *flag == name);
        named.map(|(_, value)| value.as_str())
    }

    /// Whether the flag `name` was given with an empty value, which for some means "none".
    #[must_use]
    pub fn emptied(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|(_, value)| value.is_empty())
    }

    /// The text of `name` read by `parse`; what cannot be read becomes a fault that names where it was said.
    pub fn parsed<T, E: std::fmt::Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let (said, value) = self.values.get(name).filter(|(_, value)| !value.is_empty())?;
        match parse(value) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.faults.push(format!("{said}: {error}"));
                None
            }
        }
    }

    /// The switch called `name`.
    pub fn switch(&mut self, name: &str) -> Option<bool> {
        self.parsed(name, parse_go_bool)
    }

    fn take_variable(&mut self, setting: &Setting, environment: &[(String, String)]) {
        let found = |name: &str| {
            environment
                .iter()
                .find(|(key, value)| key == name && !value.is_empty())
                .map(|(_, value)| value.clone())
        };
        // A letter is short for a flag; nobody calls a variable so.
        for old in setting.old_names.iter().filter(|old| old.len() > 1) {
            if let Some(value) = found(old) {
                self.warn_old(old, setting.variable);
                self.values.insert(setting.name(), ((*old).to_owned(), value));
            }
        }
        if let Some(value) = found(setting.variable) {
            self.values.insert(setting.name(), (setting.variable.to_owned(), value));
        }
    }

    fn take_arguments(&mut self, settings: &[Setting], arguments: &[String]) {
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let Some(flag) = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-'))
            else {
                self.words.push(argument.clone());
                continue;
            };
            let (flag, given) =
                flag.split_once('=').map_or((flag, None), |(flag, value)| (flag, Some(value)));
            let said = argument.split_once('=').map_or(argument.as_str(), |(said, _)| said);
            // A setting that has a variable only has no name that could be typed.
            let named = |setting: &&Setting| {
                !flag.is_empty() && (setting.flag == flag || setting.old_names.contains(&flag))
            };
            let Some(setting) = settings.iter().find(named) else {
                self.faults.push(format!("{said}: there is no such flag"));
                continue;
            };
            if setting.flag != flag && setting.letter() != Some(flag) {
                self.warn_old(said, &format!("--{}", setting.flag));
            }
            let value = match (given, setting.kind) {
                (Some(value), _) => Some(value.to_owned()),
                (None, Kind::Switch) => Some("true".to_owned()),
                (None, Kind::Value) => rest.next().cloned(),
            };
            match value {
                Some(value) => {
                    self.flags.push((setting.name(), value.clone()));
                    self.values.insert(setting.name(), (said.to_owned(), value));
                }
                None => self.faults.push(format!("{said}: a value must follow")),
            }
        }
    }

    fn warn_old(&mut self, old: &str, new: &str) {
        self.warnings.push(format!("{old} is an old name and still works; write {new}"));
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

/// The table of `settings` as `--help` prints it: flag, variable, and what it is for with its default.
#[must_use]
pub fn table(settings: &[Setting]) -> String {
    let flags: Vec<_> = settings.iter().map(flag_as_typed).collect();
    let widest = |texts: &mut dyn Iterator<Item = &str>| texts.map(str::len).max().unwrap_or(0);
    let flag_width = widest(&mut flags.iter().map(String::as_str));
    let variable_width = widest(&mut settings.iter().map(|setting| setting.variable));
    let rows = settings.iter().zip(flags).map(|(setting, flag)| {
        let default = if setting.default.is_empty() {
            String::new()
        } else {
            format!(" [{}]", setting.default)
        };
        let (variable, help) = (setting.variable, setting.help);
        format!("  {flag:<flag_width$}  {variable:<variable_width$}  {help}{default}\n")
    });
    rows.collect()
}

fn flag_as_typed(setting: &Setting) -> String {
    match (setting.flag, setting.letter()) {
        ("", _) => String::new(),
        (flag, None) => format!("--{flag}"),
        (flag, Some(letter)) => format!("-{letter}, --{flag}"),
    }
}

/// The table of `settings` as docs/configuration.md holds it.
#[must_use]
pub fn markdown(settings: &[Setting]) -> String {
    let code = |text: &str| {
        let names = text.split(", ").filter(|name| !name.is_empty());
        names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    let rows = settings.iter().map(|it| {
        format!(
            "| {} | {} | {} | {} |\n",
            code(&flag_as_typed(it)),
            code(it.variable),
            it.default,
            it.help
        )
    });
    let head = "| flag | variable | default | meaning |\n| --- | --- | --- | --- |\n".to_owned();
    std::iter::once(head).chain(rows).collect()
}

#[cfg(test)]
mod tests;
