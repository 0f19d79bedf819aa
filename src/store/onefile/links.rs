//! Which of OneFile's records is which of ours: reading and removing links, and what becomes of them when OneFile is read again.
//! How they are made: `onefile_linking`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::change_service::LinkData;
use crate::domain::{
    Change, DirectoryKind, LinkMethod, LinkState, OneFileEnvironment, Subject, SubjectKind, redacted,
};
use crate::store::onefile::directory::labels_of;
use crate::store::records::page;
use crate::store::{By, DirectoryLabels, RecordKind, RecordPage, Store, StoreResult, Time, Tx};

#[derive(Clone, PartialEq, Eq)]
pub struct OneFileLink {
    pub id: Uuid,
    pub kind: RecordKind,
    pub local_id: String,
    pub centre_id: String,
    pub remote_id: String,
    /// The name in OneFile at the last read.
    pub remote_name: Option<String>,
    /// How the link was found.
    pub method: LinkMethod,
    /// The state of the OneFile record at the last read.
    pub state: LinkState,
    pub created_at: Time,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct LinkLabels {
    /// The name there when it was linked.
    pub name: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct LinkFilter {
    pub kind: Option<RecordKind>,
    /// Only links in these states. Empty: all.
    pub states: Vec<LinkState>,
}

redacted!(OneFileLink LinkLabels);

/// A row, with the directory's entry of its remote where there is one.
pub(crate) struct LinkRow {
    pub id: Uuid,
    pub kind: String,
    pub local_id: String,
    pub centre_id: String,
    pub remote_id: String,
    pub method: String,
    pub state: String,
    pub sealed: Vec<u8>,
    pub entry: Option<Vec<u8>>,
    pub created_at: Time,
}

impl RecordKind {
    /// Reads what [`RecordKind::as_str`] writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Learner, Self::Officer, Self::Organisation].into_iter().find(|kind| kind.as_str() == text)
    }

    /// The part of the directory that its remotes stand in; learners' users are in none.
    pub(crate) const fn directory(self) -> Option<DirectoryKind> {
        match self {
            Self::Learner => None,
            Self::Officer => Some(DirectoryKind::Assessor),
            Self::Organisation => Some(DirectoryKind::Placement),
        }
    }
}

impl Store {
    /// All links of a kind, in ascending order of our ids.
    pub async fn onefile_links_of(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        kind: RecordKind,
    ) -> StoreResult<Vec<OneFileLink>> {
        let rows = sqlx::query_as!(
            LinkRow,
            r#"select l.id, l.kind, l.local_id, l.centre_id, l.remote_id, l.method, l.state, l.sealed, l.created_at, d.sealed as "entry?"
               from onefile_links l
               left join onefile_directory d on d.provider_id = l.provider_id and d.environment = l.environment and d.remote_id = l.remote_id
                    and d.kind = case l.kind when 'officer' then 'assessor' when 'organisation' then 'placement' end
               where l.provider_id = $1 and l.environment = $2 and l.kind = $3
               order by l.local_id, l.centre_id"#,
            provider,
            environment.as_str(),
            kind.as_str(),
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(|row| self.read_link(provider, environment, row)).collect()
    }

    /// The numbers of linked learners whose user is archived, and whose user was deleted.
    pub async fn lost_learners(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
    ) -> StoreResult<(i64, i64)> {
        let row = sqlx::query!(
            r#"select count(*) filter (where state = 'archived') as "archived!", count(*) filter (where state = 'gone') as "gone!"
               from onefile_links where provider_id = $1 and environment = $2 and kind = 'learner' and state <> 'linked'"#,
            provider,
            environment.as_str(),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok((row.archived, row.gone))
    }

    /// The centres with at least one link.
    pub async fn linked_centres(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
    ) -> StoreResult<BTreeSet<String>> {
        let rows = sqlx::query_scalar!(
            "select distinct centre_id from onefile_links where provider_id = $1 and environment = $2 and state = 'linked'",
            provider,
            environment.as_str(),
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().collect())
    }

    /// A page of links, oldest first.
    pub async fn list_onefile_links(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        filter: &LinkFilter,
        after: Option<Uuid>,
        size: i64,
    ) -> StoreResult<RecordPage<OneFileLink>> {
        let states: Vec<String> = filter.states.iter().map(|state| state.as_str().to_owned()).collect();
        let rows = sqlx::query_as!(
            LinkRow,
            r#"select l.id, l.kind, l.local_id, l.centre_id, l.remote_id, l.method, l.state, l.sealed, l.created_at, d.sealed as "entry?"
               from onefile_links l
               left join onefile_directory d on d.provider_id = l.provider_id and d.environment = l.environment and d.remote_id = l.remote_id
                    and d.kind = case l.kind when 'officer' then 'assessor' when 'organisation' then 'placement' end
               where l.provider_id = $1 and l.environment = $2 and ($3::text is null or l.kind = $3)
                 and (cardinality($4::text[]) = 0 or l.state = any($4)) and ($5::uuid is null or l.id > $5)
               order by l.id limit $6"#,
            provider,
            environment.as_str(),
            filter.kind.map(RecordKind::as_str),
            &states,
            after,
            size + 1,
        )
        .fetch_all(&self.pool)
        .await?;
        let items = rows
            .into_iter()
            .map(|row| self.read_link(provider, environment, row))
            .collect::<StoreResult<Vec<_>>>()?;
        Ok(page(items, size))
    }

    /// A link in the environment that the settings name.
    pub async fn onefile_link(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        id: Uuid,
    ) -> StoreResult<Option<OneFileLink>> {
        let row = sqlx::query_as!(
            LinkRow,
            r#"select l.id, l.kind, l.local_id, l.centre_id, l.remote_id, l.method, l.state, l.sealed, l.created_at, d.sealed as "entry?"
               from onefile_links l
               left join onefile_directory d on d.provider_id = l.provider_id and d.environment = l.environment and d.remote_id = l.remote_id
                    and d.kind = case l.kind when 'officer' then 'assessor' when 'organisation' then 'placement' end
               where l.provider_id = $1 and l.environment = $2 and l.id = $3"#,
            provider,
            environment.as_str(),
            id,
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| self.read_link(provider, environment, row)).transpose()
    }

    /// A record's link. If it is linked in several centres, the oldest link.
    pub async fn onefile_link_of(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        kind: RecordKind,
        local_id: &str,
    ) -> StoreResult<Option<OneFileLink>> {
        self.one_link(provider, environment, kind, Some(local_id), None).await
    }

    /// The link to a OneFile record.
    pub async fn onefile_link_to(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        kind: RecordKind,
        remote_id: &str,
    ) -> StoreResult<Option<OneFileLink>> {
        self.one_link(provider, environment, kind, None, Some(remote_id)).await
    }

    async fn one_link(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        kind: RecordKind,
        local_id: Option<&str>,
        remote_id: Option<&str>,
    ) -> StoreResult<Option<OneFileLink>> {
        let row = sqlx::query_as!(
            LinkRow,
            r#"select id, kind, local_id, centre_id, remote_id, method, state, sealed, created_at, null::bytea as entry
               from onefile_links where provider_id = $1 and environment = $2 and kind = $3
                 and ($4::text is null or local_id = $4) and ($5::text is null or remote_id = $5)
               order by id limit 1"#,
            provider,
            environment.as_str(),
            kind.as_str(),
            local_id,
            remote_id,
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| self.read_link(provider, environment, row)).transpose()
    }

    /// Removes a link. Nothing changes in OneFile. `false`: there is no such link.
    pub async fn remove_onefile_link(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        id: Uuid,
        by: &By,
    ) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let gone = sqlx::query!(
            r#"delete from onefile_links where provider_id = $1 and environment = $2 and id = $3
               returning kind as "kind: SubjectKind", local_id, centre_id, remote_id"#,
            provider,
            environment.as_str(),
            id,
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(gone) = gone else { return Ok(false) };
        let data = LinkData::onefile(id, gone.centre_id, gone.remote_id);
        if gone.kind == SubjectKind::Learner {
            self.forget_enrolment(&mut tx, provider, Some(environment), &gone.local_id).await?;
        }
        self.audit(&mut tx, provider, by, "onefile.unlink", gone.kind.as_str(), &gone.local_id).await?;
        let subject = Subject { kind: gone.kind, id: gone.local_id };
        self.log_change(&mut tx, provider, subject, Change::LinkRemoved(data)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Removes what a record that goes was linked to, in every environment; reported in the feed, except for a learner, whose id nothing
    /// stays there.
    pub(crate) async fn remove_onefile_links_of(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        kind: RecordKind,
        local_id: &str,
    ) -> StoreResult<()> {
        let gone = sqlx::query!(
            "delete from onefile_links where provider_id = $1 and kind = $2 and local_id = $3 returning id, centre_id, remote_id",
            provider,
            kind.as_str(),
            local_id,
        )
        .fetch_all(&mut **tx)
        .await?;
        if kind == RecordKind::Learner {
            return self.forget_enrolment(tx, provider, None, local_id).await;
        }
        let removed = gone.into_iter().map(|link| {
            let data = LinkData::onefile(link.id, link.centre_id, link.remote_id);
            (Subject::record(kind, local_id), Change::LinkRemoved(data))
        });
        self.log_changes(tx, provider, &removed.collect::<Vec<_>>()).await
    }

    /// Notes how the remotes of a kind's links are, after all of them were read: `seen` are their ids, and whether they are archived.
    /// A link that was made since the reading began (`since`: an id that is ordered by time) is not called gone.
    pub(crate) async fn settle_onefile_links(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        environment: OneFileEnvironment,
        kind: RecordKind,
        seen: &[(&str, bool)],
        since: Uuid,
    ) -> StoreResult<()> {
        let ids: Vec<String> = seen.iter().map(|(id, _)| (*id).to_owned()).collect();
        let archived: Vec<bool> = seen.iter().map(|(_, archived)| *archived).collect();
        sqlx::query!(
            r#"update onefile_links l set state = now.state
               from (select own.id, case when s.id is null then 'gone' when s.archived then 'archived' else 'linked' end as state
                     from onefile_links own
                     left join unnest($4::text[], $5::bool[]) as s (id, archived) on s.id = own.remote_id
                     where own.provider_id = $1 and own.environment = $2 and own.kind = $3 and (s.id is not null or own.id < $6)) as now
               where l.id = now.id and l.state <> now.state"#,
            provider,
            environment.as_str(),
            kind.as_str(),
            &ids,
            &archived,
            since,
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The same for learners' users, which are not in the directory.
    pub async fn settle_onefile_learners(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        seen: &[(&str, bool)],
        since: Uuid,
    ) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        self.settle_onefile_links(&mut tx, provider, environment, RecordKind::Learner, seen, since).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(crate) fn read_link(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        row: LinkRow,
    ) -> StoreResult<OneFileLink> {
        // The table allows no other words than these.
        let kind = RecordKind::parse(&row.kind).unwrap_or(RecordKind::Learner);
        let entry: Option<DirectoryLabels> = match (&row.entry, kind.directory()) {
            (Some(sealed), Some(part)) => {
                Some(self.unseal_json(&labels_of(provider, environment, part, &row.remote_id), sealed)?)
            }
            _ => None,
        };
        let remote_name = match entry {
            Some(entry) => entry.name,
            None => self.unseal_json::<LinkLabels>(&link_row(row.id), &row.sealed)?.name,
        };
        Ok(OneFileLink {
            id: row.id,
            kind,
            local_id: row.local_id,
            centre_id: row.centre_id,
            remote_id: row.remote_id,
            remote_name,
            method: LinkMethod::parse(&row.method).unwrap_or(LinkMethod::Manual),
            state: LinkState::parse(&row.state).unwrap_or(LinkState::Gone),
            created_at: row.created_at,
        })
    }
}

pub(crate) fn link_row(id: Uuid) -> String {
    format!("onefile_links/{id}")
}
