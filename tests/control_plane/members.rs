//! Control planes come and go; the VIP is one node's at a time, and only a control plane's.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::DeleteParams;
use std::collections::BTreeSet;
use tests::bed::VIPS;
use tests::cluster::{LATER, wait};
use tests::control_planes::{ControlPlanes, LONG};
use tests::segment::carrying;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubeadm_makes_three_members_of_etcd_and_one_control_plane_has_both_vips() -> Result<()> {
    let control_planes = ControlPlanes::ready().await?;
    let members = control_planes.members().await?;
    ensure!(members.len() == 3, "{members:?} are the members");
    let watch = control_planes.watch().await?;
    let owner = watch.owner().await?;
    ensure!(members.contains(&owner), "{owner} is no control plane");
    for address in VIPS {
        let carrying = carrying(&control_planes.cluster.bed, address).await?;
        ensure!(carrying == BTreeSet::from([owner.clone()]), "{carrying:?} carry {address}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_is_reset_and_a_fourth_control_plane_takes_its_place() -> Result<()> {
    let control_planes = ControlPlanes::ready().await?;
    let bed = &control_planes.cluster.bed;
    let watch = control_planes.watch().await?;
    let bare = control_planes.others().await?.pop().context("every node is a control plane")?;
    let owner = watch.owner().await?;
    let mark = watch.mark();
    bed.script(&["reset", &owner]).await?;
    let next = watch.next_owner(&owner, LATER).await?;
    let nodes: Api<Node> = Api::all(control_planes.cluster.client.clone());
    nodes.delete(&owner, &DeleteParams::default()).await?;
    bed.script(&["manifest", &bare]).await?;
    bed.script(&["join", &bare]).await?;
    control_planes.settled().await?;
    let verdict = watch.since(&mark);
    ensure!(verdict.owners == [owner.clone(), next], "{verdict:?}");
    let members = control_planes.members().await?;
    ensure!(members.len() == 3 && members.contains(&bare), "{members:?} are the members");
    // A process that is killed leaves its addresses to the kernel, which nobody hears and which forgets them.
    wait::answer(&format!("the end of the VIP on {owner}"), LONG, || async {
        ensure!(!carrying(bed, VIPS[0]).await?.contains(&owner), "it is still there");
        Ok(())
    })
    .await
}
