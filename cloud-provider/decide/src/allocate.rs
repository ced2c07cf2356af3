//! Chooses addresses for one Service from one pool, or reads the addresses that it asks for.

use crate::pools::{ParsePoolsError, Pool, Pools, SearchOrder, Supply};
use crate::reason::{Denial, Reason, Refusal};
use crate::small_set::SmallSet;
use crate::stock::{PoolState, Stock};
use crate::waiting::Shortage;
use crate::world::World;
use model::address::{AddressRequest, Family, Vip, parse_address_list};
use model::annotations::LOADBALANCER_IPS;
use model::service::{FamilyPolicy, Service, ServiceKey};

/// The Service that needs addresses, and what it must fit in with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    /// The Service.
    pub(crate) service: &'a Service,
    /// What it holds already: taken again where the pool allows it, so that a decision made anew comes out the same.
    pub(crate) holds: &'a SmallSet<Vip>,
}

/// Adds to `fixed`, from the pool of the Service's namespace, an address of each family that the Service is to have and
/// that `fixed` lacks.
pub(crate) fn allocate(
    world: &World,
    asker: Asker<'_>,
    pools: &Pools,
    fixed: &[AddressRequest],
) -> Result<Vec<AddressRequest>, Denial> {
    let pool = usable_pool(pools, &asker.service.key)?;
    let order = pools.options.order;
    let policy = asker.service.family_policy;
    let mut wanted = wanted_families(asker.service, pool);
    wanted.retain(|family| fixed.iter().all(|request| request.family() != *family));
    let offered: Vec<_> =
        wanted.iter().copied().filter(|family| *pool.supply(*family) != Supply::Nothing).collect();
    if policy == FamilyPolicy::RequireDualStack && offered.len() < wanted.len() {
        return Err(dual_stack_pool_missing(pool).into());
    }
    if offered.is_empty() {
        return Err(family_unavailable(pool, &wanted).into());
    }
    let mut chosen = fixed.to_vec();
    let mut full = Vec::new();
    for family in offered {
        match pick(world, asker, pool, family, order) {
            Some(address) => chosen.push(address),
            None => full.push(family),
        }
    }
    let enough = match policy {
        FamilyPolicy::PreferDualStack => !chosen.is_empty(),
        FamilyPolicy::SingleStack | FamilyPolicy::RequireDualStack => full.is_empty(),
    };
    if enough {
        return Ok(chosen);
    }
    let refusal = exhausted(pool, &full, world.in_use.stock());
    let shares = world.may_share(asker.service);
    let ports = if shares { asker.service.ports.clone() } else { Vec::new() };
    let shortage = Shortage { pool: pool.key.clone(), families: full, ports };
    Err(Denial { refusal, shortage: Some(shortage) })
}

/// The families that the Service is to have, in the order of their addresses.
fn wanted_families(service: &Service, pool: &Pool) -> Vec<Family> {
    let listed = &service.families;
    match service.family_policy {
        FamilyPolicy::SingleStack => {
            listed.first().copied().or_else(|| pool.families().next()).into_iter().collect()
        }
        FamilyPolicy::PreferDualStack if !listed.is_empty() => listed.clone(),
        FamilyPolicy::PreferDualStack | FamilyPolicy::RequireDualStack => {
            let rest =
                [Family::V4, Family::V6].into_iter().filter(|family| !listed.contains(family));
            listed.iter().copied().chain(rest).collect()
        }
    }
}

fn pick(
    world: &World,
    asker: Asker<'_>,
    pool: &Pool,
    family: Family,
    order: SearchOrder,
) -> Option<AddressRequest> {
    let vip = match pool.supply(family) {
        Supply::Nothing => return None,
        Supply::AskDhcp => return Some(AddressRequest::AskDhcp(family)),
        Supply::Addresses(_) => held_before(world, asker, pool, family)
            .or_else(|| (family == Family::V4).then(|| world.shared(asker, pool, order))?)
            .or_else(|| world.in_use.stock().next(&pool.key, family, order)),
    };
    vip.map(AddressRequest::Vip)
}

/// An address of `pool` that the asker holds already: alone, or rightfully beside others.
fn held_before(world: &World, asker: Asker<'_>, pool: &Pool, family: Family) -> Option<Vip> {
    let alone = |vip: Vip| {
        world.in_use.holders(vip).all(|holder| *holder == asker.service.key)
            && world.in_use.reserver(vip).is_none()
    };
    let shares = family == Family::V4 && world.may_share(asker.service);
    let of_family = asker.holds.iter().copied().filter(|vip| vip.family() == family);
    of_family
        .filter(|vip| pool.names(*vip))
        .find(|vip| alone(*vip) || (shares && world.fits_in(asker, pool, *vip)))
}

