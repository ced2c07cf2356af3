use super::*;
use proptest::prelude::*;

const NAME: &str = "api.example.com";

fn at(seconds: u64) -> Time {
    Time::at(Duration::from_secs(seconds))
}

fn config(dns_mode: DnsMode, names: &[&str]) -> ControlPlaneConfig {
    let name = |text: &&str| {
        text.parse()
            .map_or_else(|_| ControlPlaneName::Dns((*text).to_owned()), ControlPlaneName::Vip)
    };
    ControlPlaneConfig {
        link: None,
        names: names.iter().map(name).collect(),
        dns_mode,
        port: 6443,
        lease: model::object::ObjectKey::new("kube-system", "plndr-cp-lock"),
        lease_annotations: BTreeMap::new(),
    }
}

/// One name, at the beginning.
fn names(mode: DnsMode) -> Names {
    Names::of(&config(mode, &[NAME]))
}

fn found(addresses: &[&str]) -> Result<Vec<IpAddr>, String> {
    Ok(addresses.iter().map(|text| text.parse().unwrap()).collect())
}

fn failed() -> Result<Vec<IpAddr>, String> {
    Err("no such name".to_owned())
}

/// Everything that is to be announced at this second.
fn addresses(names: &Names, seconds: u64) -> String {
    let all: Vec<String> = names.addresses(at(seconds)).iter().map(ToString::to_string).collect();
    all.join(" ")
}

/// Looks up what is due at this second, gives this answer, and tells what is said about it.
fn answered(names: &mut Names, seconds: u64, found: Result<Vec<IpAddr>, String>) -> Vec<String> {
    assert_eq!(names.wake(at(seconds)), [Output::LookUp(NAME.to_owned())], "at {seconds} s");
    let answer = Answer { name: NAME.to_owned(), found };
    let outputs = names.handle(at(seconds), answer).into_iter();
    outputs
        .map(|it| if let Output::Tell(news) = it { news.to_string() } else { panic!() })
        .collect()
}

#[test]
fn what_was_written_as_an_address_needs_no_answer() {
    let mut names = Names::of(&config(DnsMode::First, &["192.0.2.40", "2001:db8::40"]));
    assert_eq!(addresses(&names, 0), "192.0.2.40 2001:db8::40");
    assert_eq!((names.wake(at(0)), names.deadline()), (vec![], None));
}

#[test]
fn a_name_is_looked_up_at_once_and_again_three_seconds_after_each_answer() {
    let mut names = names(DnsMode::First);
    assert_eq!(names.deadline(), Some(Time::START));
    answered(&mut names, 0, found(&["192.0.2.40"]));
    assert_eq!(names.deadline(), Some(at(3)));
    assert_eq!(names.wake(at(2)), []);
    assert_eq!(names.wake(at(3)), [Output::LookUp(NAME.to_owned())]);
    // A slow answer: nothing else is asked meanwhile.
    assert_eq!((names.deadline(), names.wake(at(5))), (None, vec![]));
    names.handle(at(6), Answer { name: NAME.to_owned(), found: failed() });
    assert_eq!(names.deadline(), Some(at(9)));
}

#[test]
fn each_name_is_looked_up_by_itself_and_all_addresses_count() {
    let mut names = Names::of(&config(DnsMode::First, &["a.example", "192.0.2.40", "b.example"]));
    let both = ["a.example", "b.example"].map(|name| Output::LookUp(name.to_owned()));
    assert_eq!(names.wake(at(0)), both);
    names.handle(at(1), Answer { name: "b.example".to_owned(), found: found(&["192.0.2.42"]) });
    assert_eq!(addresses(&names, 1), "192.0.2.40 192.0.2.42");
    assert_eq!(names.wake(at(4)), [Output::LookUp("b.example".to_owned())]);
}

#[test]
fn dns_mode_says_which_addresses_of_an_answer_count() {
    let answer = ["2001:db8::40", "192.0.2.40", "192.0.2.41", "2001:db8::41"];
    for (mode, expected) in [
        (DnsMode::First, "192.0.2.40"),
        (DnsMode::Ipv4, "192.0.2.40"),
        (DnsMode::Ipv6, "2001:db8::40"),
        (DnsMode::Dual, "192.0.2.40 2001:db8::40"),
    ] {
        let mut names = names(mode);
        answered(&mut names, 0, found(&answer));
        assert_eq!(addresses(&names, 0), expected, "{mode:?}");
    }
}

