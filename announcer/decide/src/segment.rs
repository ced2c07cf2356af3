//! Who answers for what on one Ethernet segment, decided by what the segment says.

mod words;

pub use words::{Input, LinkState, Loss, News, Output, Placed, Settings, Wanted};
