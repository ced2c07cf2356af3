//! What was said, by whom, and what is wrong or old about it.

use super::{Kind, Setting, parse_go_bool};
use std::collections::BTreeMap;
use std::fmt;

/// Where something was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A flag, as it was typed: `--port`.
    Flag(String),
    /// An environment variable.
    Variable(String),
    /// A key of a configuration file.
    File {
        /// The file.
        path: String,
        /// The key as it is written there.
        key: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => f.write_str(name),
            Self::File { path, key } => write!(f, "{key} in {path}"),
        }
    }
}

/// A value of a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileValue {
    /// The key is there and says nothing (`null`).
    Unset,
    /// A text, a number, true or false, or a list of those with commas between.
    Plain(String),
    /// Anything deeper, as JSON.
    Nested(String),
}

/// Everything that was typed, and everything that is wrong or old about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Typed {
    values: BTreeMap<&'static str, (Source, String)>,
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

    /// Takes what the configuration file at `path` says, key by key, where no flag and no variable says anything. A key may
    /// be written as the setting's key, flag, variable or old name, in capitals or not.
    pub fn take_file(
        &mut self,
        settings: &[Setting],
        path: &str,
        entries: impl IntoIterator<Item = (String, FileValue)>,
    ) {
        let mut found: BTreeMap<&str, String> = BTreeMap::new();
        for (key, value) in entries {
            let source = Source::File { path: path.to_owned(), key: key.clone() };
            let Some(setting) = settings.iter().find(|setting| is_key(setting, &key)) else {
                self.faults.push(format!("{source}: there is no such key"));
                continue;
            };
            if let Some(other) = found.insert(setting.name(), key.clone()) {
                self.faults.push(format!("{source}: {other:?} in the same file means the same"));
                continue;
            }
            if setting.deprecated().any(|old| old.eq_ignore_ascii_case(&key)) {
                self.warn_old(&source.to_string(), setting.key());
            }
            match (value, setting.kind) {
                (FileValue::Unset, _) => {}
                (FileValue::Plain(text), _) | (FileValue::Nested(text), Kind::Object) => {
                    self.values.entry(setting.name()).or_insert((source, text));
                }
                (FileValue::Nested(_), _) => {
                    self.faults.push(format!("{source}: a text or a number is expected there"));
                }
            }
        }
    }

    /// The text of the setting called `name`, if anybody said anything and it is not empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.said(name).map(|(_, value)| value).filter(|value| !value.is_empty())
    }

    /// Who said something about the setting called `name`, and what; also where that is nothing.
    #[must_use]
    pub fn said(&self, name: &str) -> Option<(&Source, &str)> {
        self.values.get(name).map(|(source, value)| (source, value.as_str()))
    }

    /// Every value of the flag `name` in the order in which it was given, for one that may be repeated.
    pub fn every(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.flags.iter().filter(move |(flag, _)| *flag == name);
        named.map(|(_, value)| value.as_str())
    }

    /// Whether `name` was given with an empty value, as a flag or in a file, which for some means "none".
    #[must_use]
    pub fn emptied(&self, name: &str) -> bool {
        self.said(name).is_some_and(|(_, value)| value.is_empty())
    }

    /// The text of `name` read by `parse`; what cannot be read becomes a fault that names where it was said.
    pub fn parsed<T, E: fmt::Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let (source, value) = self.values.get(name).filter(|(_, value)| !value.is_empty())?;
        match parse(value) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.faults.push(format!("{source}: {error}"));
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
                .find(|(key, value)| key == name && !name.is_empty() && !value.is_empty())
                .map(|(_, value)| value.clone())
        };
        let said = |name: &str, value| (Source::Variable(name.to_owned()), value);
        // A letter is short for a flag; nobody calls a variable so.
        for old in setting.deprecated() {
            if let Some(value) = found(old) {
                self.warn_old(old, setting.variable);
                self.values.insert(setting.name(), said(old, value));
            }
        }
        if let Some(value) = found(setting.variable) {
            self.values.insert(setting.name(), said(setting.variable, value));
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
                !flag.is_empty()
                    && !setting.flag.is_empty()
                    && (setting.flag == flag || setting.old_names.contains(&flag))
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
                (None, _) => rest.next().cloned(),
            };
            match value {
                Some(value) => self.take_flag(setting, said, value),
                None => self.faults.push(format!("{said}: a value must follow")),
            }
        }
    }

    /// The last one counts, but an old name never beats the one that is to be written.
    fn take_flag(&mut self, setting: &Setting, said: &str, value: String) {
        let name = |said: &str| said.trim_start_matches('-').to_owned();
        let old = |said: &str| setting.deprecated().any(|old| old == name(said));
        let before = self.values.get(setting.name());
        let outranked = matches!(before, Some((Source::Flag(before), _)) if !old(before));
        self.flags.push((setting.name(), value.clone()));
        if !(outranked && old(said)) {
            self.values.insert(setting.name(), (Source::Flag(said.to_owned()), value));
        }
    }

    fn warn_old(&mut self, old: &str, new: &str) {
        self.warnings.push(format!("{old} is an old name and still works; write {new}"));
    }
}

fn is_key(setting: &Setting, key: &str) -> bool {
    let names = [setting.flag, setting.variable].into_iter().chain(setting.deprecated());
    let mut names = names.chain(setting.keys.iter().copied()).filter(|name| !name.is_empty());
    names.any(|name| name.eq_ignore_ascii_case(key))
}
