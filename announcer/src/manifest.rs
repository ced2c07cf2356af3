//! `kube-vip manifest daemonset` and `kube-vip manifest rbac`: what was typed becomes variables of the DaemonSet.

use crate::args::{self, Meant, ReadSettingsError, Surroundings};
use announcer_decide::manifest::{Program, Rights, Variable, daemonset, rbac};
use model::settings::{Setting, Typed};
use std::path::Path;

/// What the DaemonSet says when nothing else was typed.
const DEFAULTS: &[(&str, &str)] = &[
    ("vip_arp", "true"),
    ("svc_enable", "true"),
    ("vip_leaderelection", "true"),
    ("svc_leasename", "plndr-svcs-lock"),
    ("vip_leaseduration", "5"),
    ("vip_renewdeadline", "3"),
    ("vip_retryperiod", "1"),
    ("prometheus_server", ":2112"),
];

/// Prints the manifest that `arguments` ask for: `daemonset` or `rbac`, then flags.
///
/// # Errors
/// The kind is neither, or the settings would not start: then all faults at once, as the program would say them.
pub fn print(
    arguments: &[String],
    environment: &[(String, String)],
) -> Result<String, ReadSettingsError> {
    let fault = |sentence: &str| ReadSettingsError(vec![sentence.to_owned()]);
    let (kind, flags) =
        arguments.split_first().ok_or_else(|| fault("manifest: say daemonset or rbac"))?;
    let table = args::table();
    let typed = Typed::read(&table, flags, environment);
    let namespace = typed.text("namespace").unwrap_or("kube-system");
    match kind.as_str() {
        "rbac" => {
            let meant = starts(&variables(&table, &typed), &typed)?;
            let labels_node = meant.config.labels_node;
            Ok(rbac(namespace, &Rights { lease: meant.election.lease, labels_node }))
        }
        "daemonset" => {
            let variables = variables(&table, &typed);
            let meant = starts(&variables, &typed)?;
            let version = env!("CARGO_PKG_VERSION").to_owned();
            let image = typed
                .text("image")
                .map_or_else(|| format!("localhost/kube-vip:v{version}"), str::to_owned);
            let key_folder = meant.hello_key.as_deref().and_then(Path::parent);
            let key_folder = key_folder.map(|folder| folder.to_string_lossy().into_owned());
            let program = Program { image, version, probes: meant.admin, key_folder };
            Ok(daemonset(namespace, &program, &variables))
        }
        other => Err(fault(&format!("manifest {other:?}: this version prints daemonset and rbac"))),
    }
}

/// The defaults, each replaced by what was typed, then the rest of what was typed.
fn variables(table: &[Setting], typed: &Typed) -> Vec<Variable> {
    let value_of = |setting: &Setting| typed.text(setting.name()).map(str::to_owned);
    let known = |variable: &str| table.iter().find(|setting| setting.variable == variable);
    let defaults = DEFAULTS.iter().map(|(variable, default)| {
        let value = known(variable).and_then(value_of).unwrap_or_else(|| (*default).to_owned());
        ((*variable).to_owned(), value)
    });
    // The node's name comes from the pod, not from the machine that prints the manifest.
    let rest = table.iter().filter(|setting| {
        let listed = DEFAULTS.iter().any(|(variable, _)| *variable == setting.variable);
        !listed && !setting.variable.is_empty() && setting.variable != "vip_nodename"
    });
    // No class at all is the one thing that an empty text stands for.
    let value_of = |setting: &Setting| {
        let emptied = setting.variable == "lb_class_name" && typed.emptied(setting.name());
        value_of(setting).or_else(|| emptied.then(String::new))
    };
    let rest = rest.filter_map(|setting| Some((setting.variable.to_owned(), value_of(setting)?)));
    defaults.chain(rest).collect()
}

/// A manifest that would not start is a fault now, not on the nodes.
fn starts(variables: &[Variable], typed: &Typed) -> Result<Meant, ReadSettingsError> {
    let around = Surroundings {
        environment: variables.to_vec(),
        host: "node".to_owned(),
        // The Lease stands where the pods do, unless it is named with a namespace.
        pod_namespace: Some(typed.text("namespace").unwrap_or("kube-system").to_owned()),
        file: None,
    };
    match args::read(&[], &around) {
        Ok(meant) if typed.faults.is_empty() => Ok(meant),
        Ok(_) => Err(ReadSettingsError(typed.faults.clone())),
        Err(error) => Err(ReadSettingsError([typed.faults.clone(), error.0].concat())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(arguments: &[&str]) -> Result<String, ReadSettingsError> {
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        super::print(&arguments, &[])
    }

    #[test]
    fn what_was_typed_becomes_a_variable() {
        let text = print(&[
            "daemonset",
            "--interface",
            "eth9",
            "--leaseDuration=15",
            "--leaseRenewDuration=10",
        ])
        .unwrap();
        for line in [
            "name: vip_interface\n          value: \"eth9\"",
            "name: vip_leaseduration\n          value: \"15\"",
        ] {
            assert!(text.contains(line), "{line} is missing in {text}");
        }
    }

    #[test]
    fn what_switches_something_on_brings_along_what_that_needs() {
        let plain = print(&["rbac"]).unwrap();
        assert!(!plain.contains("verbs: [list, watch, patch]"));
        let labelling = print(&["rbac", "--enableNodeLabeling"]).unwrap();
        assert!(labelling.contains("resources: [nodes]\n  verbs: [list, watch, patch]"));
        assert!(!print(&["daemonset"]).unwrap().contains("volumes:"));
        let signing = print(&["daemonset", "--helloKeyFile=/etc/kube-vip/key"]).unwrap();
        assert!(signing.contains("mountPath: \"/etc/kube-vip\""), "{signing}");
        assert!(signing.contains("secretName: kube-vip-hello-key"), "{signing}");
    }

    #[test]
    fn no_class_is_no_class_in_the_manifest_too() {
        let flags = ["daemonset", "--lbClassName=", "--lbClassNameLegacyHandling=false"];
        let text = print(&flags).unwrap();
        assert!(text.contains("name: lb_class_name\n          value: \"\""), "{text}");
    }

    #[test]
    fn a_manifest_that_would_not_start_is_not_printed() {
        let error = print(&["daemonset", "--bgp", "--leaseDuration=1"]).unwrap_err();
        assert!(error.0.len() >= 2, "{error}");
    }
}
