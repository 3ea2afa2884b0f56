#![expect(
    clippy::disallowed_methods,
    reason = "the other side of a socket is no part of the gateway and goes through no door"
)]

use std::net::TcpListener;
use std::sync::{Arc, mpsc};

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

use super::transaction::{self, Failed};
use super::{Fault, Order, Received, Shared, lock};

const BODY_BYTES_MAX: usize = 256 << 20;

/// Accepts connections until nobody can give orders any more.
pub(super) async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    mut orders: UnboundedReceiver<(Order, mpsc::Sender<Result<()>>)>,
) {
    let Ok(address) = listener.local_addr() else {
        return;
    };
    let mut listener = listen(listener).ok();
    let (mut close, _) = watch::channel(());
    loop {
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            order = orders.recv() => match order {
                None => return,
                Some((Order::Down, done)) => {
                    listener = None;
                    // Whoever serves a connection sees the old channel end.
                    close = watch::channel(()).0;
                    let _ = done.send(Ok(()));
                }
                Some((Order::Up, done)) => {
                    let mut result = Ok(());
                    if listener.is_none() {
                        match TcpListener::bind(address).and_then(listen) {
                            Ok(bound) => listener = Some(bound),
                            Err(error) => result = Err(error.into()),
                        }
                    }
                    let _ = done.send(result);
                }
            },
            accepted = accepted => {
                let Ok((stream, _)) = accepted else { continue };
                let _ = stream.set_nodelay(true);
                let (shared, mut closed) = (Arc::clone(&shared), close.subscribe());
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(&shared, request));
                    let connection = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service);
                    tokio::select! {
                        _ = connection => {}
                        _ = closed.changed() => {}
                    }
                });
            }
        }
    }
}

fn listen(listener: TcpListener) -> std::io::Result<tokio::net::TcpListener> {
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

/// The connection is closed without an answer.
#[derive(Debug)]
struct HungUp;

impl std::fmt::Display for HungUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hung up, as it was told to")
    }
}

impl std::error::Error for HungUp {}

async fn answer(
    shared: &Shared,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, HungUp> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
        return Err(HungUp);
    };
    let headers = head.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let received = Received {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        headers: headers.collect(),
        body: body.to_bytes(),
        answered: None,
    };
    let index = {
        let mut all = lock(&shared.received);
        all.push(received.clone());
        all.len() - 1
    };
    let answer = faulty(shared, &received).await?;
    if let Some(it) = lock(&shared.received).get_mut(index) {
        it.answered = Some(answer.status().as_u16());
    }
    Ok(answer)
}

async fn faulty(shared: &Shared, received: &Received) -> Result<Response<Full<Bytes>>, HungUp> {
    let fault = if received.method == "GET" { None } else { shared.fault() };
    match fault {
        None => Ok(done(shared, received)),
        Some(Fault::Answer { status, retry_after }) => {
            let failed = Failed::new(status, "exception", "as it was told to");
            let mut answer = json_answer(status, &failed.outcome());
            if let Some(after) = retry_after {
                let seconds = after.as_secs() + u64::from(0 < after.subsec_nanos());
                answer.headers_mut().insert(hyper::header::RETRY_AFTER, seconds.into());
            }
            Ok(answer)
        }
        Some(Fault::Entries { status }) => {
            let outcome = Failed::new(status, "invariant", "as it was told to").outcome();
            let entry = json!({ "status": status.to_string(), "outcome": outcome });
            Ok(json_answer(200, &transaction::response("transaction-response", vec![entry])))
        }
        Some(Fault::Says(text)) => {
            Ok(Response::new(Full::new(Bytes::from_static(text.as_bytes()))))
        }
        Some(Fault::Slow(time)) => {
            let answer = done(shared, received);
            tokio::time::sleep(time).await;
            Ok(answer)
        }
        Some(Fault::HangUpBefore) => Err(HungUp),
        Some(Fault::HangUpAfter) => {
            done(shared, received);
            Err(HungUp)
        }
    }
}

fn done(shared: &Shared, received: &Received) -> Response<Full<Bytes>> {
    match act(shared, received) {
        Ok(Done { status, body, location: None }) => json_answer(status, &body),
        Ok(Done { status, location: Some((location, etag)), .. }) => {
            // As it is asked for by `Prefer: return=minimal`.
            let mut answer = Response::new(Full::default());
            *answer.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
            let fields = [(hyper::header::LOCATION, location), (hyper::header::ETAG, etag)];
            for (name, value) in fields {
                if let Ok(value) = hyper::header::HeaderValue::from_str(&value) {
                    answer.headers_mut().insert(name, value);
                }
            }
            answer
        }
        Err(failed) => json_answer(failed.status, &failed.outcome()),
    }
}

