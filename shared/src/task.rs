//! A task that somebody owns: it stops when its owner lets go.

use std::future::Future;
use tokio::task::{JoinError, JoinHandle};

/// A running task; dropping it ends the task.
#[derive(Debug)]
pub struct Owned<T> {
    handle: JoinHandle<T>,
}

impl<T: Send + 'static> Owned<T> {
    /// Starts `future`.
    pub fn spawn(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self { handle: tokio::spawn(future) }
    }

    /// Ends the task, and waits until everything that it held is gone.
    #[cfg(any(test, feature = "for-tests"))]
    pub async fn stop(&mut self) {
        self.handle.abort();
        drop((&mut self.handle).await);
    }

    /// Waits for the end of the task.
    ///
    /// # Errors
    /// The task panicked.
    pub async fn finished(&mut self) -> Result<T, JoinError> {
        (&mut self.handle).await
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

/// Waits until one of `tasks` has ended, whichever way, and tells its place; for ever when there are none.
pub async fn first_end(tasks: &mut [Owned<()>]) -> usize {
    if tasks.is_empty() {
        return std::future::pending().await;
    }
    let ends = tasks.iter_mut().map(|task| Box::pin(task.finished()));
    let (_, place, _) = futures::future::select_all(ends).await;
    place
}
