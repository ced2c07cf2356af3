//! One Service at a time: is it right, what must be written, or why not.

use crate::allocate::{AskedIn, Asker, allocate, read_static};
use crate::edits::Follows;
use crate::fence::is_settled;
use crate::plan::Plan;
use crate::reason::{Denial, Refusal};
use crate::world::{Record, World, annotated, vips};
use crate::write::{Edit, ServiceWrite, is_marked};
use model::address::{AddressRequest, Vip, format_address_list};
use model::service::{FamilyPolicy, Service, ServiceKey, ServiceType};

/// What is to become of one Service.
#[derive(Debug, Clone, PartialEq)]
enum Verdict {
    /// It has these addresses and needs nothing.
    Right(Vec<AddressRequest>),
    /// It is to have these addresses, by this write.
    Write(ServiceWrite, Vec<AddressRequest>),
    /// It gets nothing.
    Refused(Denial),
    /// It needs a pool, and the pools are not known yet.
    Waits,
}

impl World {
    /// All that is wanted right now. Judges what changed since the last call, in the order of keys; the rest stands.
    ///
    /// Empty until [`crate::Event::ServicesListed`] and [`crate::Event::ReservedListed`]: every address that is not
    /// free is learned before any is given. Then nothing but fences, until what another leader decided cannot land.
    pub fn plan(&mut self) -> &Plan {
        if !(self.ready() && self.fences.is_empty()) {
            return &self.plan;
        }
        while let Some(key) = self.unsettled.pop_first() {
            let Some(record) = self.records.get(&key) else { continue };
            let verdict = self.judge(record);
            if verdict == Verdict::Waits {
                self.poolless.insert(key.clone());
            }
            self.conclude(&key, verdict);
        }
        &self.plan
    }

    fn judge(&self, record: &Record) -> Verdict {
        let service = &record.service;
        if self.is_ours(service) && !service.deleting {
            return self.serve(record).unwrap_or_else(Verdict::Refused);
        }
        let write = match (record.was_ours || self.is_left_to_us(service), service.deleting) {
            (false, _) => None,
            (true, true) => Some(ServiceWrite::release(service)),
            (true, false) => self.give_back(service),
        };
        match write.filter(ServiceWrite::is_needed) {
            Some(write) => Verdict::Write(write, Vec::new()),
            None => Verdict::Right(Vec::new()),
        }
    }

    /// Whether to clean up a Service that was not ours as long as this process has known it.
    ///
    /// A Service loses its class with its type, so that nothing tells whose it was but the label, and the finalizer is
    /// every load balancer's: where each has a class, it says nothing.
    fn is_left_to_us(&self, service: &Service) -> bool {
        match service.kind {
            ServiceType::LoadBalancer => service.class == self.class,
            ServiceType::Other => self.class.is_none() || service.labelled,
        }
    }

    /// The annotation counts; without it `spec.loadBalancerIP`; without both the pool.
    fn serve(&self, record: &Record) -> Result<Verdict, Denial> {
        let service = &record.service;
        let annotated = read_annotation(record)?;
        if !annotated.is_empty() {
            self.refuse_conflict(record, &annotated)?;
            let Some(addresses) = self.widen(record, &annotated)? else {
                return Ok(Verdict::Waits);
            };
            let pool = self.pool_behind(service, &annotated, &addresses);
            return Ok(keep_annotation(record, addresses, pool));
        }
        let spec = service.load_balancer_ip.as_deref().unwrap_or_default();
        let specified = read_static(service, spec, AskedIn::Spec)?;
        self.refuse_conflict(record, &specified)?;
        let Some(addresses) = self.complete(record, &specified)? else { return Ok(Verdict::Waits) };
        let mut write = ServiceWrite::adopt(service);
        write.annotation = Edit::Set(format_address_list(&addresses));
        write.pool = self.pool_behind(service, &specified, &addresses);
        if let (true, Some(first)) = (specified.is_empty(), addresses.first()) {
            write.load_balancer_ip = Edit::Set(first.to_string());
            write.interface = self.interface(service);
        }
        Ok(Verdict::Write(write, addresses))
    }

