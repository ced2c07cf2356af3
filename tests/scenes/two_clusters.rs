//! Two clusters whose nodes share a segment, with the same names for everything but their nodes.

use anyhow::{Result, ensure};
use tests::bare::Bare;
use tests::bare_segment::BareSegment;
use tests::bare_segment::gate::Gate;
use tests::bed::ipv4;
use tests::cluster::programs::root;
use tests::cluster::{LATER, wait};
use tests::local::ScratchFile;
use tests::segment::answering;

/// The same Service as in the first cluster, at another address.
const SERVICE: &str = "
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: default
  annotations: {kube-vip.io/loadbalancerIPs: 198.18.0.130}
spec:
  type: LoadBalancer
  ports: [{port: 80}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web
  namespace: default
  labels: {kubernetes.io/service-name: web}
addressType: IPv4
ports: [{port: 80}]
endpoints:
- addresses: [10.0.0.1]
  conditions: {ready: true}
";

#[tokio::test]
async fn two_clusters_on_one_segment_announce_what_is_theirs() -> Result<()> {
    let mut segment = BareSegment::make(4).await?;
    let other = Bare::start().await?;
    other.apply(&root().join("manifests/announcer.yaml")).await?;
    let service = ScratchFile::with(SERVICE)?;
    other.apply(service.path()).await?;
    let nodes = segment.nodes().to_vec();
    let (ours, theirs) = nodes.split_at(2);
    let kubeconfig = other.announcer().to_string_lossy().into_owned();
    for node in ours {
        segment.start_announcer(node, &[])?;
    }
    segment.expose("web", &[ipv4(100)], ours).await?;
    let gates = theirs.iter().map(|node| Gate::open(&segment, node, other.address()));
    let _gates: Vec<_> = gates.collect::<Result<_>>()?;
    for node in theirs {
        segment.start_announcer(node, &[("KUBECONFIG", &kubeconfig)])?;
    }
    for (address, members) in [(ipv4(100), ours), (ipv4(130), theirs)] {
        wait::answer(&format!("an owner of {address}"), LATER, || async {
            let nodes = answering(&segment, address).await?;
            ensure!(nodes.len() == 1, "{nodes:?} answer; they said:\n{}", segment.last_lines());
            ensure!(nodes.iter().all(|node| members.contains(node)), "{nodes:?} answer");
            Ok(())
        })
        .await?;
    }
    Ok(())
}