#[test]
fn whoever_gets_the_same_addresses_chooses_the_same_one_whatever_their_order() {
    let chosen = |mode, answer: &[&str]| {
        let mut names = names(mode);
        answered(&mut names, 0, found(answer));
        addresses(&names, 0)
    };
    let answer = ["192.0.2.9", "192.0.2.10", "2001:db8::a", "2001:db8::9"];
    for turns in 0..answer.len() {
        let mut turned = answer;
        turned.rotate_left(turns);
        assert_eq!(chosen(DnsMode::First, &turned), "192.0.2.9");
        assert_eq!(chosen(DnsMode::Ipv6, &turned), "2001:db8::9");
        assert_eq!(chosen(DnsMode::Dual, &turned), "192.0.2.9 2001:db8::9");
    }
    assert_eq!(chosen(DnsMode::First, &["2001:db8::a", "2001:db8::9"]), "2001:db8::9");
}

#[test]
fn when_the_address_in_use_is_lost_the_lowest_of_the_others_follows() {
    let mut names = names(DnsMode::First);
    answered(&mut names, 0, found(&["192.0.2.41"]));
    answered(&mut names, 3, found(&["192.0.2.40", "192.0.2.41"]));
    assert_eq!(addresses(&names, 3), "192.0.2.41", "a lower one moves nothing");
    answered(&mut names, 6, found(&["2001:db8::1", "192.0.2.43", "192.0.2.42"]));
    assert_eq!(addresses(&names, 66), "192.0.2.42");
}

#[test]
fn a_resolver_that_rotates_its_answers_moves_nothing() {
    let mut names = names(DnsMode::First);
    answered(&mut names, 0, found(&["192.0.2.40", "192.0.2.41", "2001:db8::40"]));
    for round in 1..40 {
        let answer = if round % 2 == 0 {
            found(&["192.0.2.41", "2001:db8::40", "192.0.2.40"])
        } else {
            found(&["2001:db8::40", "192.0.2.40", "192.0.2.41"])
        };
        assert_eq!(answered(&mut names, 3 * round, answer), [""; 0]);
        assert_eq!(addresses(&names, 3 * round), "192.0.2.40");
    }
}

#[test]
fn an_address_that_was_replaced_is_kept_for_a_minute_beside_the_new_one() {
    let mut names = names(DnsMode::First);
    answered(&mut names, 0, found(&["192.0.2.40"]));
    let said = answered(&mut names, 3, found(&["192.0.2.41"]));
    let sentence = "the control plane's name api.example.com stands for 192.0.2.41; kept beside for 60 s: 192.0.2.40";
    assert_eq!(said, [sentence]);
    assert_eq!(addresses(&names, 3), "192.0.2.40 192.0.2.41");
    assert_eq!(names.wake(at(62)), [Output::LookUp(NAME.to_owned())]);
    assert_eq!(addresses(&names, 62), "192.0.2.40 192.0.2.41");
    assert_eq!(names.deadline(), Some(at(63)), "it is woken when the address goes");
    assert_eq!((names.wake(at(63)), names.deadline()), (vec![], None));
    assert_eq!(addresses(&names, 63), "192.0.2.41");
}

#[test]
fn an_address_that_comes_back_in_time_is_in_use_again_and_the_other_is_kept() {
    let mut names = names(DnsMode::First);
    answered(&mut names, 0, found(&["192.0.2.40"]));
    answered(&mut names, 10, found(&["192.0.2.41"]));
    answered(&mut names, 20, found(&["192.0.2.40"]));
    assert_eq!(addresses(&names, 79), "192.0.2.40 192.0.2.41");
    assert_eq!(addresses(&names, 80), "192.0.2.40");
}

#[test]
fn a_lookup_that_fails_changes_nothing_however_long_and_is_told_once() {
    let mut names = names(DnsMode::Dual);
    answered(&mut names, 0, found(&["192.0.2.40", "2001:db8::40"]));
    let said = answered(&mut names, 3, failed());
    let sentence = "the control plane's name api.example.com cannot be looked up: no such name; \
        what it stood for stays: 192.0.2.40, 2001:db8::40; it is looked up again every 3 s";
    assert_eq!(said, [sentence]);
    for round in 2..100 {
        let answer = if round % 2 == 0 { found(&[]) } else { failed() };
        assert_eq!(answered(&mut names, 3 * round, answer), [""; 0]);
        assert_eq!(addresses(&names, 3 * round), "192.0.2.40 2001:db8::40");
    }
    let again = answered(&mut names, 400, found(&["192.0.2.40", "2001:db8::40"]));
    let sentence = "the control plane's name api.example.com stands for 192.0.2.40, 2001:db8::40";
    assert_eq!(again, [sentence]);
}

