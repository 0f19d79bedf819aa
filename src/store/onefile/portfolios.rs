//! OneFile's data of a learner at the last read or write, with the qualification of each learning
//! aim and the PICSWeb review of each review. It stays when PICSWeb sends the record again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::change_onefile::{ReviewChangedData, ReviewValue};
use crate::domain::{Change, OneFileEnvironment, Subject, redacted};
use crate::store::{IntentProblem, RecordKind, Store, StoreResult, Time, Tx};

#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Portfolio {
    /// The user. `None`: its details were never read.
    pub user: Option<PortfolioUser>,
    pub aims: Vec<PortfolioAim>,
    pub reviews: Vec<PortfolioReview>,
    /// Codes without a learning aim in OneFile at the first exchange of a learner that was linked
    /// by hand. They are not assigned.
    pub left_out: Vec<String>,
    /// Codes of qualifications that an exchange assigns and whose details are not sent yet. Stored
    /// before the learning aim is created, so that a later exchange knows it.
    pub owed: Vec<String>,
    /// What a person should check.
    pub notes: Vec<String>,
}

/// The user's exchanged details.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PortfolioUser {
    /// The exchanged fields that are not blank, by OneFile's names. A day is `2026-01-31`.
    pub fields: BTreeMap<String, String>,
    pub default_assessor_id: Option<String>,
    pub placement_id: Option<String>,
}

#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PortfolioAim {
    pub learning_aim_id: String,
    pub standard_id: String,
    pub vq_reference: Option<String>,
    /// Whether `fields` was read.
    pub read: bool,
    /// Whether it was deleted in OneFile.
    pub gone: bool,
    /// The exchanged fields that are not blank, by OneFile's names. A day is `2026-01-31`.
    pub fields: BTreeMap<String, String>,
    /// The qualification that took over the element counts.
    pub counted_for: Option<String>,
}

#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PortfolioReview {
    pub one_file_id: String,
    /// PICSWeb's id, if it has one.
    pub review_id: Option<String>,
    pub scheduled_for: Option<Time>,
    pub started_on: Option<Time>,
    /// Whether it was deleted in OneFile.
    pub gone: bool,
}

redacted!(Portfolio PortfolioUser PortfolioAim PortfolioReview PortfolioRow);

#[derive(Clone, Default, PartialEq)]
pub struct PortfolioRow {
    pub portfolio: Portfolio,
    /// When the last exchange took place.
    pub exchanged_at: Option<Time>,
    /// When it was last read in full.
    pub swept_at: Option<Time>,
    /// Why the last exchange failed.
    pub problem: Option<IntentProblem>,
}

impl Store {
    /// A learner's portfolio, empty if none was read.
    pub async fn portfolio(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        learner: &str,
    ) -> StoreResult<PortfolioRow> {
        let row = sqlx::query!(
            r#"select sealed, exchanged_at, swept_at, sealed_problem from onefile_portfolios
               where provider_id = $1 and environment = $2 and learner_id = $3"#,
            provider,
            environment.as_str(),
            learner,
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(PortfolioRow::default()) };
        let name = portfolio_row(provider, environment, learner);
        Ok(PortfolioRow {
            portfolio: self.unseal_json(&name, &row.sealed)?,
            exchanged_at: row.exchanged_at,
            swept_at: row.swept_at,
            problem: row
                .sealed_problem
                .map(|sealed| self.unseal_json(&format!("{name}/problem"), &sealed))
                .transpose()?,
        })
    }

