//! The state that a writer expects. If the state differs, nothing is written.

use uuid::Uuid;

use super::{RecordKind, Store, StoreResult, Time, Tx};

/// The version of a row. A record that was deleted and created again starts at 1 again, but has
/// another creation time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// When the row was created, in microseconds since 1970; 0 for settings, which always exist.
    pub born: i64,
    pub count: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    #[default]
    Whatever,
    There,
    Nothing,
    OneOf(Vec<Version>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    Done,
    Missing,
    /// The record is not in the expected version.
    Unexpected,
    /// An upload or enrolment of it has no known outcome yet.
    InFlight,
}

impl Version {
    /// The version of a record's row.
    pub(super) fn of(born: Time, count: i64) -> Self {
        Self { born: born.timestamp_micros(), count }
    }

    pub fn of_settings(count: i64) -> Self {
        Self { born: 0, count }
    }
}

impl Expected {
    /// Whether an existing row of this version is as expected.
    pub fn allows(&self, version: Version) -> bool {
        match self {
            Self::Whatever | Self::There => true,
            Self::Nothing => false,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }

    /// The versions of settings that are expected, which are distinguished by their count alone. None: any will do.
    pub(super) fn listed_counts(&self) -> Option<Vec<i64>> {
        let of_settings = |version: &&Version| version.born == 0;
        match self {
            Self::Whatever | Self::There => None,
            Self::Nothing => Some(Vec::new()),
            Self::OneOf(versions) => Some(versions.iter().filter(of_settings).map(|own| own.count).collect()),
        }
    }
}

impl Store {
    /// Whether a record whose row the transaction locks is as expected.
    pub(super) async fn is_as_expected(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        kind: RecordKind,
        id: &str,
        expected: &Expected,
    ) -> StoreResult<bool> {
        if matches!(expected, Expected::Whatever | Expected::There) {
            return Ok(true);
        }
        let row = sqlx::query!(
            "select created_at, version from records where provider_id = $1 and kind = $2 and record_id = $3",
            provider,
            kind.as_str(),
            id
        )
        .fetch_optional(&mut **tx)
        .await?;
        Ok(row.is_some_and(|row| expected.allows(Version::of(row.created_at, row.version))))
    }
}
