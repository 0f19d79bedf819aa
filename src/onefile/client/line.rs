//! What OneFile's runs share: the connection of a slice, and what its errors mean to the run
//! engine.

use uuid::Uuid;

use crate::domain::RunKind;
use crate::onefile::client::Client;
use crate::onefile::{OneFile, OneFileError};
use crate::store::OneFileSettings;
use crate::upstream::call::Meter;
use crate::upstream::run::{Halt, RunLine, Step};

/// The connection of a run's slice.
#[derive(Clone, Debug)]
pub struct OneFileLine {
    pub client: Client,
    pub settings: OneFileSettings,
}

impl RunLine for OneFileLine {
    fn meter(&self) -> &Meter {
        self.client.meter()
    }

    fn environment(&self) -> &str {
        self.settings.choices.environment.as_str()
    }
}

impl From<OneFileError> for Halt {
    fn from(error: OneFileError) -> Self {
        match error {
            OneFileError::Store(error) => Self::Store(error),
            OneFileError::Upstream(failure) => Self::Blocked(failure),
            error @ (OneFileError::Disabled | OneFileError::NotConfigured(_)) => {
                Self::Never(error.plain_text())
            }
        }
    }
}

impl OneFile {
    pub(crate) async fn line(&self, provider: Uuid, kind: RunKind) -> Result<OneFileLine, Halt> {
        let (client, settings) = self.client_for(provider, kind).await?;
        Ok(OneFileLine { client, settings })
    }

    /// Keeps what a step that was blocked says of the connection as a whole.
    pub(crate) async fn note_step(&self, provider: Uuid, came: Result<Step, Halt>) -> Result<Step, Halt> {
        if let Err(Halt::Blocked(failure)) = &came {
            self.note_connection(provider, Some(failure)).await?;
        }
        came
    }
}
