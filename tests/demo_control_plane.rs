//! `make demo-control-plane`: three control planes behind one address, which outlives a cable, an API server and an upgrade.

#![allow(clippy::print_stdout, reason = "a story is told on standard output")]

use anyhow::Result;
use std::process::ExitCode;
use std::time::Duration;
use tests::bed::VIPS;
use tests::control_planes::ControlPlanes;
use tests::control_planes::api_servers::Breakage;
use tests::control_planes::static_pods::StaticPods;
use tests::control_planes::writer::Writer;
use tests::figures::written;
use tests::scenes::Verdict;
use tests::scenes::api_servers::break_owners;
use tests::scenes::cable::{Cut, pull_until};
use tests::scenes::planned::replace;
use tests::scenes::watch::Watch;
use tests::story::{Story, told};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> ExitCode {
    told(tell()).await
}

async fn tell() -> Result<()> {
    let story = Story::begin();
    let control_planes = ControlPlanes::ready().await?;
    story.chapter("Three control planes, one address");
    println!("{}", story.kubectl(&["get", "nodes"]).await?);
    println!("Members of etcd: {}", control_planes.members().await?.join(", "));
    println!("{}", story.kubectl(&["config", "view", "-o", SERVER]).await?);
    let mut watch = control_planes.watch().await?;
    println!("Of the three, {} answers for {} and {}.", watch.owner().await?, VIPS[0], VIPS[1]);
    println!("A client on the network shakes hands with both 100 times a second from now on.");
    pull_the_cable(&story, &control_planes, &mut watch).await?;
    pause_the_api_server(&story, &control_planes, &mut watch).await?;
    upgrade(&story, &control_planes, &mut watch).await?;
    println!("\nThat was {}. The cluster is taken down now.", written(story.length()));
    Ok(())
}

/// Where kubectl asks.
const SERVER: &str = "jsonpath={.clusters[0].cluster.server}";

async fn pull_the_cable(
    story: &Story,
    control_planes: &ControlPlanes,
    watch: &mut Watch,
) -> Result<()> {
    story.chapter("Somebody pulls a cable");
    println!(
        "{} loses its cable, with its API server and its member of etcd.",
        watch.owner().await?
    );
    let writer = Writer::start()?;
    let mut pods = StaticPods(control_planes);
    let write = async |pulled| writer.first_after(pulled, PATIENCE).await;
    let (pulled, write) = pull_until(&mut pods, watch, Cut::Cable, write).await?;
    println!("{} answers now. {}", pulled.to, gap(&pulled.verdict));
    println!("The first `kubectl apply` came through {} after the cable was out:", written(write));
    println!("where etcd has lost its leader it elects another one first.");
    println!("The cable is back in {}, and the address stays with {}.", pulled.from, pulled.to);
    Ok(())
}

async fn pause_the_api_server(
    story: &Story,
    control_planes: &ControlPlanes,
    watch: &mut Watch,
) -> Result<()> {
    story.chapter("An API server hangs");
    println!(
        "kill -STOP for the API server of {}: its port is open, and nobody answers.",
        watch.owner().await?
    );
    let mut pods = StaticPods(control_planes);
    let given = break_owners(control_planes, &mut pods, watch, Breakage::Paused).await?;
    println!("{} answers {} later. {}", given.to, written(given.taken_after), gap(&given.verdict));
    Ok(())
}

async fn upgrade(story: &Story, control_planes: &ControlPlanes, watch: &mut Watch) -> Result<()> {
    story.chapter("kube-vip is upgraded where it answers");
    println!("The static pod of {} gets another image.", watch.owner().await?);
    let verdict = replace(&mut StaticPods(control_planes), watch).await?;
    println!("The address went {}. {}", verdict.owners.join(" > "), gap(&verdict));
    Ok(())
}

fn gap(verdict: &Verdict) -> String {
    let visits = verdict.all_visits();
    match visits.gap {
        Duration::ZERO => "Not one handshake failed.".to_owned(),
        gap => format!("No handshake succeeded for {}.", written(gap)),
    }
}
