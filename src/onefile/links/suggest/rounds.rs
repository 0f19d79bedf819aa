//! The rounds: reasons from the strongest to the weakest assign partners, first among live records,
//! then among archived ones.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::matcher::{Matcher, SHOWN};
use super::report::{AmbiguousBecause, Suggestions};
use super::tier::{Hit, TIERS, Tier};

impl Matcher<'_> {
    pub fn run(mut self) -> Suggestions {
        for archived in [false, true] {
            for tier in TIERS {
                // With several centres a similar name is never proposed, so searching for it is
                // useless.
                if tier != Tier::Near || !self.input.several_centres {
                    self.round(tier, archived);
                }
            }
        }
        self.finish()
    }

    /// All records whose best reason is of this tier choose at the same time.
    fn round(&mut self, tier: Tier, archived: bool) {
        let mut claims: Vec<(usize, Vec<Hit>)> = Vec::new();
        let mut claimed: HashMap<u32, Vec<usize>> = HashMap::new();
        for number in 0..self.searches.len() {
            if self.searches[number].settled {
                continue;
            }
            let hits = self.hits(number, tier, archived);
            if hits.is_empty() {
                continue;
            }
            for hit in &hits {
                claimed.entry(hit.remote).or_default().push(self.searches[number].local);
            }
            claims.push((number, hits));
        }
        let only_shown = self.input.several_centres && tier != Tier::Certain;
        let mut proposed = Vec::new();
        for (number, hits) in claims {
            self.searches[number].settled = true;
            let local = self.searches[number].local;
            let contested = |hit: &Hit| {
                self.disputed.contains(&hit.remote) || claimed.get(&hit.remote).is_some_and(|by| by.len() > 1)
            };
            let why = if only_shown {
                AmbiguousBecause::MisValueNeeded
            } else if hits.len() > 1 {
                AmbiguousBecause::SeveralRemotes
            } else if hits.iter().any(contested) {
                AmbiguousBecause::SeveralLocals
            } else {
                proposed.push((number, hits[0]));
                continue;
            };
            let rivals = hits.iter().filter_map(|hit| claimed.get(&hit.remote)).flatten();
            let rivals: BTreeSet<&str> = rivals
                .filter(|other| **other != local)
                .take(SHOWN * SHOWN)
                .map(|other| self.input.locals[*other].id)
                .collect();
            let rivals = rivals.into_iter().take(SHOWN).map(str::to_owned).collect();
            let unclear = self.unclear(number, why, &hits, rivals);
            self.ambiguous.push(unclear);
        }
        if !only_shown {
            let settled: HashSet<u32> = proposed.iter().map(|(_, hit)| hit.remote).collect();
            self.disputed.extend(claimed.into_keys().filter(|remote| !settled.contains(remote)));
            self.taken.extend(settled);
        }
        for (number, hit) in proposed {
            let suggestion = self.suggestion(number, hit);
            self.suggestions.push(suggestion);
        }
    }
}
