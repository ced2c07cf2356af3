use super::*;
use crate::api_double::{ApiDouble, connect};
use crate::events::EventMetrics;
use crate::task::Owned;
use std::time::Duration;

fn key(name: &str) -> ServiceKey {
    ServiceKey::new("shop", name)
}

fn notice(name: &str, message: &str) -> Notice {
    Notice {
        service: key(name),
        uid: "u".to_owned(),
        severity: Severity::Warning,
        reason: "Exhausted".to_owned(),
        message: message.to_owned(),
    }
}

fn stage() -> (Notices, ApiDouble, Owned<()>) {
    let (client, server) = connect();
    let (recorder, post) = Recorder::new(client, "kube-vip", "n1", EventMetrics::default());
    (Notices::new(recorder), server, Owned::spawn(post))
}

/// Everything that is told until nothing has come for a second, in order.
async fn told(server: &mut ApiDouble) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let Some(request) = server.arrived() else { return told };
        let (name, message) = (&request.body["involvedObject"]["name"], &request.body["message"]);
        told.push(format!("{} {}", name.as_str().unwrap(), message.as_str().unwrap()));
        request.accept();
    }
}

#[tokio::test(start_paused = true)]
async fn what_lasts_is_told_once_and_what_comes_back_is_told_again() {
    let (mut notices, mut server, _post) = stage();
    let told_now = [
        notices.tell(&key("web"), Some(notice("web", "full"))),
        notices.tell(&key("web"), Some(notice("web", "full"))),
    ];
    assert_eq!(told_now, [true, false]);
    assert_eq!(told(&mut server).await, ["web full"]);
    assert!(notices.tell(&key("web"), Some(notice("web", "fuller"))));
    assert_eq!(told(&mut server).await, ["web fuller"]);
    assert!(!notices.tell(&key("web"), None));
    assert!(notices.tell(&key("web"), Some(notice("web", "fuller"))));
    assert_eq!(told(&mut server).await, ["web fuller"]);
}

#[tokio::test(start_paused = true)]
async fn a_whole_set_tells_what_is_new_in_it_and_forgets_what_is_not() {
    let (mut notices, mut server, _post) = stage();
    let set = |names: &[&str]| {
        names.iter().map(|name| (key(name), notice(name, "full"))).collect::<BTreeMap<_, _>>()
    };
    notices.tell_all(set(&["a", "b"]));
    assert_eq!(told(&mut server).await, ["a full", "b full"]);
    notices.tell_all(set(&["b", "c"]));
    assert_eq!(told(&mut server).await, ["c full"]);
    notices.tell_all(set(&["a", "b"]));
    assert_eq!(told(&mut server).await, ["a full"]);
}
