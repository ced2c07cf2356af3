use super::ask::{AskError, ask};
use super::*;
use crate::task::Owned;

/// A page that answers so, and where it is.
async fn page_with(answers: Answers) -> (SocketAddr, Owned<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (address, Owned::spawn(serve_on(listener, Arc::default(), answers)))
}

fn well() -> Answers {
    Answers::ready_while(watch::channel(true).1)
}

fn refused(answer: Result<String, AskError>) -> (StatusCode, String) {
    match answer {
        Err(AskError::Refused { status, why, .. }) => (status, why),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_known_is_asked_for_when_somebody_wants_to_know() {
    let status: Knowledge = Arc::new(|| Box::pin(async { Ok("{}".to_owned()) }));
    let (address, _page) = page_with(Answers { status: Some(status), ..well() }).await;
    assert_eq!(ask(address, "/status").await.unwrap(), "{}");
}

#[tokio::test]
async fn what_cannot_be_said_now_is_a_sentence() {
    let status: Knowledge = Arc::new(|| Box::pin(async { Err("asleep".to_owned()) }));
    let (address, _page) = page_with(Answers { status: Some(status), ..well() }).await;
    let (status, why) = refused(ask(address, "/status").await);
    assert_eq!((status, why.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "asleep"));
}

#[tokio::test]
async fn a_process_that_knows_nothing_has_no_such_page() {
    let (address, _page) = page_with(well()).await;
    assert_eq!(refused(ask(address, "/status").await).0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn probes_fail_with_the_reason() {
    let live: Question = Arc::new(|| Err("stuck".to_owned()));
    let (address, _page) = page_with(Answers { live, ..well() }).await;
    assert_eq!(ask(address, "/readyz").await.unwrap(), "ok\n");
    for path in ["/livez", "/healthz"] {
        let (status, why) = refused(ask(address, path).await);
        assert_eq!((status, why.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "stuck"));
    }
}

#[tokio::test]
async fn an_unspecified_address_is_this_host() {
    let (address, _page) = page_with(well()).await;
    let everywhere = SocketAddr::new(std::net::Ipv6Addr::UNSPECIFIED.into(), address.port());
    assert_eq!(ask(everywhere, "/livez").await.unwrap(), "ok\n");
}

#[tokio::test]
async fn where_nobody_listens_the_sentence_says_where_it_was_asked() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = ask(address, "/status").await.unwrap_err();
    assert!(matches!(error, AskError::NobodyThere { .. }), "{error:?}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[tokio::test]
async fn somebody_who_speaks_otherwise_is_not_taken_for_the_program() {
    use tokio::io::AsyncWriteExt;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let _other = Owned::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.unwrap();
    });
    let error = ask(address, "/status").await.unwrap_err();
    assert!(matches!(error, AskError::NotUnderstood { .. }), "{error:?}");
}
