//! The control socket: who asks, may they, do it, write it down, answer.

use std::sync::Arc;

use hilum_audit::{NonEmpty, Record, What, fact};
use hilum_env::{Address, BoxFuture, Doors};
use hilum_gateway::{ActionError, Gateway};
use hilum_store::{Parked, ParkedItem, StoreError};
use hilum_words::{Actor, MessageId, RunId, Timestamp};
use hyper::StatusCode;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tracing::{info, warn};

use crate::document;
use crate::may::{Permitted, may};
use crate::reply::{Fault, Reply};
use crate::server::{Asked, Handler};
use crate::target::{ParkedId, Target};

/// Letters of a reason.
const REASON_CHARACTERS_MAX: usize = 1_000;

/// Answers operators.
pub struct Control {
    pub(crate) gateway: Arc<Gateway>,
    doors: Doors,
    own_uid: u32,
    health: Option<Address>,
}

/// Somebody who may do what they ask for.
pub(crate) struct Permit {
    pub(crate) actor: Actor,
    granted: Permitted,
}

impl Control {
    /// For this gateway; `health` is where the other server is bound.
    pub fn new(gateway: Arc<Gateway>, doors: Doors, health: Option<Address>) -> Self {
        Self { gateway, doors, own_uid: rustix::process::geteuid().as_raw(), health }
    }

    async fn respond(self: Arc<Self>, asked: Asked) -> Result<Reply, Fault> {
        let uid = asked.peer.uid;
        let uid =
            uid.ok_or_else(|| Fault::Forbidden("the kernel does not say who asks".to_owned()))?;
        let actor = Actor::LocalUser(uid);
        let uri = &asked.head.uri;
        let target = Target::read(&asked.head.method, uri.path(), uri.query())?;
        let (action, resource) = target.asks();
        let granted = may(&actor, action, &resource, self.own_uid).map_err(|denied| {
            warn!(%actor, action = action.word(), %resource, "denied");
            Fault::Forbidden(denied.to_string())
        })?;
        let permit = Permit { actor, granted };

        match target {
            Target::Status => {
                let health = self.health.clone();
                let status = move |it: &Gateway| Ok(document::status(it, health.as_ref()));
                Ok(Reply::json(&self.read(status).await?))
            }
            Target::Messages { limit, before } => {
                let recent = self.gateway.store().recent(limit, before);
                Ok(Reply::json(&document::summaries(&self.gateway, &recent)))
            }
            Target::ParkedList => {
                let parked = self.waiting(|it| it.held.is_none());
                Ok(Reply::json(&document::parked_list("parked", &parked)))
            }
            Target::HeldList => {
                let held = self.waiting(|it| it.held.is_some());
                Ok(Reply::json(&document::parked_list("held", &held)))
            }
            Target::Message(id) => {
                let shown = self.read(move |it| document::message(it, id)).await?;
                self.note(self.record(&permit, What::Viewed).message(id)).await?;
                Ok(Reply::json(&shown))
            }
            Target::Trace(id) => {
                // Written first, so that the trail that is shown has this look in it.
                self.known(id)?;
                self.note(self.record(&permit, What::Viewed).message(id)).await?;
                Ok(Reply::json(&self.read(move |it| document::trace(it, id)).await?))
            }
            Target::Parked(id) => {
                let item = self.find(id)?;
                self.note(self.record(&permit, What::Viewed).message(item.message)).await?;
                Ok(Reply::json(&self.read(move |it| document::parked(it, &item)).await?))
            }
            Target::Reveal(id) => self.reveal(id, &permit, reason(&asked.body)?).await,
            Target::Replay(id) => self.replay(id, permit).await,
            Target::Discard(id) => self.discard(id, permit, reason(&asked.body)?).await,
            Target::Release(run) => self.decide_held(run, true, permit, &asked.body).await,
            Target::Refuse(run) => self.decide_held(run, false, permit, &asked.body).await,
            Target::Destinations => {
                Ok(Reply::json(&document::destinations(&self.gateway.status())))
            }
            Target::Pause(name) => self.pause(&name, true, permit, &asked.body).await,
            Target::Resume(name) => self.pause(&name, false, permit, &asked.body).await,
            Target::Generations { limit } => {
                Ok(Reply::json(&document::generations(&self.gateway.generations(limit))))
            }
            Target::Generation(name) => self.generation(&name).await,
            Target::Difference(old, new) => self.difference(&old, &new).await,
            Target::Apply => self.apply(permit, &asked.body).await,
            Target::Rollback => self.rollback(permit, &asked.body).await,
        }
    }

