//! Who gets whom: the rounds, from the strongest reason to the weakest, first among live records, then among archived ones.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::SuggestInput;
use super::hits::{Hit, TIERS, Tier};
use super::index::{Index, Scratch};
use super::normal::Name;
use super::report::{Ambiguous, AmbiguousBecause, LinkKind, Suggestion, Suggestions};

/// Candidates and rivals that are shown.
pub const SHOWN: usize = 10;

/// A record of ours that looks for its partner in a place: a centre, or for a learner, who has one user, all of them.
pub struct Search {
    pub local: usize,
    pub place: usize,
    settled: bool,
}

/// The state of the rounds.
pub struct Matcher<'a> {
    pub input: &'a SuggestInput<'a>,
    pub local_names: Vec<Name>,
    pub remote_names: Vec<Name>,
    /// Live ones and archived ones, of each place.
    pub places: Vec<[Index<'a>; 2]>,
    pub searches: Vec<Search>,
    /// Links that there are: our id and OneFile's.
    pub own: HashSet<(&'a str, &'a str)>,
    /// Proposed already.
    pub taken: HashSet<u32>,
    /// Somebody stronger could not tell it apart: nobody weaker gets it.
    pub disputed: HashSet<u32>,
    pub scratch: Scratch,
    pub suggestions: Vec<Suggestion>,
    pub ambiguous: Vec<Ambiguous>,
}

impl<'a> Matcher<'a> {
    pub fn new(input: &'a SuggestInput<'a>) -> Self {
        let read = if input.kind == LinkKind::Organisation { Name::organisation } else { Name::person };
        let local_names = input.locals.iter().map(|local| read(&local.name)).collect();
        let remote_names: Vec<Name> = input.remotes.iter().map(|remote| read(&remote.name)).collect();
        let one_place = input.kind == LinkKind::Learner;
        let place_of = |centre: &'a str| if one_place { "" } else { centre };
        let mut seen: HashSet<&str> = input.linked.iter().map(|link| link.remote_id).collect();
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut places: Vec<[Index<'a>; 2]> = Vec::new();
        for ((number, remote), name) in (0_u32..).zip(input.remotes).zip(&remote_names) {
            let place = *numbers.entry(place_of(remote.centre_id)).or_insert_with(|| {
                places.push(<[Index<'a>; 2]>::default());
                places.len() - 1
            });
            if seen.insert(remote.id) {
                places[place][usize::from(remote.archived)].add(number, remote, name);
            }
        }
        let linked: HashSet<(&str, &str)> =
            input.linked.iter().map(|link| (link.local_id, place_of(link.centre_id))).collect();
        let mut searches = Vec::with_capacity(input.locals.len() * places.len());
        for (local, record) in input.locals.iter().enumerate() {
            let open = numbers.iter().filter(|(centre, _)| !linked.contains(&(record.id, **centre)));
            let mut open: Vec<usize> = open.map(|(_, place)| *place).collect();
            open.sort_unstable();
            searches.extend(open.into_iter().map(|place| Search { local, place, settled: false }));
        }
        Self {
            input,
            local_names,
            remote_names,
            places,
            searches,
            own: input.linked.iter().map(|link| (link.local_id, link.remote_id)).collect(),
            taken: HashSet::new(),
            disputed: HashSet::new(),
            scratch: Scratch::default(),
            suggestions: Vec::new(),
            ambiguous: Vec::new(),
        }
    }

    pub fn run(mut self) -> Suggestions {
        for archived in [false, true] {
            for tier in TIERS {
                // A near name in one of several centres would be noise: nothing is proposed by it anyway.
                if tier != Tier::Near || !self.input.several_centres {
                    self.round(tier, archived);
                }
            }
        }
        self.finish()
    }

    /// Those whose best reason is of this tier choose, all at once.
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
