//! The committer: one write and one sync for all that waits.
//!
//! A step takes what waits (bounded), decides each request, writes its frame, syncs once, and only
//! then tells anybody. Nothing that somebody waits for is delayed to make groups larger: what comes
//! during a sync is the next group. Decisions and outcomes that nobody waits for go with it, or with
//! each other, within `soon`: a sync for each of them would cost more than all else about a message.
//!
//! Promises: what is told is on disk; requests are decided in the order they came; after a failed
//! write or sync nothing is written again.

mod group;

use std::sync::Arc;

use hilum_env::{Instant, Machine, Next};

use crate::frame::Kind;
use crate::shared::{Request, Shared};
use crate::{StoreError, Watcher};

/// Writes what waits. It is a machine: give it to `Tasks::drive`.
pub struct Committer {
    shared: Arc<Shared>,
    watcher: Watcher,
    /// When the last group was written.
    active: Instant,
    /// Whether the disk had room, and when that was looked at.
    room: Option<(Instant, bool)>,
}

impl Machine for Committer {
    fn step(&mut self) -> Next {
        let requests = match self.take() {
            Ok(requests) => requests,
            Err(at) => return Next::At(at),
        };
        if let Some(fault) = self.shared.poisoned() {
            return self.refuse(requests, &fault);
        }
        if requests.is_empty() {
            return self.idle();
        }
        self.active = self.shared.doors.clock.instant();
        self.commit(requests);
        Next::Again
    }
}

impl Committer {
    pub(crate) fn new(shared: Arc<Shared>, watcher: Watcher) -> Self {
        let active = shared.doors.clock.instant();
        Self { shared, watcher, active, room: None }
    }

    /// Takes what waits, up to the bounds of a group; or answers until when nobody minds that it
    /// waits for more.
    fn take(&self) -> Result<Vec<Request>, Instant> {
        let options = &self.shared.options;
        let mut queue = self.shared.queue();
        if let Some(at) = queue.may_wait_until(options)
            && self.shared.poisoned().is_none()
            && self.shared.doors.clock.instant() < at
        {
            return Err(at);
        }
        let mut bytes = 0;
        let mut count = 0;
        for request in queue.requests.iter().take(options.group_requests_max) {
            bytes += request.bytes();
            if count != 0 && options.group_bytes_max < bytes {
                break;
            }
            count += 1;
        }
        let requests: Vec<_> = queue.requests.drain(..count).collect();
        let taken: usize = requests.iter().map(Request::bytes).sum();
        queue.bytes = queue.bytes.saturating_sub(taken);
        // What did not fit into the group is not asked who waits for it.
        queue.is_awaited = !queue.requests.is_empty();
        queue.since = None;
        Ok(requests)
    }

    /// After a failure: nothing is written, and everybody is told.
    fn refuse(&self, requests: Vec<Request>, fault: &StoreError) -> Next {
        let has_more = !requests.is_empty();
        for request in requests {
            request.fail(fault.clone());
        }
        if has_more {
            return Next::Again;
        }
        let mut queue = self.shared.queue();
        let stops = std::mem::take(&mut queue.stop);
        let is_stopped = queue.is_stopped;
        drop(queue);
        for promise in stops {
            promise.keep(Err(fault.clone()));
        }
        if is_stopped { Next::Done } else { Next::Rest }
    }

    /// Nothing waits. When that has been so for a while, or for good, an empty frame vouches for
    /// what was written last.
    fn idle(&mut self) -> Next {
        let is_stopped = self.shared.queue().is_stopped;
        let wants_vouching = self.shared.tail().wants_vouching();
        if wants_vouching {
            let at = self.active.plus(self.shared.options.idle_after);
            if !is_stopped && self.shared.doors.clock.instant() < at {
                return Next::At(at);
            }
            if self.vouch().is_err() {
                return Next::Again;
            }
        }
        if !is_stopped {
            return Next::Rest;
        }
        let mut queue = self.shared.queue();
        if !queue.requests.is_empty() {
            return Next::Again;
        }
        let stops = std::mem::take(&mut queue.stop);
        drop(queue);
        self.shared.catalogue().close();
        for promise in stops {
            promise.keep(Ok(()));
        }
        Next::Done
    }

    /// Writes and syncs an empty frame. Starts that were noted since the last group are synced
    /// with it.
    fn vouch(&mut self) -> Result<(), StoreError> {
        let now = self.shared.now();
        let mut tail = self.shared.tail();
        // A first sync, so that the frame may vouch for starts, too.
        if tail.durable() < tail.sequence() {
            let (file, sequence) = tail.to_sync();
            drop(tail);
            file.sync_data().map_err(|fault| self.shared.poison("sync of a segment", &fault))?;
            tail = self.shared.tail();
            tail.synced(sequence);
        }
        tail.push(Kind::Idle, now, &[])
            .and_then(|_| tail.write())
            .map_err(|fault| self.shared.poison("write to a segment", &fault))?;
        drop(tail);
        self.sync()
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        // Whoever comes now, or still waits, would wait for ever.
        let mut queue = self.shared.queue();
        let left = std::mem::take(&mut *queue);
        queue.is_stopped = true;
        drop(queue);
        for request in left.requests {
            request.fail(self.shared.poisoned().unwrap_or(StoreError::Stopped));
        }
    }
}