    /// The key of the pool that has filled up `asked` to `addresses`, if they are more.
    fn pool_behind(
        &self,
        service: &Service,
        asked: &[AddressRequest],
        addresses: &[AddressRequest],
    ) -> Option<String> {
        let pools = self.pools.as_ref().filter(|_| addresses.len() > asked.len())?;
        let pool = pools.for_namespace(&service.key.namespace)?.as_ref().ok()?;
        Some(pool.key.clone())
    }

    /// The interface of the namespace, for a Service that names none itself.
    fn interface(&self, service: &Service) -> Edit<String> {
        let named = service.interface.as_ref().is_some_and(|name| !name.is_empty());
        match self.pools.as_ref().and_then(|it| it.options.interface(&service.key.namespace)) {
            Some(name) if !named => Edit::Set(name.to_owned()),
            _ => Edit::Keep,
        }
    }

    /// Takes everything off a Service that is not ours any more, the interface too where it is the one that we name.
    fn give_back(&self, service: &Service) -> Option<ServiceWrite> {
        let pools = self.pools.as_ref();
        let ours = pools.and_then(|it| it.options.interface(&service.key.namespace));
        let mut write = ServiceWrite::give_back(service);
        if ours.is_some() && service.interface.as_deref() == ours {
            write.interface = Edit::Remove;
        }
        is_marked(service).then_some(write)
    }

    /// Adds an address of a family that the Service has come to be of; `None` where the pools are not known yet.
    fn widen(
        &self,
        record: &Record,
        annotated: &[AddressRequest],
    ) -> Result<Option<Vec<AddressRequest>>, Denial> {
        let service = &record.service;
        if !record.edited.wants_family || !lacks_family(service, annotated) {
            return Ok(Some(annotated.to_vec()));
        }
        self.fill(record, annotated, service.family_policy == FamilyPolicy::PreferDualStack)
    }

    /// Adds what `specified` lacks; `None` where that takes a pool and the pools are not known yet.
    ///
    /// An address of the user's own is taken as it is. On a Service with our label `spec.loadBalancerIP` is what is
    /// left of a list that we wrote, and the family that got lost with the annotation is given again.
    fn complete(
        &self,
        record: &Record,
        specified: &[AddressRequest],
    ) -> Result<Option<Vec<AddressRequest>>, Denial> {
        let service = &record.service;
        let restores = service.labelled && lacks_family(service, specified);
        if !specified.is_empty() && !restores {
            return Ok(Some(specified.to_vec()));
        }
        let may_lack =
            !specified.is_empty() && service.family_policy == FamilyPolicy::PreferDualStack;
        self.fill(record, specified, may_lack)
    }

    /// Adds to `fixed` what the pool has of the families it lacks; with `may_lack` what cannot be had is left out.
    fn fill(
        &self,
        record: &Record,
        fixed: &[AddressRequest],
        may_lack: bool,
    ) -> Result<Option<Vec<AddressRequest>>, Denial> {
        let Some(pools) = &self.pools else { return Ok(None) };
        let asker = Asker { service: &record.service, holds: &record.holds };
        match allocate(self, asker, pools, fixed) {
            Err(_) if may_lack => Ok(Some(fixed.to_vec())),
            filled => filled.map(Some),
        }
    }

    fn refuse_conflict(
        &self,
        record: &Record,
        addresses: &[AddressRequest],
    ) -> Result<(), Refusal> {
        let vips: Vec<Vip> = vips(addresses).collect();
        self.conflict(record, &vips).map_or(Ok(()), Err)
    }

