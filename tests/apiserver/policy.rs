//! The policy of manifests/pools-policy.yaml against the parser that the cloud provider reads pools with: what one accepts
//! the other does, row by row and for values made by chance.

#[path = "policy/rows.rs"]
mod rows;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use rows::{OTHER_KEYS, READ, REFUSED, by_chance, data, parser};
use serde_json::json;
use std::collections::BTreeMap;
use tests::bare::Bare;
use tests::cluster::pools::POOLS;
use tests::cluster::programs::root;
use tests::cluster::{LATER, SYSTEM, wait};

/// An API server where the policy is in force.
struct Guarded {
    bare: Bare,
    pools: Api<ConfigMap>,
}

impl Guarded {
    async fn start() -> Result<Self> {
        let bare = Bare::start().await?;
        let pools = Api::namespaced(bare.client.clone(), SYSTEM);
        bare.apply(&root().join("manifests/pools-policy.yaml")).await?;
        let guarded = Self { bare, pools };
        wait::answer("the policy in force", LATER, || async {
            let refused = guarded.says(&data("cidr-global", "")).await?.is_some();
            ensure!(refused, "an empty pool is accepted");
            Ok(())
        })
        .await?;
        Ok(guarded)
    }

    /// What stands in the way of a ConfigMap with this data, where it does not exist yet.
    async fn says(&self, data: &BTreeMap<String, String>) -> Result<Option<String>> {
        let trial = PostParams { dry_run: true, ..PostParams::default() };
        refusal(self.pools.create(&trial, &config_map(POOLS, data)).await)
    }

    /// What stands in the way of this edit.
    async fn says_to_edit(&self, edit: &serde_json::Value) -> Result<Option<String>> {
        refusal(self.pools.patch(POOLS, &PatchParams::default(), &Patch::Merge(edit)).await)
    }
}

fn config_map(name: &str, data: &BTreeMap<String, String>) -> ConfigMap {
    let mut map = ConfigMap { data: Some(data.clone()), ..ConfigMap::default() };
    map.metadata.name = Some(name.to_owned());
    map
}

