//! The table of flags and variables: kube-vip's names, byte for byte.

use model::settings::{Kind, Setting};

const fn setting(
    flag: &'static str,
    variable: &'static str,
    kind: Kind,
    default: &'static str,
    help: &'static str,
) -> Setting {
    Setting { flag, variable, old_names: &[], kind, default, help }
}

const fn renamed(setting: Setting, old_names: &'static [&'static str]) -> Setting {
    Setting { old_names, ..setting }
}

use Kind::{Switch, Value};

/// What this version acts on. `--help` and docs/configuration.md are printed from here.
pub const SETTINGS: &[Setting] = &[
    setting("arp", "vip_arp", Switch, "true when no mode is named", "Announce by ARP and NDP."),
    setting("services", "svc_enable", Switch, "false", "Announce Services of type LoadBalancer."),
    setting(
        "interface",
        "vip_interface",
        Value,
        "the default route's",
        "Interface to announce on.",
    ),
    setting(
        "serviceInterface",
        "vip_servicesinterface",
        Value,
        "vip_interface",
        "Interface for Services; auto: the one whose subnet contains the address, else vip_interface.",
    ),
    setting(
        "nodeName",
        "vip_nodename",
        Value,
        "the host name",
        "Name of this node: what the Lease names as its holder.",
    ),
    setting(
        "leaderElection",
        "vip_leaderelection",
        Switch,
        "true",
        "Elect one owner; with ARP it is always on.",
    ),
    setting(
        "servicesElection",
        "svc_election",
        Switch,
        "false",
        "Give each Service an owner of its own, spread over the nodes, instead of one owner for all.",
    ),
    setting(
        "perServiceElectionOnDemand",
        "per_service_election_on_demand",
        Switch,
        "false",
        "Changes nothing: kube-vip.io/forcePerServiceElection always counts.",
    ),
    setting(
        "servicesLeaseName",
        "svc_leasename",
        Value,
        "plndr-svcs-lock",
        "Lease for Services: name or namespace/name.",
    ),
    setting(
        "leaseDuration",
        "vip_leaseduration",
        Value,
        "5",
        "Seconds that others wait for an owner that has fallen silent.",
    ),
    setting(
        "leaseRenewDuration",
        "vip_renewdeadline",
        Value,
        "3",
        "Seconds that an owner stays one without a renewal.",
    ),
    setting("leaseRetry", "vip_retryperiod", Value, "1", "Seconds between two attempts."),
    renamed(
        setting(
            "namespace",
            "cp_namespace",
            Value,
            "the pod's own, else kube-system",
            "Namespace of the Lease.",
        ),
        &["n"],
    ),
    setting(
        "prometheusHTTPServer",
        "prometheus_server",
        Value,
        ":2112",
        "Address of metrics and probes; an empty flag is off.",
    ),
    setting(
        "",
        "vip_arpRate",
        Value,
        "3000",
        "Milliseconds between two announcements after the first burst; at least 500.",
    ),
    setting(
        "helloInterval",
        "vip_hello_interval",
        Value,
        "50ms",
        "Time between two hellos of an owner: a duration or milliseconds, 5ms to 2s; 0: no hellos, the Leases alone decide.",
    ),
    setting("helloPort", "vip_hello_port", Value, "2119", "UDP port of hellos."),
    setting(
        "helloKeyFile",
        "vip_hello_key",
        Value,
        "",
        "File with a key of 16 octets or more that signs hellos; the same on all nodes.",
    ),
    renamed(
        setting(
            "instanceName",
            "instance_name",
            Value,
            "svc",
            "Tells processes apart that run side by side on a node; the same on all nodes.",
        ),
        &["INSTANCE_NAME"],
    ),
    setting("", "svc_namespace", Value, "all of them", "Namespace whose Services are announced."),
    setting(
        "lbClassName",
        "lb_class_name",
        Value,
        "kube-vip.io/kube-vip-class",
        "Class that a Service may name; set to nothing: none.",
    ),
    setting(
        "lbClassOnly",
        "lb_class_only",
        Switch,
        "false",
        "Leave Services without a class alone.",
    ),
    setting(
        "lbClassNameLegacyHandling",
        "lb_class_legacy_handling",
        Switch,
        "true",
        "Announce Services without a class, too; false: only where lb_class_name is set to nothing.",
    ),
    setting(
        "disableServiceUpdates",
        "disable_service_updates",
        Switch,
        "false",
        "Write neither status nor kube-vip.io/vipHost of Services.",
    ),
    setting(
        "enableNodeLabeling",
        "enable_node_labeling",
        Switch,
        "false",
        "Label the Node with the Services that it announces.",
    ),
    setting(
        "onlyAllowTrafficServicePorts",
        "enable_service_security",
        Switch,
        "false",
        "Drop what is sent to a VIP, except to ports of its Services, UDP port 68 and ICMP.",
    ),
    setting("log", "vip_loglevel", Value, "0", "Log level: -4 debug, 0 info, 4 warn, 8 error."),
    setting(
        "k8sConfigPath",
        "k8s_config_file",
        Value,
        "/etc/kubernetes/admin.conf",
        "Kubeconfig to use outside a pod.",
    ),
];

