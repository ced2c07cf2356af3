use super::identities::Pace;
use super::source::Surroundings;
use super::*;
use crate::server_double::{Asked, ServerDouble, kubeconfig};
use hyper::Request;
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

mod files;
mod local;
mod reach;
mod refused;

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("kube-vip-api-client-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        // Whoever renews a file puts a new one in its place.
        fs::write(self.path("new"), text).unwrap();
        fs::rename(self.path("new"), self.path(name)).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    /// What a static pod of kubeadm says.
    fn kubeadm(&self) -> Kubeconfigs {
        Kubeconfigs { usual: vec![self.path("admin.conf")], ..Kubeconfigs::default() }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

const AN_HOUR: Duration = Duration::from_secs(3600);

/// Every request looks at the files; a refused identity is not tried again, and no identity takes too long.
const EAGER: Pace = Pace { look: Duration::ZERO, retry: AN_HOUR, patience: AN_HOUR };

fn connected(kubeconfigs: Kubeconfigs, pace: Pace) -> Connection {
    let identities = Identities::paced(kubeconfigs, Surroundings::default(), pace);
    connection(&Arc::new(identities), &ApiRequests::default())
}

/// What came of a request: nothing, or what is wrong.
async fn ask(client: &kube::Client) -> Result<(), String> {
    let request = Request::get("/version").body(Vec::new()).unwrap();
    client.request_text(request).await.map(drop).map_err(|error| explain(&error))
}

async fn server() -> ServerDouble {
    ServerDouble::start(|_| Some(200)).await
}

fn url(server: &ServerDouble) -> String {
    format!("http://{}", server.address)
}

/// The tokens of the requests that have arrived.
fn tokens(server: &mut ServerDouble) -> Vec<String> {
    server.all_asked().into_iter().map(|asked: Asked| asked.token).collect()
}
