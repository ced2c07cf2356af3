use super::*;

#[test]
fn the_lowest_stands_for_all_that_hang_together_in_whatever_order_they_were_joined() {
    let pairs = [(1, 2), (3, 4), (9, 8), (4, 2), (8, 7)];
    for turn in 0..pairs.len() {
        let mut joined = Joined::new();
        let order = pairs.iter().cycle().skip(turn).take(pairs.len());
        order.for_each(|(one, other)| joined.join(one, other));
        let lowest: Vec<_> = [1, 2, 3, 4, 5, 7, 8, 9].iter().map(|it| joined.lowest(it)).collect();
        assert_eq!(lowest, [1, 1, 1, 1, 5, 7, 7, 7]);
    }
}

#[test]
fn what_hangs_together_in_a_long_chain_is_one() {
    let mut joined = Joined::new();
    (0..100_000).rev().for_each(|it| joined.join(&it, &(it + 1)));
    assert!((0..=100_000).rev().all(|it| joined.lowest(&it) == 0));
}
