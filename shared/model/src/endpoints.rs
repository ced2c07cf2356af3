//! Which nodes can serve a Service: EndpointSlices, reduced to counts per node.

use crate::object::ObjectKey;
use crate::service::ServiceKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is kept of one EndpointSlice. A Service has several when it has many endpoints or two families.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointSlice {
    /// Namespace and name of the slice itself.
    pub key: ObjectKey,
    /// The Service it belongs to (label `kubernetes.io/service-name`).
    pub service: ServiceKey,
    /// Endpoints in the slice, ready or not: policy Cluster counts these, as kube-vip does.
    pub endpoints: u32,
    /// Serving endpoints per node (`conditions.serving`, absent means yes): policy Local counts these.
    #[serde(default)]
    pub serving_on: BTreeMap<String, u32>,
    /// Ready endpoints per node (`conditions.ready`, absent means yes): those that serve and are not about to end. kube-proxy
    /// sends traffic to the others only where there is none of these.
    #[serde(default)]
    pub ready_on: BTreeMap<String, u32>,
}
