//! For whom the answer of a command is: `-o text` for people, `-o json` for programs.

use model::settings::{Kind, Setting, Typed};
use serde::Serialize;

/// For whom the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// The flag that says for whom the answer is.
pub const OUTPUT: Setting =
    Setting::new("output", "", Kind::Value, "text", "json: for programs.").renamed(&["o"]);

impl Output {
    /// What [`OUTPUT`] was given as; what is neither becomes a fault.
    pub fn read(typed: &mut Typed) -> Self {
        let read = |text: &str| match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("{text:?} is neither text nor json")),
        };
        typed.parsed(OUTPUT.name(), read).unwrap_or_default()
    }
}

/// What programs read: one object over several lines, its fields in the order of their declaration.
#[must_use]
pub fn json(answer: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(answer);
    text.map_or_else(|error| error.to_string(), |text| text + "\n")
}
