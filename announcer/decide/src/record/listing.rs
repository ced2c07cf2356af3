//! The list of what a node owns, as it stands on its Lease: `vip:198.51.100.8=3 vip:2001:db8::8=1`.

use model::claim::{ClaimId, ClaimName, Epoch};
use std::collections::BTreeMap;

/// Longest text. All annotations of an object may have 256 KiB together; what does not fit is not recorded.
const ROOM: usize = 200 * 1024;

/// A list, and its text. Two lists are the same if their texts are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Listing {
    text: String,
    epochs: BTreeMap<ClaimId, Epoch>,
}

impl Listing {
    /// Lists `claims`, in their order, as far as there is room. None of them is listed with an epoch below the one it has in
    /// `before`.
    pub(super) fn of<'a>(
        claims: impl IntoIterator<Item = (&'a ClaimName, Epoch)>,
        before: &Self,
    ) -> Self {
        let mut listing = Self::default();
        for (name, epoch) in claims {
            let id = ClaimId::from(name);
            let epoch = before.epoch(id).map_or(epoch, |before| before.max(epoch));
            let entry = format!("{name}={epoch}");
            // One with a space in its name could not be read again.
            if name.0.contains(char::is_whitespace) || listing.text.len() + entry.len() >= ROOM {
                continue;
            }
            if !listing.text.is_empty() {
                listing.text.push(' ');
            }
            listing.text.push_str(&entry);
            listing.epochs.insert(id, epoch);
        }
        listing
    }

    /// Reads a list; what makes no sense is left out.
    pub(super) fn read(text: String) -> Self {
        let entries = text.split_whitespace().filter_map(|entry| {
            let (name, epoch) = entry.rsplit_once('=')?;
            let name = ClaimName(name.to_owned());
            Some((ClaimId::from(&name), Epoch(epoch.parse().ok()?)))
        });
        let epochs = entries.collect();
        Self { text, epochs }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn epoch(&self, claim: ClaimId) -> Option<Epoch> {
        self.epochs.get(&claim).copied()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ClaimId, Epoch)> {
        self.epochs.iter().map(|(claim, epoch)| (*claim, *epoch))
    }

    /// Whether it has a claim in a higher epoch than `other` has it in, if at all.
    pub(super) fn is_ahead_of(&self, other: &Self) -> bool {
        self.text != other.text
            && self.iter().any(|(claim, epoch)| other.epoch(claim).is_none_or(|it| it < epoch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn listing(claims: &[(&str, u64)]) -> Listing {
        let claims: Vec<_> =
            claims.iter().map(|(name, epoch)| (ClaimName((*name).to_owned()), *epoch)).collect();
        Listing::of(claims.iter().map(|(name, epoch)| (name, Epoch(*epoch))), &Listing::default())
    }

    #[test]
    fn is_written_for_people() {
        let owned = listing(&[("vip:198.51.100.8", 3), ("lease:kube-system/a@eth1", 1)]);
        assert_eq!(owned.text(), "vip:198.51.100.8=3 lease:kube-system/a@eth1=1");
    }

    #[test]
    fn ten_thousand_addresses_fit_and_no_more_is_written_than_fits() {
        let names: Vec<_> =
            (0..20_000).map(|n| ClaimName(format!("vip:10.1.{}.{}", n / 256, n % 256))).collect();
        let all = Listing::of(names.iter().map(|name| (name, Epoch(1))), &Listing::default());
        assert!(all.text().len() <= ROOM);
        assert!(all.iter().count() >= 10_000, "{}", all.iter().count());
    }

    #[test]
    fn an_epoch_never_goes_back() {
        let before = listing(&[("a", 5), ("b", 2)]);
        let claims = [(ClaimName("a".to_owned()), Epoch(4)), (ClaimName("b".to_owned()), Epoch(3))];
        let now = Listing::of(claims.iter().map(|(name, epoch)| (name, *epoch)), &before);
        assert_eq!(now.text(), "a=5 b=3");
    }

    #[test]
    fn is_ahead_with_a_new_claim_or_a_higher_epoch_and_not_with_less() {
        let before = listing(&[("a", 5), ("b", 2)]);
        assert!(listing(&[("a", 6)]).is_ahead_of(&before));
        assert!(listing(&[("c", 1)]).is_ahead_of(&before));
        assert!(!listing(&[("a", 5)]).is_ahead_of(&before));
        assert!(!listing(&[("b", 1), ("a", 5)]).is_ahead_of(&before));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(claims in prop::collection::btree_map("[a-z:@/.=0-9]{1,20}", any::<u64>(), 0..20)) {
            let claims: Vec<_> = claims.into_iter().map(|(name, epoch)| (ClaimName(name), Epoch(epoch))).collect();
            let written = Listing::of(claims.iter().map(|(name, epoch)| (name, *epoch)), &Listing::default());
            prop_assert_eq!(Listing::read(written.text().to_owned()), written);
        }

        #[test]
        fn any_text_can_be_read(text in ".{0,200}") {
            Listing::read(text);
        }
    }
}