/// What was done.
struct Done {
    status: u16,
    body: Value,
    /// Where a resource is now, and which version: `Location` and `ETag`.
    location: Option<(String, String)>,
}

impl From<(u16, Value)> for Done {
    fn from((status, body): (u16, Value)) -> Self {
        Self { status, body, location: None }
    }
}

fn act(shared: &Shared, received: &Received) -> Result<Done, Failed> {
    let (path, query) = received.target.split_once('?').unwrap_or((&received.target, ""));
    let missing = || Failed::new(404, "not-found", "there is nothing here");
    let path = path.strip_prefix("/fhir").ok_or_else(missing)?.trim_matches('/');
    let parts: Vec<&str> = path.split('/').filter(|it| !it.is_empty()).collect();
    let mut resources = lock(&shared.resources);
    match (received.method.as_str(), parts.as_slice()) {
        ("POST", []) => {
            let bundle = body(received)?;
            transaction::run(&mut resources, &bundle).map(|it| (200, it).into())
        }
        ("POST", [_]) | ("PUT", [_] | [_, _]) => {
            let url = if query.is_empty() { parts.join("/") } else { format!("{path}?{query}") };
            let mut request = json!({ "method": received.method, "url": url });
            if let Some(condition) = received.header("if-none-exist") {
                request["ifNoneExist"] = condition.into();
            }
            let entry = json!({ "resource": body(received)?, "request": request });
            single(transaction::one(&mut resources, &entry)?)
        }
        ("GET", ["metadata"]) => Ok((200, capabilities()).into()),
        ("GET", [kind]) => {
            let criteria = transaction::criteria(query);
            let found = resources
                .search(kind, &criteria)
                .map_err(|text| Failed::new(400, "not-supported", text))?;
            let count = criteria.iter().find(|(name, _)| name == "_count");
            let count = count.and_then(|(_, it)| it.parse().ok()).unwrap_or(100);
            let entries: Vec<Value> = found
                .iter()
                .take(count)
                .map(|it| json!({ "fullUrl": format!("{}/{}", it.kind, it.id), "resource": it.resource }))
                .collect();
            let total = found.len();
            Ok((
                200,
                json!({
                    "resourceType": "Bundle", "type": "searchset", "total": total, "entry": entries,
                }),
            )
                .into())
        }
        ("GET", [kind, id]) => {
            let stored = resources.read(kind, id).ok_or_else(missing)?;
            Ok((200, stored.resource.clone()).into())
        }
        ("GET", _) => Err(missing()),
        _ => Err(Failed::new(405, "not-supported", "only GET, PUT and POST")),
    }
}

fn body(received: &Received) -> Result<Value, Failed> {
    let media_type = received.header("content-type").unwrap_or_default();
    if !media_type.starts_with("application/fhir+json") {
        return Err(Failed::new(415, "not-supported", "application/fhir+json is expected"));
    }
    serde_json::from_slice(&received.body)
        .map_err(|error| Failed::new(400, "structure", error.to_string()))
}

/// What the response of an entry says, as an answer of its own.
fn single(response: Value) -> Result<Done, Failed> {
    let text = |name: &str| response[name].as_str().map(str::to_owned);
    let status = text("status").and_then(|it| it.get(..3)?.parse().ok());
    let location = text("location").map(|it| (it, text("etag").unwrap_or_default()));
    Ok(Done { status: status.unwrap_or(500), body: Value::Null, location })
}

fn capabilities() -> Value {
    json!({
        "resourceType": "CapabilityStatement", "status": "active", "kind": "instance",
        "date": "2026-01-01", "fhirVersion": "4.0.1", "format": ["json"],
        "rest": [{ "mode": "server", "interaction": [{ "code": "transaction" }, { "code": "batch" }] }],
    })
}

fn json_answer(status: u16, body: &Value) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(body.to_string())));
    *answer.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    let media_type = hyper::header::HeaderValue::from_static("application/fhir+json");
    answer.headers_mut().insert(hyper::header::CONTENT_TYPE, media_type);
    answer
}
