//! Settings of kube-vip that this version does not act on.

use model::settings::{Kind, Setting};

use Kind::{Object, Secret, Switch, Value};

/// Settings of kube-vip that switch on what this version does not have: true or any text ends the program.
pub const NOT_YET: &[(Setting, &str)] = &[
    (Setting::new("bgp", "bgp_enable", Switch, "", "").keyed(&["enableBGP"]), "BGP"),
    (
        Setting::new("table", "vip_routingtable", Switch, "", "").keyed(&["enableRoutingTable"]),
        "routing-table mode",
    ),
    (
        Setting::new("wireguard", "vip_wireguard", Switch, "", "").keyed(&["enableWireguard"]),
        "WireGuard",
    ),
    (
        Setting::new("", "enable_upnp", Switch, "", "")
            .keyed(&["enableUPNP"])
            .renamed(&["enableUPNP"]),
        "UPnP",
    ),
    (Setting::new("ddns", "vip_ddns", Switch, "", ""), "dynamic DNS"),
    (Setting::new("enableLoadBalancer", "lb_enable", Switch, "", ""), "the TCP load balancer"),
    (
        Setting::new("metal", "vip_metal", Switch, "", "").renamed(&["packet", "vip_packet"]),
        "Equinix Metal",
    ),
    (
        Setting::new("mirrorDestInterface", "mirror_dest_interface", Value, "", ""),
        "traffic mirroring",
    ),
    (Setting::new("zebra", "zebra_enable", Switch, "", ""), "Zebra"),
    (
        Setting::new(
            "controlPlaneHealthCheckAddress",
            "control_plane_health_check_address",
            Value,
            "",
            "",
        ),
        "a health check by URL",
    ),
    (Setting::new("etcdEndpoints", "", Value, "", ""), "election by etcd"),
    (Setting::new("", "", Object, "", "").keyed(&["etcd"]), "election by etcd"),
    (Setting::new("", "", Object, "", "").keyed(&["BGPConfig"]), "BGP"),
    (Setting::new("", "", Object, "", "").keyed(&["BGPPeerConfig"]), "BGP"),
    (Setting::new("", "", Object, "", "").keyed(&["loadBalancers"]), "the TCP load balancer"),
    (Setting::new("", "vip_localpeer", Object, "", "").keyed(&["localPeer"]), "election by raft"),
    (
        Setting::new("", "vip_remotepeers", Object, "", "").keyed(&["remotePeers"]),
        "election by raft",
    ),
];

