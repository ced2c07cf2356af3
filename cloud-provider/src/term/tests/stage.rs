use super::super::{Office, serve};
use crate::args;
use crate::metrics::Metrics;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use shared::api_double::{ApiDouble, Received, connect_counted};
use shared::clock::Clock;
use shared::events::Recorder;
use shared::lease::Leadership;
use shared::task::Owned;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;

/// A term under way, and the API server that it talks to.
pub(super) struct Stage {
    pub(super) leadership_tx: watch::Sender<Leadership>,
    pub(super) leave_tx: watch::Sender<bool>,
    pub(super) ready_rx: watch::Receiver<bool>,
    pub(super) term: Owned<()>,
    server: ApiDouble,
    registry: Registry,
    services: Vec<Value>,
    pools: Value,
    /// Watches that wait for news, by the kind of what they watch.
    watches: BTreeMap<String, Received>,
    version: u64,
    _post: Owned<()>,
}

/// A list or watch, by what it asks for.
const KINDS: [&str; 5] = ["services", "nodes", "endpointslices", "leases", "configmaps"];

impl Stage {
    /// A term that finds these Services and these pools.
    pub(super) fn open(services: Vec<Value>, pools: Value) -> Self {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let (client, server) = connect_counted(&metrics.requests);
        let (recorder, post) =
            Recorder::new(client.clone(), "kube-vip-cloud-provider", "n1", metrics.events.clone());
        let (leadership_tx, leadership_rx) = watch::channel(Leadership::unopposed());
        let (leave_tx, leave_rx) = watch::channel(false);
        let (ready_tx, ready_rx) = watch::channel(false);
        let config = args::read(&[], &[], "me").unwrap();
        let office = Office { client, clock: Clock::start(), recorder, metrics, ready_tx };
        let term = Owned::spawn(async move {
            serve(&office, &config, leadership_rx, leave_rx).await;
        });
        Self {
            leadership_tx,
            leave_tx,
            ready_rx,
            term,
            server,
            registry,
            services,
            pools,
            watches: BTreeMap::new(),
            version: 1000,
            _post: Owned::spawn(post),
        }
    }

    /// The next request that is neither a list nor the beginning of a watch; those are answered on the way.
    pub(super) async fn request(&mut self) -> Received {
        loop {
            let request = self.server.request().await;
            if request.method != "GET" {
                return request;
            }
            self.answer_get(request);
        }
    }

    /// Answers lists until nothing more is asked; what is asked for besides is given back.
    pub(super) async fn rest(&mut self) -> Vec<Received> {
        let mut others = Vec::new();
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let Some(request) = self.server.arrived() else { return others };
            if request.method == "GET" { self.answer_get(request) } else { others.push(request) }
        }
    }

    /// Answers the next `count` requests with "yes", and tells what they were.
    pub(super) async fn accept(&mut self, count: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for _ in 0..count {
            let request = self.request().await;
            lines.push(request.line());
            request.accept();
        }
        lines
    }

    fn answer_get(&mut self, request: Received) {
        let kind = KINDS.into_iter().find(|kind| request.uri.contains(&format!("/{kind}?")));
        let kind = kind.unwrap_or_else(|| panic!("{} is not expected", request.uri));
        let ours = request.uri.contains("metadata.name%3Dkubevip");
        let kind = if ours { "pools" } else { kind };
        if request.uri.contains("watch=true") {
            self.watches.insert(kind.to_owned(), request);
            return;
        }
        let items = match kind {
            "services" => self.services.clone(),
            "pools" if !self.pools.is_null() => vec![pools_object(&self.pools, 1)],
            _ => Vec::new(),
        };
        request.answer(200, &json!({"metadata": {"resourceVersion": "1"}, "items": items}));
    }

    /// The watch of Services tells of this one.
    pub(super) async fn see(&mut self, service: &Value) {
        self.tell("services", &json!({"type": "MODIFIED", "object": service})).await;
    }

    /// The watch of the ConfigMap tells that it says this now.
    pub(super) async fn change_pools(&mut self, data: &Value) {
        self.version += 1;
        let object = pools_object(data, self.version);
        self.tell("pools", &json!({"type": "MODIFIED", "object": object})).await;
    }

    async fn tell(&mut self, kind: &str, event: &Value) {
        while !self.watches.contains_key(kind) {
            let others = self.rest().await;
            assert!(others.is_empty(), "unexpected: {}", others[0].line());
        }
        self.watches.remove(kind).unwrap().answer_raw(200, format!("{event}\n"));
    }

    /// The value of a metric, with its labels as they are written, if it is there.
    pub(super) fn metric(&self, name: &str) -> Option<f64> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        let name = format!("kube_vip_cloud_provider_{name} ");
        text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok())
    }
}

fn pools_object(data: &Value, version: u64) -> Value {
    json!({
        "metadata": {
            "name": "kubevip", "namespace": "kube-system", "resourceVersion": version.to_string()
        },
        "data": data,
    })
}

/// A Service of type LoadBalancer in the namespace `shop`, as it is stored.
pub(super) fn service(name: &str, version: u64) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "namespace": "shop", "name": name, "uid": format!("uid-{name}"),
            "resourceVersion": version.to_string(),
        },
        "spec": {
            "type": "LoadBalancer", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
            "ports": [{"port": 80}],
        },
    })
}

/// The same, looked after and with these addresses.
pub(super) fn served(name: &str, version: u64, addresses: &str) -> Value {
    let mut service = service(name, version);
    service["metadata"]["labels"] = json!({"implementation": "kube-vip"});
    service["metadata"]["annotations"] = json!({"kube-vip.io/loadbalancerIPs": addresses});
    service["metadata"]["finalizers"] = json!(["service.kubernetes.io/load-balancer-cleanup"]);
    service["spec"]["loadBalancerIP"] = json!(addresses.split(',').next());
    service
}
