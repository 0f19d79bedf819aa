//! Seals old values with the current key while the service runs. A row that is written in the
//! meantime is sealed with the current key by that write, and is skipped here.

use super::{Store, StoreError, StoreResult};
use crate::seal::hex;

/// The rows of one batch.
const BATCH: i64 = 500;
const FULL: usize = 500;

/// Declares how each sealed column is found, named and written.
macro_rules! rotations {
    ($($name:ident $what:literal: $select:literal, $update:literal, |$row:ident| $identity:expr, ($($key:ident),*);)*) => {
        impl Store {
            /// Seals everything that is not sealed with the current key. Returns the number of
            /// values, by table.
            ///
            /// # Errors
            /// Also fails if no key opens a value. The error names it, and its batch is unchanged.
            pub async fn rotate(&self) -> StoreResult<Vec<(&'static str, u64)>> {
                Ok(vec![$(($what, self.$name().await?)),*])
            }

            $(async fn $name(&self) -> StoreResult<u64> {
                let mut done = 0;
                loop {
                    let rows = sqlx::query!($select, self.vault.sealer.current_prefix(), BATCH).fetch_all(&self.pool).await?;
                    let mut moved = 0;
                    for $row in &rows {
                        let identity: String = $identity;
                        let plain = self.vault.sealer.unseal(&identity, &$row.sealed)?;
                        let fresh = self.vault.sealer.seal(&identity, &plain)?;
                        moved += sqlx::query!($update, fresh, $row.sealed, $($row.$key),*).execute(&self.pool).await?.rows_affected();
                    }
                    done += moved;
                    // A short batch means that the rest is done. Values that others seal with an
                    // older key in the meantime are reported at the end and not waited for.
                    if moved == 0 || rows.len() < FULL {
                        return Ok(done);
                    }
                }
            })*
        }
    };
}

