//! docs/metrics.md lists what the program counts. `UPDATE=1` writes it anew.

use announcer::args::{self, Surroundings};
use announcer::metrics::Meters;
use prometheus_client::registry::Registry;
use shared::metrics_table::markdown;

#[test]
fn the_documentation_lists_exactly_what_is_counted() {
    let around = Surroundings { host: "n1".to_owned(), ..Surroundings::default() };
    let meant = args::read(&["--arp".to_owned(), "--services".to_owned()], &around).unwrap();
    let mut registry = Registry::default();
    let mut meters = Meters::register(&mut registry, &meant);
    meters.record.taken(&meant.election.lease);
    meters.record.show([(&meant.election.lease, true)].into_iter());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (begin, end) = ("<!-- announcer metrics: begin -->\n", "<!-- announcer metrics: end -->");
    let (before, rest) = text.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let expected = format!("{before}{begin}{}{end}{after}", markdown(&registry).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap() == expected,
        "run UPDATE=1 cargo test -p announcer --test metrics"
    );
}
