//! Links records to OneFile's records, one or many at once. The same code predicts the outcome.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::domain::change_service::LinkData;
use crate::domain::{Change, LinkMethod, LinkState, OneFileEnvironment, Subject, redacted};
use crate::store::onefile::links::{LinkLabels, LinkRow, link_row};
use crate::store::{By, OneFileLink, RecordKind, Store, StoreResult, Tx, new_id};

/// A link to create. The caller has checked that the OneFile record exists.
#[derive(Clone)]
pub struct NewOneFileLink {
    pub kind: RecordKind,
    pub local_id: String,
    pub centre_id: String,
    pub remote_id: String,
    pub remote_name: Option<String>,
    pub archived: bool,
}

#[derive(Clone, PartialEq, Eq)]
pub enum OneFileLinked {
    /// The link was created, or would be if nothing is stored.
    Made(OneFileLink),
    /// The same link existed already.
    Same(OneFileLink),
    /// The PICSWeb record is linked to another OneFile record: its id.
    LocalTaken(String),
    /// The OneFile record is linked to another PICSWeb record: its kind and id, if known.
    RemoteTaken(Option<(RecordKind, String)>),
    /// The PICSWeb record does not exist.
    NoRecord,
    /// An enrolment of the learner has no known outcome yet.
    InFlight,
}

redacted!(NewOneFileLink OneFileLinked);

#[derive(Clone, Copy, Debug)]
pub struct Linking<'a> {
    pub provider: Uuid,
    pub environment: OneFileEnvironment,
    /// How the links were found.
    pub method: LinkMethod,
    /// `false`: only predict the outcome.
    pub keep: bool,
    pub by: &'a By,
}

/// Records that are already linked, including links of this call.
struct Taken {
    by_local: HashMap<(RecordKind, String, String), OneFileLink>,
    by_remote: HashMap<(bool, String), (RecordKind, String)>,
}

/// A learner has one user in all centres. Others have one partner in each centre.
fn place(kind: RecordKind, centre: &str) -> String {
    if kind == RecordKind::Learner { String::new() } else { centre.to_owned() }
}

/// Assessors and learners are both users in OneFile, so their ids share one range.
fn number(kind: RecordKind, remote: &str) -> (bool, String) {
    (kind == RecordKind::Organisation, remote.to_owned())
}

impl Taken {
    fn add(&mut self, link: OneFileLink) {
        self.by_remote.insert(number(link.kind, &link.remote_id), (link.kind, link.local_id.clone()));
        self.by_local.insert((link.kind, link.local_id.clone(), place(link.kind, &link.centre_id)), link);
    }
}

impl Store {
    /// Creates links, and returns the outcome of each in the same order. After an error nothing is
    /// stored.
    pub async fn link_onefile(
        &self,
        how: Linking<'_>,
        links: &[NewOneFileLink],
    ) -> StoreResult<Vec<OneFileLinked>> {
        let mut tx = self.begin().await?;
        let outcomes = self.link_onefile_in(&mut tx, how, links).await?;
        if how.keep {
            tx.commit().await?;
        }
        Ok(outcomes)
    }

