//! Tables: printed as soon as they are known, and kept for the JSON file.

use anyhow::{Context, Result};
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

/// All tables of one benchmark.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    tables: Vec<Table>,
}

/// Figures about one subject.
#[derive(Debug, Serialize)]
pub(crate) struct Table {
    title: String,
    columns: Vec<&'static str>,
    lines: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    what: String,
    unit: Unit,
    /// One for each column.
    values: Vec<f64>,
    /// The first value should be less than this.
    asked_under: Option<f64>,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) enum Unit {
    #[serde(rename = "us")]
    Microseconds,
    #[serde(rename = "ms")]
    Milliseconds,
    #[serde(rename = "s")]
    Seconds,
    #[serde(rename = "MiB")]
    Mebibytes,
    #[serde(rename = "1/s")]
    PerSecond,
    #[serde(rename = "%")]
    Percent,
    #[serde(rename = "1")]
    Count,
    #[serde(rename = "instructions")]
    Instructions,
}

impl Unit {
    /// `time` in this unit of time.
    pub(crate) fn of(self, time: Duration) -> f64 {
        match self {
            Self::Microseconds => time.as_secs_f64() * 1_000_000.0,
            Self::Milliseconds => time.as_secs_f64() * 1000.0,
            _ => time.as_secs_f64(),
        }
    }

    const fn sign(self) -> &'static str {
        match self {
            Self::Microseconds => "µs",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::Mebibytes => "MiB",
            Self::PerSecond => "/s",
            Self::Percent => "%",
            Self::Count | Self::Instructions => "",
        }
    }

    const fn decimals(self) -> usize {
        match self {
            Self::Milliseconds | Self::Instructions => 0,
            Self::Mebibytes | Self::PerSecond => 1,
            Self::Microseconds | Self::Seconds | Self::Percent | Self::Count => 2,
        }
    }
}

impl Table {
    pub(crate) fn new(title: impl Into<String>, columns: &[&'static str]) -> Self {
        Self { title: title.into(), columns: columns.to_vec(), lines: Vec::new() }
    }

    /// A line with one value for each column.
    pub(crate) fn line(&mut self, what: impl Into<String>, unit: Unit, values: &[f64]) {
        self.lines.push(Line {
            what: what.into(),
            unit,
            values: values.to_vec(),
            asked_under: None,
        });
    }

    /// The same, where the first value should be less than `bound`.
    pub(crate) fn bounded_line(
        &mut self,
        what: impl Into<String>,
        unit: Unit,
        values: &[f64],
        bound: f64,
    ) {
        self.lines.push(Line {
            what: what.into(),
            unit,
            values: values.to_vec(),
            asked_under: Some(bound),
        });
    }

    fn print(&self) {
        let columns: String = self.columns.iter().map(|column| format!("{column:>11}")).collect();
        println!("\n{:<56}{columns}", self.title);
        println!("{}", "-".repeat(56 + columns.len() + 24));
        for line in &self.lines {
            println!("  {:<54}{}{}", line.what, line.written_values(), line.verdict());
        }
    }
}

impl Line {
    fn written_values(&self) -> String {
        let (decimals, sign) = (self.unit.decimals(), self.unit.sign());
        self.values
            .iter()
            .map(|value| format!("{:>11}", format!("{value:.decimals$} {sign}").trim_end()))
            .collect()
    }

    fn verdict(&self) -> String {
        let (Some(bound), Some(value)) = (self.asked_under, self.values.first()) else {
            return String::new();
        };
        let missed = if *value < bound { "" } else { ": MISSED" };
        format!("   asked: < {bound} {}{missed}", self.unit.sign())
    }
}

impl Report {
    /// Prints `table` and keeps it.
    pub(crate) fn add(&mut self, table: Table) {
        table.print();
        self.tables.push(table);
    }

    /// Writes all tables as JSON.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(path, text + "\n")
            .with_context(|| format!("cannot write {}", path.display()))
    }
}
