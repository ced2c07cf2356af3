//! Few lines for people: of each place in the code at most [`LINES`] a second, none of them twice; how many were left out is
//! said a second later. Lines for debugging are all kept.

use crate::clock::Clock;
use model::machine::Time;
use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hasher};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Lines of one place in the code, in [`WINDOW`].
const LINES: usize = 5;
const WINDOW: Duration = Duration::from_secs(1);
/// The target of lines about what was left out.
const SUMMARY: &str = "left_out";

/// Leaves lines out before they are written.
pub(crate) struct Limit {
    clock: Clock,
    quotas: Arc<Mutex<Quotas>>,
    wake_tx: SyncSender<()>,
}

impl Limit {
    /// Starts a thread that says what was left out; without one, nothing is.
    pub(super) fn start() -> Option<Self> {
        let quotas = Arc::<Mutex<Quotas>>::default();
        let (wake_tx, wake_rx) = sync_channel(1);
        let shown = Arc::clone(&quotas);
        let thread = std::thread::Builder::new().name("log".to_owned());
        thread.spawn(move || summarise(&shown, &wake_rx)).ok()?;
        Some(Self { clock: Clock::start(), quotas, wake_tx })
    }
}

/// Sleeps until something was left out, and says it a second later; ends with the [`Limit`].
fn summarise(quotas: &Mutex<Quotas>, wake_rx: &Receiver<()>) {
    while wake_rx.recv().is_ok() {
        std::thread::sleep(WINDOW);
        let left_out = quotas.lock().unwrap_or_else(PoisonError::into_inner).take_left_out();
        for LeftOut { level, count, like } in left_out {
            match level {
                Level::ERROR => tracing::error!(target: SUMMARY, count, "left out: {like}"),
                Level::WARN => tracing::warn!(target: SUMMARY, count, "left out: {like}"),
                _ => tracing::info!(target: SUMMARY, count, "left out: {like}"),
            }
        }
    }
}

impl<S: Subscriber> Layer<S> for Limit {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        if *metadata.level() > Level::INFO || metadata.target() == SUMMARY {
            return true;
        }
        let mut line = Line::default();
        event.record(&mut line);
        let (place, level) = (metadata.callsite(), *metadata.level());
        let mut quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        let admitted = quotas.admit(self.clock.now(), place, level, line);
        drop(quotas);
        if !admitted {
            // It is awake already where that does not fit.
            let _ = self.wake_tx.try_send(());
        }
        admitted
    }
}

/// What a line says: enough to know it again.
#[derive(Debug, Default)]
struct Line {
    hasher: DefaultHasher,
    message: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        self.hasher.write(field.name().as_bytes());
        self.hasher.write(text.as_bytes());
        if field.name() == "message" {
            self.message = text;
        }
    }
}

/// What was told lately, by place in the code.
#[derive(Debug, Default)]
struct Quotas {
    places: HashMap<Identifier, Quota>,
}

#[derive(Debug)]
struct Quota {
    /// What was told in the last second, and when.
    told: Vec<(u64, Time)>,
    level: Level,
    left_out: usize,
    /// The last message that was left out.
    like: String,
}

#[derive(Debug, PartialEq, Eq)]
struct LeftOut {
    level: Level,
    count: usize,
    like: String,
}

impl Quotas {
    /// Whether `line` is to be written at `now`.
    fn admit(&mut self, now: Time, place: Identifier, level: Level, line: Line) -> bool {
        let quota = self.places.entry(place).or_insert_with(|| Quota {
            told: Vec::new(),
            level,
            left_out: 0,
            like: String::new(),
        });
        let Line { hasher, message } = line;
        let hash = hasher.finish();
        quota.told.retain(|(_, at)| now.since(*at) < WINDOW);
        if quota.told.len() < LINES && quota.told.iter().all(|(told, _)| *told != hash) {
            quota.told.push((hash, now));
            return true;
        }
        quota.left_out = quota.left_out.saturating_add(1);
        quota.like = message;
        false
    }

    /// What was left out since this was asked last.
    fn take_left_out(&mut self) -> Vec<LeftOut> {
        let places = self.places.values_mut().filter(|quota| quota.left_out > 0);
        let taken = places.map(|quota| LeftOut {
            level: quota.level,
            count: std::mem::take(&mut quota.left_out),
            like: std::mem::take(&mut quota.like),
        });
        taken.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::capture::Lines;
    use std::hash::Hash;
    use tracing::Metadata;
    use tracing::callsite::Callsite;
    use tracing::subscriber::Interest;

    fn at(millis: u64) -> Time {
        Time::at(Duration::from_millis(millis))
    }

    fn line(message: &str) -> Line {
        let mut hasher = DefaultHasher::new();
        message.hash(&mut hasher);
        Line { hasher, message: message.to_owned() }
    }

    /// A place in the code.
    struct Place(#[expect(dead_code, reason = "gives each an address of its own")] u8);

    impl Callsite for Place {
        fn set_interest(&self, _: Interest) {}

        fn metadata(&self) -> &Metadata<'_> {
            unreachable!("nobody asks")
        }
    }

    static PLACE: Place = Place(0);
    static OTHER: Place = Place(1);

    #[test]
    fn a_thousand_lines_of_one_place_are_five_and_a_number() {
        let (place, other) = (Identifier(&PLACE), Identifier(&OTHER));
        let mut quotas = Quotas::default();
        let admits = |quotas: &mut Quotas, number: u64| {
            quotas.admit(at(number / 10), place.clone(), Level::WARN, line(&format!("{number}")))
        };
        let told = (0..1_000).filter(|number| admits(&mut quotas, *number)).count();
        assert_eq!(told, 5);
        assert!(quotas.admit(at(100), other, Level::INFO, line("another place")));
        let left_out = quotas.take_left_out();
        let expected = LeftOut { level: Level::WARN, count: 995, like: "999".to_owned() };
        assert_eq!(left_out, [expected]);
        assert_eq!(quotas.take_left_out(), [], "it was said");
    }

    #[test]
    fn no_line_is_written_twice_within_a_second() {
        let place = Identifier(&PLACE);
        let mut quotas = Quotas::default();
        let mut admits = |millis, message: &str| {
            quotas.admit(at(millis), place.clone(), Level::INFO, line(message))
        };
        assert!(admits(900, "again"));
        assert!(!admits(1_100, "again"));
        assert!(admits(1_100, "something else"));
        assert!(!admits(1_899, "again"));
        assert!(admits(1_900, "again"));
    }

    #[test]
    fn what_is_written_is_limited_and_lines_for_debugging_are_not() {
        let limit = Limit::start().unwrap();
        let lines = Lines::capture_limited(limit);
        for number in 0..100 {
            tracing::warn!(number, "many");
            tracing::debug!("the same");
        }
        assert_eq!((lines.count("many"), lines.count("the same")), (5, 100));
    }
}
