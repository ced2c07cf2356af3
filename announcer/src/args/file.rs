//! What a configuration file says.

use model::settings::{FileValue, Setting, Typed};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_saphyr::UserMessageFormatter;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};

/// Longest file that is read; nobody has so much to say.
const LONGEST: u64 = 1 << 20;

/// A configuration file, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Where it is.
    pub path: String,
    /// What it says, or why it could not be read.
    pub text: Result<String, String>,
}

impl ConfigFile {
    /// Reads the file that `arguments` or else `environment` name, if they name one.
    #[must_use]
    pub fn named(arguments: &[String], environment: &[(String, String)]) -> Option<Self> {
        let typed = Typed::read(&super::table(), arguments, environment);
        let path = typed.text(super::CONFIG_FILE)?.to_owned();
        let text = read(&path).map_err(|error| error.to_string());
        Some(Self { path, text })
    }
}

fn read(path: &str) -> io::Result<String> {
    let file = File::open(path)?;
    let mut text = String::new();
    // One octet more shows that there is more.
    let length = file.take(LONGEST + 1).read_to_string(&mut text)?;
    if u64::try_from(length).is_ok_and(|length| length > LONGEST) {
        return Err(io::Error::other("it is longer than a megabyte"));
    }
    Ok(text)
}

/// Takes what `file` says where nobody else says anything.
pub(super) fn take(typed: &mut Typed, table: &[Setting], file: &ConfigFile) {
    let path = &file.path;
    let entries = file.text.clone().and_then(|text| entries(path, &text));
    match entries {
        Ok(entries) => typed.take_file(table, path, entries),
        Err(error) => {
            typed.faults.push(format!("cannot read the configuration in {path}: {error}"))
        }
    }
}

fn entries(path: &str, text: &str) -> Result<Vec<(String, FileValue)>, String> {
    let path = path.to_lowercase();
    let entries = if path.ends_with(".json") {
        serde_json::from_str(text).map_err(|error| error.to_string())
    } else if path.ends_with(".yaml") || path.ends_with(".yml") {
        serde_saphyr::from_str(text)
            .map_err(|error| error.without_snippet().render_with_formatter(&UserMessageFormatter))
    } else {
        Err("its name must end in .yaml, .yml or .json".to_owned())
    };
    entries.map(|Entries(entries)| entries)
}

/// The keys of an object in their order; one that stands there twice is there twice.
struct Entries(Vec<(String, FileValue)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Object)
    }
}

struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings by their keys")
    }

    /// A file without a word.
    fn visit_unit<E>(self) -> Result<Entries, E> {
        Ok(Entries(Vec::new()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            entries.push((key, said(&value)));
        }
        Ok(Entries(entries))
    }
}

fn said(value: &Value) -> FileValue {
    let many = |parts: &Vec<Value>| parts.iter().map(plain).collect::<Option<Vec<_>>>();
    match value {
        Value::Null => Some(FileValue::Unset),
        Value::Array(parts) => many(parts).map(|parts| FileValue::Plain(parts.join(","))),
        one => plain(one).map(FileValue::Plain),
    }
    .unwrap_or_else(|| FileValue::Nested(value.to_string()))
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(value) => Some(value.clone()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
