//! What is meant about Services.

use super::Surroundings;
use announcer_decide::config::{ClassRule, Config, Owners};
use announcer_decide::link::LinkName;
use model::node::NodeName;
use model::object::{ObjectKey, is_label};
use model::settings::Typed;

/// What the plan depends on.
pub(super) fn config(
    typed: &mut Typed,
    around: &Surroundings,
    node: NodeName,
    group: ObjectKey,
) -> Config {
    let link = |name: &str| typed.text(name).map(|text| LinkName(text.to_owned()));
    let by_subnet = typed.text("serviceInterface") == Some("auto");
    let named = if by_subnet { None } else { link("serviceInterface") };
    let services_link = named.or_else(|| link("interface"));
    if typed.switch("perServiceElectionOnDemand") == Some(true) {
        typed.warnings.push(
            "per_service_election_on_demand changes nothing: the annotation \
             kube-vip.io/forcePerServiceElection always counts"
                .to_owned(),
        );
    }
    let spread = typed.switch("servicesElection") == Some(true);
    Config {
        services_link,
        link_by_subnet: by_subnet,
        class: class(typed, around),
        group,
        owners: if spread { Owners::Spread } else { Owners::One },
        reports: typed.switch("disableServiceUpdates") != Some(true),
        labels_node: typed.switch("enableNodeLabeling") == Some(true),
        guards_ports: typed.switch("onlyAllowTrafficServicePorts") == Some(true),
        ..Config::of(node)
    }
}

/// kube-vip's rule: by default a Service without a class is ours, unless only those with a class are wanted; without the
/// legacy handling it is ours only where no class is named.
fn class(typed: &mut Typed, around: &Surroundings) -> ClassRule {
    // The one variable that means something when it is empty.
    let emptied = typed.emptied("lbClassName")
        || around
            .environment
            .iter()
            .any(|(name, value)| name == "lb_class_name" && value.is_empty());
    let name = match typed.text("lbClassName") {
        Some(name) => name.to_owned(),
        None if emptied => String::new(),
        None => "kube-vip.io/kube-vip-class".to_owned(),
    };
    let only = typed.switch("lbClassOnly") == Some(true);
    let legacy = typed.switch("lbClassNameLegacyHandling") != Some(false);
    let unnamed = if legacy { !only } else { name.is_empty() };
    if !unnamed && name.is_empty() {
        let sentence = "lbClassOnly (lb_class_only): no Service could be announced, because lb_class_name is empty; name one";
        typed.faults.push(sentence.to_owned());
    }
    ClassRule { name, unnamed }
}

/// The namespace whose Services are looked after; `None` is all of them.
pub(super) fn namespace(typed: &mut Typed) -> Option<String> {
    let read = |text: &str| {
        let sentence = || format!("{text:?} is not the name of a namespace");
        is_label(text).then(|| text.to_owned()).ok_or_else(sentence)
    };
    typed.parsed("svc_namespace", read)
}