    /// The body in the plain: the only answer that holds patient data.
    async fn reveal(&self, id: MessageId, permit: &Permit, reason: String) -> Result<Reply, Fault> {
        let format = self.known(id)?;
        let body = self.read(move |it| Ok(it.store().body(id)?)).await?;
        let record = self.record(permit, What::Revealed).message(id).text(fact::REASON, &reason);
        self.note(record).await?;
        info!(id = %id, actor = %permit.actor, "message revealed");
        let content_type = match format.as_str() {
            "hl7v2" => "x-application/hl7-v2+er7",
            "fhir-json" => "application/fhir+json",
            _ => "application/octet-stream",
        };
        Ok(Reply::of(StatusCode::OK, content_type, body))
    }

    async fn replay(&self, id: ParkedId, permit: Permit) -> Result<Reply, Fault> {
        let actor = permit.actor.clone();
        let (new, done) = match id {
            ParkedId::Run(run) => {
                self.find_of(run)?;
                let new: RunId = self.gateway.replay_run(run, actor).await?;
                (new.to_string(), format!("runs again as {new}"))
            }
            ParkedId::Delivery(delivery) => {
                let run = self.find(id)?.run;
                match self.gateway.replay_delivery(delivery, actor).await? {
                    None => (delivery.to_string(), "queued again".to_owned()),
                    Some(new) => {
                        let done = format!(
                            "had no body that may leave: {run} runs again as {new}, and goes to all \
                             its destinations"
                        );
                        (new.to_string(), done)
                    }
                }
            }
        };
        info!(parked = %id, actor = %permit.actor, "parked replayed");
        Ok(Reply::json(&json!({ "id": id.to_string(), "new": new, "done": done })))
    }

    async fn discard(&self, id: ParkedId, permit: Permit, reason: String) -> Result<Reply, Fault> {
        self.find(id)?;
        self.gateway.discard(id.into(), permit.actor.clone(), &reason).await?;
        info!(parked = %id, actor = %permit.actor, "parked discarded");
        Ok(Reply::json(&json!({ "id": id.to_string(), "done": "discarded" })))
    }

    /// The format of a message that is there.
    fn known(&self, id: MessageId) -> Result<hilum_words::Name, Fault> {
        let message = self.gateway.store().message(id);
        Ok(message.ok_or(StoreError::NoMessage(id))?.format)
    }

    /// What waits for a person and is of this kind.
    fn waiting(&self, is_wanted: impl Fn(&ParkedItem) -> bool) -> Vec<ParkedItem> {
        let mut all = self.gateway.store().parked();
        all.retain(is_wanted);
        all
    }

    fn find(&self, id: ParkedId) -> Result<ParkedItem, Fault> {
        let wanted = Parked::from(id);
        let all = self.gateway.store().parked();
        let found = all.into_iter().find(|it| it.item == wanted);
        found.ok_or_else(|| Fault::NotFound(format!("{id} is not parked")))
    }

    /// Whether this run waits for a person, or something of it does.
    fn find_of(&self, run: RunId) -> Result<(), Fault> {
        let is_parked = self.gateway.store().parked().iter().any(|it| it.run == run);
        is_parked.then_some(()).ok_or_else(|| Fault::NotFound(format!("{run} is not parked")))
    }

    fn record(&self, permit: &Permit, what: What) -> Record {
        let at = Timestamp::from_micros(self.doors.clock.now_micros());
        Record::new(at, what, permit.actor.clone()).text("permitted", permit.granted.because)
    }

