//! Finds possible partners without comparing every pair: by id, MIS value, ULN, e-mail address and
//! name, and for similar names by trigrams. The rarest trigrams come first, up to a limit, so that
//! the work for one name does not depend on the number of records.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::input::{Remote, uln};
use super::normal::{Name, plain};
use super::similar::{NEAR, similarity};

/// The most trigram list entries that are read for one name.
const BUDGET: usize = 2_000;
/// The most names that are compared letter by letter for one name: those that share the most
/// trigrams.
const COMPARED: usize = 16;

/// The unlinked records of one centre, either live or archived.
#[derive(Default)]
pub struct Index<'a> {
    by_id: HashMap<&'a str, Vec<u32>>,
    by_mis: HashMap<String, Vec<u32>>,
    by_uln: HashMap<&'a str, Vec<u32>>,
    by_email: HashMap<String, Vec<u32>>,
    by_name: HashMap<String, u32>,
    names: Vec<(Name, Vec<u32>)>,
    trigrams: HashMap<u64, Vec<u32>>,
}

impl<'a> Index<'a> {
    /// Adds a record. `name` is its normalised name.
    pub fn add(&mut self, number: u32, remote: &'a Remote<'a>, name: &Name) {
        self.by_id.entry(remote.id.trim()).or_default().push(number);
        if let Some(mis) = plain(remote.mis_id) {
            self.by_mis.entry(mis).or_default().push(number);
        }
        if let Some(uln) = uln(remote.uln) {
            self.by_uln.entry(uln).or_default().push(number);
        }
        if let Some(email) = plain(remote.email) {
            self.by_email.entry(email).or_default().push(number);
        }
        if name.key.is_empty() {
            return;
        }
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        match self.by_name.entry(name.key.clone()) {
            Entry::Occupied(known) => {
                if let Some((_, numbers)) = self.names.get_mut(*known.get() as usize) {
                    numbers.push(number);
                }
            }
            Entry::Vacant(new) => {
                new.insert(next);
                for trigram in trigrams(name) {
                    self.trigrams.entry(trigram).or_default().push(next);
                }
                self.names.push((name.clone(), vec![number]));
            }
        }
    }

    pub fn by_id(&self, id: &str) -> &[u32] {
        self.by_id.get(id.trim()).map_or(&[], Vec::as_slice)
    }

    pub fn by_mis(&self, value: Option<&str>) -> &[u32] {
        plain(value).and_then(|value| self.by_mis.get(&value)).map_or(&[], Vec::as_slice)
    }

    pub fn by_uln(&self, number: Option<&str>) -> &[u32] {
        uln(number).and_then(|number| self.by_uln.get(number)).map_or(&[], Vec::as_slice)
    }

    pub fn by_email(&self, email: Option<&str>) -> &[u32] {
        plain(email).and_then(|email| self.by_email.get(&email)).map_or(&[], Vec::as_slice)
    }

    pub fn by_name(&self, name: &Name) -> &[u32] {
        let known = self.by_name.get(&name.key).and_then(|number| self.names.get(*number as usize));
        known.map_or(&[], |(_, numbers)| numbers.as_slice())
    }

    /// Records with a similar name, with the similarity. Equal names are left out: `by_name` finds
    /// them.
    pub fn near(&self, name: &Name, scratch: &mut Scratch) -> Vec<(f64, &[u32])> {
        scratch.shared.resize(self.names.len(), 0);
        let own = trigrams(name);
        let mut lists: Vec<&Vec<u32>> = own.iter().filter_map(|it| self.trigrams.get(it)).collect();
        lists.sort_by_key(|list| list.len());
        let mut left = BUDGET;
        for list in lists {
            for number in list.iter().take(left) {
                if let Some(shared) = scratch.shared.get_mut(*number as usize) {
                    if *shared == 0 {
                        scratch.touched.push(*number);
                    }
                    *shared += 1;
                }
            }
            left = left.saturating_sub(list.len());
            if left == 0 {
                break;
            }
        }
        let mut best: Vec<(u16, u32)> = Vec::with_capacity(scratch.touched.len());
        for number in scratch.touched.drain(..) {
            if let Some(shared) = scratch.shared.get_mut(number as usize) {
                best.push((std::mem::take(shared), number));
            }
        }
        let order = |(shared, number): &(u16, u32)| (std::cmp::Reverse(*shared), *number);
        if best.len() > COMPARED {
            best.select_nth_unstable_by_key(COMPARED, order);
            best.truncate(COMPARED);
        }
        let known = best.iter().filter_map(|(_, number)| self.names.get(*number as usize));
        known
            .filter(|(other, _)| other.key != name.key)
            .map(|(other, numbers)| (similarity(name, other), numbers.as_slice()))
            .filter(|(likeness, _)| *likeness >= NEAR)
            .collect()
    }
}

/// A buffer that searches by trigrams reuses.
#[derive(Default)]
pub struct Scratch {
    shared: Vec<u16>,
    touched: Vec<u32>,
}

/// Each trigram once, of every word with a space before and after it.
fn trigrams(name: &Name) -> Vec<u64> {
    let mut found = Vec::new();
    for token in &name.tokens {
        let signs: Vec<u64> =
            std::iter::once(' ').chain(token.chars()).chain(std::iter::once(' ')).map(u64::from).collect();
        // A char has 21 bits.
        found.extend(signs.windows(3).map(|three| three.iter().fold(0, |packed, sign| packed << 21 | sign)));
    }
    found.sort_unstable();
    found.dedup();
    found
}
