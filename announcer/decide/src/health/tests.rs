use super::*;

const GOOD: Input = Input::Answered(Answer::Good);
const REFUSED: Input = Input::Answered(Answer::Refused);
const BAD: Input = Input::Answered(Answer::Bad);

/// A server that is asked, and the time.
#[derive(Default)]
struct Course {
    health: Health,
    now: Time,
}

impl Course {
    /// The next question is due, is asked, and comes to this after `after`; what is told.
    fn ask(&mut self, input: Input, after: Duration) -> Option<Serving> {
        self.now = self.now.max(self.health.deadline()?);
        let asked = self.health.wake(self.now);
        assert_eq!(asked.first(), Some(&Output::Ask));
        self.now = self.now + after;
        let answered = self.health.handle(self.now, input);
        told(&asked[1..]).or_else(|| told(&answered))
    }

    /// The same for each of `inputs`, answered at once.
    fn all(&mut self, inputs: &[Input]) -> Vec<Option<Serving>> {
        inputs.iter().map(|input| self.ask(*input, Duration::from_millis(1))).collect()
    }

    /// The next question is asked and not answered: what is done until it is given up, and how long after it was asked.
    fn silence(&mut self) -> Vec<(u128, Output)> {
        self.now = self.now.max(self.health.deadline().unwrap());
        let asked_at = self.now;
        assert_eq!(self.health.wake(self.now), [Output::Ask]);
        let mut done = Vec::new();
        while !done.contains(&(PATIENCE.as_millis(), Output::GiveUp)) {
            done.extend(self.older().map(|output| (self.now.since(asked_at).as_millis(), output)));
        }
        done
    }

    /// The open question gets a step older: what is done then.
    fn older(&mut self) -> impl Iterator<Item = Output> + use<> {
        self.now = self.health.deadline().unwrap();
        self.health.wake(self.now).into_iter()
    }
}

/// Falls silent, and answers well from then on: for how long it is late after it serves again.
fn late_for(course: &mut Course) -> Duration {
    course.now = course.now.max(course.health.deadline().unwrap());
    assert_eq!(course.health.wake(course.now).first(), Some(&Output::Ask));
    while !course.older().any(|output| output == Output::Tell(Serving::Silent)) {}
    assert_eq!(course.health.handle(course.now, GOOD), []);
    while course.ask(GOOD, Duration::ZERO) != Some(Serving::Late) {}
    let serves_at = course.now;
    while course.ask(GOOD, Duration::ZERO) != Some(Serving::Well) {}
    Duration::from_millis(u64::try_from(course.now.since(serves_at).as_millis()).unwrap())
}

fn told(outputs: &[Output]) -> Option<Serving> {
    match outputs {
        [] => None,
        [Output::Tell(serving)] => Some(*serving),
        other => panic!("{other:?}"),
    }
}

fn healthy() -> Course {
    let mut course = Course::default();
    assert_eq!(course.all(&[GOOD]), [Some(Serving::Well)]);
    course
}

#[test]
fn it_is_asked_every_200_ms_and_at_once_at_the_start() {
    let mut course = Course::default();
    let mut asked = Vec::new();
    for _ in 0..3 {
        course.all(&[GOOD]);
        asked.push(course.now.since_start().as_millis());
    }
    assert_eq!(asked, [1, 201, 401]);
}

#[test]
fn a_slow_answer_is_waited_for_and_the_next_question_follows_at_once() {
    let mut course = Course::default();
    course.ask(GOOD, Duration::from_millis(300));
    assert_eq!(course.health.wake(course.now), [Output::Ask]);
}

#[test]
fn the_first_good_answer_makes_it_healthy_however_long_it_took_to_come() {
    let mut course = Course::default();
    assert_eq!(course.all(&[Input::Failed, Input::Failed, BAD, Input::Failed]), [None; 4]);
    assert_eq!(course.all(&[GOOD, GOOD]), [Some(Serving::Well), None]);
}

#[test]
fn one_failure_says_nothing_and_two_in_a_row_say_it_once() {
    let mut course = healthy();
    assert_eq!(course.all(&[BAD, GOOD, Input::Failed, GOOD]), [None; 4]);
    assert_eq!(course.all(&[Input::Failed, BAD, BAD]), [None, Some(Serving::Down), None]);
}

