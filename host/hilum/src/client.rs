//! The client of a running gateway's control socket.
//!
//! One request is one connection: HTTP/1.1 over `<data>/control.sock`, which only the user that
//! runs the gateway (and root) may open. The socket is found by the configuration's
//! `gateway.data`; nothing else of the configuration is looked at, so a broken plugin file does
//! not lock an operator out.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use hilum_env::{Address, Doors};
use hilum_gateway::read_document;
use hilum_words::{Place, Problem, Problems};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use crate::exit::{Exit, failed};
use crate::output::{counted, member};

/// The longest configuration file that is read.
const CONFIGURATION_BYTES_MAX: u64 = 4 << 20;
/// The longest answer that is read: a revealed body, or a thousand messages.
const ANSWER_BYTES_MAX: usize = 512 << 20;
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A gateway that may be running.
pub struct Client<'a> {
    doors: &'a Doors,
    socket: PathBuf,
    configuration: PathBuf,
}

/// An answer that is not JSON.
pub struct Answer {
    /// Its `Content-Type`.
    pub content_type: String,
    /// Its body.
    pub body: Bytes,
}

impl<'a> Client<'a> {
    /// The client of the gateway that this configuration describes.
    pub fn new(doors: &'a Doors, configuration: &Path) -> anyhow::Result<Self> {
        let socket = data_folder(doors, configuration)?.join("control.sock");
        Ok(Self { doors, socket, configuration: configuration.to_owned() })
    }

    /// Asks.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        parse(&self.exchange(Method::GET, path, None).await?)
    }

    /// Acts; the answer is JSON.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        parse(&self.exchange(Method::POST, path, Some(body)).await?)
    }

    /// Acts; the answer is bytes.
    pub async fn post_for_bytes(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.exchange(Method::POST, path, Some(body)).await
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let until = self.doors.clock.instant().plus(PATIENCE);
        tokio::select! {
            biased;
            answer = self.exchange_at_leisure(method, path, body) => answer,
            () = self.doors.clock.sleep_until(until) => {
                let sentence = format!("the gateway did not answer within {PATIENCE:?}");
                Err(failed(Exit::Temporary, sentence))
            }
        }
    }

    async fn exchange_at_leisure(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let address = Address::Local(self.socket.clone());
        let connection =
            self.doors.net.dial(&address).await.map_err(|fault| self.not_reached(&fault))?;
        let (mut sender, driver) =
            hyper::client::conn::http1::handshake(TokioIo::new(connection.stream)).await?;
        let driver = async move {
            // What goes wrong here goes wrong for the request too, which reports it.
            let _ = driver.await;
        };
        self.doors.tasks.spawn("control/client", Box::pin(driver));

        let content = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "hilum")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(content)))?;
        let response = sender.send_request(request).await.context("the control socket")?;
        let (head, body) = response.into_parts();
        let body = match Limited::new(body, ANSWER_BYTES_MAX).collect().await {
            Ok(body) => body.to_bytes(),
            Err(fault) => anyhow::bail!("the gateway's answer: {fault}"),
        };
        if !head.status.is_success() {
            return Err(refused(head.status, &body));
        }
        let content_type = head.headers.get("content-type").and_then(|it| it.to_str().ok());
        Ok(Answer { content_type: content_type.unwrap_or_default().to_owned(), body })
    }

    fn not_reached(&self, fault: &std::io::Error) -> anyhow::Error {
        match fault.kind() {
            std::io::ErrorKind::PermissionDenied => failed(
                Exit::Permission,
                format!(
                    "{}: only the user that runs the gateway may ask it",
                    self.socket.display()
                ),
            ),
            std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused => failed(
                Exit::Temporary,
                format!(
                    "no gateway is running at {}; start it with: hilum serve -c {}",
                    self.socket.display(),
                    self.configuration.display()
                ),
            ),
            _ => failed(Exit::Io, format!("{}: {fault}", self.socket.display())),
        }
    }
}

fn parse(answer: &Answer) -> anyhow::Result<Value> {
    serde_json::from_slice(&answer.body).context("the gateway's answer is not JSON")
}

/// The gateway's problem+json as a sentence with a code.
fn refused(status: StatusCode, body: &[u8]) -> anyhow::Error {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let part = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
    let sentence = match (part("title"), part("detail")) {
        ("", _) => format!("the gateway answered {status}"),
        (title, "") => title.to_owned(),
        (title, detail) => format!("{title}: {detail}"),
    };
    if let Some(problems) = document.get("problems").and_then(Value::as_array) {
        // As `hilum check` prints them; the sentence comes last.
        problems.iter().for_each(|it| eprintln!("{}", problem(it)));
        let count = counted(problems.len() as u64, "problem", "problems");
        let sentence = format!("{count}. Nothing was changed: the running configuration goes on");
        return failed(Exit::Configuration, sentence);
    }
    let exit = match status {
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => Exit::Permission,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => Exit::Temporary,
        _ => Exit::Failure,
    };
    failed(exit, sentence)
}

/// One problem of a configuration, as the gateway tells it.
fn problem(it: &Value) -> Problem {
    let line = it.get("line").and_then(Value::as_u64).and_then(|it| u32::try_from(it).ok());
    let place = Place { file: Arc::from(member(it, "file")), line: line.unwrap_or_default() };
    Problem { place, key: member(it, "key"), text: member(it, "text") }
}

/// The data folder that a configuration names, as the gateway itself would find it.
pub fn data_folder(doors: &Doors, configuration: &Path) -> anyhow::Result<PathBuf> {
    let name = configuration.display().to_string();
    if let Err(fault) = doors.disk.read(configuration, CONFIGURATION_BYTES_MAX) {
        return Err(failed(Exit::Configuration, format!("{name}: {fault}")));
    }
    let problems = Problems::default();
    let document = read_document(configuration, doors, &problems);
    let data = document
        .root(&problems)
        .section("gateway")
        .and_then(|mut gateway| gateway.text("data"))
        .ok_or_else(|| {
            failed(Exit::Configuration, format!("{name}: gateway.data does not name a folder"))
        })?;
    // A relative path is relative to the file that says it.
    Ok(configuration.parent().unwrap_or(Path::new("")).join(data.value))
}

#[cfg(test)]
mod tests;
