//! The identity to use now: read when it is needed, read again when its files have changed, passed over while refused.

use super::ConnectError;
use super::identity::Identity;
use super::kubeconfigs::Kubeconfigs;
use super::serving::Serving;
use super::source::{Source, Surroundings, choose};
use crate::api_servers::ApiServers;
use hyper::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

/// Longest wait for an identity to be read: a kubeconfig may name a program that makes one.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// How often things are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Files are looked at when this has passed since the last look.
    pub(super) look: Duration,
    /// A refused identity is tried again when this has passed since the last try.
    pub(super) retry: Duration,
    /// An identity is waited for no longer than this where there is another: a program that makes it may hang.
    pub(super) patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            look: Duration::from_secs(1),
            retry: Duration::from_secs(10),
            patience: Duration::from_millis(100),
        }
    }
}

/// Why there is no connection, for every request that would have needed it.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub(super) struct Away(Arc<ConnectError>);

/// All identities that there may be.
pub(super) struct Identities {
    kubeconfigs: Kubeconfigs,
    around: Surroundings,
    pace: Pace,
    servers: ApiServers,
    /// Whether the API server of this host serves.
    pub(super) serving: Serving,
    state: Mutex<State>,
}

/// What is known of them now.
#[derive(Default)]
struct State {
    looked_at: Option<Instant>,
    chosen: Option<Result<Arc<Identity>, Away>>,
    /// In use while the chosen one is refused.
    stand_in: Option<StandIn>,
    /// The last sentence about what is chosen, so that it is said once.
    told: String,
}

struct StandIn {
    identity: Arc<Identity>,
    /// When the chosen one was tried last.
    tried_at: Instant,
}

/// One request's turn.
pub(super) struct Turn {
    pub(super) identity: Arc<Identity>,
    /// Whether this request finds out if the identity is still refused.
    pub(super) on_trial: bool,
}

impl Identities {
    pub(super) fn new(kubeconfigs: Kubeconfigs) -> Self {
        Self::paced(kubeconfigs, Surroundings::of_this_process(), Pace::default())
    }

    pub(super) fn paced(kubeconfigs: Kubeconfigs, around: Surroundings, pace: Pace) -> Self {
        let (servers, state) = (ApiServers::default(), Mutex::default());
        Self { kubeconfigs, around, pace, servers, serving: Serving::default(), state }
    }

    /// Where other servers may be remembered, if connections may ever go there.
    pub(super) fn servers(&self) -> Option<ApiServers> {
        let in_pod = matches!(choose(&self.kubeconfigs, &self.around), Ok(Source::Pod(..)));
        let used = in_pod || self.kubeconfigs.reach.local_port.is_some();
        (used && self.kubeconfigs.reach.address.is_none()).then(|| self.servers.clone())
    }

    /// The port of the API server of this host, where there is to be one.
    pub(super) const fn local_port(&self) -> Option<u16> {
        self.kubeconfigs.reach.local_port
    }

    /// Reads the first identity.
    ///
    /// # Errors
    /// There is none, or it cannot be used.
    pub(super) async fn open(&self) -> Result<(), ConnectError> {
        let identity = self.read(choose(&self.kubeconfigs, &self.around)?).await?;
        let mut state = self.state.lock().await;
        state.looked_at = Some(Instant::now());
        state.take(Ok(identity));
        Ok(())
    }

    /// The identity for the next request.
    ///
    /// # Errors
    /// There is none, or it cannot be used.
    pub(super) async fn turn(&self) -> Result<Turn, Away> {
        let mut state = self.look().await;
        let chosen = state.chosen()?;
        let Some(stand_in) = &mut state.stand_in else {
            return Ok(Turn { identity: chosen, on_trial: false });
        };
        let now = Instant::now();
        if now.duration_since(stand_in.tried_at) < self.pace.retry {
            return Ok(Turn { identity: Arc::clone(&stand_in.identity), on_trial: false });
        }
        stand_in.tried_at = now;
        Ok(Turn { identity: chosen, on_trial: true })
    }

    /// The identity in use, for who does not mind whether it is refused.
    async fn current(&self) -> Result<Arc<Identity>, Away> {
        let state = self.look().await;
        let chosen = state.chosen()?;
        Ok(state.stand_in.as_ref().map_or(chosen, |stand_in| Arc::clone(&stand_in.identity)))
    }

    /// The identity in use; none while it is being read for somebody else already, or where there is `another`, when it
    /// cannot be had soon. Reading it goes on when nobody waits for it any more.
    pub(super) async fn current_or(self: &Arc<Self>, another: bool) -> Option<Arc<Identity>> {
        drop(self.state.try_lock().ok()?);
        let this = Arc::clone(self);
        let reading = tokio::spawn(async move { this.current().await.ok() });
        if another {
            return tokio::time::timeout(self.pace.patience, reading).await.ok()?.ok()?;
        }
        reading.await.ok()?
    }

