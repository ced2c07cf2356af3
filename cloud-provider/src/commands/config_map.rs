//! The ConfigMap with the pools among the objects of files, as `kubectl apply` would read them: YAML or JSON, any number
//! of objects, lists of objects.

use cloud_provider_decide::check::{Finding, Rule};
use model::object::ObjectKey;
use serde_json::{Map, Value};
use serde_saphyr::UserMessageFormatter;
use std::collections::BTreeMap;

/// Longest key of a ConfigMap.
const LONGEST_KEY: usize = 253;

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    /// How it was named.
    pub(super) name: String,
    /// What stands in it.
    pub(super) text: String,
}

/// What was found in the files.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Where the ConfigMap stands.
    pub(super) file: String,
    /// Its `data`; `None`: there is nothing that could be judged.
    pub(super) data: Option<BTreeMap<String, String>>,
    /// What is wrong with the files and the object.
    pub(super) findings: Vec<Finding>,
}

/// One object, and the file that it is in.
struct Object<'a> {
    file: &'a str,
    fields: Map<String, Value>,
}

impl Object<'_> {
    fn text(&self, field: &str) -> &str {
        self.fields.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    fn metadata(&self, field: &str) -> Option<&str> {
        self.fields.get("metadata")?.get(field)?.as_str()
    }

    fn is_config_map(&self) -> bool {
        self.text("kind") == "ConfigMap" && self.text("apiVersion") == "v1"
    }

    fn is(&self, key: &ObjectKey) -> bool {
        let namespace = self.metadata("namespace");
        self.is_config_map()
            && self.metadata("name") == Some(key.name.as_str())
            && namespace.is_none_or(|namespace| namespace == key.namespace)
    }

    /// `ConfigMap default/kubevip`, for a sentence.
    fn shown(&self) -> String {
        let name = self.metadata("name").unwrap_or("without a name");
        let name =
            self.metadata("namespace").map_or_else(|| name.to_owned(), |it| format!("{it}/{name}"));
        match (self.text("kind"), self.text("apiVersion")) {
            ("", _) => format!("an object without a kind ({name})"),
            ("ConfigMap", version) if version != "v1" => {
                format!("ConfigMap {name} of apiVersion {version:?}")
            }
            (kind, _) => format!("{kind} {name}"),
        }
    }
}

/// Finds the ConfigMap `key` in `files`. Where another one is the only one, that is judged as well as it can be.
pub(super) fn find(files: &[File], key: &ObjectKey) -> Found {
    let mut findings = Vec::new();
    let mut objects = Vec::new();
    for file in files {
        match serde_saphyr::from_multiple::<Value>(&file.text) {
            Ok(documents) => {
                documents.into_iter().for_each(|it| take(it, &file.name, &mut objects))
            }
            Err(error) => {
                let why = error.without_snippet().render_with_formatter(&UserMessageFormatter);
                let message = format!("{} cannot be read as YAML: {why}", file.name);
                findings.push(Finding::about_all(Rule::NotYaml, message));
            }
        }
    }
    let first = files.first().map(|file| file.name.clone()).unwrap_or_default();
    let readable = findings.is_empty();
    let wanted: Vec<_> = objects.iter().filter(|object| object.is(key)).collect();
    let chosen = match &wanted[..] {
        [] => {
            if readable {
                findings.push(not_there(key, &objects));
            }
            only(objects.iter().filter(|object| object.is_config_map()))
        }
        [one] => Some(*one),
        [one, ..] => {
            let message = format!(
                "ConfigMap {key} is there {} times, and the last one counts: leave one",
                wanted.len()
            );
            findings.push(Finding::about_all(Rule::Repeated, message));
            Some(wanted.last().copied().unwrap_or(one))
        }
    };
    let Some(object) = chosen else { return Found { file: first, data: None, findings } };
    if object.metadata("namespace").is_none() {
        let message = format!(
            "it names no namespace: add metadata.namespace: {0}, or apply it with --namespace {0}",
            key.namespace
        );
        findings.push(Finding::about_all(Rule::NamespaceMissing, message));
    }
    let data = data(object, &mut findings);
    Found { file: object.file.to_owned(), data: Some(data), findings }
}

