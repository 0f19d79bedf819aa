//! Removes what is past its retention: runs, changes, settled intents, lines of the audit.

use tracing::info;

use crate::config::Retention;
use crate::store::{Store, StoreError, Swept};

pub(super) async fn sweep(store: &Store, keep: &Retention) -> Result<(), StoreError> {
    let swept = store.sweep(keep).await?;
    if swept != Swept::default() {
        info!(?swept, "removed what was past its retention");
    }
    Ok(())
}
