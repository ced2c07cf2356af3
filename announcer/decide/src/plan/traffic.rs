//! What Services ask for about traffic to their addresses.

use super::survey::Survey;
use crate::config::Config;
use crate::traffic::{Ports, Traffic};
use std::collections::BTreeSet;

/// How traffic to every address that some node announces is to be treated.
pub(super) fn traffic(survey: &Survey<'_>, config: &Config) -> Traffic {
    let mut traffic = Traffic::default();
    for it in &survey.announced {
        let wishes = &it.service.wishes;
        if wishes.flush_conntrack {
            traffic.forgotten.extend(it.vips());
        }
        for vip in it.vips().filter(|_| config.guards_ports) {
            let ports = traffic.ports.entry(vip).or_insert_with(|| Ports::Only(BTreeSet::new()));
            match ports {
                _ if wishes.ignore_service_security => *ports = Ports::All,
                Ports::All => {}
                Ports::Only(only) => only.extend(it.service.ports.iter().copied()),
            }
        }
    }
    traffic
}
