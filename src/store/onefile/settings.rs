//! A provider's OneFile settings.

use std::collections::BTreeMap;

use chrono::NaiveTime;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::{DemographicsMode, DesktopIntegration, OneFileEnvironment, VisitType};
use crate::store::{By, Store, StoreResult, Time};

/// All settings except the customer token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneFileChoices {
    pub enabled: bool,
    pub environment: OneFileEnvironment,
    /// Whether reviews are sent to OneFile.
    pub upload_reviews: bool,
    /// Whether reviews are taken over from OneFile.
    pub download_reviews: bool,
    /// The kind of visit that a sent review becomes.
    pub visit_type: VisitType,
    /// Roles of learners' officers who become additional assessors.
    pub additional_assessors: Vec<String>,
    /// Whether a learner's Main Tag names the classroom.
    pub classroom_from_main_tag: bool,
    /// Whether a missing classroom that the Main Tag names is created.
    pub create_missing_classrooms: bool,
    /// The classroom of learners without another one, if there is one centre.
    pub default_classroom_id: Option<String>,
    /// The default classroom by centre.
    pub default_classrooms: BTreeMap<String, String>,
    /// The direction in which learners' details are exchanged.
    pub learner_demographics: DemographicsMode,
    /// The direction in which officers' details are exchanged.
    pub officer_demographics: DemographicsMode,
    /// The direction in which organisations' details are exchanged.
    pub organisation_demographics: DemographicsMode,
    /// Whether a learner's new main officer or placement is sent.
    pub push_changes: bool,
    pub desktop_integration: DesktopIntegration,
    pub daily_enabled: bool,
    /// The local time of the daily exchange.
    pub daily_at: NaiveTime,
    /// Days after which everything is read, whether it changed or not.
    pub full_sweep_days: i32,
}

/// The settings. A provider without a row has the defaults.
#[derive(Clone, Debug)]
pub struct OneFileSettings {
    pub choices: OneFileChoices,
    pub token: Option<SecretString>,
    /// When the last exchange over all learners ended.
    pub last_synced_at: Option<Time>,
    /// `ok`, or the problem code of the last call.
    pub connection: Option<String>,
    pub connection_at: Option<Time>,
    pub version: i64,
}

impl Default for OneFileChoices {
    fn default() -> Self {
        Self {
            enabled: false,
            environment: OneFileEnvironment::Live,
            upload_reviews: false,
            download_reviews: false,
            visit_type: VisitType::NotSpecified,
            additional_assessors: Vec::new(),
            classroom_from_main_tag: false,
            create_missing_classrooms: false,
            default_classroom_id: None,
            default_classrooms: BTreeMap::new(),
            learner_demographics: DemographicsMode::Ignored,
            officer_demographics: DemographicsMode::Ignored,
            organisation_demographics: DemographicsMode::Ignored,
            push_changes: false,
            desktop_integration: DesktopIntegration::Never,
            daily_enabled: true,
            // Well before OneFile's release window (07:00 to 07:30), even if a run takes an hour.
            daily_at: NaiveTime::from_hms_opt(5, 0, 0).unwrap_or_default(),
            full_sweep_days: 7,
        }
    }
}

