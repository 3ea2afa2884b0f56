//! A small HTTP/1.1 server within bounds.
//!
//! One connection is one exchange. Operators' requests and scrapes are rare, and so there is one
//! deadline for all of it: head, body, work and answer.
//!
//! Promises: no more than `connections_max` at once (the next one is closed and counted); head,
//! body and time are bounded; a request never reaches its handler in part.
//! Not here: what is answered.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hilum_env::{Acceptor, BoxFuture, Connection, Doors, Peer};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::sync::{Semaphore, watch};
use tracing::{debug, warn};

use crate::reply::{Fault, Reply};

/// What one server may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections_max: usize,
    /// Bytes of request line and headers.
    pub head_bytes_max: usize,
    /// Bytes of a request's body.
    pub body_bytes_max: usize,
    /// Time for one exchange.
    pub exchange_max: Duration,
}

/// A whole request.
pub struct Asked {
    /// Who asks.
    pub peer: Peer,
    /// Request line and headers.
    pub head: hyper::http::request::Parts,
    /// The body.
    pub body: Bytes,
}

/// Answers requests.
pub trait Handler: Send + Sync + 'static {
    /// The answer to one request.
    fn answer(self: Arc<Self>, asked: Asked) -> BoxFuture<'static, Reply>;
}

/// Accepts connections until `stop` says so. Exchanges that are under way then come to their end
/// by themselves.
pub async fn serve<H: Handler>(
    acceptor: Box<dyn Acceptor>,
    limits: Limits,
    handler: Arc<H>,
    doors: Doors,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(limits.connections_max));
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stopped| *stopped) => break,
            accepted = acceptor.accept() => accepted,
        };
        let connection = match accepted {
            Ok(connection) => connection,
            Err(fault) => {
                warn!(%fault, "a connection could not be accepted");
                let soon = doors.clock.instant().plus(Duration::from_millis(100));
                doors.clock.sleep_until(soon).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            warn!(peer = connection.peer.address, "a connection too many was closed");
            continue;
        };
        let exchange = exchange(connection, limits, Arc::clone(&handler), doors.clone());
        let task = async move {
            exchange.await;
            drop(place);
        };
        doors.tasks.spawn("admin/exchange", Box::pin(task));
    }
    // Whoever waits for `stop` to be let go finds the socket closed and its file removed.
    drop(acceptor);
    drop(stop);
}

async fn exchange<H: Handler>(
    connection: Connection,
    limits: Limits,
    handler: Arc<H>,
    doors: Doors,
) {
    let Connection { stream, peer } = connection;
    let service = service_fn(|request: Request<Incoming>| {
        let handler = Arc::clone(&handler);
        let peer = peer.clone();
        async move { Ok::<_, Infallible>(respond(request, peer, limits, handler).await) }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(limits.head_bytes_max)
        // The deadline below covers the head too, and needs no timer of hyper's own.
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service);
    let until = doors.clock.instant().plus(limits.exchange_max);
    tokio::select! {
        biased;
        served = serving => {
            if let Err(fault) = served {
                debug!(%fault, "an exchange broke off");
            }
        }
        () = doors.clock.sleep_until(until) => debug!("an exchange took too long"),
    }
}

async fn respond<H: Handler>(
    request: Request<Incoming>,
    peer: Peer,
    limits: Limits,
    handler: Arc<H>,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let reply = match Limited::new(body, limits.body_bytes_max).collect().await {
        Ok(body) => handler.answer(Asked { peer, head, body: body.to_bytes() }).await,
        Err(fault) if fault.is::<LengthLimitError>() => {
            Fault::TooLong { body_bytes_max: limits.body_bytes_max }.into()
        }
        Err(fault) => Fault::BadRequest(io::Error::other(fault).to_string()).into(),
    };
    reply.into_response()
}

#[cfg(test)]
mod tests;
