//! `kube-vip manager --dry-run`: what each setting is, and where that was said.

use crate::args::{LeasesIn, Meant, Reading};
use crate::settings::{NOT_YET, SETTINGS, WITHOUT_EFFECT};
use model::settings::{Kind, Setting, Source, Typed};
use serde::Serialize;
use shared::about::{refuse, say, tell};
use shared::output::{Output, json};
use shared::table::table;
use std::process::ExitCode;

/// Stands for a value that nobody else is to see.
const HIDDEN: &str = "(hidden)";

/// All that is known about the settings.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    settings: Vec<Row>,
    warnings: &'a [String],
}

/// One setting.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Row {
    setting: &'static str,
    value: String,
    from: From,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    file: String,
}

/// Who says what a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum From {
    Flag,
    Variable,
    File,
    Pod,
    Default,
}

impl Row {
    fn new(setting: &Setting, said: Option<(&Source, &str)>, meant: &Meant) -> Self {
        let name = if setting.variable.is_empty() { setting.name() } else { setting.variable };
        let shown = |value: &str| {
            if setting.kind == Kind::Secret { HIDDEN.to_owned() } else { value.to_owned() }
        };
        let row = |value, from, said: &str, file: &str| Self {
            setting: name,
            value,
            from,
            name: said.to_owned(),
            file: file.to_owned(),
        };
        // It goes before whatever is said.
        if let (LeasesIn::Pods(own), "cp_namespace") = (&meant.namespace, name) {
            return row(own.clone(), From::Pod, "", "");
        }
        match said {
            None => row(usual(name, meant), From::Default, "", ""),
            Some((Source::Flag(flag), value)) => row(shown(value), From::Flag, flag, ""),
            Some((Source::Variable(name), value)) => row(shown(value), From::Variable, name, ""),
            Some((Source::File { path, key }, value)) => row(shown(value), From::File, key, path),
        }
    }

    fn text(&self) -> [String; 3] {
        let Self { name, file, .. } = self;
        let from = match self.from {
            From::Flag => format!("flag {name}"),
            From::Variable => format!("variable {name}"),
            From::File => format!("file {file}, key {name}"),
            From::Pod => "the pod".to_owned(),
            From::Default => "default".to_owned(),
        };
        [self.setting.to_owned(), self.value.clone(), from]
    }
}

/// What a setting is when nobody says anything: what was found out about this host, else what the table says.
fn usual(variable: &str, meant: &Meant) -> String {
    let config = &meant.config;
    match variable {
        "vip_arp" => "true".to_owned(),
        "cp_enable" => config.control_plane.is_some().to_string(),
        "vip_nodename" => config.node.0.clone(),
        "instance_name" => meant.hello.sender.instance.clone(),
        "cp_namespace" => meant.namespace.name().to_owned(),
        _ => {
            let setting = SETTINGS.iter().find(|setting| setting.variable == variable);
            setting.map_or_else(String::new, |setting| setting.default.to_owned())
        }
    }
}

/// What this version acts on, and the rest as far as somebody said something about it.
fn rows(typed: &Typed, meant: &Meant) -> Vec<Row> {
    let all = SETTINGS.iter().map(|setting| (setting, typed.said(setting.name())));
    let others = NOT_YET.iter().map(|(setting, _)| setting).chain(WITHOUT_EFFECT);
    let others = others.map(|setting| (setting, typed.said(setting.name())));
    let rows = all.chain(others.filter(|(_, said)| said.is_some()));
    rows.map(|(setting, said)| Row::new(setting, said, meant)).collect()
}

/// Prints what was read: exit status 0, or 2 and everything that is wrong.
#[must_use]
pub fn print(reading: &Reading, output: Output) -> ExitCode {
    let meant = match &reading.meant {
        Ok(meant) => meant,
        Err(error) => return refuse(error),
    };
    let settings = rows(&reading.typed, meant);
    if output == Output::Json {
        return say(&json(&Answer { settings, warnings: &meant.warnings }));
    }
    for warning in &meant.warnings {
        tell(warning);
    }
    let settings: Vec<_> = settings.iter().map(Row::text).collect();
    say(&table(["SETTING", "VALUE", "FROM"], &settings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{self, ConfigFile, Surroundings};

    fn rows_of(flags: &[&str], around: &Surroundings) -> Vec<[String; 3]> {
        let flags: Vec<_> = flags.iter().map(ToString::to_string).collect();
        let reading = Reading::of(&args::table(), &flags, around);
        let meant = reading.meant.as_ref().map_err(ToString::to_string).unwrap();
        rows(&reading.typed, meant).iter().map(Row::text).collect()
    }

    #[test]
    fn a_namespace_is_the_one_of_leases_that_are_named_without_one() {
        let flags = ["--address=192.0.2.2", "--leaseName", "other/lock"];
        let around = Surroundings { host: "node".to_owned(), ..Surroundings::default() };
        let row = |value: &str, from: &str| ["cp_namespace", value, from].map(str::to_owned);
        assert!(rows_of(&flags, &around).contains(&row("kube-system", "default")));
        let flags = [&flags[..], &["--namespace", "red"]].concat();
        assert!(rows_of(&flags, &around).contains(&row("red", "flag --namespace")));
        let around = Surroundings { pod_namespace: Some("blue".to_owned()), ..around };
        assert!(rows_of(&flags, &around).contains(&row("blue", "the pod")));
    }

    #[test]
    fn each_setting_says_who_said_it() {
        let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let text = Ok("port: 7443\naddress: 192.0.2.1\nleaseName: lock\npeerPass: x\n".to_owned());
        let around = Surroundings {
            environment: vec![
                variable("config_file", "f.yaml"),
                variable("vip_leasename", "ns/lock"),
                variable("bgp_peerpass", "secret"),
                variable("bgp_peers", "192.0.2.9:65000:secret"),
            ],
            file: Some(ConfigFile { path: "f.yaml".to_owned(), text }),
            host: "Node".to_owned(),
            pod_namespace: None,
        };
        let rows = rows_of(&["--address=192.0.2.2"], &around);
        for expected in [
            ["address", "192.0.2.2", "flag --address"],
            ["vip_leasename", "ns/lock", "variable vip_leasename"],
            ["port", "7443", "file f.yaml, key port"],
            ["vip_nodename", "node", "default"],
            ["cp_enable", "true", "default"],
            ["dns_mode", "first", "default"],
            ["bgp_peerpass", "(hidden)", "variable bgp_peerpass"],
            ["bgp_peers", "(hidden)", "variable bgp_peers"],
        ] {
            assert!(rows.contains(&expected.map(str::to_owned)), "{expected:?} in {rows:#?}");
        }
    }
}
