//! Answers that come when their messages are decided (enhanced mode). Each names its message, so
//! they are written as they become ready.

use std::future::poll_fn;
use std::task::Poll;

use hilum_env::BoxFuture;
use hilum_pipeline::Reply;

/// Answers of one connection that may be outstanding; past it nothing is read until one is there.
pub(super) const LATER_MAX: usize = 64;

/// What was promised and is not there yet. Dropping it is hanging up.
#[derive(Default)]
pub(super) struct Outstanding {
    /// In the order of their messages.
    all: Vec<BoxFuture<'static, Vec<Reply>>>,
}

impl Outstanding {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        LATER_MAX <= self.all.len()
    }

    pub(super) fn push(&mut self, replies: BoxFuture<'static, Vec<Reply>>) {
        self.all.push(replies);
    }

    /// The next one that becomes ready, the oldest of those that are; never, while there is none.
    /// Nothing is lost if this is dropped before it ends.
    pub(super) async fn next(&mut self) -> Vec<Reply> {
        poll_fn(|context| {
            for index in 0..self.all.len() {
                let Some(one) = self.all.get_mut(index) else { break };
                if let Poll::Ready(replies) = one.as_mut().poll(context) {
                    drop(self.all.remove(index));
                    return Poll::Ready(replies);
                }
            }
            Poll::Pending
        })
        .await
    }
}
