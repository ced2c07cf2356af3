//! How long the addresses of an owner that fell silent went without anybody who announced them: from its last sign to our
//! first frame. The keeper learns what was taken, the task that announces says when.

use super::LinkOwnership;
use announcer_decide::claim::Claim;
use announcer_decide::link::LinkName;
use model::address::Vip;
use model::claim::{ClaimId, Epoch};
use model::machine::Time;
use prometheus_client::metrics::histogram::Histogram;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Addresses that were taken over and not yet announced.
#[derive(Debug, Clone)]
pub(super) struct Losses {
    first_frame: Histogram,
    open: Arc<Mutex<BTreeMap<LinkName, Open>>>,
}

/// One link.
#[derive(Debug, Default)]
struct Open {
    /// Claims that have been seen, in which epoch.
    seen: BTreeMap<ClaimId, Epoch>,
    /// What is to be announced first, and when the last sign of its owner came.
    lost_at: BTreeMap<Vip, Time>,
}

impl Losses {
    /// Shows in `first_frame` what it learns.
    pub(super) fn new(first_frame: Histogram) -> Self {
        Self { first_frame, open: Arc::default() }
    }

    /// Takes in what is owned now. What a claim is given later was not lost with its owner.
    pub(super) fn learn(&self, ownership: &LinkOwnership) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|link, _| ownership.contains_key(link));
        for (link, owned) in ownership {
            if !open.contains_key(link) {
                open.insert(link.clone(), Open::default());
            }
            let Some(Open { seen, lost_at }) = open.get_mut(link) else { continue };
            seen.retain(|id, _| owned.claims.contains_key(id));
            for (id, claim) in &owned.claims {
                if seen.insert(*id, claim.epoch) == Some(claim.epoch) {
                    continue;
                }
                for vip in &claim.vips {
                    match claim.lost_at {
                        Some(at) => drop(lost_at.insert(*vip, at)),
                        None => drop(lost_at.remove(vip)),
                    }
                }
            }
        }
    }

    /// A frame of `claim` left at `now`.
    pub(super) fn announced(&self, claim: &Claim, now: Time) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let lost_at = open.get_mut(&claim.link).and_then(|it| it.lost_at.remove(&claim.vip));
        if let Some(at) = lost_at {
            self.first_frame.observe(Duration::as_secs_f64(&now.since(at)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use announcer_decide::candidacy::{Cause, Owned, Ownership};
    use model::address::MacAddress;
    use model::claim::ClaimName;
    use model::node::NodeName;
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;
    use std::collections::BTreeSet;

    fn vip(number: u8) -> Vip {
        format!("192.0.2.{number}").parse().unwrap()
    }

    fn link() -> LinkName {
        LinkName("eth0".to_owned())
    }

    fn at(millis: u64) -> Time {
        Time::at(Duration::from_millis(millis))
    }

    fn owned(epoch: u64, lost_at: Option<Time>, vips: &[u8]) -> LinkOwnership {
        let name = ClaimName("lease:default/web".to_owned());
        let id = ClaimId::from(&name);
        let claim = Owned {
            name,
            epoch: Epoch(epoch),
            since: at(1_000),
            lost_at,
            cause: Cause::Silence(NodeName("n2".to_owned())),
            vips: vips.iter().map(|number| vip(*number)).collect::<BTreeSet<_>>(),
            announcing: 0,
        };
        let claims = BTreeMap::from([(id, claim)]);
        LinkOwnership::from([(
            link(),
            Ownership { claims, settled: true, partial: false, left: false },
        )])
    }

    fn claim(number: u8) -> Claim {
        let mac = MacAddress::new([2, 0, 0, 0, 0, 1]);
        Claim { vip: vip(number), link: link(), index: 2, mac, round: 0 }
    }

    struct Page(Registry, Losses);

    impl Page {
        fn new() -> Self {
            let histogram = Histogram::new([0.1, 1.0]);
            let mut registry = Registry::default();
            registry.register("gap", "", histogram.clone());
            Self(registry, Losses::new(histogram))
        }

        fn value(&self, name: &str) -> f64 {
            let mut text = String::new();
            encode(&mut text, &self.0).unwrap();
            let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().parse().unwrap()
        }
    }

    #[test]
    fn each_address_is_measured_once_from_the_last_sign_of_its_owner() {
        let page = Page::new();
        page.1.learn(&owned(2, Some(at(850)), &[1, 2]));
        page.1.announced(&claim(1), at(1_000));
        page.1.announced(&claim(1), at(1_050));
        page.1.announced(&claim(2), at(1_100));
        assert!((page.value("gap_sum") - 0.4).abs() < 1e-9);
        assert_eq!(page.value("gap_count") as u64, 2);
    }

    #[test]
    fn an_address_that_comes_later_was_not_lost_with_the_owner() {
        let page = Page::new();
        page.1.learn(&owned(2, Some(at(850)), &[1]));
        page.1.announced(&claim(1), at(1_000));
        page.1.learn(&owned(2, Some(at(850)), &[1, 2]));
        page.1.announced(&claim(2), at(60_000));
        page.1.announced(&claim(1), at(60_000));
        assert_eq!(page.value("gap_count") as u64, 1);
    }

    #[test]
    fn what_was_given_or_free_is_not_measured() {
        let page = Page::new();
        page.1.learn(&owned(2, Some(at(850)), &[1]));
        page.1.learn(&owned(3, None, &[1]));
        page.1.announced(&claim(1), at(1_000));
        assert_eq!(page.value("gap_count") as u64, 0);
    }
}
