//! What a request to the API server is about, read from its method and address.

use hyper::{Method, Uri};

/// A request, in the words that RBAC uses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApiRequest {
    /// `get`, `list`, `watch`, `create`, `update`, `patch` or `delete`.
    pub verb: String,
    /// `services`, `leases` …; empty for what is no resource.
    pub resource: String,
    /// `status`, or empty.
    pub subresource: String,
    /// Namespace, or empty.
    pub namespace: String,
    /// Name, or empty for the whole collection.
    pub name: String,
}

impl ApiRequest {
    /// Reads method and address as `k8s.io/apiserver/pkg/endpoints/request` does.
    #[must_use]
    pub fn of(method: &Method, uri: &Uri) -> Self {
        let mut parts = uri.path().split('/').filter(|part| !part.is_empty());
        match parts.next() {
            Some("api") => drop(parts.next()),
            Some("apis") => drop((parts.next(), parts.next())),
            _ => return Self { verb: method.as_str().to_lowercase(), ..Self::default() },
        }
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let mut request = Self { resource: next(), ..Self::default() };
        if request.resource == "namespaces" {
            request.namespace = next();
            request.resource = next();
        }
        request.name = next();
        if request.resource.is_empty() {
            // The address ended after the namespace: that itself is meant.
            request.resource = "namespaces".to_owned();
            request.name.clone_from(&request.namespace);
        }
        request.subresource = next();
        request.verb = verb(method, uri, request.name.is_empty()).to_owned();
        request
    }

    /// Whether it changes a Service or its status.
    #[must_use]
    pub fn writes_service(&self) -> bool {
        self.resource == "services"
            && matches!(self.verb.as_str(), "create" | "update" | "patch" | "delete")
    }
}

fn verb(method: &Method, uri: &Uri, collection: bool) -> &'static str {
    let watches = uri
        .query()
        .is_some_and(|query| query.split('&').any(|it| it == "watch=true" || it == "watch=1"));
    match (method.as_str(), collection) {
        ("GET", _) if watches => "watch",
        ("GET", true) => "list",
        ("GET", false) => "get",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", _) => "delete",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: &str, address: &str) -> ApiRequest {
        ApiRequest::of(&method.parse().unwrap(), &address.parse().unwrap())
    }

    #[test]
    fn reads_addresses_as_the_api_server_does() {
        let status = read("PATCH", "/api/v1/namespaces/a/services/b/status");
        let words =
            [&status.verb, &status.resource, &status.subresource, &status.namespace, &status.name];
        assert_eq!(words, ["patch", "services", "status", "a", "b"]);
        let lease = read("PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x");
        assert_eq!((lease.verb.as_str(), lease.resource.as_str()), ("update", "leases"));
        assert_eq!(read("GET", "/api/v1/services?limit=500").verb, "list");
        assert_eq!(read("GET", "/api/v1/services?limit=500&watch=true").verb, "watch");
        assert_eq!(read("GET", "/api/v1/namespaces/a").verb, "get");
    }
}
