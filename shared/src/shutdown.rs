//! The first signal asks to leave; the second ends the process where it stands.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Exit status after a second signal.
const ABORTED: i32 = 130;

/// Becomes true with the first SIGTERM or SIGINT.
///
/// # Errors
/// The signals cannot be caught.
pub fn requested() -> std::io::Result<watch::Receiver<bool>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (leave_tx, leave_rx) = watch::channel(false);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if leave_tx.send_replace(true) {
                tracing::warn!("second signal: ending at once");
                #[expect(
                    clippy::exit,
                    reason = "asked for twice; whatever hangs must not hold the process"
                )]
                std::process::exit(ABORTED);
            }
            tracing::info!("signal received: leaving");
        }
    });
    Ok(leave_rx)
}

/// Waits until `leave` is true; waits for ever when nobody can ask any more.
pub async fn wait(leave: &mut watch::Receiver<bool>) {
    if leave.wait_for(|asked| *asked).await.is_err() {
        std::future::pending::<()>().await;
    }
}
