//! The Leases that record who owns what, on a real API server: several nodes, and peers that know nothing but Leases.

use crate::recorder::{History, Recorder, ours};
use announcer_decide::record::Holder;
use anyhow::{Context, Result, ensure};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::{DeleteParams, PostParams};
use kube::runtime::watcher;
use kube::{Api, ResourceExt};
use model::annotations::{CONTROL_PLANE_ADDRESS, EPOCH, OWNED};
use model::service::ServiceKey;
use shared::slim::control_plane_vip;
use tests::bare::Bare;
use tests::cluster::SYSTEM;

const HOUSE: &str = "lease:kube-system/plndr-svcs-lock";
const LEASE: &str = "plndr-svcs-lock";
const WEB: &str = "vip:198.51.100.8";

fn leases(bare: &Bare, namespace: &str) -> Api<Lease> {
    Api::namespaced(bare.client.clone(), namespace)
}

async fn history(bare: &Bare) -> Result<History> {
    let selected = watcher::Config::default().fields(&format!("metadata.name={LEASE}"));
    History::of(leases(bare, SYSTEM), selected).await
}

fn annotation<'a>(lease: &'a Lease, key: &str) -> Option<&'a str> {
    Some(lease.metadata.annotations.as_ref()?.get(key)?.as_str())
}

fn holder(lease: &Lease) -> &str {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default()
}

