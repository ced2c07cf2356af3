//! The list of metrics in docs/metrics.md, made of the page that a scraper reads.

use prometheus_client::registry::Registry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One line for each metric of `registry`: name, type, labels, help.
///
/// # Errors
/// It cannot be written as a page.
pub fn markdown(registry: &Registry) -> Result<String, fmt::Error> {
    let mut page = String::new();
    prometheus_client::encoding::text::encode(&mut page, registry)?;
    Ok(table(&page))
}

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
