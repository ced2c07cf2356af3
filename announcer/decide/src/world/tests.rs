//! Whatever happens in whatever order: the latest fact about each object is what is known, and nothing else.

pub(crate) mod facts;

use super::*;
use crate::link::Owner;
use crate::plan::tests::config;
use crate::plan::{Plan, plan};
use facts::{Subject, event, events, subject};
use proptest::prelude::*;
use std::collections::VecDeque;

fn told(events: impl IntoIterator<Item = Event>) -> World {
    let mut world = World::default();
    events.into_iter().for_each(|event| world.apply(event));
    world
}

fn planned(events: impl IntoIterator<Item = Event>) -> Plan {
    plan(&told(events), &config())
}

/// `events` in the order of `shuffled`, but those about one subject among each other as they were.
fn interleaved(events: &[Event], shuffled: &[usize]) -> Vec<Event> {
    let mut queues: Vec<(Subject, VecDeque<Event>)> = Vec::new();
    for event in events {
        let subject = subject(event);
        match queues.iter_mut().find(|(known, _)| *known == subject) {
            Some((_, queue)) => queue.push_back(event.clone()),
            None => queues.push((subject, VecDeque::from([event.clone()]))),
        }
    }
    let next = |place: &usize| {
        let subject = subject(&events[*place]);
        let (_, queue) = queues.iter_mut().find(|(known, _)| *known == subject)?;
        queue.pop_front()
    };
    shuffled.iter().filter_map(next).collect()
}

/// `events` without those about Services and slices that a later one replaces.
fn latest(events: &[Event]) -> Vec<Event> {
    let replaced = |place: usize, event: &Event| {
        let subject = subject(event);
        let later = events.iter().skip(place + 1).any(|later| facts::subject(later) == subject);
        later && matches!(subject, Subject::Service(_) | Subject::Slice(_))
    };
    let kept = events.iter().enumerate().filter(|(place, event)| !replaced(*place, event));
    kept.map(|(_, event)| event.clone()).collect()
}

/// Events, and the numbers of their places in another order.
fn events_and_order() -> impl Strategy<Value = (Vec<Event>, Vec<usize>)> {
    events().prop_flat_map(|events| {
        let places: Vec<usize> = (0..events.len()).collect();
        (Just(events), Just(places).prop_shuffle())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_events_in_any_order_are_taken(events in proptest::collection::vec(event(), 0..100)) {
        let mut world = World::default();
        for event in events {
            world.apply(event);
            drop(plan(&world, &config()));
        }
    }

    #[test]
    fn every_event_told_twice_changes_nothing(events in events()) {
        let twice = events.iter().flat_map(|event| [event.clone(), event.clone()]);
        prop_assert_eq!(planned(twice), planned(events.clone()));
    }

    #[test]
    fn the_whole_story_told_twice_changes_nothing(events in events()) {
        let twice = events.iter().chain(&events).cloned();
        prop_assert_eq!(planned(twice), planned(events.clone()));
    }

    #[test]
    fn only_the_order_of_facts_about_one_object_matters((events, order) in events_and_order()) {
        let shuffled = interleaved(&events, &order);
        prop_assert_eq!(shuffled.len(), events.len());
        prop_assert_eq!(planned(shuffled), planned(events));
    }

    #[test]
    fn only_the_last_fact_about_an_object_matters(events in events()) {
        prop_assert_eq!(planned(latest(&events)), planned(events));
    }

    #[test]
    fn the_slices_of_a_service_are_those_that_were_seen_and_not_gone(events in events()) {
        let world = told(events.clone());
        let mut expected = BTreeMap::new();
        for event in events {
            match event {
                Event::SliceSeen(slice) => drop(expected.insert(slice.key.clone(), slice)),
                Event::SliceGone(key) => drop(expected.remove(&key)),
                _ => {}
            }
        }
        for name in ["a", "b", "c"] {
            let key = ServiceKey::new("shop", name);
            let found: Vec<_> = world.slices(&key).collect();
            let wanted: Vec<_> = expected.values().filter(|slice| slice.service == key).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}

fn address(link: &str, ip: &str, owner: Owner) -> HostAddress {
    HostAddress { link: LinkName(link.to_owned()), ip: ip.parse().unwrap(), length: 32, owner }
}

#[test]
fn a_link_that_goes_takes_its_addresses_with_it_and_no_others() {
    let here = address("eth0", "192.0.2.1", Owner::Us);
    let there = address("eth1", "192.0.2.1", Owner::Us);
    let world = told([
        Event::AddressSeen(here.clone()),
        Event::AddressSeen(there.clone()),
        Event::LinkGone(here.link),
    ]);
    assert_eq!(world.addresses(), &BTreeSet::from([there]));
}

#[test]
fn an_address_has_one_owner_and_goes_whoever_owned_it() {
    let other = address("eth0", "192.0.2.1", Owner::Other);
    let us = address("eth0", "192.0.2.1", Owner::Us);
    let mut world = told([Event::AddressSeen(other.clone()), Event::AddressSeen(us.clone())]);
    assert_eq!(world.addresses(), &BTreeSet::from([us]));
    world.apply(Event::AddressGone(other));
    assert_eq!(world.addresses(), &BTreeSet::new());
}

#[test]
fn leaving_cannot_be_taken_back() {
    let mut world = told(facts::start());
    assert!(!world.leaving());
    world.apply(Event::LeaveRequested);
    facts::start().into_iter().for_each(|event| world.apply(event));
    assert!(world.ready() && world.leaving());
}

#[test]
fn an_address_that_the_kernel_took_from_us_is_ours_also_on_a_kernel_that_forgets() {
    let forgotten = address("eth0", "192.0.2.1", Owner::Other);
    let ours = address("eth0", "192.0.2.1", Owner::Us);
    let placed = Event::AddressPlaced(ours.clone());
    let seen = Event::AddressSeen(forgotten.clone());
    for events in [[placed.clone(), seen.clone()], [seen.clone(), placed]] {
        assert_eq!(told(events).addresses(), &BTreeSet::from([ours.clone()]));
    }
    assert_eq!(told([seen]).addresses(), &BTreeSet::from([forgotten]));
}
