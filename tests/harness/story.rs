//! How a story is told in the terminal.

#![allow(clippy::print_stdout, reason = "a story is told on standard output")]

use crate::figures::written;
use crate::process::{kubectl, output};
use anyhow::Result;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;

/// Prints what happens and how long it took.
#[derive(Debug)]
pub struct Story {
    start: Instant,
}

/// Tells a story to its end, and what ended it too early.
pub async fn told(story: impl Future<Output = Result<()>>) -> ExitCode {
    match story.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the demo ends here: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Story {
    /// It begins now.
    #[must_use]
    pub fn begin() -> Self {
        Self { start: Instant::now() }
    }

    /// How long it has taken.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.start.elapsed()
    }

    /// A heading with the time since the beginning.
    pub fn chapter(&self, title: &str) {
        println!(
            "\n{:>7}  {title}\n{}",
            format!("{:.1} s", self.start.elapsed().as_secs_f64()),
            "-".repeat(60)
        );
    }

    /// Shows `kubectl` with these arguments, and gives what it prints.
    ///
    /// # Errors
    /// What kubectl says.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        println!("$ kubectl {}", arguments.join(" "));
        Ok(output(kubectl(arguments)).await?.trim_end().to_owned())
    }

    /// Shows it, and how long it took.
    ///
    /// # Errors
    /// What kubectl says.
    pub async fn run(&self, arguments: &[&str]) -> Result<()> {
        self.run_as(&format!("kubectl {}", arguments.join(" ")), arguments).await
    }

    /// The same, shown as `shown`.
    ///
    /// # Errors
    /// What kubectl says.
    pub async fn run_as(&self, shown: &str, arguments: &[&str]) -> Result<()> {
        let start = Instant::now();
        println!("$ {shown}");
        output(kubectl(arguments)).await?;
        println!("  done in {}", written(start.elapsed()));
        Ok(())
    }
}