#[test]
fn a_question_that_is_not_answered_makes_it_late_then_silent_then_down() {
    let mut course = healthy();
    let done = [
        (250, Output::Tell(Serving::Late)),
        (500, Output::Tell(Serving::Silent)),
        (2_000, Output::GiveUp),
        (2_000, Output::Tell(Serving::Down)),
    ];
    assert_eq!(course.silence(), done);
    assert_eq!(course.health.wake(course.now), [Output::Ask], "the next question does not wait");
    assert_eq!(course.health.handle(course.now, Input::Failed), []);
    assert_eq!(course.silence(), [(2_000, Output::GiveUp)]);
}

#[test]
fn an_answer_after_it_was_given_up_changes_nothing() {
    let mut course = healthy();
    course.silence();
    assert_eq!(course.health.handle(course.now, GOOD), []);
    assert_eq!(course.all(&[GOOD, GOOD]), [None; 2]);
}

#[test]
fn a_server_that_was_late_serves_well_after_five_seconds_without_that() {
    let mut course = healthy();
    assert_eq!(course.ask(GOOD, Duration::ZERO), None);
    course.now = course.health.deadline().unwrap();
    assert_eq!(course.health.wake(course.now), [Output::Ask]);
    assert_eq!(course.older().collect::<Vec<_>>(), [Output::Tell(Serving::Late)]);
    let late_at = course.now;
    assert_eq!(course.health.handle(course.now, GOOD), []);
    while course.ask(GOOD, Duration::ZERO) != Some(Serving::Well) {}
    assert_eq!(course.now.since(late_at).as_secs(), 5);
}

#[test]
fn a_server_whose_answers_all_take_longer_than_silence_is_silent_and_not_down() {
    let mut course = healthy();
    let mut told = Vec::new();
    for _ in 0..50 {
        course.now = course.now.max(course.health.deadline().unwrap());
        assert_eq!(course.health.wake(course.now), [Output::Ask]);
        let answered_at = course.now + Duration::from_millis(900);
        while course.health.deadline().is_some_and(|deadline| deadline < answered_at) {
            told.extend(course.older());
        }
        course.now = answered_at;
        told.extend(course.health.handle(course.now, GOOD));
    }
    assert_eq!(told, [Output::Tell(Serving::Late), Output::Tell(Serving::Silent)]);
}

#[test]
fn a_silent_server_that_dies_is_down_after_two_failures() {
    let mut course = healthy();
    course.now = course.health.deadline().unwrap();
    course.health.wake(course.now);
    assert_eq!(course.older().count() + course.older().count(), 2, "late, then silent");
    assert_eq!(course.health.handle(course.now, Input::Failed), []);
    assert_eq!(course.all(&[Input::Failed]), [Some(Serving::Down)]);
}

#[test]
fn who_was_unhealthy_needs_three_good_answers_in_a_row() {
    let mut course = healthy();
    course.all(&[BAD, BAD]);
    assert_eq!(course.all(&[GOOD, GOOD, BAD, GOOD, GOOD]), [None; 5]);
    assert_eq!(course.all(&[GOOD]), [Some(Serving::Well)]);
}

#[test]
fn a_server_that_fails_every_other_time_does_not_flap() {
    let mut course = healthy();
    course.all(&[BAD, BAD]);
    let answers: Vec<_> = [GOOD, GOOD, BAD].into_iter().cycle().take(300).collect();
    assert!(course.all(&answers).iter().all(Option::is_none));
}

#[test]
fn whoever_is_refused_still_sees_a_healthy_server() {
    let mut course = healthy();
    assert!(course.all(&[REFUSED; 100]).iter().all(Option::is_none));
    assert_eq!(course.all(&[BAD, REFUSED, BAD, BAD]), [None, None, None, Some(Serving::Down)]);
}

#[test]
fn a_server_that_refuses_is_healthy_only_after_the_time_that_it_needs_to_start() {
    let mut course = Course::default();
    let told = course.all(&[REFUSED; 30]);
    let at = told.iter().position(Option::is_some);
    assert_eq!((at, told.last()), (Some(25), Some(&None)), "refused for five seconds");
    let mut course = Course::default();
    let told = course.all(&[[REFUSED; 20], [BAD; 20], [REFUSED; 20]].concat());
    assert!(told.iter().all(Option::is_none), "not in one piece");
}

