use super::*;
use proptest::prelude::*;
use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::BTreeSet;

const PAUSE: Duration = Duration::from_secs(1);

thread_local! {
    /// How often a key or a change was compared or copied: whatever walks over all of them shows here.
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    STEPS.with(|steps| steps.set(steps.get() + 1));
}

/// A number whose every comparison and copy counts.
#[derive(Debug)]
struct Counted(u32);

impl Clone for Counted {
    fn clone(&self) -> Self {
        count();
        Self(self.0)
    }
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        count();
        self.0 == other.0
    }
}

impl Eq for Counted {}

impl Ord for Counted {
    fn cmp(&self, other: &Self) -> Ordering {
        count();
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Counted {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Writes `amount` changes, sixteen at a time; each fails once, and is wanted no more after its answer.
fn steps_for(amount: u32) -> u64 {
    STEPS.with(|steps| steps.set(0));
    let mut now = Instant::now();
    let mut agenda = Agenda::new();
    let mut accepted = 0;
    for number in 0..amount {
        agenda.want(Counted(number), Some(Counted(0)), now);
    }
    while accepted < amount {
        let sent: Vec<_> = (0..16).map_while(|_| agenda.next(now)).collect();
        if sent.is_empty() {
            now += PAUSE;
        }
        for (key, change) in sent {
            let judge =
                |failures| if failures == 0 { Verdict::Again(PAUSE) } else { Verdict::Done };
            agenda.answered(&key, &change, now, judge);
            if agenda.open(&key).is_none() {
                agenda.want(key, None, now);
                accepted += 1;
            }
        }
    }
    assert_eq!((agenda.untried(), agenda.next_due(), agenda.keys().count()), (0, None, 0));
    STEPS.with(Cell::get)
}

#[test]
fn n_writes_cost_n_log_n_steps() {
    for amount in [100, 1_000, 10_000, 40_000_u32] {
        let steps = steps_for(amount);
        let bound = 25 * u64::from(amount) * u64::from(amount.ilog2());
        assert!(steps < bound, "{amount} writes took {steps} steps, more than {bound}");
    }
}

#[derive(Debug, Clone)]
enum Step {
    Want(u8, Option<u8>),
    Send,
    Answer(Verdict),
    Pass(Duration),
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..4_u8, proptest::option::of(0..3_u8)).prop_map(|(key, change)| Step::Want(key, change)),
        Just(Step::Send),
        Just(Step::Answer(Verdict::Done)),
        Just(Step::Answer(Verdict::Again(PAUSE))),
        (0..1500_u64).prop_map(|passed| Step::Pass(Duration::from_millis(passed))),
    ]
}

/// What is known of each key by walking over everything, each time.
#[derive(Debug, Default)]
struct Naive {
    wanted: BTreeMap<u8, u8>,
    tried: BTreeSet<u8>,
    done: BTreeSet<u8>,
    pausing: BTreeMap<u8, Instant>,
    under_way: Vec<(u8, u8)>,
}

impl Naive {
    fn want(&mut self, key: u8, change: Option<u8>) {
        if self.wanted.get(&key) != change.as_ref() {
            self.done.remove(&key);
            self.tried.remove(&key);
            self.pausing.remove(&key);
            self.wanted.remove(&key);
            self.wanted.extend(change.map(|change| (key, change)));
        }
    }

    fn may_be_sent(&self, now: Instant) -> BTreeMap<u8, u8> {
        let rests = |key: &u8| {
            self.done.contains(key)
                || self.pausing.get(key).is_some_and(|until| *until > now)
                || self.under_way.iter().any(|(sent, _)| sent == key)
        };
        self.wanted.iter().filter(|(key, _)| !rests(key)).map(|(key, it)| (*key, *it)).collect()
    }

    /// How many are wanted as they have never been sent, and wait for nothing of the same key.
    fn untried(&self) -> usize {
        let waits = |key: &&u8| {
            !self.tried.contains(*key) && !self.under_way.iter().any(|(sent, _)| sent == *key)
        };
        self.wanted.keys().filter(waits).count()
    }

    fn answered(&mut self, key: u8, change: u8, now: Instant, verdict: Verdict) {
        if self.wanted.get(&key) == Some(&change) {
            self.tried.insert(key);
            match verdict {
                Verdict::Done => drop(self.done.insert(key)),
                Verdict::Again(pause) => drop(self.pausing.insert(key, now + pause)),
            }
        }
    }
}

proptest! {
    /// Whatever is wanted, sent, answered and waited for in any order: what is sent next is what may be sent, nothing
    /// that may be sent is left lying, and nothing has two requests under way.
    #[test]
    fn says_at_each_moment_what_a_walk_over_everything_would_say(
        steps in proptest::collection::vec(steps(), 1..80)
    ) {
        let (mut agenda, mut naive) = (Agenda::new(), Naive::default());
        let mut now = Instant::now();
        for step in steps {
            match step {
                Step::Want(key, change) => {
                    agenda.want(key, change, now);
                    naive.want(key, change);
                }
                Step::Send => {
                    let may = naive.may_be_sent(now);
                    let sent = agenda.next(now);
                    prop_assert_eq!(sent.is_some(), !may.is_empty());
                    if let Some((key, change)) = sent {
                        prop_assert_eq!(may.get(&key), Some(&change));
                        naive.under_way.push((key, change));
                        naive.tried.insert(key);
                    }
                }
                Step::Answer(verdict) => {
                    let Some((key, change)) = naive.under_way.pop() else { continue };
                    agenda.answered(&key, &change, now, |_| verdict);
                    naive.answered(key, change, now, verdict);
                }
                Step::Pass(time) => now += time,
            }
            for key in 0..4 {
                let open = naive.wanted.get(&key).filter(|_| !naive.done.contains(&key));
                prop_assert_eq!(agenda.open(&key), open);
            }
            prop_assert_eq!(agenda.untried(), naive.untried());
            let due = agenda.next_due().is_some_and(|due| due <= now);
            prop_assert_eq!(due, !naive.may_be_sent(now).is_empty());
        }
    }
}

#[test]
fn failures_are_counted_for_one_change_and_not_for_the_next() {
    let mut now = Instant::now();
    let mut agenda = Agenda::new();
    let mut told = Vec::new();
    agenda.want("web", Some(1), now);
    for change in [1, 1, 1, 2, 2] {
        agenda.want("web", Some(change), now);
        let (key, sent) = agenda.next(now).unwrap();
        agenda.answered(&key, &sent, now, |failures| {
            told.push(failures);
            Verdict::Again(PAUSE)
        });
        now += PAUSE;
    }
    assert_eq!(told, [0, 1, 2, 0, 1]);
}