/// Settings of kube-vip that switch on what this version does not have: true or any text ends the program.
pub const NOT_YET: &[(Setting, &str)] = &[
    (
        renamed(setting("controlplane", "cp_enable", Switch, "", ""), &["controlPlane"]),
        "the control plane's address",
    ),
    (setting("address", "address", Value, "", ""), "the control plane's address"),
    (setting("vip", "vip_address", Value, "", ""), "the control plane's address"),
    (setting("autodetectcp", "cp_detect", Switch, "", ""), "the control plane's address"),
    (setting("bgp", "bgp_enable", Switch, "", ""), "BGP"),
    (setting("table", "vip_routingtable", Switch, "", ""), "routing-table mode"),
    (setting("wireguard", "vip_wireguard", Switch, "", ""), "WireGuard"),
    (renamed(setting("", "enable_upnp", Switch, "", ""), &["enableUPNP"]), "UPnP"),
    (setting("ddns", "vip_ddns", Switch, "", ""), "dynamic DNS"),
    (setting("enableLoadBalancer", "lb_enable", Switch, "", ""), "the TCP load balancer"),
    (
        renamed(setting("metal", "vip_metal", Switch, "", ""), &["packet", "vip_packet"]),
        "Equinix Metal",
    ),
    (setting("mirrorDestInterface", "mirror_dest_interface", Value, "", ""), "traffic mirroring"),
    (setting("config-file", "config_file", Value, "", ""), "a configuration file"),
];

/// Settings of kube-vip that change nothing as long as what they belong to is off: taken, and named once.
pub const WITHOUT_EFFECT: &[Setting] = &[
    setting("port", "port", Value, "", ""),
    renamed(setting("vipSubnet", "vip_subnet", Value, "", ""), &["cidr", "vip_cidr"]),
    setting("allowInterfaceNotUp", "vip_allow_interface_not_up", Switch, "", ""),
    setting("loInterfaceGlobalScope", "vip_interfaceloglobal", Switch, "", ""),
    setting("healthCheckPort", "health_check_port", Value, "", ""),
    setting("debounceTime", "debounce_time", Value, "", ""),
    setting("leaseName", "vip_leasename", Value, "", ""),
    setting("leaderElectionType", "", Value, "", ""),
    setting("preserveVipOnLeadershipLoss", "vip_preserve_on_leadership_loss", Switch, "", ""),
    setting("loseLeadership", "vip_loseleadership", Switch, "", ""),
    setting("loseLeadershiptTimeoutSeconds", "vip_loseleadership_timeout_seconds", Value, "", ""),
    setting("enableEndpoints", "enable_endpoints", Switch, "", ""),
    setting("dnsMode", "dns_mode", Value, "", ""),
    setting("dhcpMode", "dhcp_mode", Value, "", ""),
    setting("dhcpBackoffAttempts", "dhcp_backoff_attempts", Value, "", ""),
    setting("lbPort", "lb_port", Value, "", ""),
    setting("lbForwardingMethod", "lb_fwdmethod", Value, "", ""),
    setting("tableID", "vip_routingtableid", Value, "", ""),
    setting("tableType", "vip_routingtabletype", Value, "", ""),
    setting("routingProtocol", "vip_routingprotocol", Value, "", ""),
    setting("cleanRoutingTable", "vip_cleanroutingtable", Switch, "", ""),
    setting("bgpRouterID", "bgp_routerid", Value, "", ""),
    setting("", "bgp_routerinterface", Value, "", ""),
    setting("localAS", "bgp_as", Value, "", ""),
    setting("bgppeers", "bgp_peers", Value, "", ""),
    setting("peerAddress", "bgp_peeraddress", Value, "", ""),
    setting("peerAS", "bgp_peeras", Value, "", ""),
    setting("peerPass", "bgp_peerpass", Value, "", ""),
    renamed(setting("multihop", "bgp_multihop", Switch, "", ""), &["multiHop"]),
    setting("sourceIP", "bgp_sourceip", Value, "", ""),
    setting("sourceIF", "bgp_sourceif", Value, "", ""),
    setting("bgpHoldTimer", "bgp_hold_time", Value, "", ""),
    setting("bgpKeepAliveInterval", "bgp_keepalive_interval", Value, "", ""),
    setting("annotations", "annotation", Value, "", ""),
    setting("metalKey", "PACKET_AUTH_TOKEN", Value, "", ""),
    renamed(
        setting("metalProject", "vip_metalproject", Value, "", ""),
        &["packetProject", "vip_packetproject"],
    ),
    renamed(
        setting("metalProjectID", "vip_metalprojectid", Value, "", ""),
        &["packetProjectID", "vip_packetprojectid"],
    ),
    setting("provider-config", "provider_config", Value, "", ""),
    setting("", "vip_skipdad", Switch, "", ""),
    setting("", "vip_singlenode", Switch, "", ""),
    setting("", "vip_startleader", Switch, "", ""),
    setting("inCluster", "", Switch, "", ""),
    setting("taint", "", Switch, "", ""),
    setting("image", "", Value, "", ""),
];
