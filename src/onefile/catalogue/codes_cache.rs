//! A cache of the codes of OneFile's learning aims. They change only when the catalogue is
//! refreshed, and the exchanges of hundreds of providers need thousands of them every few seconds.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use quick_cache::sync::Cache;
use uuid::Uuid;

use super::codes::Code;
use crate::domain::OneFileEnvironment;
use crate::store::{Store, StoreError};

/// The most providers in the cache.
const KEPT: usize = 256;

#[derive(Debug, Default)]
pub struct Catalogue {
    centres: HashMap<Box<str>, Centre>,
}

#[derive(Debug, Default)]
struct Centre {
    /// The code by the id of the standard, both as OneFile writes them.
    codes: HashMap<Box<str>, Box<str>>,
    /// The number of standards for each code key.
    keys: HashMap<Box<str>, usize>,
}

impl Catalogue {
    fn add(&mut self, centre: &str, standard: &str, code: &str) {
        let own = match self.centres.get_mut(centre) {
            Some(own) => own,
            None => self.centres.entry(centre.into()).or_default(),
        };
        own.codes.insert(standard.into(), code.into());
        if let Some(code) = Code::parse(code) {
            *own.keys.entry(code.key.into()).or_default() += 1;
        }
    }

    /// The code of a standard, as OneFile writes it. `None`: there is no such standard, or it has
    /// no code.
    pub fn code(&self, centre: &str, standard: &str) -> Option<String> {
        Some(self.centres.get(centre)?.codes.get(standard)?.to_string())
    }

    /// Whether exactly one standard of the centre has this code.
    pub fn has_one(&self, centre: &str, key: &str) -> bool {
        self.centres.get(centre).and_then(|own| own.keys.get(key)) == Some(&1)
    }
}

/// The provider and the environment of its OneFile.
type Whose = (Uuid, OneFileEnvironment);
/// When the catalogue was read from OneFile, and the catalogue.
type Read = (Option<DateTime<Utc>>, Arc<Catalogue>);

#[derive(Clone)]
pub(crate) struct Catalogues(Arc<Cache<Whose, Read>>);

impl Default for Catalogues {
    fn default() -> Self {
        Self(Arc::new(Cache::new(KEPT)))
    }
}

impl fmt::Debug for Catalogues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Catalogues({})", self.0.len())
    }
}

impl Catalogues {
    /// The codes of the provider's catalogue, as it was refreshed last.
    pub(crate) async fn of(
        &self,
        store: &Store,
        provider: Uuid,
        environment: OneFileEnvironment,
    ) -> Result<Arc<Catalogue>, StoreError> {
        let whose = (provider, environment);
        let refreshed = store.onefile_standards_refreshed(provider, environment).await?;
        if let Some((_, kept)) = self.0.get(&whose).filter(|(at, _)| *at == refreshed) {
            return Ok(kept);
        }
        let mut catalogue = Catalogue::default();
        for (centre, standard, code) in store.onefile_codes(provider, environment).await? {
            catalogue.add(&centre, &standard, &code);
        }
        let catalogue = Arc::new(catalogue);
        self.0.insert(whose, (refreshed, Arc::clone(&catalogue)));
        Ok(catalogue)
    }
}
