//! What was typed, and what it means. Everything that is wrong is said at once, before anything starts.

mod control_plane;
mod file;
mod hello;
mod leases;
mod services;

pub use file::ConfigFile;
pub use leases::LeasesIn;

use crate::settings::{COMMAND, GENERATOR, NOT_YET, SETTINGS, WITHOUT_EFFECT};
use announcer_decide::config::{Config, ElectionConfig, HelloConfig, RepeatPeriod};
use model::node::NodeName;
use model::settings::{Kind, Setting, Typed, unknown_variables};
use shared::api_client::{Kubeconfigs, Reach};
use shared::log::Level;
use shared::output::Output;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// The setting that names the configuration file.
const CONFIG_FILE: &str = "config-file";
/// kubeadm's kubeconfig, which a static pod is given.
pub(crate) const ADMIN_CONF: &str = "/etc/kubernetes/admin.conf";

/// Everything the daemon can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meant {
    /// What the plan depends on.
    pub config: Config,
    /// The election for Services.
    pub election: ElectionConfig,
    /// The namespace of Leases that are named without one.
    pub namespace: LeasesIn,
    /// The namespace whose Services are looked after; `None` is all of them.
    pub services_namespace: Option<String>,
    /// How this process speaks on the segment.
    pub hello: HelloConfig,
    /// The file with the key that hellos are signed by; `None`: they are not.
    pub hello_key: Option<PathBuf>,
    /// How claims are repeated.
    pub repeat: RepeatPeriod,
    /// Where metrics and probes are served; `None` is off.
    pub admin: Option<SocketAddr>,
    /// Where to look for a kubeconfig.
    pub kubeconfigs: Kubeconfigs,
    /// How much is logged.
    pub level: Level,
    /// Sentences to log at start.
    pub warnings: Vec<String>,
}

/// What the process is surrounded by, as far as it matters.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// The configuration file that is named, read.
    pub file: Option<ConfigFile>,
    /// Name of the host.
    pub host: String,
    /// Namespace of the pod, if this is one.
    pub pod_namespace: Option<String>,
}

/// Everything that is wrong with what was typed, a line each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot start:\n  {}", .0.join("\n  "))]
pub struct ReadSettingsError(pub Vec<String>);

/// What was typed and what that means, or everything that is wrong with it.
pub struct Reading {
    /// What was typed.
    pub typed: Typed,
    /// For whom it is to be printed, if that is all that was asked (`--dry-run`).
    pub dry_run: Option<Output>,
    /// What it means.
    pub meant: Result<Meant, ReadSettingsError>,
}

impl Reading {
    /// Reads `arguments` (what follows the subcommand) and the surroundings against `table`.
    #[must_use]
    pub fn of(table: &[Setting], arguments: &[String], around: &Surroundings) -> Self {
        let mut typed = typed(table, arguments, around);
        refuse_what_is_not_there(&mut typed);
        let prefixes = ["vip_", "svc_", "bgp_", "cp_", "lb_"];
        let unknown = unknown_variables(table, &around.environment, &prefixes);
        let unknown =
            unknown.iter().map(|name| format!("{name} is not a variable of this program"));
        typed.warnings.extend(unknown);
        let idle = WITHOUT_EFFECT.iter().map(Setting::name);
        let idle: Vec<_> = idle.filter(|name| typed.text(name).is_some()).collect();
        if !idle.is_empty() {
            typed.warnings.push(format!("without effect in this version: {}", idle.join(", ")));
        }
        let output = Output::read(&mut typed);
        let dry_run = typed.switch("dry-run").filter(|dry| *dry).map(|_| output);
        let meant = meant(&mut typed, around);
        let faults = typed.faults.clone();
        let meant = if faults.is_empty() { Ok(meant) } else { Err(ReadSettingsError(faults)) };
        Self { typed, dry_run, meant }
    }
}

/// Reads `arguments` (what follows the subcommand) and the surroundings.
///
/// # Errors
/// All faults at once.
pub fn read(arguments: &[String], around: &Surroundings) -> Result<Meant, ReadSettingsError> {
    Reading::of(&table(), arguments, around).meant
}

/// What was typed, by flag, by variable and in the file.
pub(crate) fn typed(table: &[Setting], arguments: &[String], around: &Surroundings) -> Typed {
    let mut typed = Typed::read(table, arguments, &around.environment);
    for word in std::mem::take(&mut typed.words) {
        typed.faults.push(format!("{word:?} is not a flag"));
    }
    if let Some(file) = around.file.as_ref().filter(|_| typed.text(CONFIG_FILE).is_some()) {
        file::take(&mut typed, table, file);
    }
    typed
}

/// Every name that is understood, with or without effect.
#[must_use]
pub fn table() -> Vec<Setting> {
    SETTINGS
        .iter()
        .chain(COMMAND)
        .chain(NOT_YET.iter().map(|(setting, _)| setting))
        .chain(WITHOUT_EFFECT)
        .copied()
        .collect()
}

fn refuse_what_is_not_there(typed: &mut Typed) {
    for (setting, feature) in NOT_YET {
        let name = setting.name();
        let on = match setting.kind {
            Kind::Switch => typed.switch(name) == Some(true),
            Kind::Value | Kind::Secret | Kind::Object => typed.text(name).is_some(),
        };
        if on {
            typed
                .faults
                .push(format!("{name}: this version does not have {feature} yet; leave it off"));
        }
    }
}

