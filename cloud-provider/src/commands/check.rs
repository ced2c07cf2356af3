//! `kube-vip-cloud-provider check`: what is wrong with a ConfigMap, and what it would mean, before it is applied.

use super::arguments::Command;
use super::cluster::look;
use super::config_map::{File, Found, find};
use crate::args::Target;
use anyhow::{Context, ensure};
use cloud_provider_decide::Snapshot;
use cloud_provider_decide::check::{Finding, Severity, check};
use model::settings::{Kind, Setting};
use serde::Serialize;
use shared::about::{refuse, say, tell};
use shared::output::{self, OUTPUT, Output};
use std::io::Read;
use std::process::ExitCode;

/// The command.
pub const COMMAND: Command = Command {
    name: "check",
    about: "Judges a ConfigMap with pools before it is applied.",
    notes: "Reads files and, unless --offline says not to, the cluster that the ConfigMap is for; writes nothing. The exit status\n\
            is 0 when nothing is wrong or there are only warnings, 1 when there are errors, 2 when a file cannot be read or\n\
            something is typed that is not understood.",
    settings: &[
        Setting::new(
            "filename",
            "",
            Kind::Value,
            "",
            "File with the ConfigMap, YAML or JSON, among other objects or alone; - is standard input. May be repeated.",
        )
        .renamed(&["f"]),
        switch("offline", "Judge the files alone, without a cluster."),
        switch("strict", "Warnings count as errors in the exit status."),
        OUTPUT,
    ],
};

/// Longest file that is read: ten times what an API server stores of one object.
const LONGEST_FILE: u64 = 15 << 20;

const fn switch(flag: &'static str, help: &'static str) -> Setting {
    Setting::new(flag, "", Kind::Switch, "false", help)
}

struct Asked {
    files: Vec<String>,
    offline: bool,
    strict: bool,
    output: Output,
    target: Target,
}

/// What was found, and where.
pub(super) struct Judgement {
    /// The file in which the ConfigMap stands.
    file: String,
    /// What is worth saying about it.
    findings: Vec<Finding>,
    /// Sentences about what could not be looked at.
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Printed<'a> {
    file: &'a str,
    errors: usize,
    warnings: usize,
    findings: Vec<PrintedFinding>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct PrintedFinding {
    severity: String,
    rule: String,
    key: Option<String>,
    message: String,
}

/// Answers, and says how it went.
pub(super) async fn run(arguments: &[String], environment: &[(String, String)]) -> ExitCode {
    if let Some(answer) = COMMAND.answer(arguments, || COMMAND.help()) {
        return answer;
    }
    let asked = COMMAND.read(arguments, environment, |typed, output, target| {
        let files: Vec<_> = typed.every("filename").map(str::to_owned).collect();
        if files.is_empty() && typed.faults.is_empty() {
            typed.faults.push("-f: name a file, or - for standard input".to_owned());
        }
        let offline = typed.switch("offline").unwrap_or(false);
        let strict = typed.switch("strict").unwrap_or(false);
        Asked { files, offline, strict, output, target }
    });
    let asked = match asked {
        Ok(asked) => asked,
        Err(error) => return refuse(&error),
    };
    let files: Result<Vec<_>, _> = asked.files.iter().map(|name| read(name)).collect();
    let judgement = match files {
        Ok(files) => judge(&files, &asked).await,
        Err(error) => return refuse(&format!("{error:#}")),
    };
    judgement.notes.iter().for_each(|note| tell(note));
    let printed = say(&match asked.output {
        Output::Text => judgement.text(),
        Output::Json => judgement.json(),
    });
    if judgement.passes(asked.strict) { printed } else { ExitCode::FAILURE }
}

fn read(name: &str) -> anyhow::Result<File> {
    let mut bytes = Vec::new();
    let shown = if name == "-" { "standard input" } else { name };
    let read = match name {
        "-" => std::io::stdin().lock().take(LONGEST_FILE).read_to_end(&mut bytes),
        _ => std::fs::File::open(name)
            .and_then(|file| file.take(LONGEST_FILE).read_to_end(&mut bytes)),
    };
    let length = read.with_context(|| format!("cannot read {shown}"))?;
    ensure!(
        (length as u64) < LONGEST_FILE,
        "{shown} is too long for a file of objects: {LONGEST_FILE} bytes or more"
    );
    let text = String::from_utf8(bytes).with_context(|| format!("{shown} is not text"))?;
    Ok(File { name: shown.to_owned(), text })
}

/// Looks at the cluster, unless that is not wanted or there is nothing to compare with it.
async fn judge(files: &[File], asked: &Asked) -> Judgement {
    let found = find(files, &asked.target.pools);
    if found.data.is_none() {
        return Judgement::of(found, None, Vec::new());
    }
    if asked.offline {
        return Judgement::of(found, None, vec!["no cluster was looked at (--offline)".to_owned()]);
    }
    match look(&asked.target, true).await {
        Ok(look) => Judgement::of(found, Some(look.snapshot), look.notes),
        Err(error) => {
            Judgement::of(found, None, vec![format!("no cluster was looked at: {error}")])
        }
    }
}

impl Judgement {
    /// All that is wrong with what was found, and with what it would mean to the cluster.
    pub(super) fn of(found: Found, snapshot: Option<Snapshot>, notes: Vec<String>) -> Self {
        let mut findings = found.findings;
        if let Some(data) = &found.data {
            findings.extend(check(data, snapshot));
        }
        findings.sort_by_key(|finding| finding.rule.severity());
        Self { file: found.file, findings, notes }
    }

    /// For people: a line for each finding, then how many there are.
    pub(super) fn text(&self) -> String {
        let file = &self.file;
        let line = |it: &Finding| format!("{file}: {}: {it} [{}]\n", it.rule.severity(), it.rule);
        let lines: String = self.findings.iter().map(line).collect();
        let (errors, warnings) = (self.count(Severity::Error), self.count(Severity::Warning));
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        format!(
            "{lines}{file}: {errors} error{}, {warnings} warning{}\n",
            plural(errors),
            plural(warnings)
        )
    }

    /// For programs.
    pub(super) fn json(&self) -> String {
        let finding = |it: &Finding| PrintedFinding {
            severity: it.rule.severity().to_string(),
            rule: it.rule.to_string(),
            key: it.key.clone(),
            message: it.message.clone(),
        };
        output::json(&Printed {
            file: &self.file,
            errors: self.count(Severity::Error),
            warnings: self.count(Severity::Warning),
            findings: self.findings.iter().map(finding).collect(),
            notes: &self.notes,
        })
    }

    /// Whether it may be applied.
    fn passes(&self, strict: bool) -> bool {
        self.count(Severity::Error) == 0 && !(strict && self.count(Severity::Warning) > 0)
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.rule.severity() == severity).count()
    }
}