    /// The same, in the transaction of what they belong to.
    pub(crate) async fn link_onefile_in(
        &self,
        tx: &mut Tx,
        how: Linking<'_>,
        links: &[NewOneFileLink],
    ) -> StoreResult<Vec<OneFileLinked>> {
        Self::lock_links(tx, how.provider).await?;
        let there = self.there(tx, how.provider, links).await?;
        let busy = self.enrolling(tx, how.provider, links).await?;
        let mut taken = self.taken(tx, how, links).await?;
        let now = sqlx::query_scalar!(r#"select app_now() as "now!""#).fetch_one(&mut **tx).await?;
        let mut outcomes = Vec::with_capacity(links.len());
        let (mut made, mut moved) = (Vec::new(), Vec::new());
        for link in links {
            let state = if link.archived { LinkState::Archived } else { LinkState::Linked };
            if !there.contains(&(link.kind, link.local_id.clone())) {
                outcomes.push(OneFileLinked::NoRecord);
                continue;
            }
            let local = (link.kind, link.local_id.clone(), place(link.kind, &link.centre_id));
            if let Some(own) = taken.by_local.get_mut(&local) {
                if own.remote_id == link.remote_id && own.centre_id == link.centre_id {
                    if own.state != state {
                        own.state = state;
                        moved.push((own.id, state));
                    }
                    own.remote_name.clone_from(&link.remote_name);
                    outcomes.push(OneFileLinked::Same(own.clone()));
                } else {
                    outcomes.push(OneFileLinked::LocalTaken(own.remote_id.clone()));
                }
                continue;
            }
            if let Some(other) = taken.by_remote.get(&number(link.kind, &link.remote_id)) {
                outcomes.push(OneFileLinked::RemoteTaken(Some(other.clone())));
                continue;
            }
            if link.kind == RecordKind::Learner && busy.contains(&link.local_id) {
                outcomes.push(OneFileLinked::InFlight);
                continue;
            }
            let new = OneFileLink {
                id: new_id(),
                kind: link.kind,
                local_id: link.local_id.clone(),
                centre_id: link.centre_id.clone(),
                remote_id: link.remote_id.clone(),
                remote_name: link.remote_name.clone(),
                method: how.method,
                state,
                created_at: now,
            };
            taken.add(new.clone());
            made.push(new.clone());
            outcomes.push(OneFileLinked::Made(new));
        }
        if !how.keep {
            return Ok(outcomes);
        }
        let kept = self.insert_links(tx, how, &made).await?;
        // The database constraints decide in the end.
        for outcome in &mut outcomes {
            if matches!(outcome, OneFileLinked::Made(link) if !kept.contains(&link.id)) {
                *outcome = OneFileLinked::RemoteTaken(None);
            }
        }
        made.retain(|link| kept.contains(&link.id));
        for (id, state) in moved {
            sqlx::query!("update onefile_links set state = $2 where id = $1", id, state.as_str())
                .execute(&mut **tx)
                .await?;
        }
        self.tell_links(tx, how, &made).await?;
        Ok(outcomes)
    }

    /// Lets others who link wait until the transaction ends; taken before any record's row is.
    pub(crate) async fn lock_links(tx: &mut Tx, provider: Uuid) -> StoreResult<()> {
        // One at a time for each provider: two that take each other's records in another order would block each other.
        sqlx::query!(
            "select pg_advisory_xact_lock(hashtextextended('onefile_links/' || $1::uuid::text, 0)) as locked",
            provider
        )
        .fetch_one(&mut **tx)
        .await?;
        Ok(())
    }

    /// Which records exist. They are locked until the transaction ends.
    async fn there(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        links: &[NewOneFileLink],
    ) -> StoreResult<HashSet<(RecordKind, String)>> {
        let kinds: Vec<String> = links.iter().map(|link| link.kind.as_str().to_owned()).collect();
        let ids: Vec<String> = links.iter().map(|link| link.local_id.clone()).collect();
        let rows = sqlx::query!(
            r#"select r.kind, r.record_id from records r
               where r.provider_id = $1 and (r.kind, r.record_id) in (select * from unnest($2::text[], $3::text[]))
               for key share"#,
            provider,
            &kinds,
            &ids,
        )
        .fetch_all(&mut **tx)
        .await?;
        Ok(rows.into_iter().filter_map(|row| Some((RecordKind::parse(&row.kind)?, row.record_id))).collect())
    }

    /// Learners with an enrolment of unknown outcome.
    async fn enrolling(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        links: &[NewOneFileLink],
    ) -> StoreResult<Vec<String>> {
        let learners = links.iter().filter(|link| link.kind == RecordKind::Learner);
        let learners: Vec<String> = learners.map(|link| link.local_id.clone()).collect();
        Ok(sqlx::query_scalar!(
            r#"select subject_id from intents where provider_id = $1 and upstream = 'onefile' and subject_kind = 'learner'
               and subject_id = any($2) and state in ('sending', 'unknown')"#,
            provider,
            &learners,
        )
        .fetch_all(&mut **tx)
        .await?)
    }

    /// Existing links that conflict.
    async fn taken(&self, tx: &mut Tx, how: Linking<'_>, links: &[NewOneFileLink]) -> StoreResult<Taken> {
        let locals: Vec<String> = links.iter().map(|link| link.local_id.clone()).collect();
        let remotes: Vec<String> = links.iter().map(|link| link.remote_id.clone()).collect();
        let rows = sqlx::query_as!(
            LinkRow,
            r#"select id, kind, local_id, centre_id, remote_id, method, state, sealed, created_at, null::bytea as entry
               from onefile_links where provider_id = $1 and environment = $2 and (local_id = any($3) or remote_id = any($4))"#,
            how.provider,
            how.environment.as_str(),
            &locals,
            &remotes,
        )
        .fetch_all(&mut **tx)
        .await?;
        let mut taken = Taken { by_local: HashMap::new(), by_remote: HashMap::new() };
        for row in rows {
            taken.add(self.read_link(how.provider, how.environment, row)?);
        }
        Ok(taken)
    }

    /// Writes the links, and returns the ids of those that no constraint refused.
    async fn insert_links(
        &self,
        tx: &mut Tx,
        how: Linking<'_>,
        made: &[OneFileLink],
    ) -> StoreResult<Vec<Uuid>> {
        let sealed = made
            .iter()
            .map(|link| self.seal_json(&link_row(link.id), &LinkLabels { name: link.remote_name.clone() }))
            .collect::<StoreResult<Vec<_>>>()?;
        let texts = |of: fn(&OneFileLink) -> &str| -> Vec<String> {
            made.iter().map(|link| of(link).to_owned()).collect()
        };
        let ids: Vec<Uuid> = made.iter().map(|link| link.id).collect();
        Ok(sqlx::query_scalar!(
            r#"insert into onefile_links (id, provider_id, environment, kind, local_id, centre_id, remote_id, method, state, sealed, created_at)
               select new.id, $1, $2, new.kind, new.local_id, new.centre_id, new.remote_id, $3, new.state, new.sealed, new.at
               from unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bytea[], $11::timestamptz[])
                    as new (id, kind, local_id, centre_id, remote_id, state, sealed, at)
               on conflict do nothing returning id"#,
            how.provider,
            how.environment.as_str(),
            how.method.as_str(),
            &ids,
            &texts(|link| link.kind.as_str()),
            &texts(|link| &link.local_id),
            &texts(|link| &link.centre_id),
            &texts(|link| &link.remote_id),
            &texts(|link| link.state.as_str()),
            &sealed,
            &made.iter().map(|link| link.created_at).collect::<Vec<_>>(),
        )
        .fetch_all(&mut **tx)
        .await?)
    }