fn epoch(lease: &Lease) -> u64 {
    annotation(lease, EPOCH).and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn transitions(lease: &Lease) -> i32 {
    lease.spec.as_ref().and_then(|spec| spec.lease_transitions).unwrap_or_default()
}

fn renewed(lease: &Lease) -> Timestamp {
    let spec = lease.spec.as_ref();
    spec.and_then(|spec| spec.renew_time.as_ref()).map(|time| time.0).unwrap_or_default()
}

/// What client-go writes when `peer` takes a Lease or renews it: annotations stay as they are.
fn held_by(peer: &str, seconds: i32, before: Option<Lease>) -> Lease {
    let now = MicroTime(Timestamp::now());
    let mut lease = before.unwrap_or_default();
    let spec = lease.spec.get_or_insert_default();
    spec.holder_identity = Some(peer.to_owned());
    spec.lease_duration_seconds = Some(seconds);
    spec.acquire_time = Some(now.clone());
    spec.renew_time = Some(now);
    lease
}

async fn create(api: &Api<Lease>, name: &str, mut lease: Lease) -> Result<Lease> {
    lease.metadata.name = Some(name.to_owned());
    Ok(api.create(&PostParams::default(), &lease).await?)
}

fn is_ours(node: &str, epoch: u64) -> impl Fn(Option<&announcer_decide::record::Record>) -> bool {
    let wanted = ours(node, epoch);
    move |record| record.is_some_and(|record| record.holder == wanted)
}

fn is_peers(record: Option<&announcer_decide::record::Record>) -> bool {
    record.is_some_and(|record| record.holder == Holder::Peer("go".to_owned()))
}

#[tokio::test]
async fn a_takeover_is_written_at_once_and_the_one_before_writes_no_more() -> Result<()> {
    let bare = Bare::start().await?;
    let mut history = history(&bare).await?;
    let mut first = Recorder::start("n1", &bare, &[HOUSE]).await?;
    let mut second = Recorder::start("n2", &bare, &[HOUSE]).await?;
    first.owns_all(3);
    let before = history.until("n1 as the holder", |lease| holder(lease) == "n1").await?;
    assert_eq!((epoch(&before), transitions(&before)), (3, 0));
    second.sees(HOUSE, is_ours("n1", 3)).await?;
    second.owns_all(4);
    let taken = history.until("n2 as the holder", |lease| holder(lease) == "n2").await?;
    assert_eq!((epoch(&taken), transitions(&taken)), (4, 1));
    let last = history.seen().iter().rev().find(|lease| holder(lease) == "n1").context("n1")?;
    let after = renewed(&taken).duration_since(renewed(last));
    ensure!(after < SignedDuration::from_secs(3), "it had five seconds to live; n2 waited {after}");
    // The one before still believes that it owns the claim, and leaves the Lease alone.
    first.sees(HOUSE, is_ours("n2", 4)).await?;
    for renewal in 1..=3 {
        history.until(&format!("renewal {renewal}"), |lease| holder(lease) == "n2").await?;
    }
    let after: Vec<_> = history.seen().iter().skip_while(|it| holder(it) != "n2").collect();
    ensure!(after.iter().all(|it| (holder(it), transitions(it)) == ("n2", 1)), "{after:?}");
    Ok(())
}

#[tokio::test]
async fn the_epoch_never_goes_back_while_two_write_it_by_turns() -> Result<()> {
    let bare = Bare::start().await?;
    let mut history = history(&bare).await?;
    let first = Recorder::start("n1", &bare, &[HOUSE]).await?;
    let second = Recorder::start("n2", &bare, &[HOUSE]).await?;
    for round in 1..=10 {
        let (low, high) = (2 * round, 2 * round + 1);
        // Both believe that it is theirs; the one that is right is another one each time.
        let (one, other) = if round % 2 == 0 { (&first, &second) } else { (&second, &first) };
        one.owns_all(high);
        other.owns_all(low);
        history.until(&format!("epoch {high}"), |lease| epoch(lease) >= high).await?;
    }
    let epochs: Vec<_> = history.seen().iter().map(epoch).collect();
    ensure!(epochs.is_sorted(), "{epochs:?}");
    assert_eq!(history.seen().last().map(|it| (holder(it), epoch(it))), Some(("n1", 21)));
    Ok(())
}

#[tokio::test]
async fn a_peer_without_hellos_is_respected_until_its_lease_has_run_out() -> Result<()> {
    let bare = Bare::start().await?;
    let mut history = history(&bare).await?;
    let before = Recorder::start("n1", &bare, &[HOUSE]).await?;
    before.owns_all(3);
    let lease = history.until("n1 as the holder", |lease| holder(lease) == "n1").await?;
    before.kill();
    // A peer takes it over, and leaves our annotations where they are.
    let api = leases(&bare, SYSTEM);
    let taken = held_by("go", 3, Some(lease));
    api.replace(LEASE, &PostParams::default(), &taken).await?;
    let mut node = Recorder::start("n2", &bare, &[HOUSE, WEB]).await?;
    node.sees(HOUSE, is_peers).await?;
    node.owns(&[(HOUSE, 9)]);
    let renewal = held_by("go", 3, api.get_opt(LEASE).await?);
    let renewal = api.replace(LEASE, &PostParams::default(), &renewal).await?;
    let written = history.until("n2 as the holder", |lease| holder(lease) == "n2").await?;
    let waited = renewed(&written).duration_since(renewed(&renewal));
    ensure!(waited >= SignedDuration::from_secs(3), "written after {waited}");
    assert_eq!((epoch(&written), transitions(&written)), (9, transitions(&renewal) + 1));
    node.sees(HOUSE, is_ours("n2", 9)).await
}

#[tokio::test]
async fn the_lease_that_peers_elect_an_owner_of_a_service_by_is_respected_and_never_written()
-> Result<()> {
    let bare = Bare::start().await?;
    bare.make_namespace("shop").await?;
    let api = leases(&bare, "shop");
    let elected = create(&api, "kubevip-web", held_by("go", 3600, None)).await?;
    let known = vec![(WEB.to_owned(), Some(ServiceKey::new("shop", "web")))];
    let mut node = Recorder::start_with("n1", &bare, known).await?;
    node.sees(WEB, is_peers).await?;
    node.owns_all(1);
    let own = watcher::Config::default().fields("metadata.name=plndr-svcs-lock-n1");
    let mut history = History::of(leases(&bare, SYSTEM), own).await?;
    history.until("a renewal of its own", |lease| holder(lease) == "n1").await?;
    let now = api.get("kubevip-web").await?;
    assert_eq!(now.resource_version(), elected.resource_version());
    api.delete("kubevip-web", &DeleteParams::default()).await?;
    node.sees(WEB, is_ours("n1", 1)).await
}

#[tokio::test]
async fn a_node_that_leaves_lets_go_of_all_that_it_holds() -> Result<()> {
    let bare = Bare::start().await?;
    let mut node = Recorder::start("n1", &bare, &[HOUSE, WEB]).await?;
    node.owns_all(3);
    node.sees(HOUSE, is_ours("n1", 3)).await?;
    node.sees(WEB, is_ours("n1", 3)).await?;
    node.owns(&[]);
    node.leave().await?;
    let api = leases(&bare, SYSTEM);
    let (group, own) = (api.get(LEASE).await?, api.get("plndr-svcs-lock-n1").await?);
    for lease in [&group, &own] {
        let seconds = lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds);
        assert_eq!((holder(lease), seconds), ("", Some(1)));
    }
    assert_eq!((epoch(&group), annotation(&own, OWNED)), (3, Some("")));
    // Whoever comes next need not wait, and goes on from there.
    let mut next = Recorder::start("n2", &bare, &[HOUSE]).await?;
    next.owns_all(1);
    next.sees(HOUSE, is_ours("n2", 3)).await
}

