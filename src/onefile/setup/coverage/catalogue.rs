//! OneFile's catalogue by code.

use std::collections::{BTreeMap, BTreeSet};

use super::report::{Choose, CoverageState};
use crate::onefile::catalogue::codes::AimMatch;
use crate::onefile::catalogue::codes::Code;

/// A row of OneFile's catalogue.
#[derive(Debug, Clone, Copy)]
pub struct CatalogueRow<'a> {
    pub centre_id: &'a str,
    pub id: &'a str,
    pub title: &'a str,
    /// Its code as [`Code::of_standard`] read it; none: nothing can be matched with it.
    pub code: Option<&'a str>,
    /// Whether it is archived.
    pub archived: bool,
}

/// What there is of a code in the catalogue.
#[derive(Default)]
pub(super) struct Found<'a> {
    pub(super) live: Vec<&'a CatalogueRow<'a>>,
    pub(super) archived: Vec<&'a CatalogueRow<'a>>,
}

impl Found<'_> {
    pub(super) fn state(&self) -> CoverageState {
        match self.live.len() {
            0 => CoverageState::Missing,
            1 => CoverageState::Matched,
            _ => CoverageState::Ambiguous,
        }
    }

    pub(super) fn choose(&self) -> Vec<Choose> {
        let centres: BTreeSet<&str> = self.live.iter().map(|row| row.centre_id).collect();
        let several =
            [(Choose::Centre, centres.len() > 1), (Choose::Pathway, self.live.len() > centres.len())];
        several.into_iter().filter(|(_, is_so)| *is_so).map(|(choose, _)| choose).collect()
    }

    pub(super) fn matches(&self) -> Vec<AimMatch> {
        let rows = if self.live.is_empty() { &self.archived } else { &self.live };
        let matched = |row: &&CatalogueRow<'_>| AimMatch {
            centre_id: row.centre_id.to_owned(),
            standard_id: row.id.to_owned(),
            title: row.title.to_owned(),
            code: row.code.unwrap_or_default().to_owned(),
            archived: row.archived,
        };
        rows.iter().map(matched).collect()
    }
}

/// The catalogue by code.
pub(super) struct Catalogue<'a> {
    pub(super) by_key: BTreeMap<String, Found<'a>>,
    /// The codes as they are written, by what is left of them without punctuation.
    bare: BTreeMap<String, BTreeSet<String>>,
}

impl<'a> Catalogue<'a> {
    pub(super) fn new(rows: &'a [CatalogueRow<'a>]) -> Self {
        let mut catalogue = Self { by_key: BTreeMap::new(), bare: BTreeMap::new() };
        for row in rows {
            let Some(code) = row.code.and_then(Code::parse) else { continue };
            if !row.archived {
                catalogue.bare.entry(code.bare()).or_default().insert(code.shown.clone());
            }
            let found = catalogue.by_key.entry(code.key).or_default();
            if row.archived { &mut found.archived } else { &mut found.live }.push(row);
        }
        for found in catalogue.by_key.values_mut() {
            // A row that came on two pages is one.
            for rows in [&mut found.live, &mut found.archived] {
                rows.sort_by_key(|row| (row.centre_id, row.id));
                rows.dedup_by_key(|row| (row.centre_id, row.id));
            }
        }
        catalogue
    }

    pub(super) fn state(&self, key: &str) -> CoverageState {
        self.by_key.get(key).map_or(CoverageState::Missing, Found::state)
    }

    pub(super) fn similar(&self, code: &Code) -> Vec<String> {
        let bare = code.bare();
        let alike = self.bare.get(&bare).filter(|_| !bare.is_empty()).into_iter().flatten();
        alike.filter(|shown| Code::parse(shown).is_some_and(|it| it.key != code.key)).cloned().collect()
    }
}
