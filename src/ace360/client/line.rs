//! What ACE360's runs share: the connection of a slice, and what its errors mean to the run engine.

use uuid::Uuid;

use crate::ace360::client::Client;
use crate::ace360::{Ace360, Ace360Error};
use crate::store::StoreError;
use crate::upstream::call::Meter;
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::pace::Class;
use crate::upstream::run::{Halt, RunLine, Step};

/// The connection of a run's slice.
#[derive(Clone, Debug)]
pub struct Ace360Line {
    pub client: Client,
    pub environment: String,
}

impl Ace360Line {
    /// Whether a failure to read one record concerns the connection as a whole. ACE360 may refuse a single record (403) while
    /// its list works.
    pub async fn concerns_all(&self, failure: &Failure) -> Result<bool, StoreError> {
        Ok(match failure.kind {
            FailureKind::Forbidden => self.client.apprentices(1).await?.is_err(),
            kind => kind.is_general(),
        })
    }
}

impl RunLine for Ace360Line {
    fn meter(&self) -> &Meter {
        self.client.meter()
    }

    fn environment(&self) -> &str {
        &self.environment
    }
}

impl From<Ace360Error> for Halt {
    fn from(error: Ace360Error) -> Self {
        match error {
            Ace360Error::Store(error) => Self::Store(error),
            Ace360Error::Upstream(failure) => Self::Blocked(failure),
            error @ (Ace360Error::Disabled | Ace360Error::NotConfigured(_)) => {
                Self::Never(error.plain_text())
            }
        }
    }
}

impl Ace360 {
    pub(crate) async fn line(&self, provider: Uuid) -> Result<Ace360Line, Halt> {
        let (client, settings) = self.client(provider, Class::Bulk).await?;
        Ok(Ace360Line { client, environment: settings.environment })
    }

    /// Keeps what a step that was blocked says of the connection as a whole.
    pub(crate) async fn note_step(&self, provider: Uuid, came: Result<Step, Halt>) -> Result<Step, Halt> {
        if let Err(Halt::Blocked(failure)) = &came {
            self.note_connection(provider, Some(failure)).await?;
        }
        came
    }
}
