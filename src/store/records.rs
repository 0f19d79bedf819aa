//! Learners, officers and organisations in one table, because they are stored in the same way. This
//! module does not know their fields; the caller passes the JSON and the blind indexes.

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{After, By, Expected, Removed, Store, StoreResult, Version};
pub use crate::domain::RecordKind;

#[derive(Clone, Debug)]
pub struct NewRecord {
    pub id: String,
    pub json: Vec<u8>,
    pub uln_index: Option<Vec<u8>>,
    pub person_index: Option<Vec<u8>>,
    /// The referenced record that is read together with it: a learner's employer, or an
    /// organisation's main contact.
    pub refers_to: Option<String>,
}

/// A record that is ready to be written.
#[derive(Clone, Debug)]
pub struct SealedRecord {
    id: String,
    sealed: Vec<u8>,
    uln_index: Option<Vec<u8>>,
    person_index: Option<Vec<u8>>,
    refers_to: Option<String>,
}

impl SealedRecord {
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// Records that are ready to be written.
#[derive(Clone, Debug, Default)]
pub struct SealedRecords {
    pub(super) ids: Vec<String>,
    pub(super) sealed: Vec<Vec<u8>>,
    pub(super) ulns: Vec<Option<Vec<u8>>>,
    pub(super) people: Vec<Option<Vec<u8>>>,
    pub(super) references: Vec<Option<String>>,
}

impl SealedRecords {
    pub fn push(&mut self, record: SealedRecord) {
        self.sealed.push(record.sealed);
        self.ids.push(record.id);
        self.ulns.push(record.uln_index);
        self.people.push(record.person_index);
        self.references.push(record.refers_to);
    }

    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

#[derive(Clone, Debug)]
pub struct StoredRecord<T> {
    pub id: String,
    pub record: T,
    /// The version, which distinguishes this state from earlier ones.
    pub version: Version,
}

#[derive(Clone, Debug)]
pub struct RecordPage<T> {
    /// At most as many as requested.
    pub items: Vec<T>,
    pub more: bool,
}

impl Store {
    pub(super) fn seal_record(
        &self,
        provider: Uuid,
        kind: RecordKind,
        id: &str,
        json: &[u8],
    ) -> StoreResult<Vec<u8>> {
        Ok(self.vault.sealer.seal(&record_row(provider, kind, id), json)?)
    }

    pub(super) fn unseal_record<T: DeserializeOwned>(
        &self,
        provider: Uuid,
        kind: RecordKind,
        id: &str,
        sealed: &[u8],
    ) -> StoreResult<T> {
        self.unseal_json(&record_row(provider, kind, id), sealed)
    }

    /// Seals a record, to write it together with others.
    pub fn seal_new(&self, provider: Uuid, kind: RecordKind, record: NewRecord) -> StoreResult<SealedRecord> {
        let sealed = self.seal_record(provider, kind, &record.id, &record.json)?;
        let NewRecord { id, uln_index, person_index, refers_to, .. } = record;
        Ok(SealedRecord { id, sealed, uln_index, person_index, refers_to })
    }

    pub async fn is_there(&self, provider: Uuid, kind: RecordKind, id: &str) -> StoreResult<bool> {
        Ok(sqlx::query_scalar!(
            r#"select exists (select from records where provider_id = $1 and kind = $2 and record_id = $3) as "there!""#,
            provider,
            kind.as_str(),
            id,
        )
        .fetch_one(&self.pool)
        .await?)
    }

    pub async fn record<T: DeserializeOwned>(
        &self,
        provider: Uuid,
        kind: RecordKind,
        id: &str,
    ) -> StoreResult<Option<StoredRecord<T>>> {
        let row = sqlx::query!(
            "select sealed, created_at, version from records where provider_id = $1 and kind = $2 and record_id = $3",
            provider,
            kind.as_str(),
            id
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| {
            Ok(StoredRecord {
                id: id.to_owned(),
                record: self.unseal_record(provider, kind, id, &row.sealed)?,
                version: Version::of(row.created_at, row.version),
            })
        })
        .transpose()
    }

    /// Deletes an officer or organisation with its links, if it is in the expected version.
    /// Learners are erased instead.
    pub async fn delete_record(
        &self,
        provider: Uuid,
        kind: RecordKind,
        id: &str,
        expected: &Expected,
        by: &By,
    ) -> StoreResult<Removed> {
        let mut tx = self.begin().await?;
        if !self.lock_record(&mut tx, provider, kind.as_str(), id).await? {
            return Ok(Removed::Missing);
        }
        if !self.is_as_expected(&mut tx, provider, kind, id, expected).await? {
            return Ok(Removed::Unexpected);
        }
        sqlx::query!(
            "delete from records where provider_id = $1 and kind = $2 and record_id = $3",
            provider,
            kind.as_str(),
            id,
        )
        .execute(&mut *tx)
        .await?;
        self.audit(&mut tx, provider, by, "record.delete", kind.as_str(), id).await?;
        self.remove_onefile_links_of(&mut tx, provider, kind, id).await?;
        tx.commit().await?;
        Ok(Removed::Done)
    }

    /// A page of records, in ascending order of their ids.
    pub async fn list_records<T: DeserializeOwned>(
        &self,
        provider: Uuid,
        kind: RecordKind,
        after: After<'_>,
        size: i64,
    ) -> StoreResult<RecordPage<StoredRecord<T>>> {
        let rows = sqlx::query!(
            r#"select record_id, sealed, created_at, version from records
               where provider_id = $1 and kind = $2 and ($3::text is null or record_id > $3)
               order by record_id limit $4"#,
            provider,
            kind.as_str(),
            after,
            size + 1
        )
        .fetch_all(&self.pool)
        .await?;
        let items = rows
            .into_iter()
            .map(|row| {
                Ok(StoredRecord {
                    record: self.unseal_record(provider, kind, &row.record_id, &row.sealed)?,
                    id: row.record_id,
                    version: Version::of(row.created_at, row.version),
                })
            })
            .collect::<StoreResult<Vec<_>>>()?;
        Ok(page(items, size))
    }
}

/// Removes the extra row that shows whether more rows follow.
pub(super) fn page<T>(mut items: Vec<T>, size: i64) -> RecordPage<T> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let more = items.len() > size;
    items.truncate(size);
    RecordPage { items, more }
}

pub(super) fn record_row(provider: Uuid, kind: RecordKind, id: &str) -> String {
    format!("records/{provider}/{}/{id}", kind.as_str())
}

/// A record's JSON. `size`: its approximate length in bytes.
pub fn to_json<T: Serialize>(record: &T, size: usize) -> StoreResult<Vec<u8>> {
    let mut json = Vec::with_capacity(size);
    serde_json::to_writer(&mut json, record)?;
    Ok(json)
}
