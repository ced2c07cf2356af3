//! The API server of this host, as it is asked whether it serves.

use super::reach::{checked, control_plane, tls_server};
use super::*;

/// What asks it, with the identity in `folder`.
fn prober(folder: &Folder, port: u16) -> LocalServer {
    let reach = Reach { local_port: Some(port), address: None };
    connected(Kubeconfigs { reach, ..folder.kubeadm() }, EAGER).local.unwrap()
}

#[tokio::test]
async fn the_local_server_is_asked_on_a_connection_of_its_own_and_nobody_else_is() {
    let (folder, mut local, own) = (Folder::new(), server().await, server().await);
    let connection = control_plane(&folder, local.address, &url(&own));
    let prober = connection.local.unwrap();
    assert_eq!(prober.get("/readyz").await.unwrap(), 200);
    assert_eq!(ask(&connection.client).await, Ok(()));
    assert_eq!(prober.get("/readyz").await.unwrap(), 200);
    let connections: Vec<_> = local.all_asked().into_iter().map(|it| it.connection).collect();
    assert_eq!(connections, [1, 2, 1]);
    let address = local.address.to_string();
    local.die().await;
    // The connection that was kept may be found broken, or be known to be.
    prober.get("/readyz").await.unwrap_err();
    let why = prober.get("/readyz").await.unwrap_err().to_string();
    assert!(why.contains(&address), "{why}");
}

#[tokio::test]
async fn without_an_identity_it_is_asked_as_nobody_whatever_its_certificate_is() {
    let folder = Folder::new();
    let prober = prober(&folder, tls_server().port());
    assert_eq!(prober.get("/readyz").await.unwrap(), 200);
    folder.write("ca.pem", include_str!("ca.pem"));
    folder.write("admin.conf", &checked("https://127.0.0.1:1"));
    assert_eq!(prober.get("/readyz").await.unwrap(), 200);
}

#[tokio::test]
async fn an_identity_that_cannot_be_read_any_more_is_still_asked_with() {
    let (folder, mut server) = (Folder::new(), server().await);
    let prober = prober(&folder, server.address.port());
    folder.write("admin.conf", &kubeconfig("http://192.0.2.1", "first"));
    assert_eq!(prober.get("/readyz").await.unwrap(), 200);
    folder.write("admin.conf", "no kubeconfig");
    assert_eq!(prober.get("/readyz").await.unwrap(), 200);
    folder.remove("admin.conf");
    assert_eq!(prober.get("/readyz").await.unwrap(), 200);
    folder.write("admin.conf", &kubeconfig("http://192.0.2.1", "renewed"));
    assert_eq!(prober.get("/readyz").await.unwrap(), 200);
    let seen = server.all_asked().into_iter().map(|it| (it.connection, it.token));
    let expected = [(1, "first"), (1, "first"), (1, "first"), (2, "renewed")];
    assert_eq!(seen.collect::<Vec<_>>(), expected.map(|(on, token)| (on, token.to_owned())));
}

#[tokio::test]
async fn an_identity_that_gets_no_answer_does_not_replace_one_that_did() {
    let folder = Folder::new();
    let prober = prober(&folder, tls_server().port());
    folder.write("ca.pem", include_str!("ca.pem"));
    folder.write("admin.conf", &checked("https://127.0.0.1:1"));
    assert_eq!(prober.get("/readyz").await.unwrap(), 200);
    let other = include_str!("server.pem");
    folder.write("other.pem", other);
    let stranger = checked("https://127.0.0.1:1").replace("ca.pem", "other.pem");
    folder.write("admin.conf", &stranger);
    assert_eq!(prober.get("/readyz").await.unwrap(), 200);
}

#[tokio::test]
async fn a_program_that_makes_no_identity_in_time_keeps_nobody_waiting() {
    for answered_before in [false, true] {
        let (folder, server) = (Folder::new(), tls_server());
        let reach = Reach { local_port: Some(server.port()), address: None };
        let hasty = Pace { patience: Duration::from_millis(100), ..EAGER };
        let connection = connected(Kubeconfigs { reach, ..folder.kubeadm() }, hasty);
        let prober = connection.local.unwrap();
        if answered_before {
            folder.write("ca.pem", include_str!("ca.pem"));
            folder.write("admin.conf", &checked("https://127.0.0.1:1"));
            assert_eq!(prober.get("/readyz").await.unwrap(), 200);
        }
        folder.write("admin.conf", &hanging(&folder));
        let answers = async {
            for _ in 0..3 {
                assert_eq!(prober.get("/readyz").await.unwrap(), 200);
            }
        };
        tokio::select! {
            biased;
            // The first one begins to read the identity.
            _ = ask(&connection.client) => panic!("the program has ended"),
            () = answers => {}
        }
    }
}

/// A kubeconfig with a program that runs until `folder` is gone.
fn hanging(folder: &Folder) -> String {
    folder.write("running", "");
    let wait = format!("while test -e {}; do sleep 0.1; done", folder.path("running").display());
    let program = format!(
        "exec: {{apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, \
         command: sh, args: [-c, \"{wait}\"]}}"
    );
    kubeconfig("http://192.0.2.1", "t").replace("token: \"t\"", &program)
}
