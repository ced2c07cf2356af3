//! Counts what a process asks of the API server: every request, watches among them, by verb and answer.

use futures::future::BoxFuture;
use hyper::{Method, Request, Response, StatusCode, Uri};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// The verbs that are told apart, as the API server's authorization knows them.
const VERBS: [&str; 7] = ["get", "list", "watch", "create", "update", "patch", "delete"];
/// The code of a request that got no answer, or whose answer was not waited for.
const NO_ANSWER: &str = "error";

/// The count, as a layer of the client. A watch counts when it begins.
#[derive(Debug, Clone, Default)]
pub struct ApiRequests {
    requests: Family<RequestLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    verb: &'static str,
    code: String,
}

impl ApiRequests {
    /// Makes the count and registers it, without the prefix of the program.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let counted = Self::default();
        // Failures are there from the start, so that the first of them is an increase.
        for verb in VERBS {
            let labels = RequestLabels { verb, code: NO_ANSWER.to_owned() };
            drop(counted.requests.get_or_create(&labels));
        }
        registry.register(
            "api_requests",
            "Requests to the API server, by verb and by the code of the answer; without an answer the code is error",
            counted.requests.clone(),
        );
        counted
    }

    fn count(&self, verb: &'static str, code: String) {
        self.requests.get_or_create(&RequestLabels { verb, code }).inc();
    }
}

impl<S> Layer<S> for ApiRequests {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Counted { inner, requests: self.clone() }
    }
}

/// A service whose requests are counted.
#[derive(Debug, Clone)]
pub struct Counted<S> {
    inner: S,
    requests: ApiRequests,
}

impl<S, B, R> Service<Request<B>> for Counted<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let verb = verb(request.method(), request.uri());
        let mut open = Open { requests: self.requests.clone(), verb, code: None };
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            open.answered(answer.status());
            Ok(answer)
        })
    }
}

/// A request on its way; counts however it ends, also when nobody waits for it any more.
struct Open {
    requests: ApiRequests,
    verb: &'static str,
    code: Option<String>,
}

impl Open {
    fn answered(&mut self, status: StatusCode) {
        self.code = Some(status.as_str().to_owned());
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let code = self.code.take().unwrap_or_else(|| NO_ANSWER.to_owned());
        self.requests.count(self.verb, code);
    }
}

/// One of [`VERBS`], or `other` for what this project never asks.
fn verb(method: &Method, uri: &Uri) -> &'static str {
    match *method {
        Method::GET if watches(uri) => "watch",
        Method::GET if names_one(uri.path()) => "get",
        Method::GET => "list",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "other",
    }
}

fn watches(uri: &Uri) -> bool {
    uri.query()
        .is_some_and(|query| query.split('&').any(|it| it == "watch=true" || it == "watch=1"))
}

/// Whether a path is that of one object: `/api/v1/nodes/n1`, `/apis/GROUP/VERSION/namespaces/NAMESPACE/KIND/NAME`.
fn names_one(path: &str) -> bool {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let to_version = match parts.next() {
        Some("api") => 1,
        Some("apis") => 2,
        _ => return true,
    };
    let below: Vec<_> = parts.skip(to_version).collect();
    !matches!(below.as_slice(), ["namespaces", _, _] | [_] | [])
}

#[cfg(test)]
mod tests;
