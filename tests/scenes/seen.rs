//! What announcers say about themselves: who owns what is the same on all nodes and what clients see, probes tell the truth,
//! and a burst of moves is few lines.

use announcer_decide::status::Status;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use tests::bare_segment::BareSegment;
use tests::bed::{ipv4, ipv6};
use tests::cluster::{LATER, SOON, wait};
use tests::lan::Lan;
use tests::local::binary;
use tests::process::{Ended, output, run};
use tests::scenes::watch::Watch;

/// Services of the burst.
const MANY: u8 = 60;
/// Lines that an announcer may write for it.
const FEW: usize = 15;

/// What `kube-vip status` does on `node`.
async fn asked(lan: &Lan, node: &str, words: &[&str]) -> Result<Ended> {
    let mut command = lan.on(node, &binary("kube-vip")?.to_string_lossy());
    command.arg("status").args(words);
    run(command).await
}

/// What `node` knows.
async fn status(lan: &Lan, node: &str) -> Result<Status> {
    let ended = asked(lan, node, &["-o", "json"]).await?;
    ensure!(ended.status.success(), "{node}: {}", ended.stderr);
    serde_json::from_str(&ended.stdout).with_context(|| ended.stdout.clone())
}

/// What each of `nodes` knows, as soon as all name `owner` for everything, and the same successor.
async fn agreed(lan: &Lan, nodes: &[String], owner: &str) -> Result<Vec<Status>> {
    wait::answer("the same owner and successor on all nodes", SOON, || async {
        let mut all = Vec::new();
        let mut next = BTreeSet::new();
        for node in nodes {
            let status = status(lan, node).await?;
            ensure!(!status.claims.is_empty(), "{node} knows of nothing");
            for claim in &status.claims {
                ensure!(claim.owner.as_deref() == Some(owner), "{node} says {claim:?}");
                ensure!(claim.ours == (node == owner), "{node} says {claim:?}");
                next.insert(claim.next.clone());
            }
            all.push(status);
        }
        ensure!(next.len() == 1 && !next.contains(&Some(owner.to_owned())), "{next:?} are next");
        Ok(all)
    })
    .await
}

/// What `node` answers on its page: the status, and what it says.
async fn page(lan: &Lan, node: &str, path: &str) -> Result<(String, String)> {
    let mut command = lan.on(node, "curl");
    let url = format!("http://127.0.0.1:2112{path}");
    command.args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "5"]);
    command.args(["--write-out", "\n%{http_code}", &url]);
    let text = output(command).await?;
    let (body, code) = text.rsplit_once('\n').context("no status")?;
    Ok((code.to_owned(), body.to_owned()))
}

#[tokio::test]
async fn all_nodes_name_the_owner_that_clients_see_and_probes_tell_the_truth() -> Result<()> {
    let mut segment = BareSegment::make(3).await?;
    let nodes = segment.nodes().to_vec();
    let nobody = asked(&segment, "n1", &[]).await?;
    ensure!(
        nobody.status.code() == Some(1) && nobody.stderr.contains("nobody answers"),
        "{nobody:?}"
    );
    segment.start_announcers(&[])?;
    let addresses = [ipv4(100), ipv6(100)];
    segment.expose("web", &addresses, &nodes).await?;
    let watch = Watch::start(&segment, &addresses).await?;
    let owner = watch.owner().await?;
    let said = agreed(&segment, &nodes, &owner).await?;
    let claim = said.first().and_then(|status| status.claims.first()).context("no claim")?;
    for (address, expected) in claim.addresses.iter().zip(addresses) {
        ensure!(address.address == expected && address.services == ["default/web"], "{address:?}");
    }
    let text = asked(&segment, &owner, &[]).await?.stdout;
    let line = text.lines().find(|line| line.starts_with(&ipv4(100).to_string()));
    ensure!(line.is_some_and(|line| line.contains(&format!("{owner} (here)"))), "{text}");
    for node in &nodes {
        wait::answer(&format!("{node} being ready"), SOON, || async {
            let said = page(&segment, node, "/readyz").await?;
            ensure!(said.0 == "200", "{said:?}");
            Ok(())
        })
        .await?;
    }
    replaced(&segment, &watch, &owner).await
}

/// The owner's cable is pulled: the others say so, and it knows that it is of no use.
async fn replaced(segment: &BareSegment, watch: &Watch, owner: &str) -> Result<()> {
    let cut = segment.cut(owner).await?;
    let taker = watch.next_owner(owner, LATER).await?;
    let others: Vec<_> = segment.nodes().iter().filter(|node| *node != owner).cloned().collect();
    for status in agreed(segment, &others, &taker).await? {
        let claim = status.claims.first().context("no claim")?;
        ensure!(claim.cause.as_deref() == Some("silence"), "{} says {claim:?}", status.node);
        ensure!(claim.why.as_deref() == Some(&format!("{owner} fell silent")), "{claim:?}");
        let silent = status.members.iter().filter(|it| it.silent).map(|it| it.node.as_str());
        ensure!(silent.eq([owner]), "{} says {:?}", status.node, status.members);
    }
    wait::answer("the node without a cable knowing it", SOON, || async {
        let (code, why) = page(segment, owner, "/readyz").await?;
        ensure!(code == "503" && why.contains("eth0"), "{code} {why}");
        Ok(())
    })
    .await?;
    ensure!(page(segment, owner, "/livez").await?.0 == "200", "it lives");
    let (_, metrics) = page(segment, &taker, "/metrics").await?;
    for line in [
        "kube_vip_claims_taken_total{cause=\"silence\"} 1",
        "kube_vip_taking_seconds_count 1",
        "kube_vip_first_frame_seconds_count 2",
        "kube_vip_owned_addresses 2",
    ] {
        ensure!(metrics.lines().any(|it| it == line), "{line} is missing in:\n{metrics}");
    }
    drop(cut);
    Ok(())
}

#[tokio::test]
async fn a_burst_of_moves_is_told_in_few_lines() -> Result<()> {
    let mut segment = BareSegment::make(2).await?;
    let nodes = segment.nodes().to_vec();
    segment.start_announcers(&[("svc_election", "true")])?;
    for number in 100..100 + MANY {
        segment.expose(&format!("web-{number}"), &[ipv4(number)], &nodes).await?;
    }
    let owned = |status: &Status| status.claims.iter().filter(|it| it.ours).count();
    let all = usize::from(MANY);
    wait::answer("owners of everything", LATER, || async {
        let (one, other) = (status(&segment, "n1").await?, status(&segment, "n2").await?);
        let sum = owned(&one) + owned(&other);
        ensure!(sum > all && owned(&one) > all / 4 && owned(&other) > all / 4, "{sum}");
        Ok(())
    })
    .await?;
    let before = segment.announcer("n1")?.lines().len();
    segment.announcer("n2")?.kill().await?;
    wait::answer("everything at n1", LATER, || async {
        let said = page(&segment, "n1", "/readyz").await?;
        let owned = owned(&status(&segment, "n1").await?);
        ensure!(owned > all && said.0 == "200", "{owned} {said:?}");
        Ok(())
    })
    .await?;
    let told = "fell silent";
    let lines = segment.announcer("n1")?;
    lines.line(before, |line| line.contains(told).then_some(()), told, SOON).await?;
    let lines: Vec<_> = lines.lines().split_off(before);
    ensure!(lines.len() <= FEW, "{} lines:\n{}", lines.len(), lines.join("\n"));
    Ok(())
}
