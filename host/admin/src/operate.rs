//! Changes of the running gateway: generations, destinations, held runs.

use std::sync::Arc;

use hilum_gateway::{ApplyError, Gateway, Source, Wanted};
use hilum_words::{Digest, Name, RunId};
use serde_json::{Value, json};
use tracing::info;

use crate::control::{Control, Permit, reason, reason_text};
use crate::document;
use crate::reply::{Fault, Reply};

/// What the body of an apply or a rollback says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Order {
    generation: Option<String>,
    is_rehearsal: bool,
    expect: Option<Digest>,
    reason: Option<String>,
}

impl Control {
    pub(crate) async fn apply(&self, permit: Permit, body: &[u8]) -> Result<Reply, Fault> {
        let order = order(body, false)?;
        self.change(permit, Source::Folder, order).await
    }

    pub(crate) async fn rollback(&self, permit: Permit, body: &[u8]) -> Result<Reply, Fault> {
        let order = order(body, true)?;
        let source = match &order.generation {
            Some(name) => Source::Stored(self.gateway.find_generation(name)?),
            None => Source::Before,
        };
        self.change(permit, source, order).await
    }

    async fn change(&self, permit: Permit, source: Source, order: Order) -> Result<Reply, Fault> {
        let wanted = Wanted {
            source,
            expect: order.expect,
            is_rehearsal: order.is_rehearsal,
            is_patient: false,
            actor: permit.actor,
            reason: order.reason,
        };
        let applied = self.gateway.change(wanted).await?;
        Ok(Reply::json(&document::applied(&applied)))
    }

    pub(crate) async fn generation(&self, name: &str) -> Result<Reply, Fault> {
        let digest = self.gateway.find_generation(name)?;
        let shown = self.read(move |it| Ok(it.show_generation(digest)?)).await?;
        Ok(Reply::json(&document::generation(&shown)))
    }

    pub(crate) async fn difference(&self, old: &str, new: &str) -> Result<Reply, Fault> {
        let old = self.gateway.find_generation(old)?;
        let new = self.gateway.find_generation(new)?;
        let changes = self.read(move |it: &Gateway| Ok(it.compare(old, new)?)).await?;
        let mut shown = document::changes(&changes);
        if let Some(members) = shown.as_object_mut() {
            members.insert("old".to_owned(), old.to_string().into());
            members.insert("new".to_owned(), new.to_string().into());
        }
        Ok(Reply::json(&shown))
    }

    pub(crate) async fn pause(
        &self,
        name: &Name,
        is_paused: bool,
        permit: Permit,
        body: &[u8],
    ) -> Result<Reply, Fault> {
        let reason = reason(body)?;
        let was_paused = self.gateway.pause(name, is_paused, permit.actor.clone(), &reason).await?;
        let done = match (is_paused, was_paused) {
            (true, _) => "paused",
            (false, true) => "resumed",
            (false, false) => "was not paused; what waits is tried now",
        };
        info!(destination = %name, actor = %permit.actor, "destination: {done}");
        Ok(Reply::json(&json!({ "name": name.as_str(), "done": done })))
    }

    pub(crate) async fn decide_held(
        &self,
        run: RunId,
        is_released: bool,
        permit: Permit,
        body: &[u8],
    ) -> Result<Reply, Fault> {
        let reason = reason(body)?;
        let gateway = Arc::clone(&self.gateway);
        let done = if is_released {
            gateway.release(run, permit.actor.clone(), &reason).await?;
            "released"
        } else {
            gateway.refuse(run, permit.actor.clone(), &reason).await?;
            "refused"
        };
        info!(%run, actor = %permit.actor, "held run {done}");
        Ok(Reply::json(&json!({ "id": run.to_string(), "done": done })))
    }
}

impl From<ApplyError> for Fault {
    fn from(fault: ApplyError) -> Self {
        let mut sentence = fault.to_string();
        let mut source = std::error::Error::source(&fault);
        while let Some(cause) = source {
            sentence.push_str(": ");
            sentence.push_str(&cause.to_string());
            source = cause.source();
        }
        match fault {
            ApplyError::Problems(problems) => Self::Problems(problems),
            ApplyError::NoGeneration(_) | ApplyError::NothingBefore => Self::NotFound(sentence),
            ApplyError::Ambiguous(_) | ApplyError::TooShort(_) => Self::BadRequest(sentence),
            ApplyError::Listen(_) | ApplyError::Moved { .. } => Self::Conflict(sentence),
            ApplyError::Store(_) | ApplyError::Busy | ApplyError::Stopping => {
                Self::Unavailable(sentence)
            }
        }
    }
}

fn order(body: &[u8], takes_generation: bool) -> Result<Order, Fault> {
    let wrong = || {
        let generation = if takes_generation { "\"generation\": \"…\", " } else { "" };
        Fault::BadRequest(format!(
            "the body is {{{generation}\"dry_run\": false, \"expect\": \"sha256:…\", \"reason\": \"…\"}}, each of them optional"
        ))
    };
    if body.is_empty() {
        return Ok(Order::default());
    }
    let document: Value = serde_json::from_slice(body).map_err(|_| wrong())?;
    let mut order = Order::default();
    for (key, value) in document.as_object().ok_or_else(wrong)? {
        match (key.as_str(), value) {
            (_, Value::Null) => {}
            ("dry_run", Value::Bool(is)) => order.is_rehearsal = *is,
            ("expect", Value::String(digest)) => {
                order.expect = Some(digest.parse().map_err(|_| wrong())?);
            }
            ("reason", Value::String(reason)) => {
                order.reason = Some(reason_text(reason).ok_or_else(wrong)?);
            }
            ("generation", Value::String(name)) if takes_generation => {
                order.generation = Some(name.clone());
            }
            _ => return Err(wrong()),
        }
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_says_what_it_knows_and_nothing_else() {
        assert_eq!(order(b"", false), Ok(Order::default()));
        let digest = Digest::of(b"x");
        let text = format!(r#"{{"dry_run": true, "expect": "{digest}", "reason": " why "}}"#);
        let expected = Order {
            generation: None,
            is_rehearsal: true,
            expect: Some(digest),
            reason: Some("why".to_owned()),
        };
        assert_eq!(order(text.as_bytes(), false), Ok(expected));
        let named = br#"{"generation": "before", "reason": null}"#;
        assert_eq!(order(named, true).map(|it| it.generation), Ok(Some("before".to_owned())));
        for wrong in [
            &b"x"[..],
            b"[]",
            br#"{"dry_run": 1}"#,
            br#"{"expect": "abc"}"#,
            br#"{"reason": ""}"#,
            br#"{"reason": "a\nb"}"#,
            br#"{"more": 1}"#,
            named,
        ] {
            assert!(matches!(order(wrong, false), Err(Fault::BadRequest(_))));
        }
    }
}
