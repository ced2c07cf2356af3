//! Every command in the documents is run somewhere, or they say that it is not.

use super::read;
use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use tests::cluster::programs::root;
use tests::documents::{Command, commands};

/// The documents that tell people what to type.
const PAGES: [&str; 5] = [
    "README.md",
    "docs/services.md",
    "docs/control-plane.md",
    "docs/k3s.md",
    "docs/troubleshooting.md",
];
/// Where each is run: `command | place`, a line each.
const TABLE: &str = "tests/golden/documentation/commands.txt";
/// What a place begins with that is none.
const NOT_RUN: &str = "not run: ";

/// Where each command is run, as the table says.
fn table() -> Result<BTreeMap<String, String>> {
    let mut table = BTreeMap::new();
    let text = read(&root().join(TABLE))?;
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        // The last bar counts: commands have some, too.
        let (command, place) =
            line.rsplit_once(" | ").with_context(|| format!("{TABLE}: no place in {line:?}"))?;
        let twice = table.insert(command.to_owned(), place.to_owned());
        ensure!(twice.is_none(), "{TABLE}: {command:?} is there twice");
    }
    Ok(table)
}

/// What is wrong with `place`, where a document has `command`.
fn fault(command: &Command, place: &str) -> Result<Option<String>> {
    if let Some(reason) = place.strip_prefix(NOT_RUN) {
        ensure!(!reason.trim().is_empty(), "no reason why {:?} is not run", command.text);
        return Ok((!command.not_run).then(|| "does not say that it is not run".to_owned()));
    }
    if command.not_run {
        return Ok(Some(format!("says that it is not run, but it is: {place}")));
    }
    let found = match place.split_once(' ') {
        Some(("make", target)) => {
            read(&root().join("Makefile"))?.contains(&format!("\n{target}: "))
        }
        Some((file, name)) => {
            let text = read(&root().join(file))?;
            [format!("fn {name}("), format!("\n{name}() {{")].iter().any(|it| text.contains(it))
        }
        None => false,
    };
    Ok((!found).then(|| format!("is run nowhere: there is no {place:?}")))
}

#[test]
fn every_command_in_the_documents_is_run_or_said_not_to_be() -> Result<()> {
    let table = table()?;
    let (mut faults, mut seen) = (Vec::new(), BTreeSet::new());
    for page in PAGES {
        let commands = commands(page)?;
        ensure!(!commands.is_empty(), "no commands in {page}: the guard cannot read it");
        for command in commands {
            let fault = match table.get(&command.text) {
                Some(place) => fault(&command, place)?,
                None => Some(format!("is not in {TABLE}")),
            };
            faults.extend(fault.map(|fault| format!("{page}: {:?} {fault}", command.text)));
            seen.insert(command.text);
        }
    }
    let stale = table.keys().filter(|command| !seen.contains(*command));
    faults.extend(stale.map(|command| format!("{TABLE}: {command:?} is in no document")));
    assert_eq!(faults, super::NONE);
    Ok(())
}
