//! Which upstream a run works with, and what its kind does there: every kind of run is dispatched here.

use uuid::Uuid;

use crate::ace360::client::Client as Ace360Client;
use crate::ace360::{Ace360, Ace360Error, bulk, catalogue, matching, status};
use crate::onefile::client::Client as OneFileClient;
use crate::onefile::enrol::bulk as enrolment;
use crate::onefile::{OneFile, OneFileError, exchange, qualifications};
use crate::store::{OneFileSettings, RunRow, StoreError};
use crate::upstream::pace::Class;
use crate::upstream::step::Step;

const UNKNOWN: &str = "This version does not know this kind of run.";

/// A run's line to its upstream.
pub enum Connection<'a> {
    /// To ACE360, in this environment.
    Ace360(&'a Ace360, Ace360Client, String),
    /// To OneFile, with these settings.
    OneFile(&'a OneFile, OneFileClient, Box<OneFileSettings>),
}

/// Why a run cannot go on.
#[derive(Debug)]
pub enum Unable {
    /// Our database did not do as asked: another try may do.
    Store(StoreError),
    /// It never can; why.
    Ever(String),
}

impl From<Ace360Error> for Unable {
    fn from(error: Ace360Error) -> Self {
        match error {
            Ace360Error::Store(error) => Self::Store(error),
            other => Self::Ever(other.plain_text()),
        }
    }
}

impl From<OneFileError> for Unable {
    fn from(error: OneFileError) -> Self {
        match error {
            OneFileError::Store(error) => Self::Store(error),
            other => Self::Ever(other.plain_text()),
        }
    }
}

impl<'a> Connection<'a> {
    /// Of this run.
    ///
    /// # Errors
    /// The integration is switched off, or lacks something; the database's.
    pub async fn of(ace360: &'a Ace360, onefile: &'a OneFile, run: &RunRow) -> Result<Self, Unable> {
        if run.upstream == "onefile" {
            let (client, settings) = onefile.client_for(run.provider_id, &run.kind).await?;
            return Ok(Self::OneFile(onefile, client, Box::new(settings)));
        }
        let (client, settings) = ace360.client(run.provider_id, Class::Bulk).await?;
        Ok(Self::Ace360(ace360, client, settings.environment))
    }

    /// Calls since this was asked last.
    pub fn calls(&self) -> i32 {
        match self {
            Self::Ace360(_, client, _) => client.meter().take(),
            Self::OneFile(_, client, _) => client.meter().take(),
        }
    }

    /// One step of the run.
    ///
    /// # Errors
    /// The kind of run is not known; the database's.
    pub async fn step(&self, run: &mut RunRow, fence: Uuid) -> Result<Step, Unable> {
        match self {
            Self::Ace360(ace360, client, environment) => Ok(match run.kind.as_str() {
                catalogue::REFRESH => ace360.refresh_standards_step(client, environment, run, fence).await?,
                status::SYNC => ace360.sync_step(client, environment, run, fence).await?,
                matching::MATCH => ace360.match_step(client, environment, run, fence).await?,
                bulk::UPLOAD => ace360.upload_step(client, environment, run, fence).await?,
                _ => return Err(Unable::Ever(UNKNOWN.to_owned())),
            }),
            Self::OneFile(onefile, client, settings) => Ok(match run.kind.as_str() {
                enrolment::ENROL => onefile.enrol_step(client, settings, run, fence).await?,
                qualifications::REFRESH => {
                    onefile.refresh_qualifications_step(client, settings, run, fence).await?
                }
                exchange::EXCHANGE => onefile.exchange_step(client, settings, run, fence).await?,
                _ => return Err(Unable::Ever(UNKNOWN.to_owned())),
            }),
        }
    }
}
