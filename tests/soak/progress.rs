//! What has been done so far, in a file of its own for each kind of trouble.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tests::cluster::programs::root;
use tests::figures::{now, percentile, written};

/// Where the files are.
pub(crate) fn folder() -> PathBuf {
    root().join("tests/soak-state")
}

/// One kind of trouble, done so many times.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Names the file.
    kind: String,
    /// What the first round's chances come from; a later round adds its number.
    pub(crate) seed: u64,
    /// How many were done. The next one has this number.
    pub(crate) done: u64,
    /// How often what happened.
    counts: BTreeMap<String, u64>,
    /// Times worth a statistic, in microseconds.
    times_us: Vec<u64>,
}

impl Progress {
    /// What stands in the file; a new beginning with `seed` when there is none.
    pub(crate) fn load(kind: &str, seed: u64) -> Result<Self> {
        let new = Self {
            kind: kind.to_owned(),
            seed,
            done: 0,
            counts: BTreeMap::new(),
            times_us: Vec::new(),
        };
        let path = new.path();
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let advice =
                    || format!("{} makes no sense: delete it to begin anew", path.display());
                let old: Self = serde_json::from_str(&text).with_context(advice)?;
                println!("\n{kind}: goes on after {}, seed {}", old.done, old.seed);
                Ok(old)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                println!("\n{kind}: seed {seed}");
                Ok(new)
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// A seed that no other run has.
    pub(crate) fn fresh_seed() -> u64 {
        now().as_secs()
    }

    /// Notes that the next `rounds` are done, and writes it down; the old file stands until the new one does.
    pub(crate) fn save(&mut self, rounds: u64) -> Result<()> {
        self.done = self.done.saturating_add(rounds);
        let path = self.path();
        let new = path.with_extension("new");
        std::fs::create_dir_all(folder())?;
        let written = std::fs::write(&new, serde_json::to_string_pretty(self)?);
        written
            .and_then(|()| std::fs::rename(&new, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Removes the file.
    pub(crate) fn forget(&self) -> Result<()> {
        let path = self.path();
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot delete {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// Counts something that happened.
    pub(crate) fn count(&mut self, what: &str, times: u64) {
        let count = self.counts.entry(what.to_owned()).or_default();
        *count = count.saturating_add(times);
    }

    /// Notes a time.
    pub(crate) fn time(&mut self, time: Duration) {
        self.times_us.push(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// What was counted, in words.
    pub(crate) fn told(&self) -> String {
        let counts: Vec<_> =
            self.counts.iter().map(|(what, count)| format!("{count} × {what}")).collect();
        if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") }
    }

    /// The same, and how the times are spread.
    pub(crate) fn told_with_times(&self, what: &str) -> String {
        let times: Vec<_> = self.times_us.iter().copied().map(Duration::from_micros).collect();
        if times.is_empty() {
            return self.told();
        }
        let spread = [0, 50, 90, 99, 100].map(|percent| written(percentile(&times, percent)));
        let spread = spread.join(" / ");
        format!("{}; {what} {spread} (min / median / p90 / p99 / max)", self.told())
    }

    /// One line about the round that was just done.
    pub(crate) fn say(&self, of: u64, what: &str, since: Instant) {
        println!(
            "{} {}/{of}, seed {}: {what} ({})",
            self.kind,
            self.done,
            self.seed,
            written(since.elapsed())
        );
    }

    fn path(&self) -> PathBuf {
        folder().join(format!("{}.json", self.kind))
    }
}
