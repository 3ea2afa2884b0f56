//! What a request is about: method and path, read once.
//!
//! ```text
//! GET  /v1/status
//! GET  /v1/messages?limit=50&before=msg_…
//! GET  /v1/messages/{msg}          POST /v1/messages/{msg}/reveal   { "reason": "…" }
//! GET  /v1/messages/{msg}/trace
//! GET  /v1/parked
//! GET  /v1/parked/{run|dlv}        POST /v1/parked/{…}/replay
//!                                  POST /v1/parked/{…}/discard      { "reason": "…" }
//! ```

use hilum_words::{DeliveryId, MessageId, RunId};
use hyper::Method;

use crate::reply::Fault;

/// The most messages, or parked things, that one answer lists.
pub const LIST_MAX: usize = 1000;

/// A run or a delivery that is parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParkedId {
    /// A run.
    Run(RunId),
    /// A delivery.
    Delivery(DeliveryId),
}

impl std::fmt::Display for ParkedId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Run(id) => id.fmt(f),
            Self::Delivery(id) => id.fmt(f),
        }
    }
}

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// What the gateway is doing.
    Status,
    /// The newest messages.
    Messages {
        /// At most so many.
        limit: usize,
        /// Only those accepted before this one.
        before: Option<MessageId>,
    },
    /// One message, masked.
    Message(MessageId),
    /// One message's trail.
    Trace(MessageId),
    /// One message's body in the plain.
    Reveal(MessageId),
    /// What waits for a person.
    ParkedList,
    /// One of them.
    Parked(ParkedId),
    /// Try it again.
    Replay(ParkedId),
    /// Give it up.
    Discard(ParkedId),
}

impl Target {
    /// Reads method, path and query.
    pub fn read(method: &Method, path: &str, query: Option<&str>) -> Result<Self, Fault> {
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let (target, allowed) = match parts.as_slice() {
            ["v1", "status"] => (Self::Status, "GET"),
            ["v1", "messages"] => (read_list(query)?, "GET"),
            ["v1", "messages", id] => (Self::Message(message(id)?), "GET"),
            ["v1", "messages", id, "trace"] => (Self::Trace(message(id)?), "GET"),
            ["v1", "messages", id, "reveal"] => (Self::Reveal(message(id)?), "POST"),
            ["v1", "parked"] => (Self::ParkedList, "GET"),
            ["v1", "parked", id] => (Self::Parked(parked(id)?), "GET"),
            ["v1", "parked", id, "replay"] => (Self::Replay(parked(id)?), "POST"),
            ["v1", "parked", id, "discard"] => (Self::Discard(parked(id)?), "POST"),
            _ => return Err(Fault::NotFound("no such path".to_owned())),
        };
        if method.as_str() != allowed {
            return Err(Fault::NotAllowed(allowed));
        }
        Ok(target)
    }
}

fn read_list(query: Option<&str>) -> Result<Target, Fault> {
    let (mut limit, mut before) = (50, None);
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("limit", number)) => {
                limit = number
                    .parse()
                    .ok()
                    .filter(|number| (1..=LIST_MAX).contains(number))
                    .ok_or_else(|| Fault::BadRequest(format!("limit is from 1 to {LIST_MAX}")))?;
            }
            Some(("before", id)) => before = Some(message(id)?),
            _ => return Err(Fault::BadRequest("only limit and before are known".to_owned())),
        }
    }
    Ok(Target::Messages { limit, before })
}

fn message(text: &str) -> Result<MessageId, Fault> {
    text.parse().map_err(|_| Fault::BadRequest("a message's id is msg_ and 26 letters".to_owned()))
}

fn parked(text: &str) -> Result<ParkedId, Fault> {
    let run = text.parse().map(ParkedId::Run);
    run.or_else(|_| text.parse().map(ParkedId::Delivery)).map_err(|_| {
        Fault::BadRequest("what is parked has an id of run_ or dlv_ and 26 letters".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: Method, path: &str, expected: Result<Target, Fault>) {
        let (path, query) = path.split_once('?').map_or((path, None), |(p, q)| (p, Some(q)));
        assert_eq!(Target::read(&method, path, query), expected);
    }

    #[test]
    fn every_path_is_read() {
        let id = MessageId::from_bits(7);
        let run = RunId::from_bits(8);
        let delivery = DeliveryId::from_bits(9);
        let (get, post) = (Method::GET, Method::POST);
        let path = |start: &str, end: &str| format!("/v1/{start}{end}");
        check(get.clone(), "/v1/status", Ok(Target::Status));
        check(get.clone(), "/v1/messages", Ok(Target::Messages { limit: 50, before: None }));
        check(
            get.clone(),
            &format!("/v1/messages?limit=3&before={id}"),
            Ok(Target::Messages { limit: 3, before: Some(id) }),
        );
        check(get.clone(), &path("messages/", &id.to_string()), Ok(Target::Message(id)));
        check(get.clone(), &path("messages/", &format!("{id}/trace")), Ok(Target::Trace(id)));
        check(post.clone(), &path("messages/", &format!("{id}/reveal")), Ok(Target::Reveal(id)));
        check(get.clone(), "/v1/parked", Ok(Target::ParkedList));
        let parked = ParkedId::Run(run);
        check(get, &path("parked/", &run.to_string()), Ok(Target::Parked(parked)));
        check(post.clone(), &path("parked/", &format!("{run}/replay")), Ok(Target::Replay(parked)));
        let parked = ParkedId::Delivery(delivery);
        check(post, &path("parked/", &format!("{delivery}/discard")), Ok(Target::Discard(parked)));
    }

    #[test]
    fn what_is_not_there_and_what_makes_no_sense_are_told_apart() {
        let bad = |text: &str| Err(Fault::BadRequest(text.to_owned()));
        check(Method::GET, "/v1/nothing", Err(Fault::NotFound("no such path".to_owned())));
        check(Method::GET, "/v1/messages/7", bad("a message's id is msg_ and 26 letters"));
        check(Method::DELETE, "/v1/status", Err(Fault::NotAllowed("GET")));
        let reveal = format!("/v1/messages/{}/reveal", MessageId::from_bits(7));
        check(Method::GET, &reveal, Err(Fault::NotAllowed("POST")));
        check(Method::GET, "/v1/messages?limit=0", bad("limit is from 1 to 1000"));
        check(Method::GET, "/v1/messages?limit=1001", bad("limit is from 1 to 1000"));
        check(Method::GET, "/v1/messages?colour=red", bad("only limit and before are known"));
    }
}