#[test]
fn without_any_answer_there_is_nothing_to_announce_which_is_told_once_and_once_when_there_is() {
    let mut names = names(DnsMode::First);
    let sentence = "the control plane's name api.example.com cannot be looked up: no such name; \
        it has no address; it is looked up again every 3 s";
    assert_eq!(answered(&mut names, 0, failed()), [sentence]);
    assert_eq!(answered(&mut names, 3, failed()), [""; 0]);
    assert_eq!(addresses(&names, 3), "");
    let said = answered(&mut names, 6, found(&["192.0.2.40"]));
    assert_eq!(said, ["the control plane's name api.example.com stands for 192.0.2.40"]);
    assert_eq!(answered(&mut names, 9, found(&["192.0.2.40"])), [""; 0]);
}

#[test]
fn an_answer_with_an_address_that_nobody_can_answer_for_changes_nothing() {
    let mut names = names(DnsMode::First);
    answered(&mut names, 0, found(&["192.0.2.40"]));
    for (round, unusable) in ["127.0.1.1", "0.0.0.0", "::1", "::ffff:192.0.2.41"].iter().enumerate()
    {
        let seconds = 3 + 3 * u64::try_from(round).unwrap();
        let said = answered(&mut names, seconds, found(&["192.0.2.41", unusable]));
        if round == 0 {
            let sentence = "the control plane's name api.example.com has an answer that cannot be used, because \
                127.0.1.1 is a loopback address; what it stood for stays: 192.0.2.40; \
                it is looked up again every 3 s";
            assert_eq!(said, [sentence]);
        }
        assert_eq!(addresses(&names, seconds), "192.0.2.40", "{unusable}");
    }
    answered(&mut names, 30, found(&["192.0.2.41"]));
    assert_eq!(addresses(&names, 90), "192.0.2.41");
}

#[test]
fn what_is_of_a_family_that_nobody_asked_for_is_not_looked_at() {
    let mut names = names(DnsMode::Ipv4);
    assert_eq!(answered(&mut names, 0, found(&["::1", "192.0.2.40"])).len(), 1);
    assert_eq!(addresses(&names, 0), "192.0.2.40");
    let said = answered(&mut names, 3, found(&["2001:db8::40"])).remove(0);
    assert!(said.contains("has no IPv4 address, as dns_mode asks for"), "{said}");
    assert_eq!(addresses(&names, 100), "192.0.2.40");
}

#[test]
fn a_name_of_two_families_may_lose_one_and_get_it_back() {
    let mut names = names(DnsMode::Dual);
    answered(&mut names, 0, found(&["192.0.2.40"]));
    assert_eq!(addresses(&names, 0), "192.0.2.40");
    answered(&mut names, 3, found(&["192.0.2.40", "2001:db8::40"]));
    answered(&mut names, 6, found(&["192.0.2.40"]));
    assert_eq!(addresses(&names, 65), "192.0.2.40 2001:db8::40");
    assert_eq!(addresses(&names, 66), "192.0.2.40");
    names.wake(at(66));
    names.handle(at(66), Answer { name: NAME.to_owned(), found: found(&["2001:db8::41"]) });
    assert_eq!(addresses(&names, 66), "192.0.2.40 2001:db8::41");
}

#[test]
fn an_answer_about_a_name_that_nobody_wrote_is_nothing() {
    let mut names = names(DnsMode::First);
    let stray = Answer { name: "other.example".to_owned(), found: found(&["192.0.2.99"]) };
    assert_eq!(names.handle(at(0), stray), []);
    assert_eq!(addresses(&names, 0), "");
}

proptest! {
    /// Whatever is answered: an address is given up only for another one, and a minute after the last change only what is
    /// in use is left.
    #[test]
    fn once_there_was_an_address_there_always_is_one(
        answers in prop::collection::vec(prop::collection::vec(0_u8..8, 0..4), 1..60),
        mode in prop::sample::select(vec![DnsMode::First, DnsMode::Ipv4, DnsMode::Ipv6, DnsMode::Dual]),
    ) {
        let mut names = names(mode);
        let (mut now, mut had_one) = (0, false);
        for numbers in answers {
            let address = |n: &u8| match n {
                0..=2 => IpAddr::from([192, 0, 2, *n]),
                3..=5 => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(*n)]),
                6 => IpAddr::from([127, 0, 0, 1]),
                _ => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
            };
            let list: Vec<IpAddr> = numbers.iter().map(address).collect();
            let found = if list.is_empty() { failed() } else { Ok(list) };
            answered(&mut names, now, found);
            let addresses = names.addresses(at(now));
            prop_assert!(!had_one || !addresses.is_empty());
            had_one |= !addresses.is_empty();
            now += 3;
            prop_assert!(names.deadline().is_some_and(|due| due <= at(now)));
            names.wake(at(now - 1));
        }
        names.handle(at(now), Answer { name: NAME.to_owned(), found: failed() });
        prop_assert!(names.addresses(at(now + 60)).len() <= places(mode).len());
    }
}