fn meant(typed: &mut Typed, around: &Surroundings) -> Meant {
    if typed.switch("arp") == Some(false) {
        typed.faults.push(
            "arp (vip_arp): no mode is on; this version announces by ARP and NDP only".to_owned(),
        );
    }
    let (services, control_plane) = control_plane::features(typed);
    if typed.switch("leaderElection") == Some(false) {
        typed.warnings.push(
            "vip_leaderelection=false changes nothing: ARP always elects one owner".to_owned(),
        );
    }
    if typed.text("leaderElectionType").is_some_and(|kind| kind != "kubernetes") {
        typed.faults.push(
            "leaderElectionType: this version does not have election by etcd yet; leave it off"
                .to_owned(),
        );
    }
    let node = node(typed, around);
    let namespace = LeasesIn::of(typed, around);
    let group = leases::key(typed, &namespace, "servicesLeaseName", "plndr-svcs-lock");
    let control_plane = control_plane::config(typed, &namespace, control_plane);
    // The one that is looked at before anything is known to be free.
    let own = control_plane.as_ref().filter(|_| !services);
    let lease = own.map_or_else(|| group.clone(), |own| own.lease.clone());
    let port = control_plane.as_ref().map(|it| it.port);
    if services && control_plane.as_ref().is_some_and(|it| it.lease == group) {
        let sentence = format!(
            "servicesLeaseName (svc_leasename): {group} is the control plane's Lease; name another"
        );
        typed.faults.push(sentence);
    }
    let level = typed.parsed("log", str::parse::<i32>).unwrap_or_default();
    let instance = if services { "svc" } else { "cp" };
    let hello = hello::config(typed, node.clone(), instance);
    if services && control_plane.is_some() && hello.interval.is_none() {
        let sentence = "helloInterval (vip_hello_interval): without hellos one Lease decides, so one process announces \
                        either Services or the control plane; run two, or leave the hellos on";
        typed.faults.push(sentence.to_owned());
    }
    Meant {
        config: Config {
            services,
            control_plane,
            ..services::config(typed, around, node.clone(), group)
        },
        election: ElectionConfig { lease, settings: leases::settings(typed, node.0.clone()) },
        namespace,
        services_namespace: services::namespace(typed),
        hello,
        hello_key: hello::key(typed),
        repeat: RepeatPeriod(repeat_period(typed)),
        admin: admin_address(typed),
        kubeconfigs: kubeconfigs(typed, port),
        level: Level::from_kube_vip(level),
        warnings: std::mem::take(&mut typed.warnings),
    }
}

/// Its own name, as the API has it.
fn node(typed: &mut Typed, around: &Surroundings) -> NodeName {
    let node = NodeName(typed.text("nodeName").unwrap_or(&around.host).to_lowercase());
    if !(1..=253).contains(&node.0.len()) || !node.0.bytes().all(|octet| octet.is_ascii_graphic()) {
        let name = &node.0;
        typed
            .faults
            .push(format!("nodeName (vip_nodename): {name:?} is not the name of a node; set it"));
    }
    node
}

fn repeat_period(typed: &mut Typed) -> Duration {
    let millis = typed.parsed("vip_arpRate", str::parse::<u32>).unwrap_or(3000);
    // kube-vip falls back to its default below 500, too.
    Duration::from_millis(u64::from(if millis < 500 { 3000 } else { millis }))
}

/// Where metrics and probes are served, and where `kube-vip status` asks; `None` is off.
pub(crate) fn admin_address(typed: &mut Typed) -> Option<SocketAddr> {
    if typed.emptied("prometheusHTTPServer") {
        return None;
    }
    let everywhere = |port| SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port);
    let parse = |text: &str| match text.strip_prefix(':') {
        Some(port) => port.parse().map(everywhere).map_err(|_| format!("{port:?} is not a port")),
        None => text
            .parse()
            .map_err(|_| format!("{text:?} is not an address with a port, such as :2112")),
    };
    Some(typed.parsed("prometheusHTTPServer", parse).unwrap_or_else(|| everywhere(2112)))
}

/// kube-vip's order: the file that was named, if it exists (its default counts as unnamed), then the usual ones. Where an
/// API server is to be on this host, at `local_port`, that is asked first.
fn kubeconfigs(typed: &mut Typed, local_port: Option<u16>) -> Kubeconfigs {
    let reach = Reach { local_port, address: typed.parsed("kubernetes_addr", str::parse) };
    let preferred =
        typed.text("k8sConfigPath").filter(|path| *path != ADMIN_CONF).map(PathBuf::from);
    let home = std::env::home_dir().map(|home| home.join(".kube/config"));
    let usual = std::iter::once(PathBuf::from(ADMIN_CONF)).chain(home).collect();
    Kubeconfigs { preferred, usual, reach, ..Kubeconfigs::default() }
}

/// What `--help` prints.
#[must_use]
pub fn help() -> String {
    let table = model::settings::table;
    let intro = "kube-vip makes addresses of Services and of the control plane reachable from this node.\n\n  \
                 kube-vip manager                       run\n  \
                 kube-vip status                        print who answers for what, as the process on this host knows it\n  \
                 kube-vip manifest pod|daemonset|rbac   print a static pod or a DaemonSet for the settings that follow, or its rights\n  \
                 kube-vip kubeadm init|join             print the static pod for a node that kubeadm sets up\n  \
                 kube-vip completion bash|zsh|fish      print what a shell completes by\n  \
                 kube-vip version                       print the version";
    format!(
        "{intro}\n\nSettings, as flag, variable or key of a file (a flag wins):\n{}\n\
         Flags of manager alone:\n{}\nFlags of manifest and kubeadm alone:\n{}",
        table(SETTINGS),
        table(COMMAND),
        table(GENERATOR)
    )
}

#[cfg(test)]
mod tests;
