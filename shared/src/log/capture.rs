//! Log lines, caught by a test that counts them.

use super::limit::Limit;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tracing::Level;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;

/// What this thread has logged since [`Lines::capture`].
pub(crate) struct Lines {
    text: Arc<Mutex<Vec<u8>>>,
    _guard: DefaultGuard,
}

impl Lines {
    /// From now on catches what this thread logs, warnings and worse.
    pub(crate) fn capture() -> Self {
        Self::of(Level::WARN, None)
    }

    /// The same with what is for debugging, as far as `limit` lets it through.
    pub(crate) fn capture_limited(limit: Limit) -> Self {
        Self::of(Level::DEBUG, Some(limit))
    }

    fn of(level: Level, limit: Option<Limit>) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let pen = Pen(Arc::clone(&text));
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(move || pen.clone())
            .finish()
            .with(limit);
        Self { text, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// How many lines contain `words`.
    pub(crate) fn count(&self, words: &str) -> usize {
        let text = self.text.lock().unwrap();
        String::from_utf8_lossy(&text).lines().filter(|line| line.contains(words)).count()
    }
}

#[derive(Clone)]
struct Pen(Arc<Mutex<Vec<u8>>>);

impl Write for Pen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().map_err(|_| io::ErrorKind::Other)?.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
