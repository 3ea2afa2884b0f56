//! A small HTTP/1.1 client within bounds.
//!
//! One [`Client`] speaks to one address. Connections are kept for the next request; how many there
//! are is bounded by how many requests the courier has in flight.
//!
//! Promises: time to connect, time to answer, the answer's head and body are bounded; a request is
//! sent again only if not one byte of it can have been processed.
//! Not here: what an answer means ([`super::status`]), redirects (never followed).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hilum_env::tls::TlsFault;
use hilum_env::{BoxFuture, Clock, Doors, Instant, Tasks};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::HeaderMap;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

use super::witness::{Seen, Witness};
use crate::SendFault;
use crate::dial::{Dialer, NotDialled};

/// What one exchange may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Time from the first byte of the request to the last of the answer.
    pub(crate) answer: Duration,
    /// Bytes of the answer's status line and headers.
    pub(crate) head_bytes_max: usize,
    /// Bytes of the answer's body.
    pub(crate) body_bytes_max: usize,
    /// How long a connection may wait for its next request. Shorter than the five seconds after
    /// which common servers close theirs: a request that meets a closing connection has an unknown
    /// outcome.
    pub(crate) idle: Duration,
}

/// A whole answer.
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body; `None` if it is longer than `body_bytes_max`.
    pub(crate) body: Option<Bytes>,
}

/// Why there is no answer. The text names what happened and nothing that either side said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The request cannot have been processed.
    NotSent(String),
    /// The same, and a person has to act.
    SetUp(String),
    /// Some of it was sent: nobody can say.
    Unknown(String),
}

impl From<NotDialled> for Lost {
    fn from(this: NotDialled) -> Self {
        match this {
            NotDialled::Unreachable(what) => Self::NotSent(what),
            NotDialled::SetUp(what) => Self::SetUp(what),
        }
    }
}

impl From<Lost> for SendFault {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::NotSent(what) => Self::Unreachable(what),
            Lost::SetUp(code) => Self::Misconfigured { code },
            Lost::Unknown(what) => Self::Ambiguous(what),
        }
    }
}

/// The part of an exchange that can be tried again at once on a fresh connection.
enum Tried {
    Done(Box<Result<Answer, Lost>>),
    NeverStarted(Box<Request<Full<Bytes>>>),
}

struct Idle {
    sender: SendRequest<Full<Bytes>>,
    since: Instant,
}

/// A client of one address.
pub(crate) struct Client {
    dialer: Dialer,
    limits: Limits,
    clock: Arc<dyn Clock>,
    tasks: Arc<dyn Tasks>,
    idle: Mutex<Vec<Idle>>,
}

impl Client {
    pub(crate) fn new(dialer: Dialer, limits: Limits, doors: &Doors) -> Self {
        Self {
            dialer,
            limits,
            clock: Arc::clone(&doors.clock),
            tasks: Arc::clone(&doors.tasks),
            idle: Mutex::default(),
        }
    }

    /// Sends a request and reads the whole answer.
    ///
    /// A kept connection may have been closed by the other side meanwhile. If that shows before
    /// the request was begun, it goes out once more on a fresh connection. If it shows later, the
    /// outcome is unknown: the destination may have read all of it before it closed.
    pub(crate) async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, Lost> {
        let request = match self.kept().await {
            Some(sender) => match self.on(sender, request).await {
                Tried::Done(result) => return *result,
                Tried::NeverStarted(request) => *request,
            },
            None => request,
        };
        let (sender, seen) = self.connect().await?;
        let lost = match self.on(sender, request).await {
            Tried::Done(result) => match *result {
                Err(lost @ Lost::Unknown(_)) => lost,
                done => return done,
            },
            Tried::NeverStarted(_) => {
                Lost::NotSent("the connection closed before the request".into())
            }
        };
        // With TLS 1.3 the client's certificate is looked at after the handshake has ended for the
        // client, and before anything that it sends is read: whom the server does not let in has
        // sent nothing.
        match seen.fault() {
            Some(fault @ (TlsFault::WantsCertificate | TlsFault::RefusesCertificate)) => {
                Err(Lost::SetUp(fault.to_string()))
            }
            _ => Err(lost),
        }
    }

    /// A kept connection that is not known to be closed.
    async fn kept(&self) -> Option<SendRequest<Full<Bytes>>> {
        loop {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            let fresh = self.clock.instant().since(idle.since) < self.limits.idle;
            if fresh && !idle.sender.is_closed() && idle.sender.ready().await.is_ok() {
                return Some(idle.sender);
            }
        }
    }

    /// A fresh connection, and what is seen of its faults.
    async fn connect(&self) -> Result<(SendRequest<Full<Bytes>>, Seen), Lost> {
        let (stream, seen) = Witness::of(self.dialer.dial().await?);
        let opened = Builder::new()
            .max_buf_size(self.limits.head_bytes_max)
            .handshake(TokioIo::new(stream))
            .await;
        let (sender, connection) = opened.map_err(|error| Lost::NotSent(kind_of(&error)))?;
        // Its fault, if it ends with one, reaches whoever waits for the answer.
        let driven: BoxFuture<'static, ()> = Box::pin(async {
            let _ = connection.await;
        });
        self.tasks.spawn("http-connection", driven);
        Ok((sender, seen))
    }

    /// One exchange on one connection, which is kept afterwards if it can be.
    async fn on(
        &self,
        mut sender: SendRequest<Full<Bytes>>,
        request: Request<Full<Bytes>>,
    ) -> Tried {
        let exchanged = async {
            match sender.try_send_request(request).await {
                Ok(response) => Tried::Done(Box::new(self.read(response).await)),
                Err(mut error) => match error.take_message() {
                    Some(request) => Tried::NeverStarted(Box::new(request)),
                    None => {
                        let what = kind_of(error.error());
                        Tried::Done(Box::new(Err(Lost::Unknown(what))))
                    }
                },
            }
        };
        let tried = self.within(self.limits.answer, exchanged).await;
        let Some(tried) = tried else {
            let what = "no answer in time".into();
            return Tried::Done(Box::new(Err(Lost::Unknown(what))));
        };
        if matches!(&tried, Tried::Done(result) if matches!(&**result, Ok(it) if it.body.is_some()))
        {
            let since = self.clock.instant();
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(Idle { sender, since });
        }
        tried
    }

    async fn read(&self, response: Response<Incoming>) -> Result<Answer, Lost> {
        let (head, body) = response.into_parts();
        let body = match Limited::new(body, self.limits.body_bytes_max).collect().await {
            Ok(whole) => Some(whole.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => None,
            // The status came, but the answer did not come whole.
            Err(_) if (200..300).contains(&head.status.as_u16()) => {
                return Err(Lost::Unknown("the answer broke off".into()));
            }
            Err(_) => None,
        };
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }

    async fn within<T>(&self, time: Duration, work: impl Future<Output = T>) -> Option<T> {
        let deadline = self.clock.sleep_until(self.clock.instant().plus(time));
        tokio::select! {
            biased;
            done = work => Some(done),
            () = deadline => None,
        }
    }
}

/// What went wrong, in our words: hyper's own may quote what the peer sent.
fn kind_of(error: &hyper::Error) -> String {
    let said = if error.is_parse_too_large() {
        "the answer's head is too long"
    } else if error.is_parse() {
        "the answer is not HTTP"
    } else if error.is_timeout() {
        "timed out"
    } else {
        "the connection closed without an answer"
    };
    said.into()
}

#[cfg(test)]
mod tests;
