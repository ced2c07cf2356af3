//! docs/metrics.md lists what the program counts. `UPDATE=1` writes it anew.

use cloud_provider::metrics::Metrics;
use cloud_provider_decide::{Event, World};
use prometheus_client::registry::Registry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What the program would answer to a scraper while it leads, with a pool.
fn page() -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let mut world = World::new(None);
    let pools = BTreeMap::from([("cidr-global".to_owned(), "192.0.2.0/24".to_owned())]);
    world.apply(Event::PoolsSeen(Some(pools)));
    metrics.show(&world);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    Ok(text)
}

/// One line for each metric of an OpenMetrics page: name, type, labels, help.
fn table(page: &str) -> String {
    let about = |word: &'static str| {
        page.lines().filter_map(move |line| line.strip_prefix(word)?.split_once(' '))
    };
    let helps: BTreeMap<_, _> = about("# HELP ").collect();
    let lines = about("# TYPE ").map(|(name, kind)| {
        let shown = match kind {
            "counter" => format!("{name}_total"),
            "info" => format!("{name}_info"),
            _ => name.to_owned(),
        };
        let samples = page.lines().filter(|line| line.starts_with(name));
        let labels: BTreeSet<_> = samples.flat_map(labels).filter(|label| *label != "le").collect();
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        let help = helps.get(name).map_or("", |help| help.trim_end_matches('.'));
        format!("| `{shown}` | {kind} | {} | {help} |\n", labels.join(", "))
    });
    let lines: String = lines.collect::<BTreeSet<_>>().into_iter().collect();
    format!("| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n{lines}")
}

/// The names of the labels of a sample, as in `name{a="1",b="2"} 3`.
fn labels(sample: &str) -> impl Iterator<Item = &str> {
    let inside = sample.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}'));
    let pairs = inside.into_iter().flat_map(|(inside, _)| inside.split("\","));
    pairs.filter_map(|pair| pair.split_once("=\"").map(|(name, _)| name))
}

#[test]
fn the_documentation_lists_exactly_what_is_counted() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (begin, end) =
        ("<!-- cloud provider metrics: begin -->\n", "<!-- cloud provider metrics: end -->");
    let (before, rest) = text.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let expected = format!("{before}{begin}{}{end}{after}", table(&page().unwrap()));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap() == expected,
        "run UPDATE=1 cargo test -p cloud-provider --test metrics"
    );
}
