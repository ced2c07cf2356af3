//! A Node, reduced as it is received: the list of its images alone is most of what is sent.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::ClusterResourceScope;
use model::annotations::{EXCLUDE_NODE_LABEL, SERVICE_PROVIDED_LABEL};
use model::node::{Node, NodeName, Standing};
use serde::Deserialize;
use std::borrow::Cow;

/// A Node of the API, as far as anything in it decides anything.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct NodeObject {
    /// What every object has.
    #[serde(default, deserialize_with = "super::object::without_managed_fields")]
    pub metadata: ObjectMeta,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Spec {
    #[serde(default)]
    unschedulable: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Status {
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

impl Resource for NodeObject {
    type DynamicType = ();
    type Scope = ClusterResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        k8s_openapi::api::core::v1::Node::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        k8s_openapi::api::core::v1::Node::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        k8s_openapi::api::core::v1::Node::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        k8s_openapi::api::core::v1::Node::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// What is kept of a Node.
#[must_use]
pub fn node(object: NodeObject) -> Node {
    let standing = standing(&object);
    let labels = object.metadata.labels.unwrap_or_default();
    let ours =
        |label: &str| label.split_once('/').is_some_and(|(it, _)| it == SERVICE_PROVIDED_LABEL);
    Node {
        name: NodeName(object.metadata.name.unwrap_or_default()),
        standing,
        provides: labels.into_iter().filter(|(label, _)| ours(label)).collect(),
    }
}

/// A condition that nobody has stated says nothing; one that is stated as `Unknown` is about a node that is not heard.
fn standing(object: &NodeObject) -> Standing {
    let stated = |kind: &str| object.status.conditions.iter().find(|it| it.kind == kind);
    let ready = stated("Ready").is_none_or(|it| it.status == "True");
    let unreachable = stated("NetworkUnavailable").is_some_and(|it| it.status == "True");
    let labels = object.metadata.labels.as_ref();
    if !ready || unreachable {
        Standing::FAILING
    } else if object.spec.unschedulable
        || labels.is_some_and(|it| it.contains_key(EXCLUDE_NODE_LABEL))
    {
        Standing::SPARED
    } else {
        Standing::FIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// As the API server sends it, with these conditions besides those that do not matter.
    fn read(labels: Value, unschedulable: Value, conditions: &[(&str, &str)]) -> Node {
        let others = [("MemoryPressure", "False"), ("DiskPressure", "True")];
        let conditions: Vec<_> = others
            .iter()
            .chain(conditions)
            .map(|(kind, status)| json!({"type": kind, "status": status, "reason": "r", "message": "m"}))
            .collect();
        let object = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": "n1", "uid": "u", "resourceVersion": "7", "labels": labels,
                         "annotations": {"a": "b"}, "managedFields": [{"manager": "kubelet"}]},
            "spec": {"podCIDR": "10.244.1.0/24", "unschedulable": unschedulable,
                     "taints": [{"effect": "NoSchedule", "key": "k"}]},
            "status": {"conditions": conditions, "images": [{"names": ["i"], "sizeBytes": 1}]},
        });
        node(serde_json::from_value(object).unwrap())
    }

    #[test]
    fn a_node_stands_as_well_as_its_conditions_its_labels_and_its_cordon_let_it() {
        let exclude = json!({"node.kubernetes.io/exclude-from-external-load-balancers": ""});
        let none = json!({});
        let ready = ("Ready", "True");
        let cases = [
            (&none, json!(false), vec![ready], Standing::FIT),
            (&none, json!(false), vec![], Standing::FIT),
            (&none, json!(false), vec![ready, ("NetworkUnavailable", "False")], Standing::FIT),
            (&none, json!(true), vec![ready], Standing::SPARED),
            (&exclude, json!(false), vec![ready], Standing::SPARED),
            (&none, json!(false), vec![("Ready", "False")], Standing::FAILING),
            (&none, json!(false), vec![("Ready", "Unknown")], Standing::FAILING),
            (&none, json!(false), vec![ready, ("NetworkUnavailable", "True")], Standing::FAILING),
            (&exclude, json!(true), vec![("Ready", "False")], Standing::FAILING),
        ];
        for (labels, unschedulable, conditions, standing) in cases {
            let node = read(labels.clone(), unschedulable, &conditions);
            assert_eq!(node.standing, standing, "{labels} {conditions:?}");
        }
    }

    #[test]
    fn only_labels_that_tell_of_services_are_kept() {
        let labels = json!({
            "kubernetes.io/hostname": "n1", "service-provided.kube-vip.io": "x",
            "service-provided.kube-vip.io/web.shop": "192.0.2.1", "kube-vip.io/has-ip": "192.0.2.9",
        });
        let kept = read(labels, json!(false), &[]).provides;
        let expected = ("service-provided.kube-vip.io/web.shop", "192.0.2.1");
        assert_eq!(kept, [expected].map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    }

    #[test]
    fn a_node_of_which_nothing_is_said_is_fit() {
        let bare: NodeObject = serde_json::from_value(json!({"metadata": {"name": "n1"}})).unwrap();
        assert_eq!(node(bare).standing, Standing::FIT);
    }
}
