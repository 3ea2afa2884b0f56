//! An HL7 v2 receiver over MLLP: one message, one answer, matched by MSA-2.
//!
//! A connection is kept for the next message, and one message at a time is on its way on it. Bodies
//! go out as they are, with the same MSH-10 on each attempt. What an answer means is a table
//! ([`OnAnswer`]) with the standard's meaning where the site says nothing else.
//!
//! In the enhanced mode a commit acknowledgement comes first and the application's later, on the same
//! connection, on another of this destination's, or to the listener that `ack_listener` names.
//!
//! One that asks for an acknowledgement back on its connection gets it once its outcome is durable.
//!
//! Promises: only an answer to this very message settles it; what else comes is counted and named
//! without its content; a message is begun on a second connection only if not one byte of it went
//! out on the first.
//! Not here: batches, commit bytes of MLLP release 2. What reads acknowledgements that come to a
//! listener ([`Destination::answered`] gets them).

mod accept;
mod answer;
mod awaited;
mod config;
mod expected;
mod link;
mod on_answer;
mod outgoing;
mod parties;
mod places;
mod strays;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use hilum_env::{BoxFuture, Clock, Doors, Entropy, Instant};
use hilum_words::{DeliveryId, Name, Stamp, Timestamp};
use tracing::warn;

use crate::destination::{Fit, one_by_one};
use crate::dial::{Dialer, Security};
use crate::metrics::Stray;
use crate::{Delivered, Delivery, Destination, Metrics, Secrets, SendFault};
use answer::Answer;
use awaited::{Awaited, Elsewhere};
use link::{Link, NotBegun, Times};
use outgoing::Outgoing;
use places::{Place, Places};
use strays::Strays;

pub use config::MllpConfig;
pub use on_answer::OnAnswer;

/// The format that is sent.
const FORMAT: &str = "hl7v2";

/// Whether the acknowledgement that came by another way than MLLP is one to this message, and a good
/// one. What negative ones mean is the standard's table.
pub(crate) fn acknowledged(message: &Bytes, acknowledgement: &Bytes) -> Result<(), SendFault> {
    let unknown = |what: &str| SendFault::Ambiguous(what.into());
    let answer = Answer::read(acknowledgement.clone());
    let answer = answer.ok_or_else(|| unknown("the answer is no acknowledgement"))?;
    let is_to = outgoing::control_ids(message)
        .is_some_and(|(id, text)| answer.is_about(&id, text.as_deref()));
    if !is_to {
        return Err(unknown("the acknowledgement is for another message"));
    }
    match answer.code {
        Some(code) if code.is_positive() => Ok(()),
        Some(code) => Err(OnAnswer::default().fault(code, &answer)),
        None => Err(unknown("MSA-1 of the acknowledgement is not in table 0008")),
    }
}

/// A connection that waits for its next message.
struct Kept {
    link: Link,
    since: Instant,
}

/// A connection on which an acknowledgement asks for one back, until it gets it.
struct Owing {
    delivery: DeliveryId,
    link: Link,
    acknowledgement: Bytes,
}

/// An MLLP receiver.
pub struct MllpDestination {
    name: Name,
    config: MllpConfig,
    dialer: Dialer,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    idle: Mutex<Vec<Kept>>,
    owing: Mutex<Vec<Owing>>,
    places: Arc<Places>,
    awaited: Awaited,
    metrics: OnceLock<Metrics>,
}

impl MllpDestination {
    /// The receiver of this configuration. It is dialled with the first delivery.
    pub fn new(name: &Name, config: &MllpConfig, secrets: &Secrets, doors: &Doors) -> Self {
        let security = config.tls.as_ref().map_or(Security::Plain, |written| {
            let host = config.address.rsplit_once(':').map_or("", |(host, _)| host);
            let host = host.trim_start_matches('[').trim_end_matches(']');
            Security::tls(secrets.tls.as_ref(), written.server_name.as_deref().unwrap_or(host))
        });
        let dialer = Dialer::new(config.address.clone(), security, config.connect_timeout, doors);
        let dialer = dialer.with_keepalive(config.keepalive);
        Self {
            name: name.clone(),
            config: config.clone(),
            dialer,
            clock: Arc::clone(&doors.clock),
            entropy: Arc::clone(&doors.entropy),
            idle: Mutex::default(),
            owing: Mutex::default(),
            places: Places::new(config.connections_max),
            awaited: Awaited::default(),
            metrics: OnceLock::new(),
        }
    }

    /// Sends one message: on a kept connection if there is one, and on a fresh one if the kept one
    /// proves to be closed before the first byte went out.
    async fn send(&self, delivery: &Delivery) -> Result<Delivered, SendFault> {
        let outgoing = Arc::new(Outgoing::of(delivery, self.config.enhanced)?);
        let mut elsewhere = Elsewhere::nothing();
        if outgoing.expected.application {
            elsewhere = self.awaited.enter(&outgoing).ok_or_else(|| SendFault::Busy {
                code: "another message with this MSH-10 waits for its acknowledgement".into(),
                after: None,
                whole: false,
            })?;
            elsewhere.is_named = self.config.ack_listener.is_some();
        }
        let id = delivery.id;
        let place = loop {
            match self.kept_or_place(&outgoing.control_id).await {
                // One that proves to be closed before the message was begun gives its place free.
                Ok(link) => {
                    if let Ok(result) = self.on(link, id, &outgoing, &mut elsewhere).await {
                        return result;
                    }
                }
                Err(place) => break place,
            }
        };
        let stream = self.dialer.dial().await?;
        let link = Link::new(stream, self.config.answer_bytes_max, self.awaited.clone());
        let begun = self.on(link.in_place(place), id, &outgoing, &mut elsewhere).await;
        begun.unwrap_or_else(|NotBegun(why)| Err(why.into()))
    }

