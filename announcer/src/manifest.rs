//! `kube-vip manifest` and `kube-vip kubeadm`: what was typed becomes the variables of a pod.

mod variables;

use crate::args::{ADMIN_CONF, Meant, ReadSettingsError, Reading, Surroundings, typed};
use crate::settings::{GENERATOR, NOT_YET, REFUSED, SETTINGS, WITHOUT_EFFECT};
use announcer_decide::manifest::{
    Identity, Names, Nodes, Program, Rights, Variable, daemonset, pod, rbac,
};
use model::settings::{Setting, Typed};
use std::path::Path;

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// A pod, as the kubelet starts it from /etc/kubernetes/manifests.
    Pod,
    /// The same, for a cluster that kubeadm makes or has made.
    KubeadmPod,
    /// A pod on many nodes.
    DaemonSet,
    /// What they may do.
    Rights,
}

/// A manifest, and what there is to say about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Printed {
    /// The manifest.
    pub text: String,
    /// Sentences for whoever has asked.
    pub warnings: Vec<String>,
}

/// Prints the manifest that `command` (`manifest` or `kubeadm`) and `arguments` ask for: its kind, then flags.
///
/// # Errors
/// There is no such kind, or the settings would not start: then all faults at once, as the program would say them.
pub fn print(
    command: &str,
    arguments: &[String],
    around: &Surroundings,
) -> Result<Printed, ReadSettingsError> {
    let (kind, flags) = match arguments.split_first() {
        Some((kind, flags)) => (kind.as_str(), flags),
        None => ("", arguments),
    };
    let (asked, join) = match (command, kind) {
        ("kubeadm", "init") => (Asked::KubeadmPod, false),
        ("kubeadm", "join") => (Asked::KubeadmPod, true),
        ("manifest", "pod") => (Asked::Pod, false),
        ("manifest", "daemonset") => (Asked::DaemonSet, false),
        ("manifest", "rbac") => (Asked::Rights, false),
        _ => return Err(ReadSettingsError(vec![no_such_kind(command, kind)])),
    };
    let table = table();
    let mut sketch = typed(&table, flags, around);
    let usual = variables::usual(&mut sketch, asked == Asked::DaemonSet || asked == Asked::Rights);
    let mut reading = Reading::of(&table, flags, &with(around, &usual, &sketch));
    let mut faults = Vec::new();
    refuse(&mut faults, &mut reading.typed, asked, join);
    let identity = identity(&mut faults, &mut reading.typed, asked, join);
    let taint = reading.typed.switch("taint") == Some(true);
    // What is read twice is said once.
    let mut all: Vec<String> = Vec::new();
    for fault in reading.typed.faults.iter().chain(&faults) {
        if !all.contains(fault) {
            all.push(fault.clone());
        }
    }
    let meant = match reading.meant {
        Ok(meant) if all.is_empty() => meant,
        _ => return Err(ReadSettingsError(all)),
    };
    let place = Place { asked, identity, taint };
    let text = text(&table, &reading.typed, &meant, &usual, place);
    let mut warnings = meant.warnings;
    let secrets = variables::secrets(&table, &reading.typed);
    if !secrets.is_empty() {
        let secrets = secrets.join(", ");
        warnings.push(format!("secret, and therefore not in the manifest: {secrets}"));
    }
    Ok(Printed { text, warnings })
}

/// Every name that a manifest can be asked for with.
#[must_use]
pub fn table() -> Vec<Setting> {
    let not_yet = NOT_YET.iter().map(|(setting, _)| setting);
    let all = SETTINGS.iter().chain(GENERATOR).chain(REFUSED).chain(not_yet).chain(WITHOUT_EFFECT);
    all.copied().collect()
}

fn no_such_kind(command: &str, kind: &str) -> String {
    let kinds = if command == "kubeadm" { "init or join" } else { "pod, daemonset or rbac" };
    match kind {
        "" => format!("{command}: say {kinds}"),
        other => format!("{command} {other:?}: there is no such kind; say {kinds}"),
    }
}

/// Surroundings in which what nobody says is as usual in a manifest.
fn with(around: &Surroundings, usual: &[Variable], said: &Typed) -> Surroundings {
    let mut around = around.clone();
    // Whose machine prints a manifest does not matter to the pod.
    "node".clone_into(&mut around.host);
    let namespace = said.text("namespace").unwrap_or("kube-system");
    around.pod_namespace = Some(namespace.to_owned());
    around.environment.retain(|(name, _)| usual.iter().all(|(variable, _)| variable != name));
    around.environment.extend_from_slice(usual);
    around
}

