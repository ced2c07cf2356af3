use super::*;

fn election(identity: &str) -> LeaseElection {
    LeaseElection::new(LeaseSettings {
        identity: identity.to_owned(),
        duration: Duration::from_secs(5),
        renew_deadline: Duration::from_secs(3),
        retry_period: Duration::from_secs(1),
    })
}

fn at(millis: u64) -> Time {
    Time::at(Duration::from_millis(millis))
}

fn version(number: u32) -> ResourceVersion {
    ResourceVersion(number.to_string())
}

fn held_by(holder: Option<&str>, number: u32) -> LeaseInput {
    LeaseInput::Read(LeaseRecord {
        holder: holder.map(str::to_owned),
        duration: Duration::from_secs(5),
        version: version(number),
        transitions: 1,
    })
}

fn leader() -> LeaseElection {
    let mut us = election("n1");
    assert_eq!(us.wake(at(0)), [LeaseOutput::Read]);
    assert_eq!(us.handle(at(10), LeaseInput::FoundAbsent), [LeaseOutput::Create]);
    assert_eq!(us.handle(at(20), LeaseInput::Written(version(1))), [LeaseOutput::Lead]);
    us
}

#[test]
fn creates_the_lease_and_leads_from_the_sending_not_from_the_answer() {
    let us = leader();
    assert_eq!(us.leading_until(), Some(at(3010)));
    assert!(us.leads(at(3009)) && !us.leads(at(3010)));
}

#[test]
fn waits_for_expiry_by_its_own_clock_and_wakes_at_that_moment() {
    let mut us = election("n1");
    us.wake(at(0));
    assert_eq!(us.handle(at(10), held_by(Some("n2"), 7)), []);
    let mut now = at(10);
    while let Some(next) = us.deadline().filter(|next| *next < at(5010)) {
        now = next;
        assert_eq!(us.wake(now), [LeaseOutput::Read]);
        assert_eq!(us.handle(now, held_by(Some("n2"), 7)), []);
    }
    assert_eq!(us.deadline(), Some(at(5010)), "the last wait, from {now:?}, ends at the expiry");
    assert_eq!(us.wake(at(5010)), [LeaseOutput::Read]);
    let taken =
        LeaseOutput::Replace { version: version(7), holder: LeaseHolder::Taken, transitions: 2 };
    assert_eq!(us.handle(at(5010), held_by(Some("n2"), 7)), [taken]);
}

#[test]
fn a_change_of_the_record_is_a_sign_of_life() {
    let mut us = election("n1");
    us.wake(at(0));
    us.handle(at(0), held_by(Some("n2"), 7));
    us.wake(at(4000));
    us.handle(at(4000), held_by(Some("n2"), 8));
    us.wake(at(6000));
    assert_eq!(us.handle(at(6000), held_by(Some("n2"), 8)), []);
}

#[test]
fn takes_a_released_lease_at_once() {
    let mut us = election("n1");
    us.wake(at(0));
    let taken =
        LeaseOutput::Replace { version: version(9), holder: LeaseHolder::Taken, transitions: 2 };
    assert_eq!(us.handle(at(1), held_by(None, 9)), [taken]);
}

#[test]
fn steps_down_at_the_renew_deadline_while_no_answer_comes() {
    let mut us = leader();
    let renewal = us.wake(at(1010));
    assert!(matches!(
        renewal.as_slice(),
        [LeaseOutput::Replace { holder: LeaseHolder::Renewed, .. }]
    ));
    assert_eq!(us.deadline(), Some(at(3010)));
    assert_eq!(us.wake(at(3010)), [LeaseOutput::StepDown]);
}

#[test]
fn a_paused_leader_steps_down_before_it_does_anything_else() {
    let mut us = leader();
    let outputs = us.wake(at(60_000));
    assert_eq!(outputs.first(), Some(&LeaseOutput::StepDown));
    assert!(!outputs.iter().any(|output| matches!(output, LeaseOutput::Replace { .. })));
}

