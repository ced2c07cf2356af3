//! `make demo`: from `kubectl expose --type=LoadBalancer` to an address that answers, and the address outlives a cable.

#![allow(clippy::print_stdout, reason = "a story is told on standard output")]

use anyhow::{Context, Result};
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;
use tests::cluster::programs::{MANIFESTS, root};
use tests::cluster::{ANNOUNCER_LEASE, Cluster};
use tests::figures::written;
use tests::segment::capture::Capture;
use tests::segment::reach::Reach;
use tests::segment::{answering, curl};
use tests::stages::{Lookout, Stages};
use tests::story::{Story, told};

const POOL: &str = "range-global=198.18.0.200-198.18.0.220";
const NAME: &str = "web";
const PAGE: &str = "echo I am $HOSTNAME >/tmp/index.html && exec httpd -f -p 8080 -h /tmp";
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> ExitCode {
    told(tell()).await
}

async fn tell() -> Result<()> {
    let story = Story::begin();
    let cluster = Cluster::connect().await?;
    story.chapter("A cluster without a cloud");
    println!("{}", story.kubectl(&["get", "nodes"]).await?);
    install(&story, &cluster).await?;
    let address = expose(&story, &cluster).await?;
    pull_the_cable(&story, &cluster, address).await?;
    say_goodbye(&story, &cluster, address).await?;
    println!("\nThat was {}. The cluster is taken down now.", written(story.length()));
    Ok(())
}

async fn install(story: &Story, cluster: &Cluster) -> Result<()> {
    story.chapter("Two programs move in");
    for file in MANIFESTS {
        let path = root().join("manifests").join(file);
        story
            .run_as(
                &format!("kubectl apply -f manifests/{file}"),
                &["apply", "-f", &path.to_string_lossy()],
            )
            .await?;
    }
    cluster.await_cloud_provider().await?;
    cluster.await_announcers().await?;
    println!(
        "{}",
        story
            .kubectl(&[
                "-n",
                "kube-system",
                "get",
                "pods",
                "-l",
                "app.kubernetes.io/part-of=kube-vip"
            ])
            .await?
    );
    story
        .run(&["-n", "kube-system", "create", "configmap", "kubevip", "--from-literal", POOL])
        .await
}

async fn expose(story: &Story, cluster: &Cluster) -> Result<IpAddr> {
    story.chapter("A Service gets an address");
    let image = "--image=busybox:bed";
    story
        .run(&["create", "deployment", NAME, image, "--replicas=2", "--", "sh", "-c", PAGE])
        .await?;
    story.run(&["rollout", "status", "deployment", NAME, "--timeout=60s"]).await?;
    let capture = Capture::start(&cluster.bed).await?;
    let lookout = Lookout::start(cluster, "default", NAME).await?;
    let expose =
        ["expose", "deployment", NAME, "--port=80", "--target-port=8080", "--type=LoadBalancer"];
    story.run(&expose).await?;
    let stages = lookout.stages(&capture, PATIENCE).await?;
    println!("\n{}", story.kubectl(&["get", "service", NAME]).await?);
    let mut reach = Reach::start(&cluster.bed, stages.address, 80)?;
    let answered = reach.first_answer(PATIENCE).await?;
    show(&stages, answered);
    println!("\nA host on the same network asks:\n$ curl http://{}/", stages.address);
    print!("{}", curl(&cluster.bed, stages.address, 80).await?);
    Ok(stages.address)
}

fn show(stages: &Stages, answered: Duration) {
    let row = |what: &str, at| println!("  {what:<44} {:>8}", written(stages.after_creation(at)));
    println!("After the Service was created:");
    row("it was given an address", stages.allocated);
    row("the address was announced on the wire (ARP)", stages.announced);
    row("its status said EXTERNAL-IP", stages.in_status);
    row("a client got its first answer (kube-proxy)", answered);
}

async fn pull_the_cable(story: &Story, cluster: &Cluster, address: IpAddr) -> Result<()> {
    story.chapter("Somebody pulls a cable");
    let first = cluster.owner().await?;
    let owner = cluster.owner_on_a_worker().await?;
    if first != owner {
        println!(
            "{first} answered for {address}. It runs the API server, too, so the address was handed to {owner} first."
        );
    }
    let mut reach = Reach::start(&cluster.bed, address, 80)?;
    reach.first_answer(PATIENCE).await?;
    println!("{owner} answers for {address}. Its cable is pulled now.");
    let mark = reach.mark();
    let cable = cluster.bed.cut(&owner).await?;
    let next = cluster.await_holder(ANNOUNCER_LEASE, |holder| holder != owner, PATIENCE).await?;
    Reach::start(&cluster.bed, address, 80)?.first_answer(PATIENCE).await?;
    match reach.worst(mark) {
        Duration::ZERO => println!("{next} answers now. The client saw no silence of 150 ms."),
        silence => println!("{next} answers now. Nothing answered for {}.", written(silence)),
    }
    cable.mend();
    println!("The cable is back in {owner}. Who answers for {address} on the network?");
    let nodes = answering(&cluster.bed, address).await?;
    println!("Only {}.", nodes.into_iter().collect::<Vec<_>>().join(" and "));
    Ok(())
}

async fn say_goodbye(story: &Story, cluster: &Cluster, address: IpAddr) -> Result<()> {
    story.chapter("The Service goes, and so does its address");
    story.run(&["delete", "service", NAME]).await?;
    let carrying = tests::segment::carrying(&cluster.bed, address)
        .await
        .context("cannot look at the nodes")?;
    match carrying.len() {
        0 => println!("No node has {address} any more."),
        _ => println!("{address} is still on {carrying:?}."),
    }
    story.run(&["delete", "deployment", NAME, "--wait=false"]).await
}
