//! The service behind a client that outlives every identity it has used.

use super::identities::{Identities, Turn};
use futures::future::BoxFuture;
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use kube::client::Body;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::{BoxError, Service, ServiceExt};

/// Sends each request with the identity of the moment. One that is refused goes out once more if another identity may
/// take its place: a refused request has done nothing. An identity is refused with 401, or with 403 to a question: what is
/// to be written may be forbidden for what it says, and would be from whomever.
#[derive(Clone)]
pub(super) struct Renewed {
    identities: Arc<Identities>,
}

impl Renewed {
    pub(super) const fn new(identities: Arc<Identities>) -> Self {
        Self { identities }
    }

    async fn send(self, request: Request<Body>) -> Result<Response<Incoming>, BoxError> {
        let Turn { identity, on_trial } = self.identities.turn().await?;
        let again = copy(&request);
        let writes = !request.method().is_safe();
        let answer = identity.api.clone().oneshot(request).await?;
        if !refuses(&answer) {
            if on_trial && !answer.status().is_server_error() {
                self.identities.works().await;
            }
            return Ok(answer);
        }
        if writes && !on_trial && answer.status() == StatusCode::FORBIDDEN {
            return Ok(answer);
        }
        let other = self.identities.instead_of(&identity, answer.status()).await;
        let Some((other, again)) = other.zip(again) else { return Ok(answer) };
        match other.api.clone().oneshot(again).await {
            Ok(second) if !refuses(&second) => {
                self.identities.stand_in(other).await;
                Ok(second)
            }
            _ => Ok(answer),
        }
    }
}

impl Service<Request<Body>> for Renewed {
    type Response = Response<Incoming>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Incoming>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().send(request))
    }
}

fn refuses(answer: &Response<Incoming>) -> bool {
    matches!(answer.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// The same request, unless its body is a stream.
fn copy(request: &Request<Body>) -> Option<Request<Body>> {
    let mut copy = Request::new(request.body().try_clone()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    Some(copy)
}
