//! What a process answers when people ask it who owns what: read by `kube-vip status`, and by programs as JSON. Fields are
//! added over time, and none changes its meaning (docs/commands.md).

use crate::candidacy::Cause;
use crate::link::LinkName;
use crate::segment::{ClaimReport, MemberReport, Report};
use model::address::Vip;
use model::hello::Sender;
use model::machine::Time;
use model::node::Role;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Everything, at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The node that was asked.
    pub node: String,
    /// Which of the processes there.
    pub instance: String,
    /// The links that may carry addresses, by name.
    pub links: Vec<LinkStatus>,
    /// Every claim that this node knows of, by link and name.
    pub claims: Vec<ClaimStatus>,
    /// Everybody else who was heard, by link and node.
    pub members: Vec<MemberStatus>,
    /// Sentences about what could not be learnt.
    pub notes: Vec<String>,
}

/// One link, and what this node is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkStatus {
    /// Its name.
    pub link: String,
    /// Whether this node has heard enough there to own anything.
    pub settled: bool,
    /// How well it can serve: `fit`, `spared` or `failing`; and `control plane failing` behind that where its own API server
    /// does not answer.
    pub standing: String,
    /// Time between its hellos.
    pub interval_seconds: f64,
    /// How many claims it owns there.
    pub owned: usize,
}

/// One claim: what moves together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimStatus {
    /// Its name.
    pub claim: String,
    /// The link it is on.
    pub link: String,
    /// What it is for.
    #[serde(default)]
    pub role: Role,
    /// Its addresses.
    pub addresses: Vec<AddressStatus>,
    /// The node that owns it.
    pub owner: Option<String>,
    /// Whether that is the process that was asked.
    pub ours: bool,
    /// Whether its owner has fallen silent, and nobody has taken it yet.
    pub owner_silent: bool,
    /// How long ago its owner took it; where that is another node, how long this one has known.
    pub since_seconds: Option<f64>,
    /// Why, in one word: `free`, `silence`, `given`, `released`, `lapsed`. Of another node, where it was seen from here.
    pub cause: Option<String>,
    /// The same as a sentence.
    pub why: Option<String>,
    /// The node that takes it if its owner falls silent.
    pub next: Option<String>,
    /// Counts how often it has changed hands.
    pub epoch: u64,
}

/// One address of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressStatus {
    /// The address.
    pub address: IpAddr,
    /// The Services it belongs to, as `namespace/name`.
    pub services: Vec<String>,
    /// Whether it is on the link of the process that was asked.
    pub here: bool,
}

/// Somebody else on a link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberStatus {
    /// The node.
    pub node: String,
    /// Which of the processes there; only those of the same instance share claims.
    pub instance: String,
    /// The link it was heard on.
    pub link: String,
    /// How long ago its last hello came.
    pub heard_seconds: f64,
    /// Time between its hellos, as it says.
    pub interval_seconds: f64,
    /// How well it can serve: `fit`, `spared` or `failing`.
    pub standing: String,
    /// How many claims it owns.
    pub owned: u32,
    /// Whether its hellos have stopped.
    pub silent: bool,
}

/// What is known beside what the machines report.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// The addresses of ours on each link.
    pub placed: BTreeMap<LinkName, BTreeSet<Vip>>,
    /// The Services behind each address.
    pub services: BTreeMap<Vip, BTreeSet<String>>,
    /// Sentences about what could not be learnt.
    pub notes: Vec<String>,
}

impl Status {
    /// What `us` knows at `now`.
    #[must_use]
    pub fn of(
        us: &Sender,
        now: Time,
        reports: &BTreeMap<LinkName, Report>,
        beside: &Beside,
    ) -> Self {
        let links = reports.iter().map(|(name, report)| LinkStatus {
            link: name.0.clone(),
            settled: report.settled,
            standing: report.standings.to_string(),
            interval_seconds: report.interval.as_secs_f64(),
            owned: report.claims.iter().filter(|claim| claim.ours).count(),
        });
        let mut claims: Vec<_> = reports
            .iter()
            .flat_map(|(name, report)| {
                report.claims.iter().map(|claim| claim_status(claim, now, name, report, beside))
            })
            .collect();
        claims.sort_by(|a, b| (&a.link, &a.claim).cmp(&(&b.link, &b.claim)));
        let mut members: Vec<_> = reports
            .iter()
            .flat_map(|(name, report)| {
                report.members.iter().map(|member| member_status(member, now, name))
            })
            .collect();
        members
            .sort_by(|a, b| (&a.link, &a.node, &a.instance).cmp(&(&b.link, &b.node, &b.instance)));
        Self {
            node: us.node.0.clone(),
            instance: us.instance.clone(),
            links: links.collect(),
            claims,
            members,
            notes: beside.notes.clone(),
        }
    }
}

fn claim_status(
    claim: &ClaimReport,
    now: Time,
    link: &LinkName,
    report: &Report,
    beside: &Beside,
) -> ClaimStatus {
    let address = |vip: &Vip| AddressStatus {
        address: vip.ip(),
        services: beside.services.get(vip).into_iter().flatten().cloned().collect(),
        here: beside.placed.get(link).is_some_and(|placed| placed.contains(vip)),
    };
    let owner = claim.owner.as_ref();
    let silent = report.members.iter().filter(|member| member.silent).map(|it| &it.sender);
    ClaimStatus {
        claim: claim.name.0.clone(),
        link: link.0.clone(),
        role: claim.role,
        addresses: claim.vips.iter().map(address).collect(),
        owner: owner.map(|sender| sender.node.0.clone()),
        ours: claim.ours,
        owner_silent: owner.is_some_and(|owner| silent.into_iter().any(|it| it == owner)),
        since_seconds: claim.since.map(|since| now.since(since).as_secs_f64()),
        cause: claim.cause.as_ref().map(Cause::word).map(str::to_owned),
        why: claim.cause.as_ref().map(Cause::to_string),
        next: claim.next.as_ref().map(|sender| sender.node.0.clone()),
        epoch: claim.epoch.0,
    }
}

fn member_status(member: &MemberReport, now: Time, link: &LinkName) -> MemberStatus {
    MemberStatus {
        node: member.sender.node.0.clone(),
        instance: member.sender.instance.clone(),
        link: link.0.clone(),
        heard_seconds: now.since(member.heard_at).as_secs_f64(),
        interval_seconds: member.interval.as_secs_f64(),
        standing: member.standings.to_string(),
        owned: member.owned,
        silent: member.silent,
    }
}