/// Which field a Service asks for addresses in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AskedIn {
    Annotation,
    Spec,
}

impl AskedIn {
    fn name(self) -> String {
        match self {
            Self::Annotation => format!("annotation {LOADBALANCER_IPS}"),
            Self::Spec => "spec.loadBalancerIP".to_owned(),
        }
    }
}

/// The addresses that a Service asks for by name, each once, in its order; no addresses if the text is blank.
pub(crate) fn read_static(
    service: &Service,
    text: &str,
    asked_in: AskedIn,
) -> Result<Vec<AddressRequest>, Refusal> {
    let field = asked_in.name();
    let listed = parse_address_list(text).map_err(|fault| {
        let message = format!(
            "{field} is {text:?}, but {fault}: write addresses with commas between, or remove it"
        );
        Refusal::new(Reason::StaticInvalid, message)
    })?;
    let mut requests: Vec<AddressRequest> = Vec::with_capacity(listed.len());
    for request in listed {
        if !requests.contains(&request) {
            requests.push(request);
        }
    }
    let families = &service.families;
    let misfit = requests
        .iter()
        .find(|request| !families.is_empty() && !families.contains(&request.family()));
    let Some(misfit) = misfit else { return Ok(requests) };
    let has = join(families, " and ");
    let family = misfit.family();
    let message = format!(
        "{field} asks for {misfit}, but the Service has {has} only: \
         remove that address or add {family} to spec.ipFamilies"
    );
    Err(Refusal::new(Reason::StaticInvalid, message))
}

fn usable_pool<'a>(pools: &'a Pools, key: &ServiceKey) -> Result<&'a Pool, Refusal> {
    let namespace = &key.namespace;
    match pools.for_namespace(namespace) {
        Some(Ok(pool)) => Ok(pool),
        Some(Err(error)) => Err(Refusal::new(
            match error {
                ParsePoolsError::Empty { .. } => Reason::PoolEmpty,
                ParsePoolsError::Element { .. } => Reason::PoolSyntax,
            },
            error.to_string(),
        )),
        None => Err(Refusal::new(
            Reason::NoPool,
            format!(
                "there is no address pool for namespace {namespace}: add cidr-{namespace}, range-{namespace}, \
                 cidr-global or range-global to the ConfigMap with the pools"
            ),
        )),
    }
}

fn family_unavailable(pool: &Pool, wanted: &[Family]) -> Refusal {
    let (key, wanted) = (&pool.key, join(wanted, " or "));
    let message = format!(
        "{key} has no {wanted} addresses: add some to it, or change spec.ipFamilies of the Service"
    );
    Refusal::new(Reason::FamilyUnavailable, message)
}

fn dual_stack_pool_missing(pool: &Pool) -> Refusal {
    let key = &pool.key;
    let has = join(&pool.families().collect::<Vec<_>>(), " and ");
    let message = format!(
        "RequireDualStack needs IPv4 and IPv6 addresses in one pool, but {key} has {has} only: \
         add the other family to {key}, or make the Service PreferDualStack"
    );
    Refusal::new(Reason::DualStackPoolMissing, message)
}

fn exhausted(pool: &Pool, full: &[Family], stock: &Stock) -> Refusal {
    let key = &pool.key;
    let states: Vec<_> = full.iter().filter_map(|family| stock.state(key, *family)).collect();
    if states.iter().all(|state| state.size == 0) {
        let message = format!(
            "{key} has no address to give, since those that end in .0 or .255 are given only where they are \
             named singly: add others to it"
        );
        return Refusal::new(Reason::Exhausted, message);
    }
    let count = |state: &PoolState| {
        format!("{} of {} {}", state.size.min(state.used), state.size, state.family)
    };
    let counts = states.iter().map(count).collect::<Vec<_>>().join(" and ");
    let reserved = states.iter().map(|state| state.reserved).fold(0, u128::saturating_add);
    let whose = match reserved {
        0 => String::new(),
        reserved => format!(", {reserved} of them by nodes and the control plane"),
    };
    let message = format!(
        "{key} has {counts} addresses in use{whose}: add addresses to it, or delete a Service that holds one"
    );
    Refusal::new(Reason::Exhausted, message)
}

fn join(families: &[Family], between: &str) -> String {
    families.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}