rotations! {
    rotate_secrets "secrets":
        "select name, sealed from secrets where substring(sealed from 1 for 5) <> $1 limit $2",
        "update secrets set sealed = $1 where sealed = $2 and name = $3",
        |row| format!("secrets/{}", row.name), (name);
    rotate_signing_keys "signing keys":
        "select kid, sealed_private as sealed from signing_keys where substring(sealed_private from 1 for 5) <> $1 limit $2",
        "update signing_keys set sealed_private = $1 where sealed_private = $2 and kid = $3",
        |row| format!("signing_keys/{}", row.kid), (kid);
    rotate_records "records":
        "select provider_id, kind, record_id, sealed from records where substring(sealed from 1 for 5) <> $1 limit $2",
        "update records set sealed = $1 where sealed = $2 and provider_id = $3 and kind = $4 and record_id = $5",
        |row| format!("records/{}/{}/{}", row.provider_id, row.kind, row.record_id), (provider_id, kind, record_id);
    rotate_payloads "intents":
        "select id, sealed_payload as sealed from intents where substring(sealed_payload from 1 for 5) <> $1 limit $2",
        "update intents set sealed_payload = $1 where sealed_payload = $2 and id = $3",
        |row| format!("intents/{}/payload", row.id), (id);
    rotate_intent_problems "intents' problems":
        r#"select id, sealed_problem as "sealed!" from intents where substring(sealed_problem from 1 for 5) <> $1 limit $2"#,
        "update intents set sealed_problem = $1 where sealed_problem = $2 and id = $3",
        |row| format!("intents/{}/problem", row.id), (id);
    rotate_run_records "run records":
        r#"select run_id, subject_kind, subject_id, sealed_problem as "sealed!" from run_records where substring(sealed_problem from 1 for 5) <> $1 limit $2"#,
        "update run_records set sealed_problem = $1 where sealed_problem = $2 and run_id = $3 and subject_kind = $4 and subject_id = $5",
        |row| format!("run_records/{}/{}", row.run_id, row.subject_id), (run_id, subject_kind, subject_id);
    rotate_changes "changes":
        "select id, sealed_data as sealed from changes where substring(sealed_data from 1 for 5) <> $1 limit $2",
        "update changes set sealed_data = $1 where sealed_data = $2 and id = $3",
        |row| format!("changes/{}", row.id), (id);
    rotate_tokens "ACE360 tokens":
        r#"select provider_id, sealed_token as "sealed!" from ace360_settings where substring(sealed_token from 1 for 5) <> $1 limit $2"#,
        "update ace360_settings set sealed_token = $1 where sealed_token = $2 and provider_id = $3",
        |row| format!("ace360_settings/{}/token", row.provider_id), (provider_id);
    rotate_link_problems "ACE360 links' problems":
        r#"select provider_id, learner_id, environment, sealed_problem as "sealed!" from ace360_links where substring(sealed_problem from 1 for 5) <> $1 limit $2"#,
        "update ace360_links set sealed_problem = $1 where sealed_problem = $2 and provider_id = $3 and learner_id = $4 and environment = $5",
        |row| format!("ace360_links/{}/{}/problem", row.provider_id, row.learner_id), (provider_id, learner_id, environment);
    rotate_customer_tokens "OneFile customer tokens":
        r#"select provider_id, sealed_token as "sealed!" from onefile_settings where substring(sealed_token from 1 for 5) <> $1 limit $2"#,
        "update onefile_settings set sealed_token = $1 where sealed_token = $2 and provider_id = $3",
        |row| format!("onefile_settings/{}/token", row.provider_id), (provider_id);
    rotate_sessions "OneFile sessions":
        r#"select account, sealed as "sealed!" from onefile_sessions where substring(sealed from 1 for 5) <> $1 limit $2"#,
        "update onefile_sessions set sealed = $1 where sealed = $2 and account = $3",
        |row| format!("onefile_sessions/{}", hex(&row.account)), (account);
    rotate_directory "OneFile's directory":
        "select provider_id, environment, kind, remote_id, sealed from onefile_directory where substring(sealed from 1 for 5) <> $1 limit $2",
        "update onefile_directory set sealed = $1 where sealed = $2 and provider_id = $3 and environment = $4 and kind = $5 and remote_id = $6",
        |row| format!("onefile_directory/{}/{}/{}/{}", row.provider_id, row.environment, row.kind, row.remote_id),
        (provider_id, environment, kind, remote_id);
    rotate_onefile_links "OneFile links":
        "select id, sealed from onefile_links where substring(sealed from 1 for 5) <> $1 limit $2",
        "update onefile_links set sealed = $1 where sealed = $2 and id = $3",
        |row| format!("onefile_links/{}", row.id), (id);
    rotate_enrolment_orders "OneFile enrolments":
        "select provider_id, environment, learner_id, sealed_order as sealed from onefile_enrolments where substring(sealed_order from 1 for 5) <> $1 limit $2",
        "update onefile_enrolments set sealed_order = $1 where sealed_order = $2 and provider_id = $3 and environment = $4 and learner_id = $5",
        |row| format!("onefile_enrolments/{}/{}/{}/order", row.provider_id, row.environment, row.learner_id), (provider_id, environment, learner_id);
    rotate_enrolment_steps "OneFile enrolments' steps":
        "select provider_id, environment, learner_id, sealed_steps as sealed from onefile_enrolments where substring(sealed_steps from 1 for 5) <> $1 limit $2",
        "update onefile_enrolments set sealed_steps = $1 where sealed_steps = $2 and provider_id = $3 and environment = $4 and learner_id = $5",
        |row| format!("onefile_enrolments/{}/{}/{}/steps", row.provider_id, row.environment, row.learner_id), (provider_id, environment, learner_id);
    rotate_portfolios "OneFile portfolios":
        "select provider_id, environment, learner_id, sealed from onefile_portfolios where substring(sealed from 1 for 5) <> $1 limit $2",
        "update onefile_portfolios set sealed = $1 where sealed = $2 and provider_id = $3 and environment = $4 and learner_id = $5",
        |row| format!("onefile_portfolios/{}/{}/{}", row.provider_id, row.environment, row.learner_id), (provider_id, environment, learner_id);
    rotate_answers "answers to idempotent calls":
        r#"select provider_id, token_id, key_hash, sealed_answer as "sealed!" from idempotency_keys where substring(sealed_answer from 1 for 5) <> $1 limit $2"#,
        "update idempotency_keys set sealed_answer = $1 where sealed_answer = $2 and provider_id = $3 and token_id = $4 and key_hash = $5",
        |row| format!("idempotency_keys/{}/{}/{}", row.provider_id, row.token_id, hex(&row.key_hash)), (provider_id, token_id, key_hash);
    rotate_webhook_targets "webhooks":
        "select id, sealed_target as sealed from webhooks where substring(sealed_target from 1 for 5) <> $1 limit $2",
        "update webhooks set sealed_target = $1 where sealed_target = $2 and id = $3",
        |row| format!("webhooks/{}/target", row.id), (id);
    rotate_webhook_secrets "webhooks' secrets":
        "select id, sealed_secrets as sealed from webhooks where substring(sealed_secrets from 1 for 5) <> $1 limit $2",
        "update webhooks set sealed_secrets = $1 where sealed_secrets = $2 and id = $3",
        |row| format!("webhooks/{}/secrets", row.id), (id);
    rotate_portfolio_problems "OneFile portfolios' problems":
        r#"select provider_id, environment, learner_id, sealed_problem as "sealed!" from onefile_portfolios where substring(sealed_problem from 1 for 5) <> $1 limit $2"#,
        "update onefile_portfolios set sealed_problem = $1 where sealed_problem = $2 and provider_id = $3 and environment = $4 and learner_id = $5",
        |row| format!("onefile_portfolios/{}/{}/{}/problem", row.provider_id, row.environment, row.learner_id), (provider_id, environment, learner_id);
}

