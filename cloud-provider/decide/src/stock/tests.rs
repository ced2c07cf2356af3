use super::*;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr};

fn stock(value: &str) -> Stock {
    let data = [("cidr-global".to_owned(), value.to_owned())];
    Stock::of(&Pools::parse(&BTreeMap::from(data)))
}

fn all(stock: &mut Stock, order: SearchOrder) -> Vec<String> {
    let next = || {
        let vip = stock.next("cidr-global", Family::V4, order)?;
        stock.take(vip);
        Some(vip.to_string())
    };
    std::iter::from_fn(next).collect()
}

#[test]
fn gives_every_address_once_in_both_orders() {
    let value = "10.0.0.253-10.0.1.1,10.0.1.255,10.0.3.0/31,10.0.2.255-10.0.3.0";
    let upwards = ["10.0.0.253", "10.0.0.254", "10.0.1.1", "10.0.1.255", "10.0.3.1"];
    assert_eq!(all(&mut stock(value), SearchOrder::Ascending), upwards);
    let mut downwards = all(&mut stock(value), SearchOrder::Descending);
    downwards.reverse();
    assert_eq!(downwards, upwards);
}

#[test]
fn what_is_put_back_is_given_again() {
    let mut stock = stock("10.0.0.254-10.0.1.2,10.0.0.255");
    let everything = all(&mut stock, SearchOrder::Ascending);
    for address in &everything {
        stock.put_back(address.parse().unwrap());
    }
    assert_eq!(all(&mut stock, SearchOrder::Descending).len(), everything.len());
}

#[test]
fn counts_only_what_the_pool_can_give() {
    let mut stock = stock("10.0.0.0/30,2001:db8::/64");
    for address in ["10.0.0.1", "10.0.0.0", "10.0.0.9"] {
        stock.take(address.parse().unwrap());
    }
    let four = stock.state("cidr-global", Family::V4).unwrap();
    assert_eq!((four.size, four.used, four.free()), (3, 1, 2));
    assert_eq!(stock.state("cidr-global", Family::V6).unwrap().size, 1 << 64);
}

#[test]
fn an_address_of_two_pools_is_taken_from_both() {
    let data = [("cidr-global", "10.0.0.0/29"), ("range-shop", "10.0.0.2-10.0.0.3")];
    let data = data.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let mut stock = Stock::of(&Pools::parse(&BTreeMap::from(data)));
    let overlaps: Vec<_> = stock.overlaps().collect();
    assert_eq!(overlaps, [("cidr-global", "range-shop", "10.0.0.2".parse().unwrap())]);
    stock.take("10.0.0.2".parse().unwrap());
    let used: Vec<_> = stock.states().map(|state| state.used).collect();
    assert_eq!(used, [1, 1]);
    let next = stock.next("range-shop", Family::V4, SearchOrder::Ascending).unwrap();
    assert_eq!(next.to_string(), "10.0.0.3");
}

/// Three /24s around two boundaries, small enough to enumerate.
fn near() -> impl Strategy<Value = u32> {
    0x0a00_00f8_u32..=0x0a00_0208
}

fn four(number: u32) -> Vip {
    Vip::new(IpAddr::V4(Ipv4Addr::from(number))).unwrap()
}

proptest! {
    #[test]
    fn agrees_with_plain_enumeration(
        elements in proptest::collection::vec((near(), 0_u32..40), 1..8),
        used in proptest::collection::vec((near(), any::<bool>()), 0..200),
    ) {
        let mut naive = BTreeSet::new();
        let mut value = String::new();
        for (first, more) in elements {
            let last = first + more;
            value += &format!("{}-{},", Ipv4Addr::from(first), Ipv4Addr::from(last));
            naive.extend((first..=last).filter(|one| more == 0 || !matches!(one & 0xff, 0 | 0xff)));
        }
        let mut stock = stock(&value);
        let mut taken = BTreeSet::new();
        for (one, stays) in used {
            if taken.insert(one) {
                stock.take(four(one));
            }
            if !stays && taken.remove(&one) {
                stock.put_back(four(one));
            }
            let free = || naive.difference(&taken).copied();
            let next = |order| stock.next("cidr-global", Family::V4, order);
            prop_assert_eq!(next(SearchOrder::Ascending), free().next().map(four));
            prop_assert_eq!(next(SearchOrder::Descending), free().last().map(four));
            let state = stock.state("cidr-global", Family::V4).unwrap();
            prop_assert_eq!((state.size, state.free()), (naive.len() as u128, free().count() as u128));
        }
    }
}
