//! How long addresses live in the kernel, and when they are renewed: what nobody renews goes by itself.

use announcer_decide::difference::AddressOnLink;
use announcer_decide::link::LinkName;
use model::machine::Time;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// How long an address lives, and how often it is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lifetime {
    /// From its last renewal.
    pub(super) valid: Duration,
    /// Between two renewals.
    pub(super) renewed_every: Duration,
}

impl Lifetime {
    /// Behind a fence the lifetime only clears up after a process that is gone.
    pub(super) const FENCED: Self =
        Self { valid: Duration::from_secs(60), renewed_every: Duration::from_secs(20) };
    /// Without one it is all that ends the answers of a dead process.
    pub(super) const BARE: Self =
        Self { valid: Duration::from_secs(3), renewed_every: Duration::from_secs(1) };
    /// What the kernel can count at all.
    pub(super) const SHORTEST: Self =
        Self { valid: Duration::from_secs(1), renewed_every: Duration::ZERO };

    /// Where the Lease alone decides: an address ends before anybody else may take it, some time before the Lease does.
    pub(super) fn of_lease(duration: Duration) -> Self {
        let valid = duration.saturating_sub(MARGIN).max(Self::SHORTEST.valid);
        Self { valid, renewed_every: valid / 3 }
    }

    /// How long what stands behind a fence stays there: longer than the address.
    pub(super) const IN_FENCE: Duration = Duration::from_secs(65);
}

/// The kernel takes addresses away late, by up to so much.
const MARGIN: Duration = Duration::from_secs(3);
/// Renewals in one turn, where a part of all is less: the kernel takes a third of a millisecond for each of IPv6.
const AT_LEAST: usize = 100;

/// When every address was renewed last.
#[derive(Debug, Default)]
pub(super) struct Renewal {
    at: BTreeMap<(LinkName, IpAddr), Time>,
}

impl Renewal {
    /// The address has its full lifetime again.
    pub(super) fn renewed(&mut self, link: &LinkName, ip: IpAddr, now: Time) {
        self.at.insert((link.clone(), ip), now);
    }

    /// Those of `addresses` that are due, the longest waiting first, and no more than the kernel does in passing: a
    /// fifth of all in a turn. What is not among `addresses` is forgotten.
    pub(super) fn due(
        &mut self,
        addresses: Vec<AddressOnLink>,
        now: Time,
        lifetime: impl Fn(&LinkName) -> Lifetime,
    ) -> Vec<AddressOnLink> {
        let before = std::mem::take(&mut self.at);
        let most = (addresses.len() / 5).max(AT_LEAST);
        let mut due = Vec::new();
        for address in addresses {
            let key = (address.link.clone(), address.ip);
            let every = lifetime(&address.link).renewed_every;
            let last = before.get(&key).copied();
            if let Some(last) = last {
                self.at.insert(key, last);
            }
            if last.is_none_or(|last| now.since(last) >= every) {
                due.push((last, address));
            }
        }
        due.sort_by_key(|(last, _)| *last);
        due.into_iter().take(most).map(|(_, address)| address).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u8) -> AddressOnLink {
        AddressOnLink {
            link: LinkName("eth0".to_owned()),
            index: 2,
            ip: IpAddr::from([192, 0, 2, number]),
            length: 32,
        }
    }

    #[test]
    fn an_address_is_due_when_its_time_has_come_and_at_once_when_nobody_knows() {
        let mut renewal = Renewal::default();
        let at = |seconds| Time::at(Duration::from_secs(seconds));
        renewal.renewed(&LinkName("eth0".to_owned()), address(1).ip, at(5));
        let due = |renewal: &mut Renewal, seconds| {
            renewal.due(vec![address(1), address(2)], at(seconds), |_| Lifetime::FENCED)
        };
        assert_eq!(due(&mut renewal, 10), [address(2)]);
        assert_eq!(due(&mut renewal, 25), [address(2), address(1)]);
    }
}
