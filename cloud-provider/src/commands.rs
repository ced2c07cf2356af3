//! What people ask the program: answered once, from one look at the cluster. Nothing is written there.
//!
//! ```text
//!   pools   cluster --> Snapshot --> Report --> table, JSON
//!   check   file, cluster --> Snapshot --> Findings --> lines, JSON
//! ```

mod arguments;
pub mod check;
mod cluster;
mod config_map;
#[cfg(test)]
mod golden;
pub mod pools;

use arguments::Command;
use std::process::ExitCode;

/// Everything that can be asked.
const COMMANDS: [&Command; 2] = [&pools::COMMAND, &check::COMMAND];

/// Does what the first of `arguments` names; `None`: it names no command.
pub async fn answer(arguments: &[String], environment: &[(String, String)]) -> Option<ExitCode> {
    let (name, rest) = arguments.split_first()?;
    match name.as_str() {
        "pools" => Some(pools::run(rest, environment).await),
        "check" => Some(check::run(rest, environment).await),
        _ => None,
    }
}

/// The commands as `--help` lists them.
#[must_use]
pub fn list() -> String {
    COMMANDS.iter().map(|command| format!("  {:<8} {}\n", command.name, command.about)).collect()
}
