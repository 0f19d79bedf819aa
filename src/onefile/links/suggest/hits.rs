//! The matches of a record, and how they are shown.

use std::collections::HashSet;

use super::input::contradicts;
use super::matcher::{Matcher, SHOWN};
use super::report::{
    Ambiguous, AmbiguousBecause, LinkKind, Reason, ReasonCode, Suggestion, SuggestionCounts, Suggestions,
    Unmatched,
};
use super::similar::NEAR;
use super::tier::{Hit, Tier};
use crate::onefile::links::suggest::messages;

/// Scores that differ by less than this are equally good.
const MARGIN: u8 = 5;
/// The most equally good matches that are examined. A thousand records with one name tell no more
/// than fifty.
const MOST: usize = 50;

impl Matcher<'_> {
    /// The matches by a reason of this tier, best first: only those that are equally good.
    pub fn hits(&mut self, number: usize, tier: Tier, archived: bool) -> Vec<Hit> {
        let (place, local) = (self.searches[number].place, self.searches[number].local);
        let (record, name) = (&self.input.locals[local], &self.local_names[local]);
        let index = &self.places[place][usize::from(archived)];
        let mut found: Vec<Hit> = Vec::new();
        let mut take = |remotes: &[u32], score: u8| {
            let free = remotes.iter().filter(|remote| !self.taken.contains(remote));
            found.extend(free.take(MOST).map(|remote| Hit { remote: *remote, score }));
        };
        match tier {
            Tier::Certain => {
                take(record.held_id.map_or(&[], |id| index.by_id(id)), 100);
                take(index.by_mis(record.ident), 99);
                take(index.by_mis(Some(record.id)), 98);
            }
            Tier::Uln => take(index.by_uln(record.uln), 96),
            Tier::Email => take(index.by_email(record.email), 93),
            Tier::Name => take(index.by_name(name), 85),
            Tier::Near => {
                for (likeness, remotes) in index.near(name, &mut self.scratch) {
                    take(remotes, near_score(likeness));
                }
            }
        }
        let weak = matches!(tier, Tier::Email | Tier::Name | Tier::Near);
        found.retain(|hit| !weak || !contradicts(record, &self.input.remotes[hit.remote as usize]));
        let mut seen = HashSet::new();
        found.retain(|hit| seen.insert(hit.remote));
        for hit in &mut found {
            hit.score = self.refined(local, *hit, tier);
        }
        found.sort_by_key(|hit| (std::cmp::Reverse(hit.score), hit.remote));
        let best = found.first().map_or(0, |hit| hit.score);
        found.retain(|hit| hit.score + MARGIN > best);
        found.truncate(MOST);
        found
    }

    /// Raises the score of a guess if something else agrees, and lowers it if the names differ.
    fn refined(&self, local: usize, hit: Hit, tier: Tier) -> u8 {
        let remote = hit.remote as usize;
        let born = self.input.locals[local].born;
        let same_birth = born.is_some() && born == self.input.remotes[remote].born;
        match tier {
            Tier::Email => {
                let likeness =
                    super::similar::similarity(&self.local_names[local], &self.remote_names[remote]);
                match likeness {
                    near if near >= 1.0 => 95,
                    near if near >= NEAR => 93,
                    _ => 75,
                }
            }
            Tier::Name | Tier::Near if same_birth => hit.score + MARGIN,
            Tier::Certain | Tier::Uln | Tier::Name | Tier::Near => hit.score,
        }
    }

    /// A pair as the report shows it.
    pub fn suggestion(&self, number: usize, hit: Hit) -> Suggestion {
        let (place, local) = (self.searches[number].place, self.searches[number].local);
        let (record, remote) = (&self.input.locals[local], &self.input.remotes[hit.remote as usize]);
        let kind = self.input.kind;
        let names = (&self.local_names[local], &self.remote_names[hit.remote as usize]);
        let reasons = messages::reasons(kind, record, remote, names);
        let certain = is_certain(kind, &reasons);
        let archive = &self.places[place][1];
        let held = record.held_id.map_or(&[][..], |id| archive.by_id(id));
        let same_id = [held, archive.by_mis(record.ident), archive.by_mis(Some(record.id))];
        let mut elsewhere: Vec<&str> = same_id
            .into_iter()
            .flatten()
            .filter(|other| **other != hit.remote)
            .map(|other| self.input.remotes[*other as usize].id)
            .take(SHOWN)
            .collect();
        elsewhere.sort_unstable();
        elsewhere.dedup();
        let caution = messages::caution(kind, record, remote, &reasons, &elsewhere, self.dangling(local));
        Suggestion {
            kind,
            local_id: record.id.to_owned(),
            local_name: record.name.clone().into_owned(),
            centre_id: remote.centre_id.to_owned(),
            remote_id: remote.id.to_owned(),
            remote_name: remote.name.clone().into_owned(),
            archived: remote.archived,
            // Without a proof by id, the score is that of a guess.
            score: if certain { hit.score } else { hit.score.min(GUESSED) },
            certain,
            reasons,
            caution,
        }
    }

    /// A record without a proposal, as the report shows it.
    pub fn unclear(
        &self,
        number: usize,
        why: AmbiguousBecause,
        hits: &[Hit],
        rivals: Vec<String>,
    ) -> Ambiguous {
        let local = &self.input.locals[self.searches[number].local];
        Ambiguous {
            kind: self.input.kind,
            local_id: local.id.to_owned(),
            local_name: local.name.clone().into_owned(),
            why,
            message: messages::undecided(self.input.kind, why, hits.len()),
            candidates: hits.iter().take(SHOWN).map(|hit| self.suggestion(number, *hit)).collect(),
            candidate_count: hits.len(),
            rivals,
        }
    }

    /// Whether the id that PICSWeb holds belongs to no available record.
    fn dangling(&self, local: usize) -> bool {
        let record = &self.input.locals[local];
        record.held_id.map(str::trim).filter(|id| !id.is_empty()).is_some_and(|id| {
            let free = self.places.iter().flatten().any(|index| !index.by_id(id).is_empty());
            !free && !self.own.contains(&(record.id, id))
        })
    }

    /// Sorts the results, and adds the records without a match.
    pub fn finish(mut self) -> Suggestions {
        let known = self.input.linked.iter().map(|link| link.local_id);
        let mut met: HashSet<&str> = known.collect();
        met.extend(self.suggestions.iter().map(|it| it.local_id.as_str()));
        met.extend(self.ambiguous.iter().map(|it| it.local_id.as_str()));
        let kind = self.input.kind;
        let left = self.input.locals.iter().enumerate().filter(|(_, local)| !met.contains(local.id));
        let unmatched: Vec<Unmatched> = left
            .map(|(number, local)| Unmatched {
                kind,
                local_id: local.id.to_owned(),
                local_name: local.name.clone().into_owned(),
                message: messages::unmatched(kind, self.dangling(number)),
            })
            .collect();
        drop(met);
        let centre = |it: &Ambiguous| it.candidates.first().map(|candidate| candidate.centre_id.clone());
        self.suggestions.sort_by(|a, b| (&a.local_id, &a.centre_id).cmp(&(&b.local_id, &b.centre_id)));
        self.ambiguous.sort_by(|a, b| (&a.local_id, centre(a)).cmp(&(&b.local_id, centre(b))));
        let certain = self.suggestions.iter().filter(|it| it.certain).count();
        Suggestions {
            counts: SuggestionCounts {
                certain,
                to_confirm: self.suggestions.len() - certain,
                ambiguous: self.ambiguous.len(),
                unmatched: unmatched.len(),
            },
            suggestions: self.suggestions,
            ambiguous: self.ambiguous,
            unmatched,
        }
    }
}

/// Whether an id proves the match. PICSWeb's own id of an officer or organisation is no Ident: an
/// equal MIS value may be a coincidence, and counts only if the names agree too. A learner's id is
/// what we write as MIS value.
fn is_certain(kind: LinkKind, reasons: &[Reason]) -> bool {
    let named = reasons.iter().any(|own| matches!(own.code, ReasonCode::Name | ReasonCode::NearName));
    reasons.iter().any(|reason| match reason.code {
        ReasonCode::HeldId | ReasonCode::MisValueIsIdent => true,
        ReasonCode::MisValueIsId => named || kind == LinkKind::Learner,
        ReasonCode::Uln
        | ReasonCode::Email
        | ReasonCode::Name
        | ReasonCode::NearName
        | ReasonCode::BirthDate => false,
    })
}

/// The highest score of a guess.
const GUESSED: u8 = 97;

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 50 and 80")]
fn near_score(likeness: f64) -> u8 {
    (50.0 + 30.0 * ((likeness - NEAR) / (1.0 - NEAR)).clamp(0.0, 1.0)) as u8
}
