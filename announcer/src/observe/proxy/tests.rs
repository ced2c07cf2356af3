use super::*;
use shared::server_double::ServerDouble;
use shared::task::Owned;
use tokio::sync::mpsc::error::TryRecvError;

/// Longer than anything takes.
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(5);

/// A proxy of this host, and what is told about it.
struct Watched {
    server: ServerDouble,
    events_rx: mpsc::Receiver<Event>,
    _following: Owned<()>,
}

impl Watched {
    async fn answering(status: u16) -> Self {
        let server = ServerDouble::start(move |_| Some(status)).await;
        let (events_tx, events_rx) = mpsc::channel(8);
        let _following = Owned::spawn(follow(server.address, SHORT, events_tx));
        Self { server, events_rx, _following }
    }

    /// Waits until it was asked `times` times more, and something has come of all but the last.
    async fn asked(&mut self, times: usize) {
        self.server.all_asked();
        for _ in 0..times {
            assert_eq!(self.server.asked().await.uri, "/healthz");
        }
    }

    /// The next thing that is told.
    async fn told(&mut self) -> bool {
        let event = timeout(LONG, self.events_rx.recv()).await.expect("nothing is told");
        match event.expect("nobody asks any more") {
            Event::ProxySeen(works) => works,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_proxy_that_worked_and_is_ill_has_failed_until_it_is_well() {
    let mut watched = Watched::answering(200).await;
    assert!(watched.told().await);
    watched.server.behave(|_| Some(503));
    assert!(!watched.told().await);
    watched.server.behave(|_| Some(200));
    assert!(watched.told().await);
    watched.asked(10).await;
    assert_eq!(watched.events_rx.try_recv(), Err(TryRecvError::Empty));
}

#[tokio::test]
async fn a_proxy_that_hangs_or_dies_has_failed() {
    let mut watched = Watched::answering(200).await;
    assert!(watched.told().await);
    watched.server.behave(|_| None);
    assert!(!watched.told().await, "it hangs");
    watched.server.behave(|_| Some(200));
    assert!(watched.told().await);
    let elsewhere = ServerDouble::start(|_| Some(200)).await;
    std::mem::replace(&mut watched.server, elsewhere).die().await;
    assert!(!watched.told().await, "it is dead");
}

#[tokio::test]
async fn one_that_never_worked_does_not_fail() {
    let mut watched = Watched::answering(503).await;
    watched.asked(10).await;
    assert_eq!(watched.events_rx.try_recv(), Err(TryRecvError::Empty));
    watched.server.behave(|_| Some(200));
    assert!(watched.told().await);
}
