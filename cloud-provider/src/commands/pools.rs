//! `kube-vip-cloud-provider pools`: how full the pools are, who holds what, and who waits.

use super::arguments::Command;
use super::cluster::look;
use crate::args::Target;
use cloud_provider_decide::report::{HeldAddress, PoolCount, Report, WaitingService};
use model::settings::{Kind, Setting};
use serde::Serialize;
use shared::about::{refuse, say, tell};
use shared::output::{self, OUTPUT, Output};
use shared::table::table;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// The command.
pub const COMMAND: Command = Command {
    name: "pools",
    about: "Prints how full the pools are, who holds which address, and which Services wait and why.",
    notes: "Reads the cluster and writes nothing. What cannot be read is named on standard error. The exit status is 0, 1 \
            when\nthe cluster, its Services or the ConfigMap cannot be read, 2 when something is typed that is not understood.",
    settings: &[
        OUTPUT,
        Setting::new(
            "summary",
            "",
            Kind::Switch,
            "false",
            "Text only: how full the pools are, and no holders.",
        ),
    ],
};

struct Asked {
    output: Output,
    summary: bool,
    target: Target,
}

/// Answers, and says how it went.
pub(super) async fn run(arguments: &[String], environment: &[(String, String)]) -> ExitCode {
    if let Some(answer) = COMMAND.answer(arguments, || COMMAND.help()) {
        return answer;
    }
    let asked = COMMAND.read(arguments, environment, |typed, output, target| {
        let summary = typed.switch("summary").unwrap_or(false);
        Asked { output, summary, target }
    });
    let asked = match asked {
        Ok(asked) => asked,
        Err(error) => return refuse(&error),
    };
    let look = match look(&asked.target, false).await {
        Ok(look) => look,
        Err(error) => {
            tell(&error);
            return ExitCode::FAILURE;
        }
    };
    look.notes.iter().for_each(|note| tell(note));
    let report = Report::of(look.snapshot);
    let printed = say(&match asked.output {
        Output::Text => text(&report, asked.summary),
        Output::Json => json(&report, &look.notes),
    });
    if look.counts { printed } else { ExitCode::FAILURE }
}

/// For people: tables of pools, of addresses, and of Services that wait; with `summary` the pools alone.
pub(super) fn text(report: &Report, summary: bool) -> String {
    let mut parts = Vec::new();
    if report.pools.is_empty() && report.faults.is_empty() {
        parts.push("There is no pool.\n".to_owned());
    }
    if !report.pools.is_empty() {
        let rows: Vec<_> = report.pools.iter().map(pool_row).collect();
        let notes = if rows.iter().all(|[.., note]| note.is_empty()) { "" } else { "NOTE" };
        parts.push(table(["POOL", "FAMILY", "SIZE", "USED", "FREE", notes], &rows));
    }
    if !report.faults.is_empty() {
        let rows: Vec<_> =
            report.faults.iter().map(|it| [it.pool.clone(), it.message.clone()]).collect();
        parts.push(table(["POOL", "CANNOT BE USED BECAUSE"], &rows));
    }
    if summary {
        parts.extend(waiting_line(&report.waiting));
    } else {
        parts.extend(holders(&report.addresses));
        parts.extend(waiting_table(&report.waiting));
    }
    parts.join("\n")
}

fn pool_row(count: &PoolCount) -> [String; 6] {
    let [size, used, free] = match count.counts {
        Some(counts) => [counts.size, counts.used, counts.free].map(|number| number.to_string()),
        None => ["-"; 3].map(str::to_owned),
    };
    let hidden = count.hidden_by.iter().map(|first| format!("never used: {first} is there"));
    let notes: Vec<_> =
        count.dhcp.then(|| "by DHCP".to_owned()).into_iter().chain(hidden).collect();
    [count.pool.clone(), count.family.to_string(), size, used, free, notes.join("; ")]
}

/// A line for each address and each of those who have it, complete in itself, so that `grep` finds all there is to know.
fn holders(addresses: &[HeldAddress]) -> Option<String> {
    let rows: Vec<_> = addresses.iter().flat_map(holder_rows).collect();
    (!rows.is_empty()).then(|| table(["ADDRESS", "POOL", "HOLDER", "PORTS"], &rows))
}

fn holder_rows(held: &HeldAddress) -> Vec<[String; 4]> {
    let pools = if held.pools.is_empty() { "(none)".to_owned() } else { held.pools.join(",") };
    let row =
        |holder: String, ports: String| [held.address.to_string(), pools.clone(), holder, ports];
    let shared = held.services.len() > 1;
    let services = held.services.iter().map(|it| {
        let ports = it.ports.iter().map(|port| format!("{}/{}", port.port, port.protocol));
        let ports: Vec<_> = ports.filter(|_| shared).collect();
        row(format!("{}/{}", it.namespace, it.name), ports.join(","))
    });
    services.chain(held.reservers.iter().map(|it| row(it.clone(), String::new()))).collect()
}

fn waiting_table(waiting: &[WaitingService]) -> Option<String> {
    let row = |it: &WaitingService| {
        [format!("{}/{}", it.namespace, it.name), it.reason.clone(), it.message.clone()]
    };
    let rows: Vec<_> = waiting.iter().map(row).collect();
    (!rows.is_empty()).then(|| table(["WAITING", "REASON", "WHY"], &rows))
}

/// How many wait, by reason.
fn waiting_line(waiting: &[WaitingService]) -> Option<String> {
    let mut by_reason: BTreeMap<&str, usize> = BTreeMap::new();
    for service in waiting {
        let count = by_reason.entry(&service.reason).or_default();
        *count = count.saturating_add(1);
    }
    let counts: Vec<_> =
        by_reason.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    let services = if waiting.len() == 1 { "Service waits" } else { "Services wait" };
    (!waiting.is_empty()).then(|| format!("{} {services}: {}\n", waiting.len(), counts.join(", ")))
}

/// For programs.
pub(super) fn json(report: &Report, notes: &[String]) -> String {
    #[derive(Serialize)]
    struct Printed<'a> {
        #[serde(flatten)]
        report: &'a Report,
        notes: &'a [String],
    }
    output::json(&Printed { report, notes })
}
