//! docs/ says what the program takes and prints. `UPDATE=1` writes the tables of settings anew.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests and what they stand on"
)]

use cloud_provider::args::SETTINGS;
use cloud_provider::commands::{check, pools};
use cloud_provider_decide::check::Rule;
use model::settings::{Setting, markdown};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The table of `settings` stands in `page` under `name`.
fn lists(page: &str, name: &str, settings: &[Setting]) {
    let path = format!("{ROOT}/docs/{page}");
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->"));
    let (before, rest) = text.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    let table = markdown(settings);
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
    lists("configuration.md", "cloud provider settings", SETTINGS);
    // One after the other: both stand on one page.
    lists("commands.md", "pools flags", pools::COMMAND.settings);
    lists("commands.md", "check flags", check::COMMAND.settings);
}

#[test]
fn the_documentation_lists_every_finding_with_its_severity() {
    let text = std::fs::read_to_string(format!("{ROOT}/docs/commands.md")).unwrap();
    let rows: Vec<_> =
        text.lines().skip_while(|line| !line.starts_with("| finding |")).skip(2).collect();
    let expected = Rule::ALL.map(|rule| format!("| `{rule}` | {} |", rule.severity()));
    for (row, expected) in rows.iter().zip(&expected) {
        assert!(row.starts_with(expected), "{row:?} does not begin with {expected:?}");
    }
    assert!(!rows[expected.len()].starts_with('|'), "{:?} is no finding", rows[expected.len()]);
}

#[test]
fn the_documentation_shows_what_is_printed() {
    let text = std::fs::read_to_string(format!("{ROOT}/docs/commands.md")).unwrap();
    let shown = text.split("<!-- ").skip(1).filter_map(|part| part.split_once(" -->\n"));
    let shown: Vec<_> = shown.filter(|(name, _)| name.contains('/')).collect();
    assert_eq!(shown.len(), 3);
    for (name, block) in shown {
        let block: Vec<_> = block
            .lines()
            .skip(1)
            .take_while(|line| line.is_empty() || line.starts_with("    "))
            .collect();
        let block = block
            .iter()
            .map(|line| line.strip_prefix("    ").unwrap_or_default())
            .collect::<Vec<_>>()
            .join("\n");
        let kept = std::fs::read_to_string(format!("{ROOT}/tests/golden/commands/{name}")).unwrap();
        assert_eq!(block.trim_end(), kept.trim_end(), "{name}");
    }
}