    /// A kept connection that this message can go out on, or a place for a fresh one.
    ///
    /// There are no more messages on their way than places, so what holds the last one is a
    /// connection that owes an acknowledgement until an outcome is durable. After a while it is
    /// closed without.
    async fn kept_or_place(&self, control_id: &Bytes) -> Result<Link, Place> {
        loop {
            if let Some(link) = self.kept().filter(|it| !it.has_sent(control_id)) {
                return Ok(link);
            }
            if let Some(place) = self.places.take() {
                return Err(place);
            }
            let deadline = self.clock.instant().plus(self.config.connect_timeout);
            tokio::select! {
                biased;
                () = self.places.freed() => {}
                () = self.clock.sleep_until(deadline) => {
                    let mut owing = self.owing.lock().unwrap_or_else(PoisonError::into_inner);
                    drop((!owing.is_empty()).then(|| owing.remove(0)));
                }
            }
        }
    }

    /// A kept connection that has not waited for too long.
    fn kept(&self) -> Option<Link> {
        let now = self.clock.instant();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(longest) = self.config.idle_timeout {
            idle.retain(|it| now.since(it.since) < longest);
        }
        idle.pop().map(|it| it.link)
    }

    /// One message on one connection, which is kept afterwards if it can be.
    async fn on(
        &self,
        mut link: Link,
        delivery: DeliveryId,
        outgoing: &Outgoing,
        elsewhere: &mut Elsewhere,
    ) -> Result<Result<Delivered, SendFault>, NotBegun> {
        let times = self.times();
        let result = link.exchange(outgoing, elsewhere, &self.config.on_answer, times).await;
        self.count(&link.take_strays());
        match link.take_owed() {
            _ if !link.is_usable() => {}
            None => self.keep(link),
            Some(acknowledgement) => {
                let mut owing = self.owing.lock().unwrap_or_else(PoisonError::into_inner);
                owing.push(Owing { delivery, link, acknowledgement });
            }
        }
        result
    }

    fn times(&self) -> Times<'_> {
        Times {
            clock: &*self.clock,
            answer: self.config.timeout,
            application: self.config.application_timeout,
        }
    }

    fn keep(&self, link: Link) {
        let since = self.clock.instant();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(Kept { link, since });
        drop(idle);
        self.places.tell();
    }

    /// Acknowledges the acknowledgement, and keeps its connection for the next message.
    async fn acknowledge(&self, mut owing: Owing) {
        let mut random = [0; 10];
        self.entropy.fill(&mut random);
        let control_id = random.iter().map(|byte| format!("{byte:02X}")).collect();
        let at = Timestamp::from_micros(self.clock.now_micros());
        let frame = accept::frame(&owing.acknowledgement, &Stamp { at, control_id });
        if let Some(frame) = frame
            && owing.link.say(&frame, self.times()).await
        {
            self.keep(owing.link);
        }
    }

    fn count(&self, strays: &Strays) {
        if strays.is_empty() {
            return;
        }
        warn!(destination = %self.name, %strays, "answers that settle no message came");
        for (stray, count) in strays.iter() {
            if let Some(metrics) = self.metrics.get() {
                metrics.strayed(&self.name, stray, count);
            }
        }
    }
}

impl Destination for MllpDestination {
    fn kind(&self) -> &'static str {
        "mllp"
    }

    fn together_max(&self) -> usize {
        1
    }

    fn count_with(&self, metrics: &Metrics) {
        // The first is the one that is served.
        let _ = self.metrics.set(metrics.clone());
    }

    fn recorded(&self, delivery: DeliveryId) -> Option<BoxFuture<'_, ()>> {
        let mut owing = self.owing.lock().unwrap_or_else(PoisonError::into_inner);
        let place = owing.iter().position(|it| it.delivery == delivery)?;
        let owing = owing.swap_remove(place);
        Some(Box::pin(self.acknowledge(owing)))
    }

    fn awaits(&self, acknowledgement: &Bytes) -> Option<Fit> {
        let answer = Answer::read(acknowledgement.clone()).filter(Answer::is_named)?;
        self.awaited.fit(&answer)
    }

    fn strayed(&self, stray: Stray) {
        let mut strays = Strays::default();
        strays.add(stray);
        self.count(&strays);
    }

    fn answered(&self, acknowledgement: &Bytes) -> bool {
        let mut strays = Strays::default();
        let answer = Answer::read(acknowledgement.clone()).filter(Answer::is_named);
        match answer.map(|it| self.awaited.offer(it)) {
            Some(Ok(())) => return true,
            Some(Err(answer)) if answer.control_id.trim_ascii().is_empty() => {
                strays.add(Stray::NoControlId);
            }
            Some(Err(_)) => strays.add(Stray::Unsolicited),
            None => strays.add(Stray::NoAcknowledgement),
        }
        self.count(&strays);
        false
    }

    fn send_many<'a>(
        &'a self,
        deliveries: &'a [Delivery],
    ) -> BoxFuture<'a, Vec<Result<Delivered, SendFault>>> {
        one_by_one(deliveries, |delivery| self.send(delivery))
    }
}

#[cfg(test)]
mod tests;