    /// Makes a verdict part of the plan, and what it gives part of what is in use.
    fn conclude(&mut self, key: &ServiceKey, verdict: Verdict) {
        self.plan.writes.remove(key);
        self.changed.insert(key.clone());
        let (mut shortage, mut refusal) = (None, None);
        let decided = match verdict {
            Verdict::Waits => Vec::new(),
            Verdict::Refused(denial) => {
                refusal = Some(denial.refusal);
                shortage = denial.shortage;
                Vec::new()
            }
            Verdict::Right(addresses) => {
                self.note_given(key, &addresses);
                Vec::new()
            }
            Verdict::Write(write, addresses) => {
                self.note_given(key, &addresses);
                self.plan.writes.insert(key.clone(), write);
                addresses
            }
        };
        let refused = refusal.is_some();
        self.set_refusal(key, refusal);
        self.reserve(key, vips(&decided).collect());
        if refused && self.records.get(key).is_some_and(|record| !record.may_land.is_empty()) {
            // What was decided before on this version may still land, and is held for it; not for ever.
            self.fence(key);
        }
        self.tell_kept(key);
        let next = self.waiting.place(key, shortage);
        self.unsettled.extend(next);
    }

    /// A Service on its way out is given nothing, and keeps its right until it has let go: it may come back.
    fn note_given(&mut self, key: &ServiceKey, addresses: &[AddressRequest]) {
        if let Some(record) = self.records.get_mut(key).filter(|_| !addresses.is_empty()) {
            record.note_given(vips(addresses));
        }
    }
}

/// The addresses that the annotation asks for, after what its user has edited beside it.
fn read_annotation(record: &Record) -> Result<Vec<AddressRequest>, Refusal> {
    let service = &record.service;
    let text = service.annotation.as_deref().unwrap_or_default();
    let mut annotated = if record.edited.left_family {
        let fits = |request: &AddressRequest| service.families.contains(&request.family());
        let listed = text.split(',').filter(|one| one.trim().parse().is_ok_and(|it| fits(&it)));
        read_static(service, &listed.collect::<Vec<_>>().join(","), AskedIn::Annotation)?
    } else {
        read_static(service, text, AskedIn::Annotation)?
    };
    if let Follows::Annotation(before) = record.edited.follows {
        let spec = service.load_balancer_ip.as_deref().unwrap_or_default();
        let wished = read_static(service, spec, AskedIn::Spec)?;
        let others = annotated.iter().filter(|one| **one == before || !wished.contains(one));
        annotated = others
            .flat_map(|request| if *request == before { wished.clone() } else { vec![*request] })
            .collect();
    }
    Ok(annotated)
}

/// Leaves an annotation alone that says what it is to say; only where there is something to write anyway is it put in
/// its plain form.
fn keep_annotation(
    record: &Record,
    addresses: Vec<AddressRequest>,
    pool: Option<String>,
) -> Verdict {
    let service = &record.service;
    let text = service.annotation.as_deref().unwrap_or_default();
    let mut write = ServiceWrite { pool, ..ServiceWrite::adopt(service) };
    if let (Follows::Spec, Some(first)) = (record.edited.follows, addresses.first()) {
        write.load_balancer_ip = Edit::Set(first.to_string());
    }
    let says_so = read_static(service, text, AskedIn::Annotation).as_ref() == Ok(&addresses);
    if says_so && !write.is_needed() {
        return Verdict::Right(addresses);
    }
    let adds = vips(&addresses).any(|vip| !annotated(service).contains(&vip));
    if adds && is_settled(service) {
        // Whoever leads next must be able to tell that something may be under way.
        return Verdict::Write(ServiceWrite::fence(service), addresses);
    }
    let plain = format_address_list(&addresses);
    if plain != text {
        write.annotation = Edit::Set(plain);
    }
    Verdict::Write(write, addresses)
}

/// Whether the Service's policy lets it have a family that `addresses` lack.
fn lacks_family(service: &Service, addresses: &[AddressRequest]) -> bool {
    let lacks = |family| addresses.iter().all(|request| request.family() != family);
    match service.family_policy {
        FamilyPolicy::SingleStack => false,
        FamilyPolicy::PreferDualStack | FamilyPolicy::RequireDualStack => {
            service.families.iter().copied().any(lacks)
        }
    }
}
