//! The two programs at start: what they are told and cannot do ends them at once, with everything that is wrong in one
//! message. Needs the programs (KUBE_VIP_BIN_DIR) and no cluster.

#[path = "start/commands.rs"]
mod commands;

use anyhow::{Result, ensure};
use std::time::Duration;
use tests::local::program;
use tests::process::{Ended, run};
use tokio::process::Command;

/// Longest time in which a program has to give up.
const AT_ONCE: Duration = Duration::from_secs(10);

async fn end_of(command: Command) -> Result<Ended> {
    let Ok(ended) = tokio::time::timeout(AT_ONCE, run(command)).await else {
        anyhow::bail!("it still runs after {AT_ONCE:?}");
    };
    ended
}

/// It fails, and says all of `parts` on standard error, in one block of lines.
async fn refuses(command: Command, parts: &[&str]) -> Result<()> {
    let ended = end_of(command).await?;
    ensure!(
        !ended.status.success(),
        "it ended with success and said: {}{}",
        ended.stdout,
        ended.stderr
    );
    for part in parts {
        ensure!(ended.stderr.contains(part), "{part:?} is missing in: {}", ended.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn the_announcer_names_every_fault_at_once() -> Result<()> {
    let mut command = program("kube-vip")?;
    command
        .args(["manager", "--nope", "--services"])
        .env("vip_arp", "maybe")
        .env("vip_leaseduration", "2");
    command.env("bgp_enable", "true").env("vip_retryperiod", "soon");
    refuses(command, &["--nope", "vip_arp", "lease duration", "bgp", "vip_retryperiod"]).await
}

#[tokio::test]
async fn the_cloud_provider_names_every_fault_at_once() -> Result<()> {
    let mut command = program("kube-vip-cloud-provider")?;
    command.args(["--nope", "--secure-port=high", "--leader-elect-renew-deadline=20s", "word"]);
    refuses(command, &["--nope", "--secure-port", "renew deadline", "word"]).await
}

#[tokio::test]
async fn a_word_that_is_no_command_is_refused() -> Result<()> {
    let mut command = program("kube-vip")?;
    command.arg("manger");
    refuses(command, &["manger"]).await
}

#[tokio::test]
async fn without_a_cluster_both_say_where_they_looked() -> Result<()> {
    let mut announcer = program("kube-vip")?;
    announcer.args(["manager", "--arp", "--services"]).env("HOME", "/nowhere");
    refuses(announcer, &["KUBECONFIG"]).await?;
    let mut provider = program("kube-vip-cloud-provider")?;
    provider.env("HOME", "/nowhere");
    refuses(provider, &["KUBECONFIG"]).await
}

#[tokio::test]
async fn help_and_version_are_no_failures() -> Result<()> {
    for name in ["kube-vip", "kube-vip-cloud-provider"] {
        for argument in ["--help", "--version"] {
            let mut command = program(name)?;
            command.arg(argument);
            let ended = end_of(command).await?;
            assert!(
                ended.status.success() && !ended.stdout.is_empty(),
                "{name} {argument}: {ended:?}"
            );
        }
    }
    Ok(())
}
