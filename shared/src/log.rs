//! Log lines: a constant message and fields, as text for people or JSON for machines.

mod limit;

use limit::Limit;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Packets and plans too.
    Debug,
    /// What changes in what is announced or allocated.
    Info,
    /// What will be tried again.
    Warn,
    /// What a person must mend.
    Error,
}

impl Level {
    /// kube-vip's `vip_loglevel`: -4 debug, 0 info, 4 warn, 8 error. Its older habit, where 5 meant everything, is
    /// answered with debug too, so that nobody loses lines by moving over.
    #[must_use]
    pub const fn from_kube_vip(number: i32) -> Self {
        match number {
            i32::MIN..=-1 | 5 => Self::Debug,
            0..=3 => Self::Info,
            4 | 6..=7 => Self::Warn,
            _ => Self::Error,
        }
    }

    // kube_client logs each failed connection as an error of its own; whoever asked says so with more sense.
    const fn filter(self) -> &'static str {
        match self {
            Self::Debug => {
                "debug,hyper=info,tower=info,kube=info,kube_client=off,hyper_util=info,netlink_proto=info,rustls=info"
            }
            Self::Info => "info,kube_client=off,kube_runtime=error,netlink_proto=warn",
            Self::Warn => "warn,kube_client=off,kube_runtime=error",
            Self::Error => "error",
        }
    }
}

/// Which lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// All of them: each is about something else, and people look for it.
    All,
    /// A few a second of each kind, none of them twice, and how many more there were.
    Few,
}

/// Starts logging to standard error. `RUST_LOG` overrides `level`; `LOG_FORMAT=json` writes JSON.
pub fn start(level: Level, lines: Lines) {
    let limit = if lines == Lines::Few { Limit::start() } else { None };
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level.filter()));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_writer(std::io::stderr);
    if std::env::var("LOG_FORMAT").is_ok_and(|format| format == "json") {
        builder.json().finish().with(limit).init();
    } else {
        builder.with_ansi(false).finish().with(limit).init();
    }
}

#[cfg(test)]
pub(crate) mod capture;