#[test]
fn an_answer_that_comes_after_the_deadline_does_not_make_a_leader() {
    let mut us = election("n1");
    us.wake(at(0));
    us.handle(at(0), LeaseInput::FoundAbsent);
    let outputs = us.handle(at(5000), LeaseInput::Written(version(1)));
    assert!(!outputs.contains(&LeaseOutput::Lead));
}

#[test]
fn a_refused_write_is_followed_by_a_look() {
    let mut us = leader();
    us.wake(at(1010));
    assert_eq!(us.handle(at(1020), LeaseInput::Refused), [LeaseOutput::Read]);
    assert_eq!(us.handle(at(1030), held_by(Some("n2"), 5)), [LeaseOutput::StepDown]);
}

#[test]
fn a_lost_answer_to_an_accepted_renewal_costs_nothing() {
    let mut us = leader();
    us.wake(at(1010));
    assert_eq!(us.handle(at(1500), LeaseInput::Failed), []);
    let next = us.deadline().unwrap();
    assert_eq!(us.wake(next).len(), 1);
    assert_eq!(us.handle(next, LeaseInput::Refused), [LeaseOutput::Read]);
    assert_eq!(us.handle(next, held_by(Some("n1"), 2)).len(), 1);
    assert_eq!(us.handle(next, LeaseInput::Written(version(3))), []);
    assert!(us.leads(next));
}

#[test]
fn releases_on_leaving_so_that_nobody_waits() {
    let mut us = leader();
    let released =
        LeaseOutput::Replace { version: version(1), holder: LeaseHolder::Released, transitions: 0 };
    assert_eq!(us.handle(at(500), LeaseInput::ResignRequested), [LeaseOutput::StepDown, released]);
    assert_eq!(us.handle(at(510), LeaseInput::Written(version(2))), [LeaseOutput::Finish]);
}

#[test]
fn a_candidate_leaves_without_writing() {
    let mut us = election("n1");
    us.wake(at(0));
    us.handle(at(0), held_by(Some("n2"), 7));
    assert_eq!(us.handle(at(1), LeaseInput::ResignRequested), [LeaseOutput::Finish]);
}

/// An election that has just won the Lease which it read as `record`.
fn winner(record: LeaseInput, at_once: bool) -> LeaseElection {
    let mut us = election("n1");
    us.wake(at(0));
    us.handle(at(10), record.clone());
    if !at_once {
        us.wake(at(5010));
        us.handle(at(5010), record);
    }
    let now = if at_once { at(20) } else { at(5020) };
    assert_eq!(us.handle(now, LeaseInput::Written(version(8))), [LeaseOutput::Lead]);
    us
}

#[test]
fn knows_whether_the_one_before_let_go() {
    assert!(leader().after_release());
    assert!(winner(held_by(None, 7), true).after_release());
    assert!(!winner(held_by(Some("n2"), 7), false).after_release());
}

#[test]
fn one_that_could_not_renew_in_time_is_a_successor_of_itself() {
    let mut us = leader();
    assert_eq!(us.wake(at(1010)).len(), 1);
    us.handle(at(3500), LeaseInput::Failed);
    assert!(!us.leads(at(3500)));
    let next = us.deadline().unwrap();
    assert_eq!(us.wake(next), [LeaseOutput::Read]);
    us.handle(next, held_by(Some("n1"), 1));
    us.handle(next, LeaseInput::Written(version(2)));
    assert!(us.leads(next) && !us.after_release());
}

#[test]
fn one_whose_renewal_was_accepted_too_late_to_go_on_is_a_successor_of_itself() {
    let mut us = leader();
    assert_eq!(us.wake(at(1010)).len(), 1);
    assert_eq!(us.wake(at(3010)), [LeaseOutput::StepDown]);
    assert_eq!(us.handle(at(3020), LeaseInput::Written(version(2))), [LeaseOutput::Lead]);
    assert!(!us.after_release());
}
