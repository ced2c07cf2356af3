//! docs/configuration.md says what the program takes. `UPDATE=1` writes it anew.

use announcer::settings::SETTINGS;

#[test]
fn the_documentation_lists_every_setting_with_its_default() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (begin, end) = ("<!-- announcer settings: begin -->\n", "<!-- announcer settings: end -->");
    let (before, rest) = text.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let table = model::settings::markdown(SETTINGS);
    let expected = format!("{before}{begin}{table}{end}{after}");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap() == expected,
        "run UPDATE=1 cargo test --test documentation"
    );
}
