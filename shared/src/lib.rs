//! What any process of this project needs: a client, watches, an election, one door for writes, an admin page.
//!
//! Nothing here knows what an address is for; that is decided in the `decide` packages.

pub mod about;
pub mod admin;
pub mod api_client;
#[cfg(any(test, feature = "for-tests"))]
pub mod api_double;
pub mod api_requests;
pub mod api_servers;
pub mod clock;
mod due_queue;
pub mod events;
pub mod lease;
pub mod log;
#[cfg(any(test, feature = "for-tests"))]
pub mod metrics_table;
pub mod notices;
pub mod output;
pub mod patch;
pub mod resolver;
#[cfg(any(test, feature = "for-tests"))]
pub mod server_double;
pub mod shutdown;
pub mod slim;
pub mod table;
pub mod task;
pub mod watch;
pub mod writes;
