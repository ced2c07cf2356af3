use super::*;
use announcer_decide::config::{ControlPlaneName, DnsMode, Owners};
use announcer_decide::link::LinkName;
use model::address::Vip;
use model::object::ObjectKey;

fn read(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Meant, ReadSettingsError> {
    let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
    let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    super::read(
        &arguments,
        &Surroundings { environment, host: "Node-A".to_owned(), ..Surroundings::default() },
    )
}

#[test]
fn one_lease_decides_about_one_thing() {
    let flags = |text: &str| read(&text.split(' ').collect::<Vec<_>>(), &[]);
    let lease = |text: &str| flags(text).unwrap().election.lease.name;
    let both = "--controlplane --address=192.0.2.40 --services --helloInterval=0";
    assert!(flags(both).unwrap_err().0[0].contains("run two"));
    assert_eq!(lease("--controlplane --address=192.0.2.40 --helloInterval=0"), "plndr-cp-lock");
    assert_eq!(lease("--services --helloInterval=0"), "plndr-svcs-lock");
    let same = "--controlplane --address=192.0.2.40 --services --servicesLeaseName=plndr-cp-lock";
    assert!(flags(same).unwrap_err().0[0].contains("name another"));
}

#[test]
fn kube_vips_own_manifest_starts_it() {
    let environment = [
        ("vip_arp", "true"),
        ("port", "6443"),
        ("vip_nodename", ""),
        ("vip_interface", "eth0"),
        ("dns_mode", "first"),
        ("svc_enable", "T"),
        ("svc_leasename", "plndr-svcs-lock"),
        ("vip_leaderelection", "true"),
        ("vip_leaseduration", "15"),
        ("vip_renewdeadline", "10"),
        ("vip_retryperiod", "2"),
        ("vip_address", ""),
        ("prometheus_server", ":2112"),
    ];
    let meant = read(&[], &environment).unwrap();
    assert_eq!(meant.config.node, NodeName("node-a".to_owned()));
    assert_eq!(meant.election.settings.duration, Duration::from_secs(15));
    assert_eq!(meant.election.lease, ObjectKey::new("kube-system", "plndr-svcs-lock"));
    assert_eq!((meant.config.services, meant.config.control_plane), (true, None));
    assert_eq!(meant.warnings, [""; 0]);
}

#[test]
fn says_everything_that_is_wrong_at_once() {
    let environment = [
        ("vip_arp", "maybe"),
        ("bgp_enable", "true"),
        ("vip_leaseduration", "2"),
        ("prometheus_server", "x"),
    ];
    let error = read(&["--nope"], &environment).unwrap_err();
    for part in ["--nope", "maybe", "BGP", "lease duration 2s", "nothing to do", "\"x\""] {
        assert!(error.to_string().contains(part), "{part} is missing in: {error}");
    }
}

#[test]
fn a_feature_that_is_off_is_no_fault_and_a_misspelt_variable_warns() {
    let meant = read(&["--services"], &[("bgp_enable", "false"), ("vip_apr", "true")]).unwrap();
    assert_eq!(meant.warnings, ["vip_apr is not a variable of this program"]);
}

#[test]
fn the_classes_that_are_ours_are_those_of_kube_vip() {
    let class = |environment: &[(&str, &str)]| {
        let class = read(&["--services"], environment).unwrap().config.class;
        (class.name, class.unnamed)
    };
    let named = |name: &str, unnamed| (name.to_owned(), unnamed);
    let ours = "kube-vip.io/kube-vip-class";
    let strict = ("lb_class_legacy_handling", "false");
    assert_eq!(class(&[]), named(ours, true));
    assert_eq!(class(&[("lb_class_only", "true")]), named(ours, false));
    assert_eq!(class(&[strict]), named(ours, false));
    assert_eq!(class(&[strict, ("lb_class_name", "x")]), named("x", false));
    assert_eq!(class(&[strict, ("lb_class_name", "")]), named("", true));
    let error = read(&["--services", "--lbClassOnly", "--lbClassName="], &[]).unwrap_err();
    assert!(error.to_string().contains("lb_class_name is empty"), "{error}");
}

#[test]
fn services_may_be_spread_and_their_interface_found_by_address() {
    let environment =
        [("svc_election", "true"), ("vip_servicesinterface", "auto"), ("vip_interface", "eth1")];
    let config = read(&["--services"], &environment).unwrap().config;
    assert_eq!(config.owners, Owners::Spread);
    assert!(config.link_by_subnet);
    assert_eq!(config.services_link.unwrap().0, "eth1");
    let environment = [("vip_servicesinterface", "eth2"), ("vip_interface", "eth1")];
    let config = read(&["--services"], &environment).unwrap().config;
    assert_eq!((config.owners, config.link_by_subnet), (Owners::One, false));
    assert_eq!(config.services_link.unwrap().0, "eth2");
}

#[test]
fn hellos_are_said_every_50_ms_by_the_instance_svc_unless_that_is_set() {
    let hello = read(&["--services"], &[]).unwrap().hello;
    assert_eq!(hello.interval, Some(Duration::from_millis(50)));
    assert_eq!((hello.port, hello.sender.instance.as_str()), (2119, "svc"));
    let environment = [
        ("vip_hello_interval", "0"),
        ("vip_hello_port", "2120"),
        ("vip_hello_key", "/run/key"),
        ("INSTANCE_NAME", "edge"),
    ];
    let meant = read(&["--services", "--helloInterval=10ms"], &environment).unwrap();
    assert_eq!(meant.hello.interval, Some(Duration::from_millis(10)));
    assert_eq!((meant.hello.port, meant.hello.sender.instance.as_str()), (2120, "edge"));
    assert_eq!(meant.hello_key, Some(PathBuf::from("/run/key")));
    for path in ["key", "/key"] {
        let error = read(&["--services", "--helloKeyFile", path], &[]).unwrap_err();
        assert!(error.to_string().contains("full path"), "{error}");
    }
}

#[test]
fn an_empty_flag_turns_the_page_off() {
    assert_eq!(read(&["--services", "--prometheusHTTPServer="], &[]).unwrap().admin, None);
}

/// As its documents show it, with `start` and without naming the control plane.
const STATIC_POD: &[(&str, &str)] = &[
    ("vip_arp", "true"),
    ("vip_interface", "ens160"),
    ("vip_leaderelection", "true"),
    ("vip_address", "192.0.2.75"),
];

#[test]
fn kube_vips_static_pod_announces_the_control_plane() {
    let meant = read(&[], STATIC_POD).unwrap();
    assert_eq!((meant.config.services, meant.hello.sender.instance.as_str()), (false, "cp"));
    let control_plane = meant.config.control_plane.unwrap();
    let vip = Vip::new("192.0.2.75".parse().unwrap()).unwrap();
    assert_eq!(control_plane.names, [ControlPlaneName::Vip(vip)]);
    assert_eq!(control_plane.link, Some(LinkName("ens160".to_owned())));
    assert_eq!((control_plane.port, control_plane.dns_mode), (6443, DnsMode::First));
    assert_eq!(control_plane.lease, ObjectKey::new("kube-system", "plndr-cp-lock"));
    assert_eq!(meant.warnings, ["vip_address is an old name and still works; write address"]);
}

#[test]
fn everything_about_the_control_plane_can_be_set() {
    let environment = [
        ("cp_enable", "true"),
        ("svc_enable", "true"),
        ("address", "api.example.com"),
        ("dns_mode", "dual"),
        ("port", "7443"),
        ("vip_leasename", "ns/lock"),
        ("vip_leaseannotations", r#"{"a": "b"}"#),
        ("kubernetes_addr", "https://127.0.0.1:7443"),
        ("vip_subnet", "32"),
    ];
    let meant = read(&[], &environment).unwrap();
    let control_plane = meant.config.control_plane.unwrap();
    assert_eq!(control_plane.names, [ControlPlaneName::Dns("api.example.com".to_owned())]);
    assert_eq!((control_plane.port, control_plane.dns_mode), (7443, DnsMode::Dual));
    assert_eq!(control_plane.lease, ObjectKey::new("ns", "lock"));
    assert_eq!(control_plane.lease_annotations["a"], "b");
    assert_eq!((meant.config.services, meant.hello.sender.instance.as_str()), (true, "svc"));
    let reach = meant.kubeconfigs.reach;
    assert_eq!(reach.local_port, Some(7443));
    assert_eq!(reach.address, Some("https://127.0.0.1:7443".parse().unwrap()));
    assert_eq!(meant.warnings, [""; 0]);
}

#[test]
fn a_control_plane_needs_an_address_and_an_address_needs_something_to_announce_it() {
    let error = read(&["--controlplane"], &[]).unwrap_err();
    assert!(error.to_string().contains("name its address"), "{error}");
    let error = read(&["--controlplane=false"], STATIC_POD).unwrap_err();
    assert!(error.to_string().contains("nothing to do"), "{error}");
    let meant = read(&["--services", "--address", "192.0.2.1"], &[]).unwrap();
    assert_eq!(meant.config.control_plane, None);
    assert_eq!(meant.warnings, ["address changes nothing, because cp_enable is not true"]);
}

#[test]
fn the_subnet_of_an_address_is_read_and_changes_nothing() {
    let read = |subnet: &str| read(&["--address=192.0.2.1", "--cidr", subnet], &[]);
    let warnings = read("24").unwrap().warnings.join("\n");
    assert!(warnings.contains("vip_subnet changes nothing"), "{warnings}");
    assert!(!read("32").unwrap().warnings.join("\n").contains("changes nothing"));
    assert!(read("33x").is_err());
}

fn with_file(name: &str, text: &str, arguments: &[&str]) -> Result<Meant, ReadSettingsError> {
    let file = ConfigFile { path: name.to_owned(), text: Ok(text.to_owned()) };
    let around = Surroundings { file: Some(file), ..Surroundings::default() };
    let around = Surroundings { host: "n1".to_owned(), ..around };
    let flag = format!("--config-file={name}");
    let arguments: Vec<_> = arguments.iter().map(ToString::to_string).chain([flag]).collect();
    super::read(&arguments, &around)
}

#[test]
fn a_configuration_file_is_heard_whole() {
    let yaml = "\
enableARP: true
enableControlPlane: true
address: [192.0.2.1, '2001:db8::1']
Port: 7443
dnsDualStackMode: dual
leaseNodeName: Node-B
enableServices: true
leaseAnnotations: {team: net}
arpBroadcastRate: 1000
prometheusHTTPServer: ':9000'
leaseDuration: 15
renewDeadline: 10
namespace: own
cp_detect:
";
    let json = r#"{"enablearp": true, "EnableControlPlane": true, "Address": "192.0.2.1,2001:db8::1",
        "Port": 7443, "DNSMode": "dual", "NodeName": "Node-B", "EnableServices": true,
        "LeaseAnnotations": {"team": "net"}, "ArpBroadcastRate": 1000, "PrometheusHTTPServer": ":9000",
        "LeaseDuration": 15, "RenewDeadline": 10, "Namespace": "own"}"#;
    for (name, text) in [("f.yaml", yaml), ("f.yml", yaml), ("f.json", json)] {
        let meant = with_file(name, text, &[]).unwrap();
        let control_plane = meant.config.control_plane.unwrap();
        assert_eq!((control_plane.names.len(), control_plane.port), (2, 7443), "{name}");
        assert_eq!(control_plane.dns_mode, DnsMode::Dual, "{name}");
        assert_eq!(control_plane.lease, ObjectKey::new("own", "plndr-cp-lock"), "{name}");
        assert_eq!(control_plane.lease_annotations["team"], "net", "{name}");
        assert!(meant.config.services, "{name}");
        assert_eq!(meant.config.node.0, "node-b", "{name}");
        assert_eq!(meant.repeat.0, Duration::from_secs(1), "{name}");
        assert_eq!(meant.admin.map(|address| address.port()), Some(9000), "{name}");
        assert_eq!(meant.election.settings.duration, Duration::from_secs(15), "{name}");
        assert_eq!(meant.warnings, [""; 0], "{name}");
    }
}

#[test]
fn a_flag_beats_a_variable_and_both_beat_the_file() {
    let port = |meant: Meant| meant.config.control_plane.unwrap().port;
    let yaml = "address: 192.0.2.1\nport: 7001\n";
    assert_eq!(port(with_file("f.yaml", yaml, &[]).unwrap()), 7001);
    assert_eq!(port(with_file("f.yaml", yaml, &["--port=7003"]).unwrap()), 7003);
    let file = ConfigFile { path: "f.yaml".to_owned(), text: Ok(yaml.to_owned()) };
    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let around = Surroundings {
        environment: vec![variable("config_file", "f.yaml"), variable("port", "7002")],
        file: Some(file),
        host: "n1".to_owned(),
        pod_namespace: None,
    };
    assert_eq!(port(super::read(&[], &around).unwrap()), 7002);
}

#[test]
fn a_configuration_file_that_cannot_be_understood_ends_the_program() {
    let faults = |name: &str, text: &str| with_file(name, text, &["--services"]).unwrap_err().0;
    let yaml = "svcenable: true\nport: {a: b}\nloadBalancers: [{name: x}]\nenableBGP: true\n";
    let found = faults("f.yaml", yaml);
    for part in ["svcenable in f.yaml", "port in f.yaml", "load balancer", "BGP"] {
        assert!(found.iter().any(|fault| fault.contains(part)), "{part}: {found:?}");
    }
    for (name, text) in [
        ("f.txt", "port: 1"),
        ("f.yaml", "- a"),
        ("f.yaml", "a: ["),
        ("f.json", "{"),
        ("f.yaml", "port: 1\nport: 2"),
        ("f.json", r#"{"port": 1, "Port": 2}"#),
    ] {
        assert!(faults(name, text)[0].contains(name), "{name} {text}: {:?}", faults(name, text));
    }
    assert!(with_file("f.yaml", "", &["--services"]).is_ok());
    let missing = ConfigFile::named(&["--config-file=/nowhere/f.yaml".to_owned()], &[]).unwrap();
    let around = Surroundings { file: Some(missing), ..Surroundings::default() };
    let flags = ["--services", "--config-file=/nowhere/f.yaml"].map(str::to_owned);
    let error = super::read(&flags, &around).unwrap_err();
    assert!(error.to_string().contains("/nowhere/f.yaml: No such file"), "{error}");
}