    /// Writes the events, and one audit line for each kind.
    async fn tell_links(&self, tx: &mut Tx, how: Linking<'_>, made: &[OneFileLink]) -> StoreResult<()> {
        let changes: Vec<(Subject, Change)> = made
            .iter()
            .map(|link| {
                let data = LinkData::onefile(link.id, link.centre_id.clone(), link.remote_id.clone());
                let data = LinkData { method: Some(link.method), ..data };
                (Subject::record(link.kind, &link.local_id), Change::LinkCreated(data))
            })
            .collect();
        self.log_changes(tx, how.provider, &changes).await?;
        for kind in [RecordKind::Officer, RecordKind::Organisation, RecordKind::Learner] {
            let of_kind = made.iter().filter(|link| link.kind == kind);
            let ids: Vec<String> = of_kind.map(|link| link.local_id.clone()).collect();
            match ids.as_slice() {
                [] => {}
                [one] => self.audit(tx, how.provider, how.by, "onefile.link", kind.as_str(), one).await?,
                many => {
                    sqlx::query!(
                        r#"insert into audit (id, provider_id, at, actor, action, subject_kind, subject_ids, request_id, address)
                           values ($1, $2, app_now(), $3, 'onefile.link', $4, $5, $6, $7)"#,
                        new_id(),
                        how.provider,
                        how.by.actor,
                        kind.as_str(),
                        many,
                        how.by.request_id,
                        how.by.address,
                    )
                    .execute(&mut **tx)
                    .await?;
                }
            }
        }
        Ok(())
    }
}
