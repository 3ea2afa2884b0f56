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
//! GET  /v1/held                    POST /v1/held/{run}/release      { "reason": "…" }
//!                                  POST /v1/held/{run}/refuse       { "reason": "…" }
//! GET  /v1/destinations            POST /v1/destinations/{name}/pause   { "reason": "…" }
//!                                  POST /v1/destinations/{name}/resume  { "reason": "…" }
//! GET  /v1/generations?limit=50    POST /v1/apply      { "dry_run"?, "expect"?, "reason"? }
//! GET  /v1/generations/{it}        POST /v1/rollback   { "generation"?, and the same }
//! GET  /v1/generations/{old}/diff/{new}
//! ```
//!
//! A generation is `current`, `before`, its digest, or the first digits of that.

use hilum_words::{DeliveryId, MessageId, Name, RunId};
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
    /// The runs that validators hold.
    HeldList,
    /// Let one go on.
    Release(RunId),
    /// Refuse one.
    Refuse(RunId),
    /// The destinations.
    Destinations,
    /// Let nothing go to one.
    Pause(Name),
    /// Let it go on.
    Resume(Name),
    /// The generations that took over, newest first.
    Generations {
        /// At most so many.
        limit: usize,
    },
    /// One of them.
    Generation(String),
    /// What is different between two.
    Difference(String, String),
    /// Make the site's folder the running configuration.
    Apply,
    /// Make a generation that ran before the running one.
    Rollback,
}

impl Target {
    /// Reads method, path and query.
    pub fn read(method: &Method, path: &str, query: Option<&str>) -> Result<Self, Fault> {
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let (target, allowed) = match parts.as_slice() {
            ["v1", "status"] => (Self::Status, "GET"),
            ["v1", "messages"] => {
                let (limit, before) = read_list(query, true)?;
                (Self::Messages { limit, before }, "GET")
            }
            ["v1", "messages", id] => (Self::Message(message(id)?), "GET"),
            ["v1", "messages", id, "trace"] => (Self::Trace(message(id)?), "GET"),
            ["v1", "messages", id, "reveal"] => (Self::Reveal(message(id)?), "POST"),
            ["v1", "parked"] => (Self::ParkedList, "GET"),
            ["v1", "parked", id] => (Self::Parked(parked(id)?), "GET"),
            ["v1", "parked", id, "replay"] => (Self::Replay(parked(id)?), "POST"),
            ["v1", "parked", id, "discard"] => (Self::Discard(parked(id)?), "POST"),
            ["v1", "held"] => (Self::HeldList, "GET"),
            ["v1", "held", id, "release"] => (Self::Release(run(id)?), "POST"),
            ["v1", "held", id, "refuse"] => (Self::Refuse(run(id)?), "POST"),
            ["v1", "destinations"] => (Self::Destinations, "GET"),
            ["v1", "destinations", name, "pause"] => (Self::Pause(decoded(name)?), "POST"),
            ["v1", "destinations", name, "resume"] => (Self::Resume(decoded(name)?), "POST"),
            ["v1", "generations"] => {
                (Self::Generations { limit: read_list(query, false)?.0 }, "GET")
            }
            ["v1", "generations", it] => (Self::Generation((*it).to_owned()), "GET"),
            ["v1", "generations", old, "diff", new] => {
                (Self::Difference((*old).to_owned(), (*new).to_owned()), "GET")
            }
            ["v1", "apply"] => (Self::Apply, "POST"),
            ["v1", "rollback"] => (Self::Rollback, "POST"),
            _ => return Err(Fault::NotFound("no such path".to_owned())),
        };
        if method.as_str() != allowed {
            return Err(Fault::NotAllowed(allowed));
        }
        Ok(target)
    }
}

/// The bounds of a list; only messages are read on from one of them.
fn read_list(query: Option<&str>, has_before: bool) -> Result<(usize, Option<MessageId>), Fault> {
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
            Some(("before", id)) if has_before => before = Some(message(id)?),
            _ if has_before => {
                return Err(Fault::BadRequest("only limit and before are known".to_owned()));
            }
            _ => return Err(Fault::BadRequest("only limit is known".to_owned())),
        }
    }
    Ok((limit, before))
}

fn message(text: &str) -> Result<MessageId, Fault> {
    text.parse().map_err(|_| Fault::BadRequest("a message's id is msg_ and 26 letters".to_owned()))
}

fn run(text: &str) -> Result<RunId, Fault> {
    text.parse().map_err(|_| Fault::BadRequest("a run's id is run_ and 26 letters".to_owned()))
}

/// A name of the configuration, which may hold any letter: percent-encoded.
fn decoded(text: &str) -> Result<Name, Fault> {
    let wrong = || Fault::BadRequest("the name is not percent-encoded UTF-8".to_owned());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || (rest.next()? as char).to_digit(16);
                let (high, low) = (digit().ok_or_else(wrong)?, digit().ok_or_else(wrong)?);
                u8::try_from(high * 16 + low).map_err(|_| wrong())?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map(Name::from).map_err(|_| wrong())
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
        let discard = path("parked/", &format!("{delivery}/discard"));
        check(post.clone(), &discard, Ok(Target::Discard(parked)));
        let get = Method::GET;
        check(get.clone(), "/v1/held", Ok(Target::HeldList));
        check(post.clone(), &path("held/", &format!("{run}/release")), Ok(Target::Release(run)));
        check(post.clone(), &path("held/", &format!("{run}/refuse")), Ok(Target::Refuse(run)));
        check(get.clone(), "/v1/destinations", Ok(Target::Destinations));
        let name = || Name::from("e/h r");
        check(post.clone(), "/v1/destinations/e%2Fh%20r/pause", Ok(Target::Pause(name())));
        check(post.clone(), "/v1/destinations/e%2fh%20r/resume", Ok(Target::Resume(name())));
        check(get.clone(), "/v1/generations?limit=7", Ok(Target::Generations { limit: 7 }));
        let owned = str::to_owned;
        check(get.clone(), "/v1/generations/ab12cd", Ok(Target::Generation(owned("ab12cd"))));
        let difference = Target::Difference(owned("before"), owned("current"));
        check(get, "/v1/generations/before/diff/current", Ok(difference));
        check(post.clone(), "/v1/apply", Ok(Target::Apply));
        check(post, "/v1/rollback", Ok(Target::Rollback));
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
        check(Method::GET, "/v1/generations?before=x", bad("only limit is known"));
        check(Method::GET, "/v1/apply", Err(Fault::NotAllowed("POST")));
        for name in ["a%", "a%2", "a%zz", "%ff"] {
            let path = format!("/v1/destinations/{name}/pause");
            check(Method::POST, &path, bad("the name is not percent-encoded UTF-8"));
        }
    }
}
