//! Reads the status of one learner now. `run.rs` reads all.

use uuid::Uuid;

use super::apply::apply_readings;
use crate::ace360::links::readings::{mirror_row, readable, single};
use crate::ace360::{Ace360, Ace360Error};
use crate::store::StoreError;
use crate::upstream::failure::FailureKind;
use crate::upstream::pace::Class;

/// What came of reading one learner's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncedOne {
    /// Something was other than before.
    Changed,
    Unchanged,
    /// The record is not there any more.
    Gone,
    /// The learner has no link.
    NotLinked,
}

impl Ace360 {
    /// Reads one learner's record now.
    pub async fn sync_one(&self, provider: Uuid, learner: &str) -> Result<SyncedOne, Ace360Error> {
        let (client, settings) = self.client(provider, Class::Interactive).await?;
        let Some(link) = self.store.ace360_link(provider, learner).await? else {
            return Ok(SyncedOne::NotLinked);
        };
        match readable(client.apprentice(link.record_id).await?) {
            Ok(apprentice) => {
                let mut tx = self.store.begin().await?;
                let readings = [single(&apprentice)];
                let applied =
                    apply_readings(&self.store, &mut tx, provider, &settings.environment, &readings, None)
                        .await?;
                self.store
                    .mirror(
                        &mut tx,
                        provider,
                        &settings.environment,
                        &[mirror_row(&self.store, provider, &apprentice)],
                        None,
                    )
                    .await?;
                tx.commit().await.map_err(StoreError::from)?;
                self.note_connection(provider, None).await?;
                Ok(if applied.changed.is_empty() { SyncedOne::Unchanged } else { SyncedOne::Changed })
            }
            Err(failure) if failure.kind == FailureKind::Missing => {
                let mut tx = self.store.begin().await?;
                self.store.mark_gone(&mut tx, provider, &settings.environment, learner, None).await?;
                tx.commit().await.map_err(StoreError::from)?;
                Ok(SyncedOne::Gone)
            }
            Err(failure) => {
                self.note_connection(provider, Some(&failure)).await?;
                Err(failure.into())
            }
        }
    }
}
