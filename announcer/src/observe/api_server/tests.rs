use super::*;
use shared::api_client::{Connection, Kubeconfigs, Reach, connect_when_possible, explain};
use shared::api_requests::ApiRequests;
use shared::server_double::{ServerDouble, kubeconfig};
use shared::task::Owned;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::time::timeout;

/// Longer than anything takes.
const LONG: Duration = Duration::from_secs(60);

/// A server of this host, and what is told about it.
struct Watched {
    server: ServerDouble,
    events_rx: mpsc::Receiver<Event>,
    file: PathBuf,
    client: kube::Client,
    _following: Owned<()>,
}

impl Watched {
    /// A healthy one.
    async fn healthy(name: &str) -> Self {
        let server = ServerDouble::start(|_| Some(200)).await;
        let file = std::env::temp_dir().join(format!("kube-vip-{}-{name}", std::process::id()));
        std::fs::write(&file, kubeconfig("http://192.0.2.1:6443", "token")).unwrap();
        let reach = Reach { local_port: Some(server.address.port()), address: None };
        let kubeconfigs = Kubeconfigs { named: Some(file.clone()), reach, ..Default::default() };
        let Connection { client, local, .. } =
            connect_when_possible(&kubeconfigs, &ApiRequests::default());
        let local = local.unwrap();
        let (events_tx, events_rx) = mpsc::channel(8);
        let _following = Owned::spawn(follow(local, Clock::start(), events_tx));
        let mut watched = Self { server, events_rx, file, client, _following };
        watched.until_it_serves(true).await;
        watched
    }

    /// The next thing that is told.
    async fn told(&mut self) -> Serving {
        let event = timeout(LONG, self.events_rx.recv()).await.expect("nothing is told");
        match event.expect("nobody asks any more") {
            Event::ApiServerSeen(serving) => serving,
            other => panic!("{other:?}"),
        }
    }

    /// The same, until it serves or does not, as asked for.
    async fn until_it_serves(&mut self, serves: bool) {
        while self.told().await.serves() != serves {}
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.file));
    }
}

#[tokio::test]
async fn a_server_that_serves_is_asked_again_and_again_on_one_connection() {
    let mut watched = Watched::healthy("kept").await;
    for _ in 0..5 {
        let asked = watched.server.asked().await;
        assert_eq!((asked.connection, asked.token.as_str()), (1, "token"));
        assert_eq!(asked.uri, "/readyz?exclude=etcd&exclude=etcd-readiness");
    }
    assert_eq!(watched.events_rx.try_recv(), Err(TryRecvError::Empty));
}

#[tokio::test]
async fn a_server_that_hangs_is_unhealthy_until_it_goes_on() {
    let mut watched = Watched::healthy("hangs").await;
    watched.server.behave(|_| None);
    watched.until_it_serves(false).await;
    watched.server.all_asked();
    for _ in 0..2 {
        watched.server.asked().await;
    }
    watched.server.behave(|_| Some(200));
    watched.until_it_serves(true).await;
}

#[tokio::test]
async fn a_server_that_dies_is_unhealthy_until_there_is_another() {
    let mut watched = Watched::healthy("dies").await;
    let address = watched.server.address;
    let elsewhere = ServerDouble::start(|_| Some(200)).await;
    std::mem::replace(&mut watched.server, elsewhere).die().await;
    watched.until_it_serves(false).await;
    watched.server = ServerDouble::start_at(address, |_| Some(500)).await;
    for _ in 0..2 {
        watched.server.asked().await;
    }
    assert_eq!(watched.events_rx.try_recv(), Err(TryRecvError::Empty), "it is not ready");
    watched.server.behave(|_| Some(200));
    watched.until_it_serves(true).await;
}

#[tokio::test]
async fn a_server_that_is_not_ready_is_unhealthy_and_one_that_refuses_us_is_not() {
    let mut watched = Watched::healthy("refuses").await;
    watched.server.behave(|_| Some(401));
    watched.server.all_asked();
    for _ in 0..5 {
        watched.server.asked().await;
    }
    assert_eq!(watched.events_rx.try_recv(), Err(TryRecvError::Empty));
    watched.server.behave(|_| Some(500));
    watched.until_it_serves(false).await;
}

#[tokio::test]
async fn who_is_paused_itself_does_not_take_that_for_silence() {
    let mut watched = Watched::healthy("stalls").await;
    for _ in 0..3 {
        watched.server.all_asked();
        watched.server.behave(|_| None);
        watched.server.asked().await;
        // Nothing else runs meanwhile: this is the pause. The answer is not taken in yet when it is over.
        std::thread::sleep(2 * SILENCE);
        watched.server.behave(|_| Some(200));
        // It was answered, or there would be no other.
        watched.server.asked().await;
    }
    assert_eq!(watched.events_rx.try_recv(), Err(TryRecvError::Empty));
}

#[tokio::test]
async fn whoever_waits_for_a_server_that_hangs_waits_no_longer_than_that_is_unknown() {
    let mut watched = Watched::healthy("breaks").await;
    watched.server.behave(|_| None);
    let error = watched.client.apiserver_version().await.unwrap_err();
    let sentence = explain(&error);
    assert!(sentence.contains("the API server of this host does not serve"), "{sentence}");
    watched.until_it_serves(false).await;
}
