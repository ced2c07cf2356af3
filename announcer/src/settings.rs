//! The table of flags, variables and keys of a configuration file: kube-vip's names, byte for byte.

mod elsewhere;
mod generator;

pub use elsewhere::{NOT_YET, WITHOUT_EFFECT};
pub use generator::{GENERATOR, REFUSED};

use model::settings::{Kind, Setting};
use shared::output::OUTPUT;

use Kind::{Object, Switch, Value};

/// What this version acts on. `--help` and docs/configuration.md are printed from here.
pub const SETTINGS: &[Setting] = &[
    Setting::new("arp", "vip_arp", Switch, "true when no mode is named", "Announce by ARP and NDP.").keyed(&["enableARP"]),
    Setting::new(
            "controlplane",
            "cp_enable",
            Switch,
            "true where an address is named and Services are not",
            "Announce the control plane's address.",
        ).keyed(&["enableControlPlane"]).renamed(&["controlPlane"]),
    Setting::new("services", "svc_enable", Switch, "false", "Announce Services of type LoadBalancer.").keyed(&["enableServices"]),
    Setting::new(
            "address",
            "address",
            Value,
            "",
            "The control plane's addresses and DNS names, with commas between; names are looked up every 3 s, and an address that a name has lost is kept for 60 s.",
        ).renamed(&["vip", "vip_address"]),
    Setting::new(
        "dnsMode",
        "dns_mode",
        Value,
        "first",
        "Which addresses of a DNS name count: first, ipv4, ipv6, dual.",
    ).keyed(&["dnsMode", "dnsDualStackMode"]),
    Setting::new("port", "port", Value, "6443", "Port of the API server on this node."),
    Setting::new(
            "vipSubnet",
            "vip_subnet",
            Value,
            "32 and 128",
            "Changes nothing: an address stands alone on its interface, as /32 or /128.",
        ).renamed(&["cidr", "vip_cidr"]),
    Setting::new(
        "autodetectcp",
        "cp_detect",
        Switch,
        "false",
        "Changes nothing: the API server of this node is found at 127.0.0.1.",
    ).keyed(&["detectControlPlane"]),
    Setting::new(
        "interface",
        "vip_interface",
        Value,
        "the default route's",
        "Interface to announce on.",
    ),
    Setting::new(
        "serviceInterface",
        "vip_servicesinterface",
        Value,
        "vip_interface",
        "Interface for Services; auto: the one whose subnet contains the address, else vip_interface.",
    ).keyed(&["servicesInterface"]),
    Setting::new(
        "nodeName",
        "vip_nodename",
        Value,
        "the host name",
        "Name of this node: what the Lease names as its holder.",
    ).keyed(&["nodeName", "leaseNodeName"]),
    Setting::new(
        "leaderElection",
        "vip_leaderelection",
        Switch,
        "true",
        "Elect one owner; with ARP it is always on.",
    ).keyed(&["enableLeaderElection"]),
    Setting::new(
        "servicesElection",
        "svc_election",
        Switch,
        "false",
        "Give each Service an owner of its own, spread over the nodes, instead of one owner for all.",
    ).keyed(&["enableServicesElection"]),
    Setting::new(
        "perServiceElectionOnDemand",
        "per_service_election_on_demand",
        Switch,
        "false",
        "Changes nothing: kube-vip.io/forcePerServiceElection always counts.",
    ),
    Setting::new(
        "servicesLeaseName",
        "svc_leasename",
        Value,
        "plndr-svcs-lock",
        "Lease for Services: name or namespace/name.",
    ),
    Setting::new(
        "leaseDuration",
        "vip_leaseduration",
        Value,
        "5",
        "Seconds that others wait for an owner that has fallen silent.",
    ),
    Setting::new(
        "leaseRenewDuration",
        "vip_renewdeadline",
        Value,
        "3",
        "Seconds that an owner stays one without a renewal.",
    ).keyed(&["renewDeadline"]),
    Setting::new("leaseRetry", "vip_retryperiod", Value, "1", "Seconds between two attempts.").keyed(&["retryPeriod"]),
    Setting::new(
        "leaseName",
        "vip_leasename",
        Value,
        "plndr-cp-lock",
        "Lease for the control plane's address: name or namespace/name.",
    ),
    Setting::new(
        "",
        "vip_leaseannotations",
        Object,
        "",
        "Annotations of that Lease, as a JSON object of texts.",
    ).keyed(&["leaseAnnotations"]),
    Setting::new(
            "namespace",
            "cp_namespace",
            Value,
            "the pod's own, else kube-system",
            "Namespace of the Leases.",
        ).renamed(&["n"]),
    Setting::new(
        "preserveVipOnLeadershipLoss",
        "vip_preserve_on_leadership_loss",
        Switch,
        "false",
        "Changes nothing: an address is always kept until another node owns it.",
    ),
    Setting::new(
        "loseLeadership",
        "vip_loseleadership",
        Switch,
        "false",
        "Changes nothing: an interface without carrier always gives its addresses away, at once.",
    ),
    Setting::new(
        "loseLeadershiptTimeoutSeconds",
        "vip_loseleadership_timeout_seconds",
        Value,
        "",
        "Changes nothing: there is nothing to wait for.",
    ).keyed(&["loseLeadershipTimeoutSeconds"]),
    Setting::new(
        "allowInterfaceNotUp",
        "vip_allow_interface_not_up",
        Switch,
        "false",
        "Changes nothing: an interface that is missing or down is always waited for.",
    ),
    Setting::new(
        "prometheusHTTPServer",
        "prometheus_server",
        Value,
        ":2112",
        "Address of metrics and probes; an empty flag is off.",
    ),
    Setting::new(
        "",
        "vip_arpRate",
        Value,
        "3000",
        "Milliseconds between two announcements after the first burst; at least 500.",
    ).keyed(&["arpBroadcastRate"]),
    Setting::new(
        "helloInterval",
        "vip_hello_interval",
        Value,
        "50ms",
        "Time between two hellos of an owner: a duration or milliseconds, 5ms to 2s; 0: no hellos, the Leases alone decide.",
    ),
    Setting::new("helloPort", "vip_hello_port", Value, "2119", "UDP port of hellos."),
    Setting::new(
        "helloKeyFile",
        "vip_hello_key",
        Value,
        "",
        "File with a key of 16 octets or more that signs hellos; the same on all nodes.",
    ),
    Setting::new(
            "instanceName",
            "instance_name",
            Value,
            "svc; cp where only the control plane's address is announced",
            "Tells processes apart that run side by side on a node; the same on all nodes.",
        ).renamed(&["INSTANCE_NAME"]),
    Setting::new("", "svc_namespace", Value, "all of them", "Namespace whose Services are announced.").keyed(&["serviceNamespace"]),
    Setting::new(
        "lbClassName",
        "lb_class_name",
        Value,
        "kube-vip.io/kube-vip-class",
        "Class that a Service may name; set to nothing: none.",
    ).keyed(&["lbClassName", "loadBalancerClassName"]),
    Setting::new(
        "lbClassOnly",
        "lb_class_only",
        Switch,
        "false",
        "Leave Services without a class alone.",
    ).keyed(&["lbClassOnly", "loadBalancerClassOnly"]),
    Setting::new(
        "lbClassNameLegacyHandling",
        "lb_class_legacy_handling",
        Switch,
        "true",
        "Announce Services without a class, too; false: only where lb_class_name is set to nothing.",
    ).keyed(&["lbClassNameLegacyHandling", "loadBalancerClassLegacyHandling"]),
    Setting::new(
        "disableServiceUpdates",
        "disable_service_updates",
        Switch,
        "false",
        "Write neither status nor kube-vip.io/vipHost of Services.",
    ),
    Setting::new(
        "enableNodeLabeling",
        "enable_node_labeling",
        Switch,
        "false",
        "Label the Node with the Services that it announces.",
    ),
    Setting::new(
        "onlyAllowTrafficServicePorts",
        "enable_service_security",
        Switch,
        "false",
        "Drop what is sent to a VIP, except to ports of its Services, UDP port 68 and ICMP.",
    ).keyed(&["enableServiceSecurity"]),
    Setting::new("log", "vip_loglevel", Value, "0", "Log level: -4 debug, 0 info, 4 warn, 8 error.").keyed(&["logging"]),
    Setting::new(
        "k8sConfigPath",
        "k8s_config_file",
        Value,
        "/etc/kubernetes/admin.conf",
        "Kubeconfig to use outside a pod.",
    ).keyed(&["k8sConfigFile"]),
    Setting::new(
        "",
        "kubernetes_addr",
        Value,
        "the kubeconfig's",
        "URL of the API server to use instead of the one in the kubeconfig.",
    ).keyed(&["kubernetesAddr"]),
    Setting::new(
        "config-file",
        "config_file",
        Value,
        "",
        "File with settings, .yaml, .yml or .json; flags and variables win over it.",
    ),
];

/// What the daemon can be told by flags alone.
pub const COMMAND: &[Setting] = &[
    Setting::new(
        "dry-run",
        "",
        Switch,
        "false",
        "Print what each setting is and where that was said, and end.",
    ),
    OUTPUT,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    #[test]
    fn no_name_stands_for_two_settings() {
        let mut owners = BTreeMap::new();
        for setting in crate::args::table() {
            let names = [setting.flag, setting.variable].into_iter();
            let names = names.chain(setting.keys.iter().copied());
            for name in names.chain(setting.old_names.iter().copied()) {
                let name = name.to_lowercase();
                let owner = owners.entry(name.clone()).or_insert(setting.name());
                assert!(
                    name.is_empty() || *owner == setting.name(),
                    "{name}: {owner}, {setting:?}"
                );
            }
        }
    }
}
