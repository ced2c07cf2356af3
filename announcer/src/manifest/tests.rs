use super::*;
use crate::args::{ConfigFile, read};
use model::settings::Kind;

fn print_in(around: &Surroundings, command: &str) -> Result<Printed, ReadSettingsError> {
    let words: Vec<_> = command.split(' ').map(str::to_owned).collect();
    super::print(&words[0], &words[1..], around)
}

fn print(command: &str) -> Result<String, ReadSettingsError> {
    print_in(&Surroundings::default(), command).map(|printed| printed.text)
}

#[test]
fn what_was_typed_becomes_a_variable() {
    let flags = "manifest daemonset --interface eth9 --leaseDuration=15 --leaseRenewDuration=10";
    let text = print(flags).unwrap();
    for line in [
        "name: vip_interface\n          value: \"eth9\"",
        "name: vip_leaseduration\n          value: \"15\"",
    ] {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
}

#[test]
fn every_setting_with_a_variable_is_in_the_manifest_when_it_is_typed() {
    // Some value that each can have.
    let values = [
        ("address", "192.0.2.40"),
        ("dnsMode", "dual"),
        ("port", "7443"),
        ("vipSubnet", "32"),
        ("vip_leaseannotations", "{}"),
        ("leaseDuration", "31"),
        ("leaseRenewDuration", "4"),
        ("leaseRetry", "2"),
        ("vip_arpRate", "1000"),
        ("helloInterval", "20ms"),
        ("helloPort", "2120"),
        ("helloKeyFile", "/etc/kube-vip/key"),
        ("prometheusHTTPServer", ":9999"),
        ("log", "4"),
        ("loseLeadershiptTimeoutSeconds", "9"),
        ("k8sConfigPath", "/etc/other/admin.conf"),
        ("kubernetes_addr", "https://192.0.2.1:6443"),
    ];
    for setting in
        SETTINGS.iter().filter(|it| !it.variable.is_empty() && it.name() != "config-file")
    {
        let value = values.iter().find(|(name, _)| *name == setting.name());
        let value = value.map_or("true", |(_, value)| value);
        let mut around = Surroundings::default();
        let mut command = "manifest pod --services --controlplane --address=192.0.2.41".to_owned();
        if setting.flag.is_empty() {
            around.environment.push((setting.variable.to_owned(), value.to_owned()));
        } else {
            command = format!("{command} --{}={value}", setting.flag);
        }
        let text = print_in(&around, &command).unwrap().text;
        let line = format!("- name: {}\n      value: \"{value}\"\n", setting.variable);
        assert!(text.contains(&line), "{line} is missing in {text}");
    }
}

#[test]
fn a_file_becomes_variables_and_is_not_named_itself() {
    let text = Ok("address: 192.0.2.40\nport: 7443\nenableBGP: false\n".to_owned());
    let file = Some(ConfigFile { path: "f.yaml".to_owned(), text });
    let around = Surroundings { file, ..Surroundings::default() };
    let text = print_in(&around, "manifest pod --config-file f.yaml").unwrap().text;
    for line in ["- name: port\n      value: \"7443\"", "- name: cp_enable\n      value: \"true\""]
    {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
    assert!(!text.contains("config_file"), "{text}");
}

/// Variables of the container in this manifest of a pod.
fn variables_of(text: &str) -> Vec<(String, String)> {
    let pod: serde_json::Value = serde_saphyr::from_str(text).unwrap();
    let variables = pod["spec"]["containers"][0]["env"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let both = variables.iter().map(|it| Some((text(&it["name"])?, text(&it["value"])?)));
    both.flatten().collect()
}

#[test]
fn a_kubeconfig_with_another_name_is_the_one_that_the_pod_reads() {
    // Any file that is there.
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let join = "kubeadm join --interface eth0 --address 192.0.2.40 --config";
    let text = print(&format!("{join} {path}")).unwrap();
    let (environment, host) = (variables_of(&text), "node".to_owned());
    let around = Surroundings { environment, host, ..Surroundings::default() };
    let meant = read(&[], &around).unwrap();
    assert_eq!(meant.kubeconfigs.preferred.as_deref(), Some(Path::new(path)));
    let folder = format!("mountPath: \"{}\"", env!("CARGO_MANIFEST_DIR"));
    assert!(text.contains(&folder), "{text}");
    let error = print(&format!("{join} {path} --k8sConfigPath /etc/other/x.conf")).unwrap_err();
    assert!(error.to_string().contains("leave the other off"), "{error}");
}

#[test]
fn secrets_of_whoever_asks_are_named_and_not_printed() {
    let secret = |name: &&str| ((*name).to_owned(), "s3cret".to_owned());
    let variables = ["bgp_peerpass", "bgp_peers", "PACKET_AUTH_TOKEN"];
    let environment = variables.iter().map(secret).collect();
    let around = Surroundings { environment, ..Surroundings::default() };
    let printed = print_in(&around, "manifest daemonset").unwrap();
    for part in variables.iter().chain(&["s3cret"]) {
        assert!(!printed.text.contains(part), "{}", printed.text);
    }
    let said = "secret, and therefore not in the manifest: bgppeers, peerPass, metalKey".to_owned();
    assert!(printed.warnings.contains(&said), "{:?}", printed.warnings);
    // One that has an effect would have to reach the pod in another way.
    let acts = |it: &&Setting| it.kind == Kind::Secret && !WITHOUT_EFFECT.contains(it);
    assert_eq!(table().iter().find(acts), None);
}

#[test]
fn a_namespace_is_a_label_and_stays_a_text() {
    for flags in [
        "rbac --namespace Kube_System",
        "rbac --servicesLeaseName a/b:c/d",
        "rbac --servicesLeaseName {a:b}/lock",
        "pod --namespace a.b --services",
        "daemonset --namespace=x/y",
    ] {
        let error = print(&format!("manifest {flags}")).unwrap_err();
        assert_eq!(error.0.len(), 1, "{flags}: {error}");
        let flag = flags.split([' ', '=']).find(|word| word.starts_with("--")).unwrap();
        assert!(error.0[0].starts_with(flag), "{flags}: {error}");
    }
    let text = print("manifest daemonset --namespace 42").unwrap();
    let set: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(set["metadata"]["namespace"], "42");
    let text = print("manifest rbac --namespace 42 --servicesLeaseName true/lock").unwrap();
    let objects: Vec<serde_json::Value> = serde_saphyr::from_multiple(&text).unwrap();
    let role = objects.iter().find(|it| it["kind"] == "RoleBinding").unwrap();
    assert_eq!(role["metadata"]["namespace"], "true");
    assert_eq!(role["subjects"][0]["namespace"], "42");
}

#[test]
fn an_old_name_becomes_the_new_variable_and_is_said() {
    let command = "manifest pod --interface ens192 --vip 192.0.2.75 --arp --leaderElection";
    let printed = print_in(&Surroundings::default(), command).unwrap();
    assert!(printed.text.contains("- name: address\n      value: \"192.0.2.75\""), "{printed:?}");
    assert_eq!(printed.warnings, ["--vip is an old name and still works; write --address"]);
}

#[test]
fn what_switches_something_on_brings_along_what_that_needs() {
    let plain = print("manifest rbac").unwrap();
    assert!(!plain.contains("verbs: [list, watch, patch]"));
    let labelling = print("manifest rbac --enableNodeLabeling").unwrap();
    assert!(labelling.contains("resources: [nodes]\n  verbs: [list, watch, patch]"));
    assert!(!print("manifest daemonset").unwrap().contains("volumes:"));
    let signing = print("manifest daemonset --helloKeyFile=/etc/kube-vip/key").unwrap();
    assert!(signing.contains("mountPath: \"/etc/kube-vip\""), "{signing}");
    assert!(signing.contains("secretName: kube-vip-hello-key"), "{signing}");
    let static_pod = print("manifest pod --services --helloKeyFile=/etc/kube-vip/key").unwrap();
    assert!(static_pod.contains("path: \"/etc/kube-vip\""), "{static_pod}");
    assert!(!static_pod.contains("secret"), "{static_pod}");
}

#[test]
fn a_page_that_is_off_is_off_in_the_pod() {
    let text = print("manifest daemonset --prometheusHTTPServer=").unwrap();
    assert!(text.contains("args: [manager, \"--prometheusHTTPServer=\"]"), "{text}");
    assert!(!text.contains("Probe") && !text.contains("prometheus_server"), "{text}");
}

#[test]
fn no_class_is_no_class_in_the_manifest_too() {
    let flags = "manifest daemonset --lbClassName= --lbClassNameLegacyHandling=false";
    let text = print(flags).unwrap();
    assert!(text.contains("name: lb_class_name\n          value: \"\""), "{text}");
}

#[test]
fn a_manifest_that_would_not_start_is_not_printed() {
    let error =
        print("manifest daemonset --bgp --leaseDuration=1 --nope --taint=maybe").unwrap_err();
    for part in ["bgp", "lease duration", "--nope", "--taint"] {
        assert!(error.to_string().contains(part), "{part} is missing in {error}");
    }
}