impl Store {
    /// The number of values that are not sealed with the current key.
    pub async fn sealed_with_older_keys(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar!(
            r#"select (select count(*) from secrets where substring(sealed from 1 for 5) <> $1)
                    + (select count(*) from signing_keys where substring(sealed_private from 1 for 5) <> $1)
                    + (select count(*) from records where substring(sealed from 1 for 5) <> $1)
                    + (select count(*) from intents where substring(sealed_payload from 1 for 5) <> $1 or substring(sealed_problem from 1 for 5) <> $1)
                    + (select count(*) from run_records where substring(sealed_problem from 1 for 5) <> $1)
                    + (select count(*) from changes where substring(sealed_data from 1 for 5) <> $1)
                    + (select count(*) from ace360_settings where substring(sealed_token from 1 for 5) <> $1)
                    + (select count(*) from ace360_links where substring(sealed_problem from 1 for 5) <> $1)
                    + (select count(*) from onefile_settings where substring(sealed_token from 1 for 5) <> $1)
                    + (select count(*) from onefile_sessions where substring(sealed from 1 for 5) <> $1)
                    + (select count(*) from onefile_directory where substring(sealed from 1 for 5) <> $1)
                    + (select count(*) from onefile_links where substring(sealed from 1 for 5) <> $1)
                    + (select count(*) from onefile_enrolments where substring(sealed_order from 1 for 5) <> $1 or substring(sealed_steps from 1 for 5) <> $1)
                    + (select count(*) from idempotency_keys where substring(sealed_answer from 1 for 5) <> $1)
                    + (select count(*) from webhooks where substring(sealed_target from 1 for 5) <> $1 or substring(sealed_secrets from 1 for 5) <> $1)
                    + (select count(*) from onefile_portfolios where substring(sealed from 1 for 5) <> $1 or substring(sealed_problem from 1 for 5) <> $1) as "count!""#,
            self.vault.sealer.current_prefix()
        )
        .fetch_one(&self.pool)
        .await?)
    }
}
