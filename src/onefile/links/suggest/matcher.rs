//! The state of the rounds: the searching records, the proposals, and what is left.

use std::collections::{HashMap, HashSet};

use super::index::{Index, Scratch};
use super::input::SuggestInput;
use super::normal::Name;
use super::report::{Ambiguous, LinkKind, Suggestion};

/// The most candidates and rivals that are shown.
pub const SHOWN: usize = 10;

/// A PICSWeb record that searches a partner in one place. A place is a centre, or all centres for a
/// learner, who has only one user.
pub struct Search {
    pub local: usize,
    pub place: usize,
    pub settled: bool,
}

pub struct Matcher<'a> {
    pub input: &'a SuggestInput<'a>,
    pub local_names: Vec<Name>,
    pub remote_names: Vec<Name>,
    /// The index of live records and the index of archived records of each place.
    pub places: Vec<[Index<'a>; 2]>,
    pub searches: Vec<Search>,
    /// Existing links: our id and OneFile's.
    pub own: HashSet<(&'a str, &'a str)>,
    pub taken: HashSet<u32>,
    /// Records that several stronger claims could not settle. No weaker claim gets them.
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
}
