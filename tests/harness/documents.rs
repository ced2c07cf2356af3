//! What the documents tell people to type: every command in their blocks of code.

use crate::cluster::programs::root;
use anyhow::{Context, Result};
use std::fs;

/// The words by which a document says that no test types a command.
const NOT_RUN: &str = "not run";

/// A command of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// What is typed, in one line and without its comment.
    pub text: String,
    /// Whether the document says that it is not run: beside it, or in the paragraph before its block.
    pub not_run: bool,
}

/// All commands of the document `page`, a path from the top of the workspace, in their order.
///
/// # Errors
/// It cannot be read.
pub fn commands(page: &str) -> Result<Vec<Command>> {
    let text = fs::read_to_string(root().join(page));
    Ok(commands_in(&text.with_context(|| format!("cannot read {page}"))?))
}

/// The commands of a text: each line of a block that is indented by four blanks or fenced, with those that follow a `\`.
#[must_use]
pub fn commands_in(text: &str) -> Vec<Command> {
    let (mut commands, mut paragraph, mut written) = (Vec::new(), String::new(), String::new());
    let (mut fenced, mut ended) = (false, false);
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") {
            fenced = !fenced;
        } else if trimmed.is_empty() {
            ended = true;
        } else if fenced || line.starts_with("    ") {
            written.push_str(trimmed);
            if !written.ends_with('\\') {
                commands.extend(command(&std::mem::take(&mut written), &paragraph));
            }
        } else {
            if std::mem::take(&mut ended) {
                paragraph.clear();
            }
            paragraph.push_str(trimmed);
            paragraph.push(' ');
        }
    }
    commands
}

/// What is typed where `written` stands after `paragraph`; nothing if that is a comment only.
fn command(written: &str, paragraph: &str) -> Option<Command> {
    let typed = written.split(" # ").next().filter(|typed| !typed.starts_with("# "))?;
    let text = typed.replace('\\', " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let not_run = written.contains(NOT_RUN) || paragraph.contains(NOT_RUN);
    Some(Command { text, not_run })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<(String, bool)> {
        commands_in(text).into_iter().map(|command| (command.text, command.not_run)).collect()
    }

    #[test]
    fn blocks_are_read_line_by_line_and_lines_that_go_on_as_one() {
        let text = "Words.\n\n    first  --flag   # why\n    second \\\n      --more   # and\n\n```sh\nthird\n```\n";
        let expected = ["first --flag", "second --more", "third"];
        assert_eq!(said(text), expected.map(|command| (command.to_owned(), false)));
    }

    #[test]
    fn a_comment_or_the_paragraph_before_says_that_something_is_not_run() {
        let text = "One.\n\n    a      # not run\n    b\n\nThose are not\nrun here:\n\n    c\n\nTwo.\n\n    d\n";
        let expected = [("a", true), ("b", false), ("c", true), ("d", false)];
        assert_eq!(said(text), expected.map(|(command, not_run)| (command.to_owned(), not_run)));
    }
}