impl Store {
    /// The provider's settings, or the defaults.
    pub async fn onefile_settings(&self, provider: Uuid) -> StoreResult<OneFileSettings> {
        let row = sqlx::query!(
            r#"select enabled, environment, sealed_token, upload_reviews, download_reviews, visit_type, additional_assessors,
                      classroom_from_main_tag, create_missing_classrooms, default_classroom_id,
                      default_classrooms as "default_classrooms: Json<BTreeMap<String, String>>", learner_demographics,
                      officer_demographics, organisation_demographics, push_changes, desktop_integration, daily_enabled, daily_at,
                      full_sweep_days, last_synced_at, connection, connection_at, version
               from onefile_settings where provider_id = $1"#,
            provider
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else {
            return Ok(OneFileSettings {
                choices: OneFileChoices::default(),
                token: None,
                last_synced_at: None,
                connection: None,
                connection_at: None,
                version: 0,
            });
        };
        let token = match row.sealed_token {
            Some(sealed) => {
                let bytes = self.vault.sealer.unseal(&token_row(provider), &sealed)?;
                Some(SecretString::from(String::from_utf8_lossy(&bytes).into_owned()))
            }
            None => None,
        };
        // The table allows no other words than these.
        let mode = |text: &str| DemographicsMode::parse(text).unwrap_or(DemographicsMode::Ignored);
        Ok(OneFileSettings {
            choices: OneFileChoices {
                enabled: row.enabled,
                environment: OneFileEnvironment::parse(&row.environment).unwrap_or(OneFileEnvironment::Live),
                upload_reviews: row.upload_reviews,
                download_reviews: row.download_reviews,
                visit_type: VisitType::parse(&row.visit_type).unwrap_or(VisitType::NotSpecified),
                additional_assessors: row.additional_assessors,
                classroom_from_main_tag: row.classroom_from_main_tag,
                create_missing_classrooms: row.create_missing_classrooms,
                default_classroom_id: row.default_classroom_id,
                default_classrooms: row.default_classrooms.0,
                learner_demographics: mode(&row.learner_demographics),
                officer_demographics: mode(&row.officer_demographics),
                organisation_demographics: mode(&row.organisation_demographics),
                push_changes: row.push_changes,
                desktop_integration: DesktopIntegration::parse(&row.desktop_integration)
                    .unwrap_or(DesktopIntegration::Active),
                daily_enabled: row.daily_enabled,
                daily_at: row.daily_at,
                full_sweep_days: row.full_sweep_days,
            },
            token,
            last_synced_at: row.last_synced_at,
            connection: row.connection,
            connection_at: row.connection_at,
            version: row.version,
        })
    }

    /// Stores settings if the stored version is the expected one. Without a token the stored one
    /// stays. `false`: the settings changed in the meantime, and nothing was stored.
    pub async fn put_onefile_settings(
        &self,
        provider: Uuid,
        before: &OneFileSettings,
        new: &OneFileChoices,
        token: Option<&SecretString>,
        by: &By,
    ) -> StoreResult<bool> {
        let sealed = match token {
            Some(token) => {
                Some(self.vault.sealer.seal(&token_row(provider), token.expose_secret().as_bytes())?)
            }
            None => None,
        };
        let other = match (&before.token, token) {
            (Some(old), Some(new)) => old.expose_secret() != new.expose_secret(),
            _ => false,
        };
        let mut tx = self.begin().await?;
        let kept = sqlx::query!(
            r#"insert into onefile_settings as old (provider_id, enabled, environment, sealed_token, upload_reviews, download_reviews, visit_type,
                   additional_assessors, classroom_from_main_tag, create_missing_classrooms, default_classroom_id, default_classrooms,
                   learner_demographics, officer_demographics, organisation_demographics, push_changes, desktop_integration,
                   daily_enabled, daily_at, full_sweep_days, updated_at)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, app_now())
               on conflict (provider_id) do update
               set enabled = excluded.enabled, environment = excluded.environment,
                   sealed_token = coalesce(excluded.sealed_token, old.sealed_token),
                   upload_reviews = excluded.upload_reviews, download_reviews = excluded.download_reviews,
                   visit_type = excluded.visit_type, additional_assessors = excluded.additional_assessors,
                   classroom_from_main_tag = excluded.classroom_from_main_tag,
                   create_missing_classrooms = excluded.create_missing_classrooms,
                   default_classroom_id = excluded.default_classroom_id, default_classrooms = excluded.default_classrooms,
                   learner_demographics = excluded.learner_demographics, officer_demographics = excluded.officer_demographics,
                   organisation_demographics = excluded.organisation_demographics, push_changes = excluded.push_changes,
                   desktop_integration = excluded.desktop_integration, daily_enabled = excluded.daily_enabled,
                   daily_at = excluded.daily_at, full_sweep_days = excluded.full_sweep_days, updated_at = excluded.updated_at,
                   version = old.version + 1,
                   connection = case when excluded.sealed_token is null and excluded.environment = old.environment then old.connection end
               where old.version = $21"#,
            provider,
            new.enabled,
            new.environment.as_str(),
            sealed,
            new.upload_reviews,
            new.download_reviews,
            new.visit_type.as_str(),
            &new.additional_assessors,
            new.classroom_from_main_tag,
            new.create_missing_classrooms,
            new.default_classroom_id,
            Json(&new.default_classrooms) as _,
            new.learner_demographics.as_str(),
            new.officer_demographics.as_str(),
            new.organisation_demographics.as_str(),
            new.push_changes,
            new.desktop_integration.as_str(),
            new.daily_enabled,
            new.daily_at,
            new.full_sweep_days,
            before.version,
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        if kept == 0 {
            return Ok(false);
        }
        // Another token may belong to another customer, so data from the old one is read again.
        if other {
            self.forget_onefile_directory(&mut tx, provider, new.environment).await?;
            self.forget_onefile_standards(&mut tx, provider, new.environment).await?;
        }
        self.audit(&mut tx, provider, by, "onefile.settings", "provider", &provider.to_string()).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Stores what the last call says about the connection: `ok` or a problem code.
    pub async fn note_onefile_connection(&self, provider: Uuid, code: &str) -> StoreResult<()> {
        sqlx::query!(
            "update onefile_settings set connection = $2, connection_at = app_now() where provider_id = $1",
            provider,
            code
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

fn token_row(provider: Uuid) -> String {
    format!("onefile_settings/{provider}/token")
}