/// Settings of kube-vip that change nothing as long as what they belong to is off: taken, and named once.
pub const WITHOUT_EFFECT: &[Setting] = &[
    Setting::new("loInterfaceGlobalScope", "vip_interfaceloglobal", Switch, "", ""),
    Setting::new("healthCheckPort", "health_check_port", Value, "", ""),
    Setting::new("debounceTime", "debounce_time", Value, "", ""),
    Setting::new("leaderElectionType", "", Value, "", ""),
    Setting::new("enableEndpoints", "enable_endpoints", Switch, "", ""),
    Setting::new("dhcpMode", "dhcp_mode", Value, "", ""),
    Setting::new("dhcpBackoffAttempts", "dhcp_backoff_attempts", Value, "", ""),
    Setting::new("lbPort", "lb_port", Value, "", "").keyed(&["lbPort", "loadBalancerPort"]),
    Setting::new("lbForwardingMethod", "lb_fwdmethod", Value, "", "")
        .keyed(&["lbForwardingMethod", "loadBalancerForwardingMethod"]),
    Setting::new("tableID", "vip_routingtableid", Value, "", "").keyed(&["routingTableID"]),
    Setting::new("tableType", "vip_routingtabletype", Value, "", "").keyed(&["routingTableType"]),
    Setting::new("routingProtocol", "vip_routingprotocol", Value, "", ""),
    Setting::new("cleanRoutingTable", "vip_cleanroutingtable", Switch, "", ""),
    Setting::new("bgpRouterID", "bgp_routerid", Value, "", ""),
    Setting::new("", "bgp_routerinterface", Value, "", ""),
    Setting::new("localAS", "bgp_as", Value, "", ""),
    // Passwords are among what it says about each.
    Setting::new("bgppeers", "bgp_peers", Secret, "", ""),
    Setting::new("peerAddress", "bgp_peeraddress", Value, "", ""),
    Setting::new("peerAS", "bgp_peeras", Value, "", ""),
    Setting::new("peerPass", "bgp_peerpass", Secret, "", ""),
    Setting::new("multihop", "bgp_multihop", Switch, "", "").renamed(&["multiHop"]),
    Setting::new("sourceIP", "bgp_sourceip", Value, "", ""),
    Setting::new("sourceIF", "bgp_sourceif", Value, "", ""),
    Setting::new("bgpHoldTimer", "bgp_hold_time", Value, "", ""),
    Setting::new("bgpKeepAliveInterval", "bgp_keepalive_interval", Value, "", ""),
    Setting::new("annotations", "annotation", Value, "", ""),
    Setting::new("metalKey", "PACKET_AUTH_TOKEN", Secret, "", ""),
    Setting::new("metalProject", "vip_metalproject", Value, "", "")
        .renamed(&["packetProject", "vip_packetproject"]),
    Setting::new("metalProjectID", "vip_metalprojectid", Value, "", "")
        .renamed(&["packetProjectID", "vip_packetprojectid"]),
    Setting::new("provider-config", "provider_config", Value, "", ""),
    Setting::new("", "vip_skipdad", Switch, "", ""),
    Setting::new("", "vip_singlenode", Switch, "", "").keyed(&["singleNode"]),
    Setting::new("", "vip_startleader", Switch, "", "").keyed(&["startAsLeader"]),
    Setting::new("configMap", "vip_configmap", Value, "", "").renamed(&["c"]),
    Setting::new("", "iptables_backend", Value, "", "").keyed(&["iptablesBackend"]),
    Setting::new("", "backend_health_check_interval", Value, "", "")
        .keyed(&["backendHealthCheckInterval"]),
    Setting::new("etcdCACert", "", Value, "", ""),
    Setting::new("etcdCert", "", Value, "", ""),
    Setting::new("etcdKey", "", Value, "", ""),
    Setting::new("zebraUrl", "zebra_url", Value, "", ""),
    Setting::new("zebraVersion", "zebra_version", Value, "", ""),
    Setting::new("zebraSoftwareName", "zebra_software_name", Value, "", ""),
    Setting::new("bgpAttachIPToInterface", "bgp_attach_ip_to_interface", Switch, "", ""),
    Setting::new("", "mpbgp_nexthop", Value, "", ""),
    Setting::new("", "mpbgp_ipv4", Value, "", ""),
    Setting::new("", "mpbgp_ipv6", Value, "", ""),
    Setting::new(
        "controlPlaneHealthCheckPeriodSeconds",
        "control_plane_health_check_period_seconds",
        Value,
        "",
        "",
    ),
    Setting::new(
        "controlPlaneHealthCheckTimeoutSeconds",
        "control_plane_health_check_timeout_seconds",
        Value,
        "",
        "",
    ),
    Setting::new(
        "controlPlaneHealthCheckFailureThreshold",
        "control_plane_health_check_failure_threshold",
        Value,
        "",
        "",
    ),
    Setting::new(
        "controlPlaneHealthCheckCAPath",
        "control_plane_health_check_ca_path",
        Value,
        "",
        "",
    ),
    Setting::new("", "egress_podcidr", Value, "", "").keyed(&["egressPodCidr"]),
    Setting::new("", "egress_servicecidr", Value, "", "").keyed(&["egressServiceCidr"]),
    Setting::new("egressWithNftables", "egress_withnftables", Switch, "", ""),
    Setting::new("", "egress_enableinternalsnat", Switch, "", ""),
    Setting::new("", "egress_clean", Switch, "", "")
        .keyed(&["egressClean"])
        .renamed(&["EGRESS_CLEAN"]),
    Setting::new("", "", Switch, "", "").keyed(&["addPeersAsBackends"]),
];
