//! What may follow the name of a command.

use crate::args::{self, TARGET, Target};
use model::settings::{Setting, Typed, table, unknown_variables};
use shared::about::{self, tell};
use shared::output::Output;
use std::process::ExitCode;

/// One thing that can be asked.
#[derive(Debug)]
pub struct Command {
    /// The word that asks for it.
    pub name: &'static str,
    /// What it is for, in one sentence.
    pub about: &'static str,
    /// What else there is to know at a glance.
    pub notes: &'static str,
    /// Its own flags.
    pub settings: &'static [Setting],
}

/// Everything that is wrong with what was typed, a line each.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("kube-vip-cloud-provider {command} cannot be run as it was typed:\n  {}\n--help lists the flags", .faults.join("\n  "))]
pub(super) struct UsageError {
    command: &'static str,
    faults: Vec<String>,
}

impl Command {
    /// All that it can be told: its own flags, then where the cluster is.
    #[must_use]
    pub fn all_settings(&self) -> Vec<Setting> {
        let target = args::SETTINGS.iter().filter(|setting| TARGET.contains(&setting.name()));
        self.settings.iter().chain(target).copied().collect()
    }

    /// Answers `--help` and `--version`, if that is all that was asked.
    pub(super) fn answer(&self, arguments: &[String], help: fn() -> String) -> Option<ExitCode> {
        let program = format!("kube-vip-cloud-provider {}", self.name);
        about::answer(arguments, &program, env!("CARGO_PKG_VERSION"), help)
    }

    /// What `--help` prints.
    pub(super) fn help(&self) -> String {
        let Self { name, about, notes, .. } = self;
        let flags = table(&self.all_settings());
        format!("kube-vip-cloud-provider {name}: {about}\n\n{notes}\n\n{flags}")
    }

    /// Reads what every command can be told, and what `own` makes of the rest.
    pub(super) fn read<T>(
        &self,
        arguments: &[String],
        environment: &[(String, String)],
        own: impl FnOnce(&mut Typed, Output, Target) -> T,
    ) -> Result<T, UsageError> {
        let settings = self.all_settings();
        let mut typed = Typed::read(&settings, arguments, environment);
        for word in std::mem::take(&mut typed.words) {
            typed.faults.push(format!("{word:?} is not a flag"));
        }
        for name in unknown_variables(&settings, environment, &["KUBEVIP_"]) {
            typed.warnings.push(format!("{name} is not a variable of this program"));
        }
        let output = Output::read(&mut typed);
        let target = args::target(&mut typed);
        let asked = own(&mut typed, output, target);
        typed.warnings.iter().for_each(|warning| tell(warning));
        if typed.faults.is_empty() {
            return Ok(asked);
        }
        Err(UsageError { command: self.name, faults: typed.faults })
    }
}
