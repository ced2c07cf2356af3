//! Manifests as files: tests/golden/manifests. The first line of each is the command, the rest what it prints: a manifest
//! (.yaml) or why there is none (.txt). `UPDATE=1 cargo test -p announcer --test manifests` writes the rest anew.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test: what goes wrong here ends it")]

use announcer::args::Surroundings;
use announcer::manifest::print;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/manifests");

fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir(CASES).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn every_command_prints_its_manifest_or_says_why_not() {
    let update = std::env::var_os("UPDATE").is_some();
    let cases = cases();
    assert!(cases.len() > 20, "{} cases", cases.len());
    for path in cases {
        let kept = fs::read_to_string(&path).unwrap();
        let command = kept.lines().next().unwrap();
        let mut words = command.strip_prefix("# kube-vip ").unwrap().split_whitespace();
        let first = words.next().unwrap();
        let arguments: Vec<_> = words.map(str::to_owned).collect();
        let (ending, printed) = match print(first, &arguments, &Surroundings::default()) {
            Ok(printed) => ("yaml", printed.text),
            Err(error) => ("txt", format!("{error}\n")),
        };
        assert_eq!(path.extension().unwrap(), ending, "{command}:\n{printed}");
        let expected = format!("{command}\n{printed}");
        if update {
            fs::write(&path, &expected).unwrap();
            continue;
        }
        assert!(kept == expected, "{}: run UPDATE=1 cargo test --test manifests", path.display());
    }
}

#[test]
fn every_manifest_can_be_read() {
    for path in cases().iter().filter(|path| path.extension().is_some_and(|it| it == "yaml")) {
        let text = fs::read_to_string(path).unwrap();
        let objects: Vec<serde_json::Value> = serde_saphyr::from_multiple(&text).unwrap();
        for object in objects {
            assert!(object["metadata"]["name"].is_string(), "{}: {object}", path.display());
        }
    }
}

/// What `text` holds, by what the API server tells objects apart.
fn objects(text: &str) -> BTreeMap<[String; 3], Value> {
    let objects: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
    let part = |object: &Value, name: &str| {
        object.pointer(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let key = |object: &Value| {
        ["/kind", "/metadata/namespace", "/metadata/name"].map(|name| part(object, name))
    };
    objects.into_iter().map(|object| (key(&object), object)).collect()
}

#[test]
fn services_and_the_control_plane_have_objects_of_their_own() {
    let control_plane = ["rbac-control-plane", "daemonset-control-plane"];
    let control_plane =
        control_plane.map(|name| fs::read_to_string(format!("{CASES}/{name}.yaml")).unwrap());
    let services = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/announcer.yaml");
    let services = objects(&fs::read_to_string(services).unwrap());
    let control_plane = control_plane.iter().flat_map(|text| objects(text));
    let shared: Vec<_> = control_plane.filter(|(key, _)| services.contains_key(key)).collect();
    let [(key, account)] = shared.as_slice() else { panic!("{shared:?}") };
    assert_eq!(key, &["ServiceAccount", "kube-system", "kube-vip"].map(str::to_owned));
    assert_eq!(services.get(key), Some(account));
}

#[test]
fn the_script_for_k3s_prints_what_the_program_prints() {
    let (address, interface) = ("192.0.2.10", "ens192");
    let output = std::process::Command::new("sh")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/k3s.sh"))
        .envs([("vipAddress", address), ("vipInterface", interface)])
        .output()
        .unwrap();
    let flags =
        format!("--controlplane --address {address} --interface {interface} --inCluster --taint");
    let printed = ["rbac", "daemonset"].map(|kind| {
        let arguments: Vec<_> =
            [kind].into_iter().chain(flags.split(' ')).map(str::to_owned).collect();
        print("manifest", &arguments, &Surroundings::default()).unwrap().text
    });
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said == printed.join("---\n"), "run `make manifests`: {said}");
}
