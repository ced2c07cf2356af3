//! What our two programs asked of the API server, from its audit log, against what their roles grant.

use crate::cluster::programs::root;
use crate::process::{kubectl, output};
use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// One request that was answered.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    verb: String,
    user: User,
    #[serde(default)]
    object_ref: Option<ObjectRef>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
struct User {
    username: String,
}

#[derive(Debug, Clone, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ObjectRef {
    resource: String,
    subresource: String,
    api_group: String,
    namespace: String,
    name: String,
}

impl AuditEntry {
    /// Whether no role grants it. (Not every 403: a namespace that is on its way out answers so, too.)
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.annotations
            .get("authorization.k8s.io/decision")
            .is_some_and(|decision| decision == "forbid")
    }

    /// Whether it may have changed an object of `resource`, or its status.
    #[must_use]
    pub fn writes(&self, resource: &str) -> bool {
        let reads = ["get", "list", "watch"].contains(&self.verb.as_str());
        !reads && self.object_ref.as_ref().is_some_and(|object| object.resource == resource)
    }

    /// The object that was asked for: its namespace and name.
    #[must_use]
    pub fn object(&self) -> String {
        let object = self.object_ref.clone().unwrap_or_default();
        format!("{}/{}", object.namespace, object.name)
    }

    /// Whether `service_account` of kube-system asked.
    #[must_use]
    pub fn is_from(&self, service_account: &str) -> bool {
        self.user.username == format!("system:serviceaccount:kube-system:{service_account}")
    }
}

impl std::fmt::Display for AuditEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let object = self.object_ref.clone().unwrap_or_default();
        let ObjectRef { resource, subresource, api_group, namespace, name } = object;
        let slash = if subresource.is_empty() { "" } else { "/" };
        let group = if api_group.is_empty() { String::new() } else { format!(".{api_group}") };
        write!(f, "{} {resource}{group}{slash}{subresource} {namespace}/{name}", self.verb)
    }
}

/// One thing that a role grants: one verb on one resource, somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    role: String,
    verb: String,
    group: String,
    resource: String,
    names: Vec<String>,
    namespace: Option<String>,
}

impl Grant {
    /// Whether `entry` needs it, or something as strong.
    #[must_use]
    pub fn covers(&self, entry: &AuditEntry) -> bool {
        let Some(object) = &entry.object_ref else { return false };
        let asked = match object.subresource.as_str() {
            "" => object.resource.clone(),
            sub => format!("{}/{sub}", object.resource),
        };
        let named = self.names.is_empty() || self.names.contains(&object.name);
        let there = self.namespace.as_ref().is_none_or(|namespace| *namespace == object.namespace);
        self.verb == entry.verb
            && self.group == object.api_group
            && self.resource == asked
            && named
            && there
    }
}

impl std::fmt::Display for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = if self.names.is_empty() {
            String::new()
        } else {
            format!(" {}", self.names.join(", "))
        };
        write!(f, "{}: {} {}{names}", self.role, self.verb, self.resource)
    }
}

/// All entries of the audit log.
///
/// # Errors
/// There is no log, or a line of it is not what the API server writes.
pub fn entries(log: &Path) -> Result<Vec<AuditEntry>> {
    let text =
        std::fs::read_to_string(log).with_context(|| format!("cannot read {}", log.display()))?;
    let lines = text.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| {
            serde_json::from_str(line).with_context(|| format!("not an audit entry: {line}"))
        })
        .collect()
}

/// Everything that the roles in manifests/`file` grant to `service_account`.
///
/// # Errors
/// The file makes no sense to kubectl.
pub async fn grants(file: &str, service_account: &str) -> Result<Vec<Grant>> {
    let path = root().join("manifests").join(file);
    let printed = output(kubectl(&[
        "create",
        "--dry-run=client",
        "-o",
        "json",
        "-f",
        &path.to_string_lossy(),
    ]))
    .await?;
    let mut objects = Vec::new();
    for object in serde_json::Deserializer::from_str(&printed).into_iter::<Value>() {
        let object = object?;
        match object.get("items").and_then(Value::as_array) {
            Some(items) => objects.extend(items.iter().cloned()),
            None => objects.push(object),
        }
    }
    let bindings = objects.iter().filter(|object| binds(object, service_account));
    Ok(bindings.flat_map(|binding| granted_by(binding, &objects)).collect())
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn texts(value: &Value, pointer: &str) -> Vec<String> {
    let list = value.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn binds(object: &Value, service_account: &str) -> bool {
    let subjects = object.get("subjects").and_then(Value::as_array).into_iter().flatten();
    text(object, "/kind").ends_with("RoleBinding")
        && subjects.into_iter().any(|it| text(it, "/name") == service_account)
}

fn granted_by(binding: &Value, objects: &[Value]) -> Vec<Grant> {
    let namespace = match text(binding, "/kind") {
        "RoleBinding" => Some(text(binding, "/metadata/namespace").to_owned()),
        _ => None,
    };
    let (kind, name) = (text(binding, "/roleRef/kind"), text(binding, "/roleRef/name"));
    // Of roles with one name, the one beside the binding is meant.
    let at_home = |object: &Value| {
        kind == "ClusterRole" || namespace.as_deref() == Some(text(object, "/metadata/namespace"))
    };
    let is_bound = |object: &&Value| {
        text(object, "/kind") == kind && text(object, "/metadata/name") == name && at_home(object)
    };
    let roles = objects.iter().filter(is_bound);
    let rules = roles.filter_map(|role| role.get("rules")?.as_array()).flatten();
    let mut grants = Vec::new();
    for rule in rules {
        let names = texts(rule, "/resourceNames");
        for group in texts(rule, "/apiGroups") {
            for (resource, verb) in pairs(&texts(rule, "/resources"), &texts(rule, "/verbs")) {
                let (role, group, names) = (name.to_owned(), group.clone(), names.clone());
                grants.push(Grant {
                    role,
                    verb,
                    group,
                    resource,
                    names,
                    namespace: namespace.clone(),
                });
            }
        }
    }
    grants
}

fn pairs(left: &[String], right: &[String]) -> Vec<(String, String)> {
    left.iter().flat_map(|a| right.iter().map(move |b| (a.clone(), b.clone()))).collect()
}
