//! The rate limit: GCRA in one Postgres row for each upstream account, shared by all processes.
//! Bulk callers fetch several permits at a time and share them within the process. Interactive
//! callers take one at once, with a larger tolerance, so that they come first and bulk callers wait
//! longer.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use crate::store::Account;
use crate::store::{PaceAsk, Store};

/// The class of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Interactive,
    Bulk,
}

impl Class {
    fn burst(self) -> i32 {
        match self {
            Self::Interactive => 10,
            Self::Bulk => 5,
        }
    }

    fn ask(self, account: &Account, wanted: i32, horizon: Duration) -> PaceAsk {
        PaceAsk { account: account.clone(), burst: self.burst(), wanted, horizon }
    }

    /// The longest wait of this class for its slot. For a longer wait the caller has to come back
    /// later.
    fn patience(self) -> Duration {
        match self {
            Self::Interactive => Duration::from_secs(20),
            Self::Bulk => Duration::from_secs(3),
        }
    }
}

/// The permits that are fetched at once. Few enough that they never keep a person waiting.
const BULK_TRIP: i32 = 4;
const BULK_HORIZON: Duration = Duration::from_secs(1);
/// A permit that is not used soon after its slot is discarded, because late permits could form a
/// burst.
const PERMIT_LIFE: Duration = Duration::from_secs(2);

/// The fetched and unused slots of one account.
type Shelf = Arc<tokio::sync::Mutex<VecDeque<Instant>>>;

#[derive(Clone, Debug)]
pub struct Pace {
    store: Store,
    /// The fetched and unused permits by account. The lock is held while fetching, so that callers
    /// queue here.
    bulk: Arc<Mutex<HashMap<Vec<u8>, Shelf>>>,
}

impl Pace {
    pub fn new(store: Store) -> Self {
        Self { store, bulk: Arc::default() }
    }

    /// Waits for a slot. `Ok(Err(wait))`: the slot is further away than this class waits, and
    /// nothing was taken.
    pub async fn permit(&self, account: &Account, class: Class) -> Result<Result<(), Duration>, sqlx::Error> {
        match class {
            Class::Interactive => self.interactive(account).await,
            Class::Bulk => self.bulk(account).await,
        }
    }

    /// Blocks all callers of the account for `wait`, because the upstream answered 429.
    pub async fn block(&self, account: &Account, wait: Duration) -> Result<(), sqlx::Error> {
        let shelf = self.shelf(account);
        // The fetched permits are from before the block.
        shelf.lock().await.clear();
        self.store.pace_block(account, wait).await
    }

    async fn interactive(&self, account: &Account) -> Result<Result<(), Duration>, sqlx::Error> {
        let class = Class::Interactive;
        let granted = self.store.pace_take(&class.ask(account, 1, class.patience())).await?;
        if granted.count == 0 {
            return Ok(Err(granted.first_wait));
        }
        until(Instant::now() + granted.first_wait).await;
        Ok(Ok(()))
    }

    async fn bulk(&self, account: &Account) -> Result<Result<(), Duration>, sqlx::Error> {
        let class = Class::Bulk;
        let shelf = self.shelf(account);
        let patience_ends = Instant::now() + class.patience();
        let slot = {
            let mut shelf = shelf.lock().await;
            loop {
                while shelf.front().is_some_and(|slot| slot.elapsed() > PERMIT_LIFE) {
                    shelf.pop_front();
                }
                if let Some(slot) = shelf.pop_front() {
                    break slot;
                }
                let granted = self.store.pace_take(&class.ask(account, BULK_TRIP, BULK_HORIZON)).await?;
                let now = Instant::now();
                if granted.count == 0 {
                    if now + granted.first_wait > patience_ends {
                        return Ok(Err(granted.first_wait));
                    }
                    // Wake when the slot comes within the horizon, at least a step later.
                    let nap =
                        granted.first_wait.saturating_sub(BULK_HORIZON).max(granted.step.min(BULK_HORIZON));
                    tokio::time::sleep(nap).await;
                    continue;
                }
                shelf.extend((0..granted.count).map(|index| now + granted.wait(index)));
            }
        };
        until(slot).await;
        Ok(Ok(()))
    }

    fn shelf(&self, account: &Account) -> Shelf {
        let mut shelves = self.bulk.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(shelves.entry(account.key.clone()).or_default())
    }
}

/// Waits for a slot. Tokio's clock has millisecond steps and wakes late rather than early, so a
/// slot in the past must not be waited for.
async fn until(slot: Instant) {
    if slot > Instant::now() {
        tokio::time::sleep_until(slot.into()).await;
    }
}
