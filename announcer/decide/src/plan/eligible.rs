//! May this Service be announced from this node? If not, the reason.

use crate::config::Config;
use crate::reason::Reason;
use crate::world::World;
use model::address::AddressRequest;
use model::service::{Service, TrafficPolicy};

/// The addresses that a Service asks for, when this node may announce it.
///
/// # Errors
/// The first [`Reason`] against it.
pub fn eligible(
    service: &Service,
    world: &World,
    config: &Config,
) -> Result<Vec<AddressRequest>, Reason> {
    if service.ignored {
        return Err(Reason::Ignored);
    }
    // kube-vip's default (`lb_class_legacy_handling`): no class at all is fine, a foreign one is not.
    if service.class.as_ref().is_some_and(|class| *class != config.class) {
        return Err(Reason::ForeignClass);
    }
    if service.deleting {
        return Err(Reason::Deleting);
    }
    let addresses = service.addresses().map_err(Reason::AddressInvalid)?;
    if addresses.is_empty() {
        return Err(Reason::NoAddress);
    }
    has_endpoints(service, world, config)?;
    Ok(addresses)
}

/// kube-vip's rule: policy Cluster wants any endpoint, ready or not; policy Local wants a serving one on this node.
fn has_endpoints(service: &Service, world: &World, config: &Config) -> Result<(), Reason> {
    if world.endpoints_unknown() {
        return Ok(());
    }
    let mut slices = world.slices(&service.key);
    match service.traffic_policy {
        TrafficPolicy::Cluster if slices.any(|slice| slice.endpoints > 0) => Ok(()),
        TrafficPolicy::Cluster => Err(Reason::NoEndpoints),
        TrafficPolicy::Local
            if slices.any(|slice| slice.serving_on.contains_key(&config.node.0)) =>
        {
            Ok(())
        }
        TrafficPolicy::Local => Err(Reason::NoLocalEndpoints),
    }
}