#[tokio::test]
async fn the_lease_of_the_control_plane_says_its_addresses_and_what_people_want_to_read()
-> Result<()> {
    const PLANE: &str = "lease:kube-system/plndr-cp-lock";
    let bare = Bare::start().await?;
    let selected = watcher::Config::default().fields("metadata.name=plndr-cp-lock");
    let mut history = History::of(leases(&bare, SYSTEM), selected).await?;
    let node = Recorder::start("n1", &bare, &[HOUSE]).await?;
    node.control_plane(PLANE, &["192.0.2.40"])?;
    node.owns(&[(PLANE, 3)]);
    let first = history.until("n1 as the holder", |lease| holder(lease) == "n1").await?;
    assert_eq!(annotation(&first, CONTROL_PLANE_ADDRESS), Some("192.0.2.40"));
    assert_eq!((epoch(&first), annotation(&first, "example.com/rack")), (3, Some("7")));
    node.control_plane(PLANE, &["192.0.2.40", "2001:db8::40"])?;
    let both = "192.0.2.40,2001:db8::40";
    let says = |lease: &Lease| annotation(lease, CONTROL_PLANE_ADDRESS) == Some(both);
    let changed = history.until("both addresses", says).await?;
    assert_eq!((holder(&changed), epoch(&changed), transitions(&changed)), ("n1", 3, 0));
    // Whoever reads the Lease, as the cloud provider does, finds them.
    let found: Vec<_> = control_plane_vip(&changed).iter().map(ToString::to_string).collect();
    assert_eq!(found.join(","), both);
    node.leave().await?;
    let left = leases(&bare, SYSTEM).get("plndr-cp-lock").await?;
    assert_eq!((holder(&left), annotation(&left, CONTROL_PLANE_ADDRESS)), ("", Some(both)));
    Ok(())
}

#[tokio::test]
async fn a_lease_that_somebody_deletes_is_made_anew() -> Result<()> {
    let bare = Bare::start().await?;
    let mut history = history(&bare).await?;
    let node = Recorder::start("n1", &bare, &[HOUSE]).await?;
    node.owns_all(3);
    let first = history.until("n1 as the holder", |lease| holder(lease) == "n1").await?;
    leases(&bare, SYSTEM).delete(LEASE, &DeleteParams::default()).await?;
    let anew = history.until("another Lease", |lease| lease.uid() != first.uid()).await?;
    assert_eq!((holder(&anew), epoch(&anew)), ("n1", 3));
    Ok(())
}

#[tokio::test]
async fn at_rest_there_is_one_write_in_each_second_however_many_services_there_are() -> Result<()> {
    let bare = Bare::start().await?;
    let vips: Vec<String> =
        (0..1000).map(|n| format!("vip:10.0.{}.{}", n / 250, n % 250)).collect();
    let known: Vec<&str> = vips.iter().map(String::as_str).chain([HOUSE]).collect();
    let node = Recorder::start("n1", &bare, &known).await?;
    let mut other = Recorder::start("n2", &bare, &known).await?;
    node.owns_all(2);
    for claim in &known {
        other.sees(claim, is_ours("n1", 2)).await?;
    }
    let own = leases(&bare, SYSTEM).get("plndr-svcs-lock-n1").await?;
    let listed = annotation(&own, OWNED).unwrap_or_default();
    assert_eq!(listed.split(' ').filter(|entry| entry.ends_with("=2")).count(), 1000);

    let everything = watcher::Config::default();
    let mut history = History::of(leases(&bare, SYSTEM), everything).await?;
    let rests = |lease: &Lease| holder(lease) == "n1";
    let first = history.until("a renewal", rests).await?;
    let (looks, writes) = node.requests()?;
    let mut last = first.clone();
    for _ in 0..6 {
        last = history.until("a renewal", rests).await?;
    }
    let (looks_since, writes_since) = node.requests()?;
    let seconds = renewed(&last).duration_since(renewed(&first)).as_millis();
    ensure!(seconds > 5_800, "seven writes within {seconds} ms");
    ensure!(looks_since == looks, "who holds a Lease has no need to look at it");
    ensure!((6..=7).contains(&(writes_since - writes)), "{}", writes_since - writes);
    let names: Vec<_> = history.seen().iter().rev().take(4).map(|it| it.name_any()).collect();
    ensure!(names.iter().any(|it| it == LEASE) && names.iter().any(|it| it != LEASE), "{names:?}");
    Ok(())
}
