//! docs/metrics.md lists what the program counts. `UPDATE=1` writes it anew.

use cloud_provider::metrics::Metrics;
use cloud_provider_decide::{Event, World};
use prometheus_client::registry::Registry;
use shared::metrics_table::markdown;
use std::collections::BTreeMap;

/// What the program would answer to a scraper while it leads, with a pool.
fn registry() -> Registry {
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let mut world = World::new(None);
    let pools = BTreeMap::from([("cidr-global".to_owned(), "192.0.2.0/24".to_owned())]);
    world.apply(Event::PoolsSeen(Some(pools)));
    metrics.show(&world);
    registry
}

#[test]
fn the_documentation_lists_exactly_what_is_counted() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (begin, end) =
        ("<!-- cloud provider metrics: begin -->\n", "<!-- cloud provider metrics: end -->");
    let (before, rest) = text.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let expected = format!("{before}{begin}{}{end}{after}", markdown(&registry()).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap() == expected,
        "run UPDATE=1 cargo test -p cloud-provider --test metrics"
    );
}
