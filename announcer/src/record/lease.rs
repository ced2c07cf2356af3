//! Leases of the API, and what of them decides anything.

use announcer_decide::record::{LeaseSeen, Note};
use k8s_openapi::api::coordination::v1::Lease;
use model::annotations::{CONTROL_PLANE_ADDRESS, EPOCH, OWNED, RENEWED};
use shared::lease::record;
use std::collections::BTreeMap;

/// What a Lease says.
pub(super) fn seen(lease: &Lease) -> LeaseSeen {
    let annotations = lease.metadata.annotations.as_ref();
    let text = |key: &str| annotations.and_then(|it| it.get(key)).cloned();
    let (renewed, noted) = (renew_time(lease), text(RENEWED));
    LeaseSeen {
        record: record(lease),
        epoch: text(EPOCH),
        owned: text(OWNED),
        address: text(CONTROL_PLANE_ADDRESS),
        says_hello: noted.is_some() && noted == renewed,
    }
}

/// `lease` with `note` on it, and a sign that one who says hello writes it; that of the control plane has `wished`, too.
pub(super) fn noted(mut lease: Lease, note: Note, wished: &BTreeMap<String, String>) -> Lease {
    let renewed = renew_time(&lease).unwrap_or_default();
    let annotations = lease.metadata.annotations.get_or_insert_default();
    let (key, text) = match note {
        Note::Epoch(epoch) => (EPOCH, epoch.to_string()),
        Note::ControlPlane { epoch, address } => {
            // Ours come last: no wish can make them say something else.
            annotations.extend(wished.clone());
            annotations.insert(CONTROL_PLANE_ADDRESS.to_owned(), address);
            (EPOCH, epoch.to_string())
        }
        Note::Owned(text) => (OWNED, text),
    };
    annotations.insert(key.to_owned(), text);
    annotations.insert(RENEWED.to_owned(), renewed);
    lease
}

/// `renewTime`, as the API writes it: to the microsecond, which is all that is kept.
fn renew_time(lease: &Lease) -> Option<String> {
    let time = lease.spec.as_ref()?.renew_time.as_ref()?;
    Some(time.0.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::coordination::v1::LeaseSpec;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
    use k8s_openapi::jiff::Timestamp;
    use model::claim::Epoch;
    use serde_json::{Value, json};

    /// What people asked for; among it a text that is ours to say.
    fn wished() -> BTreeMap<String, String> {
        let pairs = [("example.com/rack", "7"), (EPOCH, "99"), (CONTROL_PLANE_ADDRESS, "x")];
        pairs.map(|(key, text)| (key.to_owned(), text.to_owned())).into()
    }

    fn written() -> Lease {
        let renew_time = Some(MicroTime(Timestamp::now()));
        let holder_identity = Some("n1".to_owned());
        let spec = LeaseSpec { renew_time, holder_identity, ..LeaseSpec::default() };
        let lease = Lease { spec: Some(spec), ..Lease::default() };
        noted(lease, Note::Epoch(Epoch(7)), &wished())
    }

    /// As it comes back from the API server, after `change`.
    fn read_back(change: impl FnOnce(&mut Value)) -> LeaseSeen {
        let mut object = serde_json::to_value(written()).unwrap();
        change(&mut object);
        seen(&serde_json::from_value(object).unwrap())
    }

    #[test]
    fn what_was_written_is_recognised_when_it_comes_back() {
        let seen = read_back(|_| {});
        assert!(seen.says_hello);
        assert_eq!(seen.epoch.as_deref(), Some("7"));
        assert_eq!(seen.record.holder.as_deref(), Some("n1"));
    }

    #[test]
    fn the_lease_of_the_control_plane_and_no_other_has_the_addresses_and_what_people_wished() {
        let address = "192.0.2.40,2001:db8::40";
        let note = Note::ControlPlane { epoch: Epoch(8), address: address.to_owned() };
        let lease = noted(written(), note, &wished());
        let seen = seen(&lease);
        assert_eq!((seen.epoch.as_deref(), seen.address.as_deref()), (Some("8"), Some(address)));
        assert!(seen.says_hello);
        let noted = lease.metadata.annotations.unwrap();
        assert_eq!(noted.get("example.com/rack").map(String::as_str), Some("7"));
        let other = written().metadata.annotations.unwrap();
        assert_eq!(other.keys().collect::<Vec<_>>(), [EPOCH, RENEWED]);
    }

    #[test]
    fn who_writes_a_renew_time_and_leaves_annotations_alone_says_no_hello() {
        let renewed = |object: &mut Value| {
            object["spec"]["renewTime"] = json!("2026-05-01T10:00:00.000000Z");
        };
        assert!(!read_back(renewed).says_hello);
        let never = |object: &mut Value| {
            object["metadata"] = json!({});
            object["spec"]["renewTime"] = Value::Null;
        };
        assert!(!read_back(never).says_hello);
    }
}
