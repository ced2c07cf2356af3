//! Identities that the API server does not take.

use super::*;

/// Both files of kubeadm, for one server.
fn both(folder: &Folder, server: &ServerDouble) {
    folder.write("admin.conf", &kubeconfig(&url(server), "admin"));
    folder.write("super-admin.conf", &kubeconfig(&url(server), "super"));
}

/// Whoever has this token gets `status`, everybody else is served.
fn refuse(token: &'static str, status: u16) -> impl Fn(&Asked) -> Option<u16> + Send + Sync {
    move |asked| Some(if asked.token == token { status } else { 200 })
}

#[tokio::test]
async fn super_admin_takes_the_place_of_an_admin_that_is_missing() {
    let (folder, mut server) = (Folder::new(), server().await);
    let client = connected(folder.kubeadm(), EAGER).client;
    folder.write("super-admin.conf", &kubeconfig(&url(&server), "super"));
    assert_eq!(ask(&client).await, Ok(()));
    folder.write("admin.conf", &kubeconfig(&url(&server), "admin"));
    assert_eq!(ask(&client).await, Ok(()));
    assert_eq!(tokens(&mut server), ["super", "admin"]);
}

#[tokio::test]
async fn super_admin_takes_the_place_of_an_admin_that_is_refused_and_no_request_is_lost() {
    for status in [401, 403] {
        let (folder, mut server) = (Folder::new(), server().await);
        both(&folder, &server);
        server.behave(refuse("admin", status));
        let client = connected(folder.kubeadm(), EAGER).client;
        assert_eq!(ask(&client).await, Ok(()));
        assert_eq!(ask(&client).await, Ok(()));
        assert_eq!(tokens(&mut server), ["admin", "super", "super"], "{status}");
    }
}

#[tokio::test]
async fn what_was_sent_goes_out_again_as_it_was() {
    let (folder, mut server) = (Folder::new(), server().await);
    both(&folder, &server);
    server.behave(refuse("admin", 401));
    let client = connected(folder.kubeadm(), EAGER).client;
    post(&client).await.unwrap();
    let uris: Vec<_> = server.all_asked().into_iter().map(|asked| asked.uri).collect();
    assert_eq!(uris, ["/api/v1/events?x=1", "/api/v1/events?x=1"]);
}

async fn post(client: &kube::Client) -> Result<String, kube::Error> {
    let request = Request::post("/api/v1/events?x=1").body(b"{}".to_vec()).unwrap();
    client.request_text(request).await
}

#[tokio::test]
async fn something_to_write_that_is_forbidden_is_not_written_with_more_rights() {
    let (folder, mut server) = (Folder::new(), server().await);
    both(&folder, &server);
    server.behave(refuse("admin", 403));
    let client = connected(folder.kubeadm(), Pace { retry: Duration::ZERO, ..EAGER }).client;
    post(&client).await.unwrap_err();
    assert_eq!(tokens(&mut server), ["admin"]);
    // Who may not even ask has no rights at all.
    assert_eq!(ask(&client).await, Ok(()));
    post(&client).await.unwrap();
    assert_eq!(tokens(&mut server), ["admin", "super", "admin", "super"]);
}

#[tokio::test]
async fn nothing_takes_the_place_of_a_file_that_was_named() {
    let (folder, mut server) = (Folder::new(), server().await);
    both(&folder, &server);
    server.behave(refuse("admin", 403));
    let file = folder.path("admin.conf");
    let named = Kubeconfigs { named: Some(file.clone()), ..Kubeconfigs::default() };
    let around = Surroundings { kubeconfig: Some(file), service: None };
    for identities in [
        Identities::paced(named, Surroundings::default(), EAGER),
        Identities::paced(Kubeconfigs::default(), around, EAGER),
    ] {
        let client = connection(&Arc::new(identities), &ApiRequests::default()).client;
        ask(&client).await.unwrap_err();
        assert_eq!(tokens(&mut server), ["admin"]);
        folder.remove("admin.conf");
        ask(&client).await.unwrap_err();
        assert_eq!(tokens(&mut server), [""; 0]);
        folder.write("admin.conf", &kubeconfig(&url(&server), "admin"));
    }
}

#[tokio::test]
async fn super_admin_takes_the_place_of_a_preferred_admin_too() {
    let (folder, mut server) = (Folder::new(), server().await);
    both(&folder, &server);
    server.behave(refuse("admin", 403));
    let preferred = Some(folder.path("admin.conf"));
    let client = connected(Kubeconfigs { preferred, ..Kubeconfigs::default() }, EAGER).client;
    assert_eq!(ask(&client).await, Ok(()));
    assert_eq!(tokens(&mut server), ["admin", "super"]);
}

#[tokio::test]
async fn the_admin_is_tried_again_and_kept_as_soon_as_it_works() {
    let (folder, mut server) = (Folder::new(), server().await);
    both(&folder, &server);
    server.behave(refuse("admin", 403));
    let client = connected(folder.kubeadm(), Pace { retry: Duration::ZERO, ..EAGER }).client;
    assert_eq!(ask(&client).await, Ok(()));
    assert_eq!(ask(&client).await, Ok(()));
    assert_eq!(tokens(&mut server), ["admin", "super", "admin", "super"]);
    server.behave(|_| Some(200));
    assert_eq!(ask(&client).await, Ok(()));
    server.behave(refuse("super", 403));
    assert_eq!(ask(&client).await, Ok(()));
    assert_eq!(tokens(&mut server), ["admin", "admin"]);
}

#[tokio::test]
async fn a_renewed_admin_is_tried_at_once() {
    let (folder, mut server) = (Folder::new(), server().await);
    both(&folder, &server);
    server.behave(refuse("admin", 401));
    let client = connected(folder.kubeadm(), EAGER).client;
    assert_eq!(ask(&client).await, Ok(()));
    folder.write("admin.conf", &kubeconfig(&url(&server), "renewed"));
    assert_eq!(ask(&client).await, Ok(()));
    assert_eq!(tokens(&mut server), ["admin", "super", "renewed"]);
}

#[tokio::test]
async fn a_refusal_that_everybody_gets_is_handed_on() {
    let (folder, mut server) = (Folder::new(), server().await);
    both(&folder, &server);
    server.behave(|_| Some(403));
    let client = connected(folder.kubeadm(), EAGER).client;
    let request = Request::get("/version").body(Vec::new()).unwrap();
    let error = client.request_text(request).await.unwrap_err();
    assert!(matches!(error, kube::Error::Api(status) if status.code == 403));
    server.behave(|_| Some(200));
    assert_eq!(ask(&client).await, Ok(()));
    assert_eq!(tokens(&mut server), ["admin", "super", "admin"]);
}

#[tokio::test]
async fn an_identity_that_the_server_does_not_know_is_read_again() {
    let (folder, mut server) = (Folder::new(), server().await);
    folder.write("token", "old");
    let text = kubeconfig(&url(&server), "").replace("token: \"\"", "tokenFile: token");
    folder.write("admin.conf", &text);
    let client = connected(folder.kubeadm(), EAGER).client;
    assert_eq!(ask(&client).await, Ok(()));
    folder.write("token", "new");
    server.behave(refuse("old", 401));
    ask(&client).await.unwrap_err();
    assert_eq!(ask(&client).await, Ok(()));
    assert_eq!(tokens(&mut server), ["old", "old", "new"]);
}
