//! Connections for what a person waits for. The pool gives its quiet connections out in turns, the longest unused one first,
//! and asks the server about each that comes back; so every statement meets a server process whose caches are cold, and those
//! questions run beside the next statement. Here the connection that was used before is used next, and is not asked.

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
pub(super) struct AtHand(Mutex<Vec<Held>>);

struct Held {
    used: Instant,
    /// How often since it was taken from the pool.
    uses: u64,
    connection: PoolConnection<Postgres>,
}

impl AtHand {
    /// The one that was used most: a server process needs some hundred statements until it has seen and planned all, so one that was
    /// taken for a moment beside it is not used in its place.
    fn take(&self) -> Option<Held> {
        let mut at_hand = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        at_hand.retain(|held| held.used.elapsed() < WARM_FOR);
        let (best, _) = at_hand.iter().enumerate().max_by_key(|(_, held)| held.uses)?;
        Some(at_hand.swap_remove(best))
    }

    /// Lets the pool have them again.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Drop for AtHand {
    fn drop(&mut self) {
        // Giving one back to the pool takes a runtime, which may be gone by now: these are just closed.
        for held in self.0.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            drop(held.connection.detach());
        }
    }
}

/// A connection in use. Unless it is [kept](Warm::keep), it goes back to the pool, which looks at it: after a failure, and when
/// the statement's future is dropped, it may be in the midst of an answer.
pub(super) struct Warm {
    connection: PoolConnection<Postgres>,
    uses: u64,
    at_hand: Arc<AtHand>,
}

impl Warm {
    /// After a statement that went well.
    pub(super) fn keep(self) {
        let mut at_hand = self.at_hand.0.lock().unwrap_or_else(PoisonError::into_inner);
        if at_hand.len() < AT_HAND {
            at_hand.push(Held { used: Instant::now(), uses: self.uses + 1, connection: self.connection });
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
    /// A connection for one statement: one that was used just now, if there is one.
    pub(super) async fn warm(&self) -> Result<Warm, sqlx::Error> {
        let (connection, uses) = match self.at_hand.take() {
            Some(held) => (held.connection, held.uses),
            None => (self.pool.acquire().await?, 0),
        };
        Ok(Warm { connection, uses, at_hand: Arc::clone(&self.at_hand) })
    }
}