#[test]
fn who_falls_silent_again_and_again_is_late_for_longer_each_time_up_to_30_seconds() {
    let mut course = healthy();
    let seconds: Vec<_> = (0..9).map(|_| late_for(&mut course).as_secs_f32().round()).collect();
    assert_eq!(seconds, [4.0, 4.0, 4.0, 5.0, 10.0, 19.0, 30.0, 30.0, 30.0]);
}

#[test]
fn falls_are_forgotten_after_five_minutes_without_one() {
    let mut course = healthy();
    let first = late_for(&mut course);
    let fifth = (0..4).map(|_| late_for(&mut course)).last().unwrap();
    assert!(fifth > first, "{fifth:?}");
    course.now = course.now + Duration::from_secs(300);
    assert_eq!(late_for(&mut course), first);
}

#[test]
fn who_was_not_there_serves_well_as_soon_as_it_is_back() {
    let mut course = healthy();
    for _ in 0..9 {
        assert_eq!(course.all(&[Input::Failed, BAD]).last(), Some(&Some(Serving::Down)));
        assert_eq!(course.all(&[GOOD; 3]).last(), Some(&Some(Serving::Well)));
    }
}

#[test]
fn who_fell_often_is_still_silent_within_half_a_second() {
    let mut course = healthy();
    for _ in 0..6 {
        late_for(&mut course);
    }
    assert_eq!(course.silence().get(1), Some(&(500, Output::Tell(Serving::Silent))));
}

#[test]
fn who_was_away_itself_waits_for_the_answer_that_may_have_come_meanwhile() {
    let mut course = healthy();
    course.now = course.health.deadline().unwrap();
    assert_eq!(course.health.wake(course.now), [Output::Ask]);
    course.now = course.health.deadline().unwrap() + Duration::from_secs(5);
    assert_eq!(course.health.wake(course.now), []);
    assert_eq!(course.health.deadline(), Some(course.now + PERIOD));
    assert_eq!(course.health.handle(course.now, GOOD), []);
    assert_eq!(course.all(&[GOOD]), [None]);
}

#[test]
fn a_late_wake_up_excuses_silence_once_and_for_no_longer_than_it_was_late() {
    let mut course = healthy();
    course.now = course.health.deadline().unwrap();
    assert_eq!(course.health.wake(course.now), [Output::Ask]);
    let late = Duration::from_millis(3);
    course.now = course.health.deadline().unwrap() + late;
    assert_eq!(course.health.wake(course.now), []);
    assert_eq!(course.health.deadline(), Some(course.now + late));
    course.now = course.now + Duration::from_millis(100);
    assert_eq!(course.health.wake(course.now), [Output::Tell(Serving::Late)]);
}

#[test]
fn that_it_was_never_healthy_is_explained_once_after_half_a_minute() {
    let mut course = Course::default();
    let mut explained = Vec::new();
    for _ in 0..300 {
        course.now = course.now.max(course.health.deadline().unwrap());
        assert_eq!(course.health.wake(course.now), [Output::Ask]);
        let outputs = course.health.handle(course.now, Input::Failed);
        if !outputs.is_empty() {
            explained.push((course.now.since_start().as_secs(), outputs));
        }
    }
    assert_eq!(explained, [(30, vec![Output::Explain])]);
    assert_eq!(course.silence(), [(2_000, Output::GiveUp)]);
    assert_eq!(course.all(&[GOOD]), [Some(Serving::Late)]);
}

#[test]
fn who_says_nothing_for_half_a_minute_is_explained_too() {
    let mut course = Course::default();
    let done = (0..20).flat_map(|_| course.silence()).map(|(_, output)| output);
    let other: Vec<_> = done.filter(|it| *it != Output::GiveUp).collect();
    assert_eq!(other, [Output::Explain]);
}

#[test]
fn a_server_that_was_healthy_once_is_not_explained() {
    let mut course = healthy();
    let told = course.all(&[Input::Failed; 300]);
    assert_eq!(told.iter().flatten().count(), 1);
}
