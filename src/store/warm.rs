//! Connections for what a person waits for. The pool gives its quiet connections out in turns, the longest unused one first,
//! and asks the server about each that comes back; so every statement meets a server process whose caches are cold, and those
//! questions run beside the next statement. Here the connection that was used last is used next, and is not asked.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres};

use super::Store;

/// So many are kept at hand; the others go back to the pool.
const AT_HAND: usize = 2;
/// One that was quiet for longer goes the pool's way, which finds out whether it still lives.
const WARM_FOR: Duration = Duration::from_secs(1);

/// The connections at hand. They count as the pool's in use.
#[derive(Default)]
pub(super) struct AtHand(Mutex<Vec<(Instant, PoolConnection<Postgres>)>>);

impl AtHand {
    fn take(&self) -> Option<PoolConnection<Postgres>> {
        let mut at_hand = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (used, connection) = at_hand.pop()?;
        if used.elapsed() < WARM_FOR {
            return Some(connection);
        }
        // Those below it were quiet for longer still.
        at_hand.clear();
        None
    }

    /// Lets the pool have them again.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Drop for AtHand {
    fn drop(&mut self) {
        // Giving one back to the pool takes a runtime, which may be gone by now: these are just closed.
        for (_, connection) in self.0.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            drop(connection.detach());
        }
    }
}

/// A connection in use. Unless it is [kept](Warm::keep), it goes back to the pool, which looks at it: after a failure, and when
/// the statement's future is dropped, it may be in the midst of an answer.
pub(super) struct Warm {
    connection: PoolConnection<Postgres>,
    at_hand: Arc<AtHand>,
}

impl Warm {
    /// After a statement that went well.
    pub(super) fn keep(self) {
        let mut at_hand = self.at_hand.0.lock().unwrap_or_else(PoisonError::into_inner);
        if at_hand.len() < AT_HAND {
            at_hand.push((Instant::now(), self.connection));
        }
    }
}

impl Deref for Warm {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Warm {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Store {
    /// A connection for one statement: the one that was used last, if that was just now.
    pub(super) async fn warm(&self) -> Result<Warm, sqlx::Error> {
        let connection = match self.at_hand.take() {
            Some(connection) => connection,
            None => self.pool.acquire().await?,
        };
        Ok(Warm { connection, at_hand: Arc::clone(&self.at_hand) })
    }
}