fn take<'a>(document: Value, file: &'a str, objects: &mut Vec<Object<'a>>) {
    let Value::Object(mut fields) = document else { return };
    let is_list =
        fields.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    match fields.get_mut("items") {
        Some(Value::Array(items)) if is_list => {
            std::mem::take(items).into_iter().for_each(|item| take(item, file, objects));
        }
        _ => objects.push(Object { file, fields }),
    }
}

fn only<'a, 'b>(mut objects: impl Iterator<Item = &'a Object<'b>>) -> Option<&'a Object<'b>>
where
    'b: 'a,
{
    let one = objects.next()?;
    objects.next().is_none().then_some(one)
}

/// What is there instead: other ConfigMaps, and whatever bears the name.
fn not_there(key: &ObjectKey, objects: &[Object<'_>]) -> Finding {
    let near = |object: &&Object<'_>| {
        object.text("kind") == "ConfigMap" || object.metadata("name") == Some(key.name.as_str())
    };
    let others: Vec<_> = objects.iter().filter(near).map(Object::shown).collect();
    let instead = match others.is_empty() {
        true => String::new(),
        false => format!(" (there is {})", others.join(" and ")),
    };
    let message = format!(
        "ConfigMap {key}, which the provider reads, is not there{instead}: name it so, or say which one it reads in \
         KUBEVIP_NAMESPACE and KUBEVIP_CONFIG_MAP"
    );
    Finding::about_all(Rule::NoConfigMap, message)
}

/// The texts of an object. What the API server would not take is named, and read as it was probably meant.
fn data(object: &Object<'_>, findings: &mut Vec<Finding>) -> BTreeMap<String, String> {
    let refused = |message: String| Finding::about_all(Rule::NotAllowed, message);
    if object
        .fields
        .get("binaryData")
        .is_some_and(|it| it.as_object().is_some_and(|it| !it.is_empty()))
    {
        findings.push(Finding::about_all(
            Rule::NotRead,
            "binaryData is not read: write what it says under data",
        ));
    }
    let fields = match object.fields.get("data") {
        None | Some(Value::Null) => return BTreeMap::new(),
        Some(Value::Object(fields)) => fields,
        Some(_) => {
            findings.push(refused("data must be a mapping of keys to texts".to_owned()));
            return BTreeMap::new();
        }
    };
    let mut data = BTreeMap::new();
    for (key, value) in fields {
        if !is_key(key) {
            findings.push(refused(format!(
                "{key:?} cannot be a key: write at most {LONGEST_KEY} letters, digits, '-', '_' and '.'"
            )));
            continue;
        }
        match text(value) {
            Ok(text) => drop(data.insert(key.clone(), text)),
            Err((meant, message)) => {
                findings.push(Finding::about(key, Rule::NotAllowed, message));
                data.extend(meant.map(|text| (key.clone(), text)));
            }
        }
    }
    data
}

/// As the API server checks it.
fn is_key(key: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    !key.is_empty()
        && key.len() <= LONGEST_KEY
        && key.chars().all(plain)
        && key != "."
        && !key.starts_with("..")
}

/// A value that is text; else the text that was meant, if any, and what to do.
fn text(value: &Value) -> Result<String, (Option<String>, String)> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => {
            let meant = value.to_string();
            let message = format!("is {meant} and not text: put it in quotes, \"{meant}\"");
            Err((Some(meant), message))
        }
        Value::Null => Err((None, "has no value: write one, or remove the key".to_owned())),
        Value::Array(_) | Value::Object(_) => Err((
            None,
            "is not text: write the value as one text, with commas between its parts".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests;
