//! The answer for people: a line for each address, complete in itself, so that `grep` finds all there is to know; below it
//! everybody on the links.

use announcer_decide::status::{AddressStatus, ClaimStatus, LinkStatus, MemberStatus, Status};
use model::node::Role;
use shared::table::table;
use std::time::Duration;

/// Tables of addresses and of members.
pub(super) fn text(status: &Status) -> String {
    let mut parts = Vec::new();
    let rows: Vec<_> = status.claims.iter().flat_map(claim_rows).collect();
    if rows.is_empty() {
        parts.push("There is nothing to answer for.\n".to_owned());
    } else {
        let notes = if rows.iter().all(|[.., note]| note.is_empty()) { "" } else { "NOTE" };
        let head = ["ADDRESS", "SERVICE", "LINK", "OWNER", "SINCE", "WHY", "NEXT", "CLAIM", notes];
        parts.push(table(head, &rows));
    }
    let ours = status.links.iter().map(|link| own_row(status, link));
    let others = status.members.iter().map(|member| member_row(status, member));
    let mut rows: Vec<_> = ours.chain(others).collect();
    rows.sort_by(|a, b| a.get(1).cmp(&b.get(1)));
    if !rows.is_empty() {
        let notes = if rows.iter().all(|[.., note]| note.is_empty()) { "" } else { "NOTE" };
        let head = ["NODE", "LINK", "HEARD", "INTERVAL", "STANDING", "CLAIMS", notes];
        parts.push(table(head, &rows));
    }
    parts.join("\n")
}

/// A row for each address; a claim without addresses has one, too, because somebody owns it.
fn claim_rows(claim: &ClaimStatus) -> Vec<[String; 9]> {
    if claim.addresses.is_empty() {
        return vec![claim_row(claim, None)];
    }
    claim.addresses.iter().map(|address| claim_row(claim, Some(address))).collect()
}

fn claim_row(claim: &ClaimStatus, address: Option<&AddressStatus>) -> [String; 9] {
    let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let owner = match &claim.owner {
        Some(owner) if claim.ours => format!("{owner} (here)"),
        owner => owner.clone().unwrap_or_else(|| "(nobody)".to_owned()),
    };
    let note = match address {
        _ if claim.owner_silent => "its owner is silent",
        Some(address) if claim.ours && !address.here => "not on the link yet",
        Some(address) if !claim.ours && address.here => "still on the link here",
        _ => "",
    };
    let services = address.map(|it| it.services.join(",")).filter(|names| !names.is_empty());
    let services = match claim.role {
        Role::Services => services,
        Role::ControlPlane => Some("(control plane)".to_owned()),
    };
    [
        address.map_or_else(|| "(none)".to_owned(), |it| it.address.to_string()),
        shown(&services),
        claim.link.clone(),
        owner,
        claim.since_seconds.map_or_else(|| "-".to_owned(), ago),
        shown(&claim.why),
        shown(&claim.next),
        claim.claim.clone(),
        note.to_owned(),
    ]
}

fn own_row(status: &Status, link: &LinkStatus) -> [String; 7] {
    let note = if link.settled { "" } else { "has not heard enough yet to own anything" };
    [
        format!("{} (here)", status.node),
        link.link.clone(),
        "-".to_owned(),
        length(link.interval_seconds),
        link.standing.clone(),
        link.owned.to_string(),
        note.to_owned(),
    ]
}

fn member_row(status: &Status, member: &MemberStatus) -> [String; 7] {
    // Processes of another kind share no claims with this one, and are heard all the same.
    let node = if member.instance == status.instance {
        member.node.clone()
    } else {
        format!("{}/{}", member.node, member.instance)
    };
    [
        node,
        member.link.clone(),
        ago(member.heard_seconds),
        length(member.interval_seconds),
        member.standing.clone(),
        member.owned.to_string(),
        if member.silent { "silent" } else { "" }.to_owned(),
    ]
}

/// How long ago something was.
fn ago(seconds: f64) -> String {
    length(seconds) + " ago"
}

/// A length of time in its two largest units.
pub(super) fn length(seconds: f64) -> String {
    let length = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let all = length.as_secs();
    let (days, hours) = (all / 86_400, all / 3_600 % 24);
    let (minutes, rest) = (all / 60 % 60, all % 60);
    match (days, hours, minutes, rest) {
        (0, 0, 0, 0) => format!("{}ms", length.as_millis()),
        (0, 0, 0, _) => format!("{rest}s"),
        (0, 0, ..) => format!("{minutes}m{rest}s"),
        (0, ..) => format!("{hours}h{minutes}m"),
        _ => format!("{days}d{hours}h"),
    }
}
