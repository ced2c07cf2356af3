//! The commands for people without a cluster: what they say about what was typed, and the exit status that scripts go by.

use super::end_of;
use anyhow::{Context, Result};
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use tests::local::{ScratchFile, binary, kubeconfig, program};
use tests::process::{Ended, run};
use tokio::net::TcpListener;
use tokio::process::Command;

const GOOD: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: kubevip, namespace: kube-system}, data: {cidr-global: 192.0.2.0/28}}";
const ODD: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: kubevip}, data: {cidr-global: 192.0.2.0/28}}";
const BAD: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: kubevip, namespace: kube-system}, data: {cidr-global: 192.0.2.0/33}}";

/// The program, told these words, where there is no cluster.
async fn ask(words: &[&str]) -> Result<Ended> {
    let mut command = program("kube-vip-cloud-provider")?;
    command.args(words).env("HOME", "/nowhere");
    end_of(command).await
}

fn code(ended: &Ended) -> Option<i32> {
    ended.status.code()
}

#[tokio::test]
async fn a_command_names_every_fault_at_once_and_ends_with_2() -> Result<()> {
    for command in ["pools", "check"] {
        let ended = ask(&[command, "--nope", "word", "-o", "yaml", "--kubeconfig"]).await?;
        assert_eq!(code(&ended), Some(2), "{ended:?}");
        for part in ["--nope", "\"word\"", "-o: \"yaml\"", "--kubeconfig: a value must follow"] {
            assert!(ended.stderr.contains(part), "{part} is missing: {ended:?}");
        }
    }
    let ended = ask(&["check"]).await?;
    assert_eq!(
        (code(&ended), ended.stderr.contains("-f: name a file")),
        (Some(2), true),
        "{ended:?}"
    );
    Ok(())
}

#[tokio::test]
async fn help_lists_the_commands_and_each_explains_itself() -> Result<()> {
    let ended = ask(&["--help"]).await?;
    assert!(
        ended.stdout.contains("\n  pools ") && ended.stdout.contains("\n  check "),
        "{ended:?}"
    );
    for (command, flag) in [("pools", "--summary"), ("check", "-f, --filename")] {
        let ended = ask(&[command, "--help"]).await?;
        assert_eq!(code(&ended), Some(0), "{ended:?}");
        assert!(ended.stdout.contains(flag) && ended.stdout.contains("--kubeconfig"), "{ended:?}");
    }
    let ended = ask(&["pool"]).await?;
    assert_eq!((code(&ended), ended.stderr.contains("\"pool\"")), (Some(2), true), "{ended:?}");
    Ok(())
}

#[tokio::test]
async fn the_exit_status_of_check_is_for_scripts() -> Result<()> {
    for (text, strict, expected) in [
        (GOOD, false, 0),
        (GOOD, true, 0),
        (ODD, false, 0),
        (ODD, true, 1),
        (BAD, false, 1),
        ("[", false, 1),
        ("", false, 1),
    ] {
        let file = ScratchFile::with(text)?;
        let name = file.path().to_string_lossy();
        let strict = if strict { "--strict" } else { "--strict=false" };
        let ended = ask(&["check", "--offline", strict, "-f", &name]).await?;
        assert_eq!(code(&ended), Some(expected), "{text}: {ended:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_not_an_error_of_the_configmap() -> Result<()> {
    let binary = ScratchFile::with("")?;
    std::fs::write(binary.path(), [0xff, 0xfe, 0x00])?;
    for (name, part) in [
        ("/nowhere/pools.yaml", "cannot read /nowhere/pools.yaml"),
        ("/", "cannot read /"),
        (&binary.path().to_string_lossy(), "is not text"),
    ] {
        let ended = ask(&["check", "--offline", "-f", name]).await?;
        assert_eq!(
            (code(&ended), ended.stderr.contains(part)),
            (Some(2), true),
            "{name}: {ended:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn standard_input_and_several_files_are_read() -> Result<()> {
    let (good, other) = (ScratchFile::with(GOOD)?, ScratchFile::with("kind: Namespace")?);
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg("exec \"$0\" check --offline -f \"$1\" -f - < \"$2\"")
        .arg(binary("kube-vip-cloud-provider")?)
        .arg(other.path())
        .arg(good.path());
    let ended = end_of(command).await?;
    assert_eq!(
        (code(&ended), ended.stdout.as_str()),
        (Some(0), "standard input: 0 errors, 0 warnings\n"),
        "{ended:?}"
    );
    Ok(())
}

#[tokio::test]
async fn without_a_cluster_pools_fails_and_check_judges_the_file_alone() -> Result<()> {
    let ended = ask(&["pools"]).await?;
    assert_eq!((code(&ended), ended.stderr.contains("KUBECONFIG")), (Some(1), true), "{ended:?}");
    let file = ScratchFile::with(GOOD)?;
    let ended = ask(&["check", "-f", &file.path().to_string_lossy()]).await?;
    assert_eq!(code(&ended), Some(0), "{ended:?}");
    assert!(ended.stderr.starts_with("no cluster was looked at: "), "{ended:?}");
    Ok(())
}

/// Longest wait of a person for a cluster that does not answer, and a little.
const PATIENCE: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_cluster_that_accepts_and_never_answers_is_not_waited_for_long() -> Result<()> {
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let cluster = json!({"server": format!("https://{}", silent.local_addr()?)});
    let config = kubeconfig(&cluster, &json!({"token": "t"}))?;
    let file = ScratchFile::with(GOOD)?;
    let name = file.path().to_string_lossy();
    let of_file = ["check", "-f", &name];
    let (pools, check) =
        tokio::join!(asked_of(config.path(), &["pools"]), asked_of(config.path(), &of_file),);
    let (pools, check) = (pools?, check?);
    assert_eq!(
        (code(&pools), pools.stderr.contains("does not answer")),
        (Some(1), true),
        "{pools:?}"
    );
    assert_eq!(
        (code(&check), check.stderr.contains("does not answer")),
        (Some(0), true),
        "{check:?}"
    );
    Ok(())
}

async fn asked_of(kubeconfig: &Path, words: &[&str]) -> Result<Ended> {
    let mut command = program("kube-vip-cloud-provider")?;
    command.args(words).env("KUBECONFIG", kubeconfig);
    let ended = tokio::time::timeout(PATIENCE, run(command)).await;
    ended.with_context(|| format!("it still runs after {PATIENCE:?}"))?
}
