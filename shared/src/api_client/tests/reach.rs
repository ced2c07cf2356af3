//! Which API server is asked.

use super::*;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};

/// A node of the control plane whose own API server is `local`, and whose kubeconfig names `own`.
pub(super) fn control_plane(folder: &Folder, local: SocketAddr, own: &str) -> Connection {
    folder.write("admin.conf", &kubeconfig(own, "admin"));
    let reach = Reach { local_port: Some(local.port()), address: None };
    connected(Kubeconfigs { reach, ..folder.kubeadm() }, EAGER)
}

#[tokio::test]
async fn the_api_server_of_this_host_comes_first_then_the_others_and_the_files_own_last() {
    let folder = Folder::new();
    let (mut local, mut other, mut own) = (server().await, server().await, server().await);
    let (address, others, own_url) = (local.address, vec![local.address, other.address], url(&own));
    // Nothing is kept from one to the next: each connects for itself.
    let fresh = || control_plane(&folder, address, &own_url);
    let knowing = || {
        let connection = fresh();
        connection.servers.as_ref().unwrap().remember(others.clone());
        connection.client
    };
    assert_eq!(ask(&knowing()).await, Ok(()));
    assert_eq!(local.all_asked().len(), 1);
    local.die().await;
    assert_eq!(ask(&fresh().client).await, Ok(()));
    assert_eq!(own.all_asked().len(), 1, "nobody else is known yet");
    let client = knowing();
    assert_eq!(ask(&client).await, Ok(()));
    assert_eq!(other.all_asked().len(), 1);
    let client = knowing();
    other.die().await;
    own.die().await;
    let why = ask(&client).await.unwrap_err();
    assert!(why.contains("no API server could be reached"), "{why}");
    assert!(why.contains(&address.to_string()) && why.contains(&own_url), "{why}");
}

#[tokio::test]
async fn an_address_that_was_given_overrides_everything() {
    let (folder, local, mut given) = (Folder::new(), server().await, server().await);
    folder.write("admin.conf", &kubeconfig("http://127.0.0.1:1", "admin"));
    let address = Some(url(&given).parse().unwrap());
    let reach = Reach { local_port: Some(local.address.port()), address };
    let connection = connected(Kubeconfigs { reach, ..folder.kubeadm() }, EAGER);
    assert_eq!(ask(&connection.client).await, Ok(()));
    assert_eq!(given.all_asked().len(), 1);
    assert!(connection.servers.is_none(), "nobody has a use for the others");
}

#[tokio::test]
async fn whoever_waits_for_a_local_server_that_is_found_to_hang_goes_elsewhere() {
    let folder = Folder::new();
    let (mut local, mut other) = (server().await, server().await);
    let Connection { client, servers, local: prober } =
        control_plane(&folder, local.address, "http://127.0.0.1:1");
    servers.unwrap().remember(vec![other.address]);
    let prober = prober.unwrap();
    assert_eq!(ask(&client).await, Ok(()));
    local.behave(|_| None);
    local.all_asked();
    let waiting = ask(&client);
    tokio::pin!(waiting);
    tokio::select! {
        biased;
        _ = &mut waiting => panic!("it hangs"),
        _ = local.asked() => prober.found(false),
    }
    assert!(waiting.await.is_err(), "the connection breaks");
    assert_eq!(ask(&client).await, Ok(()));
    assert_eq!(other.all_asked().len(), 1);
    assert_eq!(local.all_asked().len(), 0);
    local.behave(|_| Some(200));
    other.die().await;
    // The connection that was kept to the other is found broken, or known to be.
    drop(ask(&client).await);
    assert_eq!(ask(&client).await, Ok(()), "it is tried when nothing else is left");
    prober.found(true);
    assert_eq!(ask(&client).await, Ok(()), "what was found before breaks nothing that came later");
}

/// A server of TLS whose certificate is for the name `kubernetes`, made by the authority in `ca.pem`. It answers
/// everything with 200, until the test ends.
pub(super) fn tls_server() -> SocketAddr {
    drop(rustls::crypto::ring::default_provider().install_default());
    let certificate = CertificateDer::from_pem_slice(include_bytes!("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("server-key.pem")).unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = BufReader::new(StreamOwned::new(tls, stream.unwrap()));
            // Up to the empty line; clients that do not like the certificate leave before.
            let head = stream.by_ref().lines().map_while(Result::ok).find(String::is_empty);
            if head.is_some() {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
                drop(stream.get_mut().write_all(answer));
                drop(stream.get_mut().flush());
            }
        }
    });
    address
}

/// A kubeconfig that checks certificates.
pub(super) fn checked(own: &str) -> String {
    let authority = "certificate-authority: ca.pem, server:";
    kubeconfig(own, "admin").replace("server:", authority)
}

#[tokio::test]
async fn on_this_host_the_certificate_is_checked_for_the_name_that_every_api_server_has() {
    let (folder, local) = (Folder::new(), tls_server());
    folder.write("ca.pem", include_str!("ca.pem"));
    folder.write("admin.conf", &checked("https://127.0.0.1:1"));
    let reach = Reach { local_port: Some(local.port()), address: None };
    let connection = connected(Kubeconfigs { reach, ..folder.kubeadm() }, EAGER);
    assert_eq!(ask(&connection.client).await, Ok(()));
    assert_eq!(connection.local.unwrap().get("/readyz").await.unwrap(), 200);
    let elsewhere = format!("https://{local}");
    folder.write("admin.conf", &checked(&elsewhere));
    let connection = connected(folder.kubeadm(), EAGER);
    let why = ask(&connection.client).await.unwrap_err();
    assert!(why.contains("certificate"), "not for any name: {why}");
}

#[tokio::test]
async fn a_local_server_that_hangs_is_passed_over() {
    let (folder, other) = (Folder::new(), tls_server());
    // The kernel takes connections for it; nobody reads what is said on them.
    let hung = TcpListener::bind("127.0.0.1:0").unwrap();
    folder.write("ca.pem", include_str!("ca.pem"));
    folder.write("admin.conf", &checked("https://127.0.0.1:1"));
    let reach = Reach { local_port: Some(hung.local_addr().unwrap().port()), address: None };
    let connection = connected(Kubeconfigs { reach, ..folder.kubeadm() }, EAGER);
    connection.servers.unwrap().remember(vec![other]);
    assert_eq!(ask(&connection.client).await, Ok(()));
}