    /// `identity` was refused: the one to try instead, if there is one. Without it, an identity that the server does not
    /// know is read again for the next request.
    pub(super) async fn instead_of(
        &self,
        identity: &Identity,
        status: StatusCode,
    ) -> Option<Arc<Identity>> {
        let Some(source) = identity.source.stand_in() else {
            if status == StatusCode::UNAUTHORIZED && identity.read_at.elapsed() >= self.pace.look {
                self.forget(identity).await;
            }
            return None;
        };
        let known = self.state.lock().await.stand_in_from(&source);
        match known {
            Some(identity) => Some(identity),
            // What is wrong with it is said when it is all there is.
            None => self.read(source).await.ok(),
        }
    }

    /// `stand_in` is used from now on, until the chosen identity works.
    pub(super) async fn stand_in(&self, stand_in: Arc<Identity>) {
        self.state.lock().await.use_stand_in(stand_in);
    }

    /// The chosen identity works again.
    pub(super) async fn works(&self) {
        let mut state = self.state.lock().await;
        if state.stand_in.take().is_some()
            && let Some(Ok(chosen)) = state.chosen.clone()
        {
            state.tell(&chosen);
        }
    }

    async fn forget(&self, identity: &Identity) {
        let mut state = self.state.lock().await;
        if matches!(&state.chosen, Some(Ok(chosen)) if std::ptr::eq(&**chosen, identity)) {
            state.chosen = None;
            state.looked_at = None;
        }
    }

    /// Looks at the files, if it is time to.
    async fn look(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().await;
        if state.looked_at.is_some_and(|at| at.elapsed() < self.pace.look) {
            return state;
        }
        state.looked_at = Some(Instant::now());
        match choose(&self.kubeconfigs, &self.around) {
            Ok(source) if state.is_chosen(&source) => state.drop_old_stand_in(),
            Ok(source) => {
                let read = self.read(source).await;
                state.take(read.map_err(|error| Away(Arc::new(error))));
            }
            Err(error) => state.take(Err(Away(Arc::new(error)))),
        }
        state
    }

    async fn read(&self, source: Source) -> Result<Arc<Identity>, ConnectError> {
        let (reach, servers) = (self.kubeconfigs.reach.clone(), self.servers.clone());
        let serving = self.serving.clone();
        let read = move || Identity::read(source, &reach, &servers, &serving).map(Arc::new);
        let read = tokio::time::timeout(READ_TIMEOUT, tokio::task::spawn_blocking(read)).await;
        read.map_err(|_| ConnectError::Interrupted)?.map_err(|_| ConnectError::Interrupted)?
    }
}

impl State {
    fn chosen(&self) -> Result<Arc<Identity>, Away> {
        let none = || Err(Away(Arc::new(ConnectError::Interrupted)));
        self.chosen.clone().unwrap_or_else(none)
    }

    /// Whether `source` was read, and its files are still what they were.
    fn is_chosen(&self, source: &Source) -> bool {
        let read = self.chosen.as_ref().and_then(|it| it.as_ref().ok());
        read.is_some_and(|identity| identity.source == *source && identity.holds())
    }

    fn stand_in_from(&self, source: &Source) -> Option<Arc<Identity>> {
        let identity = self.stand_in.as_ref().map(|it| &it.identity)?;
        (identity.source == *source && identity.holds()).then(|| Arc::clone(identity))
    }

    fn use_stand_in(&mut self, identity: Arc<Identity>) {
        self.tell(&identity);
        self.stand_in = Some(StandIn { identity, tried_at: Instant::now() });
    }

    fn drop_old_stand_in(&mut self) {
        self.stand_in = self.stand_in.take().filter(|it| it.identity.holds());
    }

    /// What was just read is used from now on; what it was refused for may have changed with it.
    fn take(&mut self, read: Result<Arc<Identity>, Away>) {
        self.stand_in = None;
        match &read {
            Ok(identity) => self.tell(identity),
            Err(error) => self.say(format!("no connection to an API server: {error}"), true),
        }
        self.chosen = Some(read);
    }

    fn tell(&mut self, identity: &Identity) {
        let Identity { source, route, .. } = identity;
        self.say(
            format!("the API server is asked with the identity of {source}, at {route}"),
            false,
        );
    }

    fn say(&mut self, sentence: String, wrong: bool) {
        if self.told == sentence {
            return;
        }
        if wrong {
            tracing::warn!("{sentence}");
        } else {
            tracing::info!("{sentence}");
        }
        self.told = sentence;
    }
}
