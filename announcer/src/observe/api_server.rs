//! Asks the API server of this host, again and again, whether it serves.

use announcer_decide::event::Event;
use announcer_decide::health::{Answer, Health, Input, Output, PATIENCE, SILENCE, Serving};
use futures::future::BoxFuture;
use model::machine::Machine;
use shared::api_client::LocalServer;
use shared::clock::Clock;
use tokio::sync::mpsc;
use tokio::time::sleep_until;

/// All that the server itself needs to serve. Losing members of etcd must not make every server that is left unhealthy.
const READY: &str = "/readyz?exclude=etcd&exclude=etcd-readiness";

/// What came of a question, and the sentence for people where that is no good answer.
type Outcome = (Input, String);

/// Sends [`Event::ApiServerSeen`] into `events_tx` whenever the health of `server` has changed, waiting where it is full.
/// Ends when nobody listens.
pub async fn follow(server: LocalServer, clock: Clock, events_tx: mpsc::Sender<Event>) {
    let mut health = Health::default();
    let mut question: Option<BoxFuture<'_, Outcome>> = None;
    let mut why = String::new();
    let mut served = false;
    loop {
        let wake = health.deadline().map(|deadline| clock.instant(deadline));
        let outputs = tokio::select! {
            // An answer that is there counts, however late this wakes up.
            biased;
            () = events_tx.closed() => return,
            (input, sentence) = outcome(&mut question) => {
                question = None;
                why = sentence;
                health.handle(clock.now(), input)
            }
            () = sleep_until(wake.unwrap_or_else(tokio::time::Instant::now)) => {
                health.wake(clock.now())
            }
        };
        for output in outputs {
            match output {
                Output::Ask => question = Some(Box::pin(ask(&server))),
                Output::GiveUp => {
                    question = None;
                    why = format!("no answer for {} s", PATIENCE.as_secs());
                }
                Output::Explain => explain(&server, &why),
                Output::Tell(serving) => {
                    tell(serving, served, &why);
                    if serving.serves() != served {
                        served = serving.serves();
                        server.found(served);
                    }
                    if events_tx.send(Event::ApiServerSeen(serving)).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// What comes of the open question; waits for ever while there is none.
async fn outcome(question: &mut Option<BoxFuture<'_, Outcome>>) -> Outcome {
    match question {
        Some(question) => question.await,
        None => std::future::pending().await,
    }
}

async fn ask(server: &LocalServer) -> Outcome {
    match server.get(READY).await {
        Ok(status) if status.is_success() => (Input::Answered(Answer::Good), String::new()),
        Ok(status) => {
            let refused = matches!(status.as_u16(), 401 | 403);
            let answer = if refused { Answer::Refused } else { Answer::Bad };
            (Input::Answered(answer), format!("/readyz is answered with {status}"))
        }
        Err(error) => (Input::Failed, error.to_string()),
    }
}

/// Tells people; that an answer was late is of no use to them.
fn tell(serving: Serving, served: bool, why: &str) {
    match serving {
        Serving::Silent => tracing::warn!(
            "the API server of this host has not answered for {} ms",
            SILENCE.as_millis()
        ),
        Serving::Down => tracing::warn!("the API server of this host does not serve: {why}"),
        Serving::Well | Serving::Late if !served => {
            tracing::info!("the API server of this host serves");
        }
        Serving::Well | Serving::Late => tracing::debug!(?serving, "the API server of this host"),
    }
}

/// Why it may never come to serve, for people who wait for it.
fn explain(server: &LocalServer, why: &str) {
    tracing::warn!(
        "no API server of this host has served yet, and without one this node takes the control plane's address only if \
         no other control plane can: GET {READY} at {} came to: {why}; if there is one, let it listen there, too: without \
         --bind-address, or with 0.0.0.0 or ::, and on the port that kube-vip has as --port",
        server.address()
    );
}

#[cfg(test)]
mod tests;
