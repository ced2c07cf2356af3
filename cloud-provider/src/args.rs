//! What was typed, and what it means. Flags are those of a Kubernetes cloud controller, variables those of the peer.

mod class;

use model::duration::parse_go_duration;
use model::lease::LeaseSettings;
use model::object::ObjectKey;
use model::settings::{Kind, Setting, Typed, unknown_variables};
use shared::api_client::Kubeconfigs;
use shared::log::Level;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Everything the program can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The ConfigMap that holds the pools.
    pub pools: ObjectKey,
    /// The `spec.loadBalancerClass` of the Services to serve; `None`: those that name none.
    pub class: Option<String>,
    /// The Lease, and how to stand for it; `None` with `--leader-elect=false`.
    pub lease: Option<(ObjectKey, LeaseSettings)>,
    /// Where metrics and probes are served; `None` with `--secure-port=0`.
    pub admin: Option<SocketAddr>,
    /// Where to look for a kubeconfig.
    pub kubeconfigs: Kubeconfigs,
    /// How much is logged.
    pub level: Level,
    /// Sentences to log at start.
    pub warnings: Vec<String>,
}

/// Everything that is wrong with what was typed, a line each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot start:\n  {}", .0.join("\n  "))]
pub struct ReadConfigError(pub Vec<String>);

const fn value(flag: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting::new(flag, "", Kind::Value, default, help)
}

const fn variable(variable: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting::new("", variable, Kind::Value, default, help)
}

const fn variable_switch(
    variable: &'static str,
    default: &'static str,
    help: &'static str,
) -> Setting {
    Setting::new("", variable, Kind::Switch, default, help)
}

const fn switch(flag: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting::new(flag, "", Kind::Switch, default, help)
}

/// The table that flags, variables, `--help` and docs/configuration.md come from.
pub const SETTINGS: &[Setting] = &[
    variable("KUBEVIP_NAMESPACE", "kube-system", "Namespace of the ConfigMap with the pools."),
    variable("KUBEVIP_CONFIG_MAP", "kubevip", "Name of the ConfigMap with the pools."),
    variable_switch(
        class::ENABLED,
        "false",
        "Serve the Services of one class instead of those without a class.",
    ),
    variable(class::NAME, class::DEFAULT, "That class."),
    switch(
        "leader-elect",
        "true",
        "Stand for the Lease; without it there must be one process only.",
    ),
    value("leader-elect-resource-name", "kube-vip-cloud-controller", "Name of the Lease."),
    value("leader-elect-resource-namespace", "kube-system", "Namespace of the Lease."),
    value(
        "leader-elect-lease-duration",
        "15s",
        "How long others wait for a leader that has fallen silent.",
    ),
    value(
        "leader-elect-renew-deadline",
        "10s",
        "How long a leader leads without an accepted renewal.",
    ),
    value("leader-elect-retry-period", "2s", "Pause between two attempts."),
    value("secure-port", "10258", "Port of metrics and probes (plain HTTP); 0 is off."),
    value("bind-address", "::", "Address of metrics and probes."),
    switch("OutSideCluster", "false", "Use the kubeconfig in the home directory."),
    value("kubeconfig", "", "Kubeconfig to use outside a pod."),
    value("v", "2", "Log level: 4 and more for debugging."),
];

/// Flags of a cloud controller that mean nothing here; they are accepted so that a manifest need not change.
const WITHOUT_EFFECT: &[(&str, Kind)] = &[
    ("allocate-node-cidrs", Kind::Switch),
    ("allow-untagged-cloud", Kind::Switch),
    ("authentication-kubeconfig", Kind::Value),
    ("authentication-skip-lookup", Kind::Switch),
    ("authorization-always-allow-paths", Kind::Value),
    ("authorization-kubeconfig", Kind::Value),
    ("cert-dir", Kind::Value),
    ("client-ca-file", Kind::Value),
    ("cloud-config", Kind::Value),
    ("cloud-provider", Kind::Value),
    ("cluster-cidr", Kind::Value),
    ("cluster-name", Kind::Value),
    ("concurrent-service-syncs", Kind::Value),
    ("configure-cloud-routes", Kind::Switch),
    ("contention-profiling", Kind::Switch),
    ("controllers", Kind::Value),
    ("feature-gates", Kind::Value),
    ("kube-api-burst", Kind::Value),
    ("kube-api-content-type", Kind::Value),
    ("kube-api-qps", Kind::Value),
    ("leader-elect-resource-lock", Kind::Value),
    ("log-flush-frequency", Kind::Value),
    ("logging-format", Kind::Value),
    ("master", Kind::Value),
    ("min-resync-period", Kind::Value),
    ("node-monitor-period", Kind::Value),
    ("node-status-update-frequency", Kind::Value),
    ("profiling", Kind::Switch),
    ("route-reconciliation-period", Kind::Value),
    ("tls-cert-file", Kind::Value),
    ("tls-cipher-suites", Kind::Value),
    ("tls-min-version", Kind::Value),
    ("tls-private-key-file", Kind::Value),
    ("use-service-account-credentials", Kind::Switch),
    ("vmodule", Kind::Value),
];

