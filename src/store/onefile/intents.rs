//! Settles a creation in OneFile: the new record is linked with its subject, if it has one.

use crate::domain::{LinkMethod, OneFileEnvironment, SubjectKind};
use crate::store::{
    By, IntentRow, Linking, NewOneFileLink, OneFileLinked, SettleOutcome, Store, StoreResult,
};

impl Store {
    /// Settles a creation in one transaction: the intent is done, and its subject is linked to the
    /// new record.
    pub async fn settle_onefile(
        &self,
        intent: &IntentRow,
        remote_id: i64,
        link: Option<&NewOneFileLink>,
        by: &By,
    ) -> StoreResult<SettleOutcome<i64>> {
        let mut tx = self.begin().await?;
        // Lock in the same order as others: all links, the record, the intent.
        if link.is_some() {
            Self::lock_links(&mut tx, intent.provider_id).await?;
        }
        if intent.subject_kind != SubjectKind::Classroom {
            let kind = intent.subject_kind.as_str();
            self.lock_record(&mut tx, intent.provider_id, kind, &intent.subject_id).await?;
        }
        if !self.settle_done(&mut tx, intent, remote_id).await? {
            return Ok(SettleOutcome::Elsewhere);
        }
        if let (Some(link), Some(environment)) = (link, OneFileEnvironment::parse(&intent.environment)) {
            let how = Linking {
                provider: intent.provider_id,
                environment,
                method: LinkMethod::Created,
                keep: true,
                by,
            };
            let linked = self.link_onefile_in(&mut tx, how, std::slice::from_ref(link)).await?;
            if !matches!(linked.as_slice(), [OneFileLinked::Made(_) | OneFileLinked::Same(_)]) {
                return Ok(SettleOutcome::Taken);
            }
        }
        tx.commit().await?;
        Ok(SettleOutcome::Done(remote_id))
    }
}
