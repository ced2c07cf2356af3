//! Whose identity it is to be: a pod's own, or a file's.

use super::kubeconfigs::Kubeconfigs;
use super::{ConnectError, SERVICE_ACCOUNT};
use std::fmt;
use std::path::{Path, PathBuf};

/// kubeadm's kubeconfig of the administrator, and the one of who may do everything from the first moment.
const ADMIN: &str = "admin.conf";
const SUPER_ADMIN: &str = "super-admin.conf";

/// Where an identity comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// The pod's service account; host and port of the API server's Service.
    Pod(String, String),
    /// A kubeconfig.
    File(PathBuf),
    /// A kubeconfig of the control plane, and the file beside it that takes its place while its identity is refused.
    Admin(PathBuf, PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pod(..) => f.write_str("the pod's service account"),
            Self::File(path) | Self::Admin(path, _) => path.display().fmt(f),
        }
    }
}

impl Source {
    /// What takes its place when its identity is refused, if that exists.
    pub(super) fn stand_in(&self) -> Option<Self> {
        let Self::Admin(_, stand_in) = self else { return None };
        stand_in.exists().then(|| Self::File(stand_in.clone()))
    }
}

/// What a process is told about its cluster by what starts it; it stays as it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Surroundings {
    /// `$KUBECONFIG`.
    pub(super) kubeconfig: Option<PathBuf>,
    /// Host and port of the API server's Service, as every container is told.
    pub(super) service: Option<(String, String)>,
}

impl Surroundings {
    /// Those of this process.
    pub(super) fn of_this_process() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let kubeconfig = std::env::var_os("KUBECONFIG").filter(|named| !named.is_empty());
        Self {
            kubeconfig: kubeconfig.map(PathBuf::from),
            service: variable("KUBERNETES_SERVICE_HOST").zip(variable("KUBERNETES_SERVICE_PORT")),
        }
    }

    /// The pod's own identity, where this is a pod that has one.
    fn pod(&self) -> Option<Source> {
        let (host, port) = self.service.clone()?;
        let has_token = Path::new(SERVICE_ACCOUNT).join("token").exists();
        has_token.then_some(Source::Pod(host, port))
    }
}

/// The file that was named, else the preferred one while it exists, else the pod's own identity, else `$KUBECONFIG`, else
/// the first usual file that exists. Only a preferred or a usual one has another to take its place: whoever names a file
/// has chosen with it how much this process may do.
///
/// # Errors
/// There is none of them.
pub(super) fn choose(
    kubeconfigs: &Kubeconfigs,
    around: &Surroundings,
) -> Result<Source, ConnectError> {
    let file = |path: &PathBuf| Source::File(path.clone());
    let pod = || around.pod().filter(|_| !kubeconfigs.outside);
    let preferred = || kubeconfigs.preferred.as_deref().and_then(there);
    let usual = || kubeconfigs.usual.iter().find_map(|path| there(path));
    let named = kubeconfigs.named.as_ref().map(file);
    named
        .or_else(preferred)
        .or_else(pod)
        .or_else(|| around.kubeconfig.as_ref().map(file))
        .or_else(usual)
        .ok_or_else(|| ConnectError::NoCluster(looked_for(kubeconfigs)))
}

/// The file, or what takes its place while it is missing.
fn there(path: &Path) -> Option<Source> {
    let stand_in = stand_in(path);
    if path.exists() {
        let path = path.to_owned();
        return Some(match stand_in {
            Some(stand_in) => Source::Admin(path, stand_in),
            None => Source::File(path),
        });
    }
    stand_in.filter(|path| path.exists()).map(Source::File)
}

fn stand_in(path: &Path) -> Option<PathBuf> {
    path.ends_with(ADMIN).then(|| path.with_file_name(SUPER_ADMIN))
}

fn looked_for(kubeconfigs: &Kubeconfigs) -> String {
    let files = kubeconfigs.preferred.iter().chain(&kubeconfigs.usual);
    let all = files.flat_map(|path| std::iter::once(path.clone()).chain(stand_in(path)));
    let names: Vec<_> = all.map(|path| path.display().to_string()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests;
