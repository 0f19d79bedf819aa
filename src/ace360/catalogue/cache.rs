//! The parts of the catalogue that uploads need, cached.

use std::sync::Arc;

use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::ace360::client::wire::{Sector, Standard};

/// Catalogues that are kept: one for each standard that a provider's learners are on.
pub type Catalogues = Arc<Cache<(Uuid, i64, Option<i64>, Option<i64>, Option<i32>), Arc<Catalogue>>>;
/// So many, of some kilobytes.
pub const CATALOGUES: usize = 2_000;

/// What of the catalogue an upload needs.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Those of the learner's LARS code, and the chosen one.
    pub standards: Vec<Standard>,
    pub sectors: Vec<Sector>,
}
