//! docs/configuration.md and docs/commands.md say what the program takes. `UPDATE=1` writes it anew.

#![allow(clippy::unwrap_used, reason = "a test: what goes wrong here ends it")]

use announcer::settings::{COMMAND, GENERATOR, SETTINGS};
use announcer::status::command;
use model::settings::{markdown, markdown_in_full};

/// `page` has the `table` between the marks called `name`.
fn lists(page: &str, name: &str, table: &str) {
    let path = format!("{}/../docs/{page}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->"));
    let (before, rest) = text.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    let expected = format!("{before}{begin}{table}{end}{after}");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap() == expected,
        "run UPDATE=1 cargo test --test documentation"
    );
}

#[test]
fn the_documentation_lists_every_setting_with_its_default() {
    // One after the other: both stand on one page.
    lists("configuration.md", "announcer settings", &markdown_in_full(SETTINGS));
    lists("configuration.md", "announcer flags", &markdown(COMMAND));
    lists("configuration.md", "manifest flags", &markdown(GENERATOR));
    lists("commands.md", "status flags", &markdown(&command::settings()));
}