    /// Changes a portfolio within a transaction. The caller has locked the learner's record.
    pub async fn change_portfolio(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        environment: OneFileEnvironment,
        learner: &str,
        change: impl FnOnce(&mut Portfolio),
    ) -> StoreResult<()> {
        let name = portfolio_row(provider, environment, learner);
        let sealed = sqlx::query_scalar!(
            r#"select sealed from onefile_portfolios where provider_id = $1 and environment = $2 and learner_id = $3 for update"#,
            provider,
            environment.as_str(),
            learner,
        )
        .fetch_optional(&mut **tx)
        .await?;
        let mut portfolio: Portfolio = match sealed {
            Some(sealed) => self.unseal_json(&name, &sealed)?,
            None => Portfolio::default(),
        };
        change(&mut portfolio);
        let sealed = self.seal_json(&name, &portfolio)?;
        sqlx::query!(
            r#"insert into onefile_portfolios (provider_id, environment, learner_id, sealed) values ($1, $2, $3, $4)
               on conflict (provider_id, environment, learner_id) do update set sealed = excluded.sealed"#,
            provider,
            environment.as_str(),
            learner,
            sealed,
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Stores which learning aim a qualification became.
    pub async fn note_aim(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        learner: &str,
        aim: PortfolioAim,
    ) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        if !self.lock_record(&mut tx, provider, "learner", learner).await? {
            return Ok(());
        }
        self.change_portfolio(&mut tx, provider, environment, learner, |own| {
            own.aims.retain(|known| known.learning_aim_id != aim.learning_aim_id);
            own.aims.push(aim);
        })
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Stores that a qualification's details have to be sent once its learning aim exists.
    pub async fn owe_details(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        learner: &str,
        code: &str,
    ) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        if !self.lock_record(&mut tx, provider, "learner", learner).await? {
            return Ok(());
        }
        self.change_portfolio(&mut tx, provider, environment, learner, |own| {
            own.owed.retain(|known| known != code);
            own.owed.push(code.to_owned());
        })
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Stores which OneFile review one of our reviews became: in the portfolio, and as OneFile
    /// System ID in the record.
    pub async fn note_review(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        learner: &str,
        review: &str,
        remote: &str,
    ) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        if !self.lock_record(&mut tx, provider, "learner", learner).await? {
            return Ok(());
        }
        self.change_portfolio(&mut tx, provider, environment, learner, |own| {
            own.reviews.retain(|known| known.one_file_id != remote);
            own.reviews.push(PortfolioReview {
                one_file_id: remote.to_owned(),
                review_id: Some(review.to_owned()),
                ..PortfolioReview::default()
            });
        })
        .await?;
        let changed = self
            .change_record(&mut tx, provider, RecordKind::Learner, learner, |record| {
                let reviews = record.get_mut("reviews").and_then(Value::as_array_mut);
                let own = reviews.and_then(|all| all.iter_mut().find(|own| own["reviewId"] == review));
                let Some(own) = own.filter(|own| own["oneFileId"] != remote) else { return false };
                own["oneFileId"] = json!(remote);
                true
            })
            .await?;
        if changed {
            let data = ReviewChangedData {
                review_id: Some(review.to_owned()),
                one_file_id: Some(remote.to_owned()),
                field: "oneFileId".to_owned(),
                before: None,
                after: Some(ReviewValue::Text(remote.to_owned())),
                why: None,
                found_by: None,
            };
            self.log_change(&mut tx, provider, Subject::learner(learner), Change::ReviewChanged(data))
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Changes a stored record within a transaction. The caller has locked it. `change` returns
    /// whether it changed anything. `false`: nothing was written.
    pub async fn change_record(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        kind: RecordKind,
        id: &str,
        change: impl FnOnce(&mut Value) -> bool,
    ) -> StoreResult<bool> {
        let sealed = sqlx::query_scalar!(
            "select sealed from records where provider_id = $1 and kind = $2 and record_id = $3 for update",
            provider,
            kind.as_str(),
            id,
        )
        .fetch_optional(&mut **tx)
        .await?;
        let Some(sealed) = sealed else { return Ok(false) };
        let mut record: Value = self.unseal_record(provider, kind, id, &sealed)?;
        if !change(&mut record) {
            return Ok(false);
        }
        let sealed = self.seal_record(provider, kind, id, &serde_json::to_vec(&record)?)?;
        sqlx::query!(
            r#"update records set sealed = $4, version = version + 1, updated_at = app_now()
               where provider_id = $1 and kind = $2 and record_id = $3"#,
            provider,
            kind.as_str(),
            id,
            sealed,
        )
        .execute(&mut **tx)
        .await?;
        Ok(true)
    }
}

pub(crate) fn portfolio_row(provider: Uuid, environment: OneFileEnvironment, learner: &str) -> String {
    format!("onefile_portfolios/{provider}/{}/{learner}", environment.as_str())
}
