//! What a misspelt word was probably meant to be.

/// The word of `known` that `word` is at most two slips away from: a letter too many, too few, wrong, or two exchanged.
/// Short words must be nearer. Of several the nearest, of equals the first.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.into_iter().filter_map(|candidate| {
        let slips = slips(word, candidate);
        let allowed = (candidate.chars().count() / 2).min(2);
        (slips <= allowed).then_some((slips, candidate))
    });
    near.min_by_key(|(slips, _)| *slips).map(|(_, candidate)| candidate)
}

/// Optimal string alignment: the fewest slips that make one word of the other, none twice at one place.
fn slips(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    let mut previous = None;
    for (row, letter) in one.chars().enumerate() {
        let mut current = vec![row.saturating_add(1)];
        for (column, candidate) in other.iter().enumerate() {
            let at = |line: &[usize], place: usize| line.get(place).copied().unwrap_or(usize::MAX);
            let next = column.saturating_add(1);
            let replaced = at(&last, column).saturating_add(usize::from(letter != *candidate));
            let left_out = at(&last, next).min(at(&current, column)).saturating_add(1);
            let earlier = column.checked_sub(1);
            let exchanged = earlier
                .filter(|earlier| {
                    other.get(*earlier) == Some(&letter) && previous == Some(*candidate)
                })
                .map_or(usize::MAX, |earlier| at(&before_last, earlier).saturating_add(1));
            current.push(replaced.min(left_out).min(exchanged));
        }
        before_last = std::mem::replace(&mut last, current);
        previous = Some(letter);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_letters_that_are_missing_wrong_or_exchanged() {
        for (one, other, expected) in [
            ("", "", 0),
            ("cidr", "cidr", 0),
            ("cird", "cidr", 1),
            ("cidrs", "cidr", 1),
            ("idr", "cidr", 1),
            ("cadr", "cidr", 1),
            ("rgane", "range", 2),
            ("", "cidr", 4),
            ("pool", "cidr", 4),
        ] {
            assert_eq!(slips(one, other), expected, "{one} {other}");
            assert_eq!(slips(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn takes_the_nearest_and_nothing_that_is_far() {
        assert_eq!(nearest("cird", ["cidr", "range"]), Some("cidr"));
        assert_eq!(nearest("ranges", ["cidr", "range"]), Some("range"));
        assert_eq!(nearest("pool", ["cidr", "range"]), None);
        assert_eq!(nearest("qa", ["db", "lab"]), None);
        assert_eq!(nearest("a", ["b"]), None, "every word of one letter is near to every other");
    }
}
