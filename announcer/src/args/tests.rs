use super::*;
use announcer_decide::config::{ControlPlaneName, DnsMode, Owners};
use announcer_decide::link::LinkName;
use model::address::Vip;

fn read(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Meant, ReadSettingsError> {
    let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
    let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    super::read(
        &arguments,
        &Surroundings { environment, host: "Node-A".to_owned(), pod_namespace: None },
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
    assert_eq!(meant.kubernetes_addr.as_deref(), Some("https://127.0.0.1:7443"));
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