/// What makes no sense in this manifest.
fn refuse(faults: &mut Vec<String>, typed: &mut Typed, asked: Asked, join: bool) {
    for setting in REFUSED {
        if typed.switch(setting.name()) == Some(true) {
            faults.push(format!(
                "--{}: Services are everywhere, so reading them takes a ClusterRole; rights to write Leases are a Role in any case",
                setting.flag
            ));
        }
    }
    let control_plane = typed.switch("controlplane") == Some(true);
    let taint = typed.switch("taint") == Some(true);
    if taint && matches!(asked, Asked::Pod | Asked::KubeadmPod) {
        faults.push(
            "--taint: a pod is where its manifest is; only a DaemonSet chooses nodes".to_owned(),
        );
    }
    if asked == Asked::DaemonSet && control_plane && !taint {
        let sentence = "--controlplane: on a node without an API server its address leads nowhere; add --taint";
        faults.push(sentence.to_owned());
    }
    if asked == Asked::DaemonSet && typed.text("nodeName").is_some() {
        faults
            .push("nodeName (vip_nodename): a DaemonSet is on many nodes; leave it off".to_owned());
    }
    if typed.text("config").is_some() && !join {
        faults
            .push("--config: only kubeadm join has it; elsewhere it is --k8sConfigPath".to_owned());
    }
    if asked == Asked::KubeadmPod {
        for name in ["interface", "address"] {
            if typed.text(name).is_none() {
                faults.push(format!("--{name}: must be named for kubeadm"));
            }
        }
    }
}

/// By what the pod proves who it is.
fn identity(faults: &mut Vec<String>, typed: &mut Typed, asked: Asked, join: bool) -> Identity {
    let file = typed.text("k8sConfigPath").map(str::to_owned);
    let joined = typed.text("config").filter(|_| join).map(str::to_owned);
    if let Some(path) = joined.as_deref().filter(|path| !Path::new(path).exists()) {
        faults.push(format!(
            "--config: {path:?} is not there; leave it off before the node has joined"
        ));
    }
    if let (Some(joined), Some(file)) = (&joined, &file)
        && joined != file
    {
        faults.push(format!("--config and k8s_config_file name {joined:?} and {file:?}: one is read; leave the other off"));
    }
    let in_cluster = match typed.switch("inCluster") {
        Some(said) => said,
        None => matches!(asked, Asked::DaemonSet | Asked::Rights) && file.is_none(),
    };
    if in_cluster && (file.is_some() || joined.is_some()) && asked != Asked::Rights {
        let sentence = "--inCluster: the ServiceAccount is used, so nobody reads the kubeconfig that is named; leave one of them off";
        faults.push(sentence.to_owned());
    }
    if in_cluster {
        return Identity::Account;
    }
    let path = joined.or(file).unwrap_or_else(|| ADMIN_CONF.to_owned());
    let folder = Path::new(&path).parent().and_then(Path::to_str).unwrap_or_default();
    if !path.starts_with('/') || folder == "/" {
        faults.push(format!(
            "{path:?}: a kubeconfig is mounted with its folder; name the full path of a file in one"
        ));
    }
    Identity::Kubeconfig { folder: folder.to_owned() }
}

/// What is printed, and where that is to run.
struct Place {
    asked: Asked,
    identity: Identity,
    taint: bool,
}

fn text(
    table: &[Setting],
    typed: &Typed,
    meant: &Meant,
    usual: &[Variable],
    place: Place,
) -> String {
    let namespace = typed.text("namespace").unwrap_or("kube-system");
    if place.asked == Asked::Rights {
        return rbac(namespace, &rights(meant));
    }
    let key_folder = meant.hello_key.as_deref().and_then(Path::parent);
    let image = GENERATOR.iter().find(|setting| setting.flag == "image");
    let image = image.map(|setting| typed.text("image").unwrap_or(setting.default));
    let program = Program {
        image: image.unwrap_or_default().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        names: Names::of(meant.config.services),
        arguments: variables::beside(typed),
        variables: variables::all(table, typed, usual),
        probes: meant.admin,
        identity: place.identity,
        key_folder: key_folder.map(|folder| folder.to_string_lossy().into_owned()),
    };
    let nodes = if place.taint { Nodes::ControlPlanes } else { Nodes::All };
    match place.asked {
        Asked::DaemonSet => daemonset(namespace, &program, nodes),
        Asked::Pod | Asked::KubeadmPod | Asked::Rights => pod(namespace, &program),
    }
}

fn rights(meant: &Meant) -> Rights {
    let config = &meant.config;
    let services = Some(&config.group).filter(|_| config.services);
    let control_plane = config.control_plane.as_ref().map(|control_plane| &control_plane.lease);
    let leases = services.into_iter().chain(control_plane).map(|lease| lease.namespace.clone());
    Rights { leases: leases.collect(), services: config.services, labels_node: config.labels_node }
}

#[cfg(test)]
mod tests;
