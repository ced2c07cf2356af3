//! Files that come, change and go.

use super::*;

#[tokio::test]
async fn a_client_is_there_before_the_cluster_and_outlives_it() {
    let (folder, mut server) = (Folder::new(), server().await);
    let client = connected(folder.kubeadm(), EAGER).client;
    let why = ask(&client).await.unwrap_err();
    for name in ["admin.conf", "super-admin.conf"] {
        let path = folder.path(name).display().to_string();
        assert!(why.contains(&path), "{why}");
    }
    folder.write("admin.conf", &kubeconfig(&url(&server), "first"));
    assert_eq!(ask(&client).await, Ok(()));
    folder.write("admin.conf", &kubeconfig(&url(&server), "renewed"));
    assert_eq!(ask(&client).await, Ok(()));
    assert_eq!(tokens(&mut server), ["first", "renewed"]);
    folder.remove("admin.conf");
    assert!(ask(&client).await.unwrap_err().contains("no cluster found"));
}

#[tokio::test]
async fn who_needs_a_cluster_is_told_at_the_start_that_there_is_none() {
    let folder = Folder::new();
    let named = Kubeconfigs { named: Some(folder.path("none.conf")), ..folder.kubeadm() };
    let error = connect(&named, &ApiRequests::default()).await.map(drop).unwrap_err();
    let sentence = error.to_string();
    assert!(sentence.contains("cannot use kubeconfig"), "{sentence}");
    assert!(sentence.contains("none.conf"), "{sentence}");
}

#[tokio::test]
async fn files_are_not_looked_at_for_every_request() {
    let (folder, mut server) = (Folder::new(), server().await);
    let seldom = Pace { look: Duration::from_secs(3600), ..EAGER };
    let client = connected(folder.kubeadm(), seldom).client;
    folder.write("admin.conf", &kubeconfig(&url(&server), "first"));
    assert_eq!(ask(&client).await, Ok(()));
    folder.write("admin.conf", &kubeconfig(&url(&server), "renewed"));
    assert_eq!(ask(&client).await, Ok(()));
    let asked = server.all_asked();
    let seen: Vec<_> = asked.iter().map(|it| (it.connection, it.token.as_str())).collect();
    assert_eq!(seen, [(1, "first"), (1, "first")], "one connection, kept");
}

#[tokio::test]
async fn a_certificate_that_a_kubeconfig_names_is_looked_at_too() {
    let (folder, mut server) = (Folder::new(), server().await);
    let authority = include_str!("ca.pem");
    let text =
        kubeconfig(&url(&server), "t").replace("server:", "certificate-authority: ca.pem, server:");
    folder.write("ca.pem", authority);
    folder.write("admin.conf", &text);
    let client = connected(folder.kubeadm(), EAGER).client;
    let mut connections = Vec::new();
    for text in [None, Some(format!("{authority}\n")), None] {
        if let Some(text) = text {
            folder.write("ca.pem", &text);
        }
        assert_eq!(ask(&client).await, Ok(()));
        connections.push(server.asked().await.connection);
    }
    assert_eq!(connections, [1, 2, 2]);
}

#[tokio::test]
async fn the_preferred_file_comes_first_while_it_exists() {
    let (folder, mut server) = (Folder::new(), server().await);
    let preferred = Some(folder.path("kube-vip.conf"));
    let client = connected(Kubeconfigs { preferred, ..folder.kubeadm() }, EAGER).client;
    folder.write("admin.conf", &kubeconfig(&url(&server), "admin"));
    assert_eq!(ask(&client).await, Ok(()));
    folder.write("kube-vip.conf", &kubeconfig(&url(&server), "preferred"));
    assert_eq!(ask(&client).await, Ok(()));
    folder.remove("kube-vip.conf");
    assert_eq!(ask(&client).await, Ok(()));
    assert_eq!(tokens(&mut server), ["admin", "preferred", "admin"]);
}

#[tokio::test]
async fn a_file_that_is_no_kubeconfig_is_named_and_not_shown() {
    let folder = Folder::new();
    let client = connected(folder.kubeadm(), EAGER).client;
    let broken = [
        "users:\n- name: u\n  user:\n    token: [sesame\n",
        "users: sesame\n",
        "users:\n- name: u\n  user: sesame\n",
        "users:\n- {name: u, user: {client-key-data: sesame!}}\ncurrent-context: x\n\
         clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n\
         contexts: [{name: x, context: {cluster: c, user: u}}]\n",
    ];
    for text in broken {
        folder.write("admin.conf", text);
        let why = ask(&client).await.unwrap_err();
        assert!(why.contains("admin.conf"), "{why}");
        assert!(!why.contains("sesame"), "{why}");
    }
}
