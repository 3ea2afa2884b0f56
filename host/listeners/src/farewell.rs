//! How a connection is closed.

use std::time::Duration;

use hilum_env::{ByteStream, Clock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How long a closing connection is listened to.
pub(crate) const LINGER: Duration = Duration::from_millis(500);
/// How much a closing connection may still say.
const LINGER_BYTES_MAX: usize = 1 << 20;
/// How much of it is read at once.
const READ_BYTES: usize = 16 << 10;

/// Closes so that what was written arrives: closing with bytes unread would reset the connection,
/// and the peer might never see its answer. Bounded in time and bytes.
pub(crate) async fn part(stream: &mut Box<dyn ByteStream>, clock: &dyn Clock) {
    let late = clock.sleep_until(clock.instant().plus(LINGER));
    let drained = async {
        // With TLS even a farewell waits for a peer that takes nothing.
        if stream.shutdown().await.is_err() {
            return;
        }
        let mut waste = vec![0; READ_BYTES];
        let mut left = LINGER_BYTES_MAX;
        while let Ok(count) = stream.read(&mut waste).await {
            left = left.saturating_sub(count);
            if count == 0 || left == 0 {
                return;
            }
        }
    };
    tokio::select! {
        biased;
        () = drained => {}
        () = late => {}
    }
}
