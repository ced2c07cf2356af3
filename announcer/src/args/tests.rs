use super::*;
use announcer_decide::config::Owners;

fn read(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Meant, ReadSettingsError> {
    let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
    let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    super::read(
        &arguments,
        &Surroundings { environment, host: "Node-A".to_owned(), pod_namespace: None },
    )
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
    assert_eq!(meant.warnings, ["without effect in this version: port, dnsMode"]);
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
    for part in ["--nope", "maybe", "BGP", "lease duration 2s", "svc_enable", "\"x\""] {
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