/// Reads arguments (without the program's name) and environment.
///
/// # Errors
/// All faults at once.
pub fn read(
    arguments: &[String],
    environment: &[(String, String)],
    host: &str,
) -> Result<Config, ReadConfigError> {
    let ignored = WITHOUT_EFFECT.iter().map(|(flag, kind)| Setting::new(flag, "", *kind, "", ""));
    let settings: Vec<_> = SETTINGS.iter().copied().chain(ignored).collect();
    let mut typed = Typed::read(&settings, arguments, environment);
    for (flag, _) in WITHOUT_EFFECT {
        if typed.text(flag).is_some() {
            typed.warnings.push(format!("--{flag} has no effect here"));
        }
    }
    for name in unknown_variables(&settings, environment, &["KUBEVIP_"]) {
        typed.warnings.push(format!("{name} is not a variable of this program"));
    }
    for word in std::mem::take(&mut typed.words) {
        typed.faults.push(format!("{word:?} is neither a flag nor, as the first word, a command"));
    }
    let config = meant(&mut typed, host);
    if typed.faults.is_empty() { Ok(config) } else { Err(ReadConfigError(typed.faults)) }
}

fn meant(typed: &mut Typed, host: &str) -> Config {
    let Target { pools, class, kubeconfigs } = target(typed);
    let lease_key = ObjectKey::new(
        text(typed, "leader-elect-resource-namespace"),
        text(typed, "leader-elect-resource-name"),
    );
    let lease = lease_settings(typed, host);
    let elect = typed.switch("leader-elect").unwrap_or(true);
    let port = typed.parsed("secure-port", str::parse::<u16>).unwrap_or(10258);
    let address = typed.parsed("bind-address", str::parse).unwrap_or(Ipv6Addr::UNSPECIFIED.into());
    let verbosity = typed.parsed("v", str::parse::<u8>).unwrap_or(2);
    Config {
        pools,
        class,
        lease: elect.then_some((lease_key, lease)),
        admin: (port != 0).then_some(SocketAddr::new(address, port)),
        kubeconfigs,
        level: if verbosity >= 4 { Level::Debug } else { Level::Info },
        warnings: std::mem::take(&mut typed.warnings),
    }
}

/// Which of [`SETTINGS`] say where the cluster is and what in it is ours.
pub(crate) const TARGET: [&str; 6] = [
    "KUBEVIP_NAMESPACE",
    "KUBEVIP_CONFIG_MAP",
    class::ENABLED,
    class::NAME,
    "OutSideCluster",
    "kubeconfig",
];

/// Where the cluster is, and what in it is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The ConfigMap that holds the pools.
    pub(crate) pools: ObjectKey,
    /// The `spec.loadBalancerClass` of the Services to serve; `None`: those that name none.
    pub(crate) class: Option<String>,
    /// Where to look for a kubeconfig.
    pub(crate) kubeconfigs: Kubeconfigs,
}

/// What [`TARGET`] means as it was typed.
pub(crate) fn target(typed: &mut Typed) -> Target {
    let outside = typed.switch("OutSideCluster").unwrap_or(false);
    let home = std::env::home_dir().map(|home| home.join(".kube/config"));
    Target {
        pools: ObjectKey::new(text(typed, "KUBEVIP_NAMESPACE"), text(typed, "KUBEVIP_CONFIG_MAP")),
        class: class::meant(typed),
        kubeconfigs: Kubeconfigs {
            named: typed.text("kubeconfig").map(PathBuf::from),
            outside,
            usual: home.into_iter().collect(),
            ..Kubeconfigs::default()
        },
    }
}

fn text(typed: &Typed, name: &str) -> String {
    typed.text(name).unwrap_or_else(|| default(name)).to_owned()
}

fn lease_settings(typed: &mut Typed, host: &str) -> LeaseSettings {
    let mut seconds = |name: &str, default| {
        typed.parsed(name, parse_go_duration).unwrap_or(Duration::from_secs(default))
    };
    let duration = seconds("leader-elect-lease-duration", 15);
    let renew_deadline = seconds("leader-elect-renew-deadline", 10);
    let retry_period = seconds("leader-elect-retry-period", 2);
    typed.faults.extend(model::lease::contradictions(duration, renew_deadline, retry_period));
    LeaseSettings { identity: host.to_owned(), duration, renew_deadline, retry_period }
}

fn default(name: &str) -> &'static str {
    SETTINGS.iter().find(|setting| setting.name() == name).map_or("", |setting| setting.default)
}

/// What `--help` prints.
#[must_use]
pub fn help() -> String {
    let intro = "kube-vip-cloud-provider gives Services of type LoadBalancer their addresses.\n\n\
                 Pools stand in the ConfigMap kubevip: docs/configuration.md. It runs until it is told to stop, or, with a\n\
                 command as the first word, answers and ends:\n\n";
    format!("{intro}{}\n{}", crate::commands::list(), model::settings::table(SETTINGS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Config, ReadConfigError> {
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        super::read(&arguments, &[], "host")
    }

    #[test]
    fn the_peers_arguments_are_taken_as_they_are() {
        let config = read(&[
            "--leader-elect-resource-name=kube-vip-cloud-controller",
            "--allow-untagged-cloud",
        ])
        .unwrap();
        let (key, lease) = config.lease.unwrap();
        assert_eq!(key, ObjectKey::new("kube-system", "kube-vip-cloud-controller"));
        assert_eq!(lease.duration, Duration::from_secs(15));
        assert_eq!(config.warnings, ["--allow-untagged-cloud has no effect here"]);
    }

    #[test]
    fn says_everything_that_is_wrong_at_once() {
        let error =
            read(&["--nope", "--secure-port=x", "--leader-elect-renew-deadline=20s", "word"])
                .unwrap_err();
        assert_eq!(error.0.len(), 4, "{error}");
    }

    #[test]
    fn port_zero_turns_the_page_off() {
        assert_eq!(read(&["--secure-port=0"]).unwrap().admin, None);
    }
}