/// The sentence of the policy, if it refused.
fn refusal(answer: kube::Result<ConfigMap>) -> Result<Option<String>> {
    match answer {
        Ok(_) => Ok(None),
        Err(kube::Error::Api(status)) if status.message.contains("'kubevip-pools'") => {
            let sentence = status.message.split_once("denied request: ");
            Ok(Some(sentence.context("a refusal without a sentence")?.1.to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

#[tokio::test]
async fn the_policy_refuses_what_the_parser_refuses_and_nothing_else() -> Result<()> {
    let guarded = Guarded::start().await?;
    for value in READ {
        assert_eq!(guarded.says(&data("cidr-global", value)).await?, None, "{value:?}");
    }
    for (value, _, says) in REFUSED {
        let refusal = guarded.says(&data("range-shop", value)).await?;
        let refusal = refusal.with_context(|| format!("{value:?} is accepted"))?;
        assert!(
            refusal.starts_with("range-shop") && refusal.contains(says),
            "{value:?}: {refusal}"
        );
    }
    for (key, value, says) in OTHER_KEYS {
        let refusal = guarded.says(&data(key, value)).await?;
        match says {
            None => assert_eq!(refusal, None, "{key}: {value:?}"),
            Some(says) => {
                assert!(
                    refusal.as_deref().is_some_and(|it| it.contains(says)),
                    "{key}: {refusal:?}"
                )
            }
        }
    }
    let (mut accepted, mut refused) = (0, 0);
    for seed in 0..500 {
        let value = by_chance(seed);
        let data = data("cidr-global", &value);
        let (parser, policy) = (parser(data.clone()), guarded.says(&data).await?);
        assert_eq!(
            parser.is_ok(),
            policy.is_none(),
            "seed {seed}, {value:?}: {parser:?}, {policy:?}"
        );
        if parser.is_ok() { accepted += 1 } else { refused += 1 }
    }
    ensure!(accepted > 100 && refused > 100, "{accepted} accepted, {refused} refused: one-sided");
    Ok(())
}

#[tokio::test]
async fn an_edit_is_judged_by_the_keys_that_it_changes_and_nothing_else_is_judged() -> Result<()> {
    let guarded = Guarded::start().await?;
    let malformed = data("cidr-global", "10.0.0.9-10.0.0.1");
    let default = PostParams::default();
    guarded.pools.create(&default, &config_map("other", &malformed)).await?;
    let elsewhere: Api<ConfigMap> = Api::namespaced(guarded.bare.client.clone(), "default");
    elsewhere.create(&default, &config_map(POOLS, &malformed)).await?;
    // What was malformed before the policy came can be edited, mended, and deleted.
    let policies = ["delete", "validatingadmissionpolicybindings", "kubevip-pools"];
    tests::process::output(guarded.bare.kubectl(&policies)).await?;
    wait::answer("the end of the policy", LATER, || async {
        guarded.pools.create(&default, &config_map(POOLS, &malformed)).await?;
        Ok(())
    })
    .await?;
    guarded.bare.apply(&root().join("manifests/pools-policy.yaml")).await?;
    wait::answer("the policy in force", LATER, || async {
        let refusal = guarded.says_to_edit(&json!({"data": {"cidr-shop": ""}})).await?;
        guarded.says_to_edit(&json!({"data": {"cidr-shop": null}})).await?;
        ensure!(refusal.is_some(), "an empty pool is accepted");
        Ok(())
    })
    .await?;
    let label = json!({"metadata": {"labels": {"team": "net"}}});
    assert_eq!(guarded.says_to_edit(&label).await?, None);
    let another_key = json!({"data": {"cidr-shop": "10.0.1.0/24"}});
    assert_eq!(guarded.says_to_edit(&another_key).await?, None);
    let refusal =
        guarded.says_to_edit(&json!({"data": {"cidr-global": "10.0.0.8-10.0.0.1"}})).await?;
    assert!(refusal.is_some_and(|it| it.contains("ends before it starts")));
    assert_eq!(
        guarded.says_to_edit(&json!({"data": {"cidr-global": "10.0.0.1-10.0.0.9"}})).await?,
        None
    );
    guarded.pools.delete(POOLS, &DeleteParams::default()).await?;
    Ok(())
}

/// Ranges of IPv6, written at full length: what takes most steps to judge.
fn ranges(count: usize) -> String {
    let range = |number: usize| {
        let subnet = format!("2001:db8:1234:5678:9abc:def0:{number:04x}");
        format!("{subnet}:0001 - {subnet}:ffff")
    };
    (0..count).map(range).collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn a_thousand_elements_are_judged_and_what_is_too_much_to_judge_is_let_through() -> Result<()>
{
    let guarded = Guarded::start().await?;
    let long = ranges(1000);
    assert_eq!(guarded.says(&data("cidr-global", &long)).await?, None);
    for (bad, says) in [
        ("10.0.0.256", "cannot be read"),
        ("10.0.0.1-2001:db8::1", "starts in one family"),
        ("2001:db8::2-2001:db8::1", "ends before it starts"),
        ("127.0.0.1", "loopback"),
        ("127.0.0.1-127.0.0.2", "loopback"),
        ("127.0.0.0/8", "loopback"),
    ] {
        let refusal = guarded.says(&data("cidr-global", &format!("{long},{bad}"))).await?;
        let refusal = refusal.with_context(|| format!("{bad} is accepted"))?;
        assert!(refusal.contains(bad) && refusal.contains(says), "{bad}: {refusal}");
    }
    let too_long = format!("{},x", ranges(5000));
    assert_eq!(guarded.says(&data("cidr-global", &too_long)).await?, None);
    let many_faults = vec!["10.0.0.256"; 1000].join(",");
    let refusal = guarded.says(&data("cidr-global", &many_faults)).await?;
    assert!(refusal.is_some_and(|it| it.contains("cannot be read")));
    Ok(())
}
