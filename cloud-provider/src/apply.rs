//! A plan in the form in which it is carried out: patches of Services, and notices for people.

use cloud_provider_decide::{Edit, Plan, Refusal, ServiceWrite};
use model::annotations::{
    CLEANUP_FINALIZER, FENCE, IMPLEMENTATION_LABEL, LOADBALANCER_IPS, SERVICE_INTERFACE,
};
use model::machine::Time;
use model::object::ResourceVersion;
use model::service::ServiceKey;
use serde_json::{Map, Value, json};
use shared::events::{Notice, Severity};
use shared::patch::Part;
use shared::writes::Change;
use std::fmt::{self, Display};

/// A write as the API server is told it.
#[derive(Debug, Clone)]
pub struct AssignAddress {
    /// What is written.
    pub write: ServiceWrite,
    /// When that was taken in which led to it.
    pub since: Time,
}

/// When it was decided makes no difference to what is written.
impl PartialEq for AssignAddress {
    fn eq(&self, other: &Self) -> bool {
        self.write == other.write
    }
}

impl AssignAddress {
    /// Whether it is for the sake of a new version only.
    #[must_use]
    pub const fn is_fence(&self) -> bool {
        matches!(self.write.fence, Edit::Set(_))
    }
}

impl Change for AssignAddress {
    fn version(&self) -> &ResourceVersion {
        &self.write.version
    }

    fn part(&self) -> Part {
        Part::Object
    }

    fn patch(&self) -> Value {
        let write = &self.write;
        let mut metadata = Map::new();
        let annotations = [
            nested(LOADBALANCER_IPS, &write.annotation),
            nested(SERVICE_INTERFACE, &write.interface),
            nested(FENCE, &write.fence),
        ];
        let annotations: Map<_, _> = annotations.into_iter().flatten().collect();
        if !annotations.is_empty() {
            metadata.insert("annotations".to_owned(), Value::Object(annotations));
        }
        put(&mut metadata, "labels", object(nested(IMPLEMENTATION_LABEL, &write.label)));
        put(&mut metadata, "finalizers", write.finalizers.as_ref().map(|list| json!(list)));
        // The uid is compared by the API server: a Service of the same name that came later is not meant.
        metadata.insert("uid".to_owned(), json!(write.uid));
        let mut patch = Map::from_iter([("metadata".to_owned(), Value::Object(metadata))]);
        put(&mut patch, "spec", object(nested("loadBalancerIP", &write.load_balancer_ip)));
        Value::Object(patch)
    }
}

/// What it does, for the log.
impl Display for AssignAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.write.annotation, &self.write.finalizers) {
            (Edit::Set(addresses), _) => write!(f, "address given: {addresses}"),
            (Edit::Remove, _) => f.write_str("address taken back"),
            (Edit::Keep, None) if self.write.fence != Edit::Keep => f.write_str("new version"),
            (Edit::Keep, Some(list)) if !list.iter().any(|it| it == CLEANUP_FINALIZER) => {
                f.write_str("released")
            }
            (Edit::Keep, _) => f.write_str("looked after from now on"),
        }
    }
}

fn put(object: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), value);
    }
}

/// `name` with its value, or with `null` to take it away; nothing when it stays.
fn nested(name: &str, edit: &Edit<String>) -> Option<(String, Value)> {
    match edit {
        Edit::Keep => None,
        Edit::Set(value) => Some((name.to_owned(), json!(value))),
        Edit::Remove => Some((name.to_owned(), Value::Null)),
    }
}

/// An object with this one field.
fn object(field: Option<(String, Value)>) -> Option<Value> {
    Some(Value::Object(Map::from_iter([field?])))
}

impl AssignAddress {
    /// What people are told once it is accepted; nothing where it gives no address that the Service did not show.
    #[must_use]
    pub fn news(&self, service: &ServiceKey) -> Option<Notice> {
        let write = &self.write;
        let message = match (&write.annotation, &write.load_balancer_ip, &write.pool) {
            (Edit::Set(addresses), _, Some(pool)) => format!("{addresses} given from {pool}"),
            (Edit::Set(addresses), ..) | (_, Edit::Set(addresses), _) => {
                format!("{addresses} given, as the Service asks for it")
            }
            _ => return None,
        };
        Some(Notice {
            service: service.clone(),
            uid: write.uid.clone(),
            severity: Severity::Normal,
            reason: "AddressAllocated".to_owned(),
            message,
        })
    }
}

/// What people are told of a Service as long as it lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It gets no address.
    Refused(Refusal),
    /// It keeps an address that its pool has lost; a sentence.
    Kept(String),
}

impl Told {
    /// What `plan` has to say about the Service `key`.
    #[must_use]
    pub fn of(plan: &Plan, key: &ServiceKey) -> Option<Self> {
        let refused = plan.refusals.get(key).cloned().map(Self::Refused);
        refused.or_else(|| plan.kept.get(key).cloned().map(Self::Kept))
    }

    /// The Warning about the Service `key` with this UID.
    #[must_use]
    pub fn notice(&self, key: &ServiceKey, uid: Option<&str>) -> Notice {
        let (reason, message) = match self {
            Self::Refused(refusal) => (refusal.reason.to_string(), &refusal.message),
            Self::Kept(sentence) => ("OutsidePool".to_owned(), sentence),
        };
        Notice {
            service: key.clone(),
            uid: uid.unwrap_or_default().to_owned(),
            severity: Severity::Warning,
            reason,
            message: message.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_patch_carries_everything_that_changes_and_nothing_else() {
        let write = ServiceWrite {
            uid: "u".to_owned(),
            version: ResourceVersion("7".to_owned()),
            annotation: Edit::Set("10.0.0.1".to_owned()),
            load_balancer_ip: Edit::Keep,
            interface: Edit::Set("eth1".to_owned()),
            label: Edit::Remove,
            fence: Edit::Remove,
            finalizers: Some(vec!["f".to_owned()]),
            pool: None,
        };
        let expected = json!({"metadata": {
            "uid": "u",
            "annotations": {
                "kube-vip.io/loadbalancerIPs": "10.0.0.1",
                "kube-vip.io/serviceInterface": "eth1",
                "kube-vip.io/fence": null,
            },
            "labels": {"implementation": null},
            "finalizers": ["f"],
        }});
        assert_eq!(AssignAddress { write, since: Time::START }.patch(), expected);
    }
}
