//! Leases of the API, and what of them decides anything.

use announcer_decide::record::{LeaseSeen, Note};
use k8s_openapi::api::coordination::v1::Lease;
use model::annotations::{EPOCH, OWNED, RENEWED};
use shared::lease::record;

/// What a Lease says.
pub(super) fn seen(lease: &Lease) -> LeaseSeen {
    let annotations = lease.metadata.annotations.as_ref();
    let text = |key: &str| annotations.and_then(|it| it.get(key)).cloned();
    let (renewed, noted) = (renew_time(lease), text(RENEWED));
    LeaseSeen {
        record: record(lease),
        epoch: text(EPOCH),
        owned: text(OWNED),
        says_hello: noted.is_some() && noted == renewed,
    }
}

/// `lease` with `note` on it, and a sign that one who says hello writes it.
pub(super) fn noted(mut lease: Lease, note: Note) -> Lease {
    let renewed = renew_time(&lease).unwrap_or_default();
    let annotations = lease.metadata.annotations.get_or_insert_default();
    annotations.insert(RENEWED.to_owned(), renewed);
    let (key, text) = match note {
        Note::Epoch(epoch) => (EPOCH, epoch.to_string()),
        Note::Owned(text) => (OWNED, text),
    };
    annotations.insert(key.to_owned(), text);
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

    fn written() -> Lease {
        let renew_time = Some(MicroTime(Timestamp::now()));
        let holder_identity = Some("n1".to_owned());
        let spec = LeaseSpec { renew_time, holder_identity, ..LeaseSpec::default() };
        noted(Lease { spec: Some(spec), ..Lease::default() }, Note::Epoch(Epoch(7)))
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
