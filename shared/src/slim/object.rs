//! A Service as it is received: without `managedFields`, which nothing here reads. They are a third of what is sent, and
//! would be most of what is kept of it while a list is read.

use k8s_openapi::api::core::v1::{Service, ServiceSpec, ServiceStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::Resource;
use kube::core::NamespaceResourceScope;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A Service of the API, as far as anything in it decides anything.
#[derive(Debug, Clone, Deserialize)]
pub struct ServiceObject {
    /// What every object has, but for its `managedFields`.
    #[serde(default, deserialize_with = "without_managed_fields")]
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: Option<ServiceSpec>,
    /// What is.
    pub status: Option<ServiceStatus>,
}

impl Resource for ServiceObject {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        Service::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        Service::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        Service::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        Service::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    namespace: Option<String>,
    name: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    annotations: Option<BTreeMap<String, String>>,
    labels: Option<BTreeMap<String, String>>,
    finalizers: Option<Vec<String>>,
    deletion_timestamp: Option<Time>,
}

pub(super) fn without_managed_fields<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<ObjectMeta, D::Error> {
    let read = Metadata::deserialize(deserializer)?;
    Ok(ObjectMeta {
        namespace: read.namespace,
        name: read.name,
        uid: read.uid,
        resource_version: read.resource_version,
        annotations: read.annotations,
        labels: read.labels,
        finalizers: read.finalizers,
        deletion_timestamp: read.deletion_timestamp,
        ..ObjectMeta::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_managed_fields_say_is_passed_over_whatever_it_is() {
        let object: ServiceObject = serde_json::from_value(json!({
            "metadata": {"name": "web", "managedFields": "not even a list", "generation": 7},
        }))
        .unwrap();
        assert_eq!(object.meta().name.as_deref(), Some("web"));
        assert_eq!(object.meta().managed_fields, None);
    }
}
