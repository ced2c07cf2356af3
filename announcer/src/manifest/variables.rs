//! The variables of a manifest's pod: each setting that was named, and those that every pod says.

use crate::args::ADMIN_CONF;
use announcer_decide::manifest::Variable;
use model::settings::{Kind, Setting, Typed};

/// Those that come first, in the order of kube-vip's manifests.
const FIRST: &[&str] = &[
    "vip_arp",
    "port",
    "vip_interface",
    "dns_mode",
    "cp_enable",
    "cp_namespace",
    "address",
    "svc_enable",
    "svc_leasename",
    "vip_leaderelection",
    "vip_leasename",
    "vip_leaseduration",
    "vip_renewdeadline",
    "vip_retryperiod",
    "prometheus_server",
];

/// What is read from a file becomes variables; the file itself is not there in the pod.
const LEFT_OUT: &[&str] = &["config_file"];

/// What the pod says about what nobody has said anything about. A DaemonSet is for Services unless the control plane's address
/// is named.
pub(super) fn usual(said: &mut Typed, daemonset: bool) -> Vec<Variable> {
    let services = said.switch("services");
    let control_plane = said.switch("controlplane");
    let named = said.text("address").is_some();
    let control_plane = control_plane.unwrap_or(named && services != Some(true));
    let services = services.unwrap_or(daemonset && !control_plane);
    let namespace = said.text("namespace").unwrap_or("kube-system").to_owned();
    // Its folder is mounted, and the file in it may have any name.
    let kubeconfig = said.text("config").filter(|path| *path != ADMIN_CONF).map(str::to_owned);
    let mut usual: Vec<(&str, &str, &str)> = vec![("arp", "vip_arp", "true")];
    if control_plane {
        usual.push(("controlplane", "cp_enable", "true"));
        usual.push(("namespace", "cp_namespace", &namespace));
        usual.push(("leaseName", "vip_leasename", "plndr-cp-lock"));
        usual.push(("port", "port", "6443"));
    }
    if services {
        usual.push(("services", "svc_enable", "true"));
        usual.push(("servicesLeaseName", "svc_leasename", "plndr-svcs-lock"));
    }
    if let Some(path) = &kubeconfig {
        usual.push(("k8sConfigPath", "k8s_config_file", path));
    }
    // Both kinds of pods may be on one node, and a port has one owner.
    let page = if services { ":2112" } else { ":2113" };
    usual.extend([
        ("leaderElection", "vip_leaderelection", "true"),
        ("leaseDuration", "vip_leaseduration", "5"),
        ("leaseRenewDuration", "vip_renewdeadline", "3"),
        ("leaseRetry", "vip_retryperiod", "1"),
        ("prometheusHTTPServer", "prometheus_server", page),
    ]);
    usual.retain(|(name, ..)| said.said(name).is_none());
    usual.iter().map(|(_, variable, value)| ((*variable).to_owned(), (*value).to_owned())).collect()
}

/// Everything that was said and has a variable, and what is usual; but no secrets: whoever reads a manifest would know them,
/// and no setting of that kind has an effect.
pub(super) fn all(table: &[Setting], typed: &Typed, usual: &[Variable]) -> Vec<Variable> {
    let value = |setting: &Setting| {
        // No class at all is the one thing that an empty text stands for.
        let emptied = setting.variable == "lb_class_name" && typed.emptied(setting.name());
        let text = typed.text(setting.name()).map(str::to_owned);
        text.or_else(|| emptied.then(String::new))
    };
    let secret = |variable: &str| {
        table.iter().any(|setting| setting.variable == variable && setting.kind == Kind::Secret)
    };
    let said = |variable: &&str| {
        let usual = usual.iter().find(|(name, _)| name == variable);
        let named = table.iter().find(|setting| setting.variable == *variable);
        let value = named.and_then(value).or_else(|| usual.map(|(_, value)| value.clone()));
        value.map(|value| ((*variable).to_owned(), value))
    };
    let rest = table.iter().map(|setting| setting.variable);
    let rest = rest.filter(|name| ![FIRST, LEFT_OUT, &[""]].concat().contains(name));
    let rest = rest.filter(|name| !secret(name));
    FIRST.iter().copied().chain(rest).filter_map(|variable| said(&variable)).collect()
}

/// What was said and is not for everybody who reads a manifest.
pub(super) fn secrets(table: &[Setting], typed: &Typed) -> Vec<&'static str> {
    let secrets = table.iter().filter(|setting| setting.kind == Kind::Secret);
    secrets.map(Setting::name).filter(|name| typed.text(name).is_some()).collect()
}

/// What cannot be said by a variable, because an empty one is unset.
pub(super) fn beside(typed: &Typed) -> Vec<String> {
    let emptied = typed.emptied("prometheusHTTPServer");
    emptied.then(|| "--prometheusHTTPServer=".to_owned()).into_iter().collect()
}