    /// Writes evidence, and waits until the disk has it.
    async fn note(&self, record: Record) -> Result<(), Fault> {
        self.gateway.store().note(NonEmpty::of(record)).await?;
        Ok(())
    }

    /// Reads from the journal, off the async threads.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Gateway) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (tell, told) = oneshot::channel();
        let gateway = Arc::clone(&self.gateway);
        let work = move || {
            // Nobody waits any more if the exchange has run out of time.
            let _ = tell.send(read(&gateway));
        };
        self.doors.tasks.blocking("admin/read", Box::new(work)).await;
        told.await.unwrap_or_else(|_| Err(Fault::Unavailable("reading ended early".to_owned())))
    }
}

impl Handler for Control {
    fn answer(self: Arc<Self>, asked: Asked) -> BoxFuture<'static, Reply> {
        Box::pin(async move { self.respond(asked).await.unwrap_or_else(Reply::from) })
    }
}

impl From<ParkedId> for Parked {
    fn from(id: ParkedId) -> Self {
        match id {
            ParkedId::Run(run) => Self::Run(run),
            ParkedId::Delivery(delivery) => Self::Delivery(delivery),
        }
    }
}

impl From<ActionError> for Fault {
    fn from(fault: ActionError) -> Self {
        match fault {
            ActionError::Store(fault) => fault.into(),
            ActionError::NoRoute { .. } | ActionError::NotLoaded { .. } => {
                Self::Conflict(fault.to_string())
            }
            ActionError::NoDestination { .. } => Self::NotFound(fault.to_string()),
        }
    }
}

/// A store's error concerns the operator's request or the gateway's state, never a message's
/// content.
impl From<StoreError> for Fault {
    fn from(fault: StoreError) -> Self {
        let sentence = fault.to_string();
        match fault {
            StoreError::NoMessage(_)
            | StoreError::NoRun(_)
            | StoreError::NoDelivery(_)
            | StoreError::NoBlob(_) => Self::NotFound(sentence),
            StoreError::NotInState { .. } | StoreError::NotCleared(_) => Self::Conflict(sentence),
            _ => Self::Unavailable(sentence),
        }
    }
}

/// `{ "reason": "…" }`, and nothing else.
pub(crate) fn reason(body: &[u8]) -> Result<String, Fault> {
    let wrong = || {
        let most = REASON_CHARACTERS_MAX;
        Fault::BadRequest(format!(
            "the body is {{\"reason\": \"…\"}}, one line of at most {most} letters"
        ))
    };
    let document: Value = serde_json::from_slice(body).map_err(|_| wrong())?;
    let object = document.as_object().filter(|it| it.len() == 1).ok_or_else(wrong)?;
    let reason = object.get("reason").and_then(Value::as_str).ok_or_else(wrong)?;
    reason_text(reason).ok_or_else(wrong)
}

/// A reason, if it is one: a line that says something, and not too long.
pub(crate) fn reason_text(text: &str) -> Option<String> {
    let reason = text.trim();
    let is_line = !reason.is_empty() && !reason.chars().any(char::is_control);
    (is_line && reason.chars().count() <= REASON_CHARACTERS_MAX).then(|| reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_and_nothing_beside_it() {
        assert_eq!(reason(br#"{"reason": " call 17 "}"#), Ok("call 17".to_owned()));
        let long = format!(r#"{{"reason": "{}"}}"#, "x".repeat(REASON_CHARACTERS_MAX + 1));
        for wrong in [
            "",
            "call 17",
            r#"{"reason": ""}"#,
            r#"{"reason": "  "}"#,
            r#"{"reason": "a\nb"}"#,
            r#"{"reason": 17}"#,
            r#"{"reason": "a", "more": 1}"#,
            &long,
        ] {
            assert!(matches!(reason(wrong.as_bytes()), Err(Fault::BadRequest(_))), "{wrong}");
        }
    }
}
