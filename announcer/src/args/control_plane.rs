//! What is meant about the control plane's address.

use super::leases::{self, LeasesIn};
use announcer_decide::config::{ControlPlaneConfig, ControlPlaneName, DnsMode};
use announcer_decide::link::LinkName;
use model::address::Vip;
use model::object::is_subdomain;
use model::settings::Typed;
use std::collections::BTreeMap;

/// Whether Services and the control plane are announced. As in kube-vip's old documents, an address alone means the control
/// plane.
pub(super) fn features(typed: &mut Typed) -> (bool, bool) {
    let services = typed.switch("services") == Some(true);
    let named = typed.text("address").is_some();
    let control_plane = typed.switch("controlplane").unwrap_or(named && !services);
    if !services && !control_plane {
        let sentence = "nothing to do: name an address and set controlplane (cp_enable), or set services (svc_enable), to true";
        typed.faults.push(sentence.to_owned());
    }
    if named && !control_plane {
        let sentence = "address changes nothing, because cp_enable is not true";
        typed.warnings.push(sentence.to_owned());
    }
    (services, control_plane)
}

/// What is announced for the control plane, which is on if `wanted`; what was typed about it is read in any case.
pub(super) fn config(
    typed: &mut Typed,
    namespace: &LeasesIn,
    wanted: bool,
) -> Option<ControlPlaneConfig> {
    let names = typed.parsed("address", names).unwrap_or_default();
    let dns_mode = typed.parsed("dnsMode", dns_mode).unwrap_or_default();
    let port = typed.parsed("port", port).unwrap_or(6443);
    let lease_annotations = typed.parsed("vip_leaseannotations", annotations).unwrap_or_default();
    let alone = typed.parsed("vipSubnet", stands_alone);
    if alone == Some(false) {
        let sentence = "vip_subnet changes nothing: an address stands on its interface alone, as /32 or /128; who is to reach it from its subnet needs the node's own address there";
        typed.warnings.push(sentence.to_owned());
    }
    if wanted && typed.text("address").is_none() {
        let sentence =
            "controlplane (cp_enable): name its address, by --address or the variable \"address\"";
        typed.faults.push(sentence.to_owned());
    }
    let link = typed.text("interface").map(|name| LinkName(name.to_owned()));
    let lease = leases::key(typed, namespace, "leaseName", "plndr-cp-lock");
    wanted.then_some(ControlPlaneConfig { link, names, dns_mode, port, lease, lease_annotations })
}

/// Addresses and DNS names with commas between; what stands there twice counts once.
fn names(text: &str) -> Result<Vec<ControlPlaneName>, String> {
    let mut names = Vec::new();
    for part in text.split(',') {
        let name = name(part.trim())?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn name(text: &str) -> Result<ControlPlaneName, String> {
    if let Ok(address) = text.parse() {
        return Vip::new(address).map(ControlPlaneName::Vip).map_err(|error| error.to_string());
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_lowercase();
    // No top-level domain consists of digits (RFC 3696, section 2), so that is an address with a mistake.
    let numeric = name
        .rsplit('.')
        .next()
        .is_some_and(|label| label.bytes().all(|octet| octet.is_ascii_digit()));
    if numeric || !is_subdomain(&name) {
        return Err(format!("{text:?} is neither an IP address nor a DNS name"));
    }
    Ok(ControlPlaneName::Dns(name))
}

fn dns_mode(text: &str) -> Result<DnsMode, String> {
    match text.to_lowercase().as_str() {
        "first" => Ok(DnsMode::First),
        "ipv4" => Ok(DnsMode::Ipv4),
        "ipv6" => Ok(DnsMode::Ipv6),
        "dual" => Ok(DnsMode::Dual),
        _ => Err(format!("{text:?} is none of first, ipv4, ipv6 and dual")),
    }
}

/// A port that one can listen on.
pub(super) fn port(text: &str) -> Result<u16, String> {
    match text.parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(format!("{text:?} is not a port from 1 to 65535")),
    }
}

fn annotations(text: &str) -> Result<BTreeMap<String, String>, String> {
    let read: BTreeMap<String, String> = serde_json::from_str(text)
        .map_err(|error| format!("{text:?} is not a JSON object of texts: {error}"))?;
    // One that the API server refuses would keep the whole Lease from being written.
    match read.keys().find(|key| !is_annotation(key)) {
        Some(key) => Err(format!("{key:?} cannot be the name of an annotation")),
        None => Ok(read),
    }
}

/// Whether `key` is a qualified name: `name` or `prefix/name`, as the API wants keys of labels and annotations.
fn is_annotation(key: &str) -> bool {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(it, name)| (Some(it), name));
    let inner = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    let ends = [name.bytes().next(), name.bytes().last()];
    let named = name.len() <= 63
        && name.bytes().all(inner)
        && ends.iter().all(|it| it.is_some_and(|octet| octet.is_ascii_alphanumeric()));
    named && prefix.is_none_or(is_subdomain)
}

/// Whether the prefix lengths mean an address by itself; others, and `auto`, would mean its subnet.
fn stands_alone(text: &str) -> Result<bool, String> {
    let mut alone = true;
    for part in text.split(',') {
        let length = part.trim().trim_start_matches('/');
        match length.parse::<u8>() {
            Ok(32 | 128) => {}
            Ok(0..=127) => alone = false,
            _ if length == "auto" => alone = false,
            _ => return Err(format!("{part:?} is not the length of a prefix, such as 32 or 128")),
        }
    }
    Ok(alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_an_ip_address_or_a_dns_name() {
        let vip = |text: &str| ControlPlaneName::Vip(Vip::new(text.parse().unwrap()).unwrap());
        let dns = |text: &str| ControlPlaneName::Dns(text.to_owned());
        assert_eq!(names("192.0.2.40"), Ok(vec![vip("192.0.2.40")]));
        let both = vec![vip("192.0.2.40"), vip("2001:db8::40")];
        assert_eq!(names("192.0.2.40, 2001:db8::40,192.0.2.40"), Ok(both));
        assert_eq!(names("API.example.com.,k8s"), Ok(vec![dns("api.example.com"), dns("k8s")]));
        for text in ["192.0.2.400", "a..b", "", "a,", "0.0.0.0", "127.0.0.1", "192.0.2.1/24", "a b"]
        {
            assert!(names(text).is_err(), "{text}");
        }
    }

    #[test]
    fn annotations_have_names_that_the_api_takes() {
        for key in ["a", "example.com/team", "team_1.x-y"] {
            assert!(annotations(&format!(r#"{{"{key}": "b"}}"#)).is_ok(), "{key}");
        }
        for key in ["", "bad key", "/x", "x/", "a/b/c", "-x", "x.", "Ex/x"] {
            assert!(annotations(&format!(r#"{{"{key}": "b"}}"#)).is_err(), "{key}");
        }
        assert!(annotations(r#"{"a": 1}"#).is_err());
    }

    #[test]
    fn only_whole_addresses_stand_alone() {
        for text in ["32", "/32", "128", "32,128", " 32, 128"] {
            assert_eq!(stands_alone(text), Ok(true), "{text}");
        }
        for text in ["24", "auto", "32,64", "0"] {
            assert_eq!(stands_alone(text), Ok(false), "{text}");
        }
        for text in ["129", "x", "-1", "32,"] {
            assert!(stands_alone(text).is_err(), "{text}");
        }
    }
}
