//! A segment to play with by hand: nodes on which announcers run, a client, an API server, and faults.
//!
//! `segment NODES` makes it, reads commands from standard input (`help` lists them), and removes it at their end. It takes
//! root, `tests/bed/bed.sh build`, and `KUBE_VIP_BIN_DIR`, the folder with kube-vip.

#![allow(clippy::print_stdout, reason = "a tool that people talk to")]

#[path = "segment/commands.rs"]
mod commands;
#[path = "segment/watching.rs"]
mod watching;

use anyhow::{Context, Result};
use commands::Desk;
use std::process::ExitCode;
use tests::bare_segment::BareSegment;
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> ExitCode {
    match play().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("segment: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn play() -> Result<()> {
    let count = std::env::args().nth(1).unwrap_or_else(|| "3".to_owned());
    let count = count.parse().context("usage: segment [NODES]")?;
    let segment = BareSegment::make(count).await?;
    println!("export KUBECONFIG={}", segment.api.admin().display());
    for host in
        segment.nodes().iter().map(String::as_str).chain(["client", "judge", "router", "lan"])
    {
        println!("{host}: ip netns exec {} ...", segment.namespace(host));
    }
    let mut desk = Desk::new(segment);
    let mut lines = typed();
    while let Some(line) = lines.recv().await {
        let words: Vec<_> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            ["quit"] => break,
            words => match desk.obey(words).await {
                Ok(()) => {}
                Err(error) => println!("{error:#}"),
            },
        }
    }
    Ok(())
}

/// What is typed, line by line.
fn typed() -> mpsc::Receiver<String> {
    let (line_tx, line_rx) = mpsc::channel(16);
    std::thread::spawn(move || {
        let lines = std::io::stdin().lines().map_while(Result::ok);
        lines.map(|line| line_tx.blocking_send(line)).take_while(Result::is_ok).for_each(drop);
    });
    line_rx
}
