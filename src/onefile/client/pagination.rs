//! Going through the pages of a search. OneFile tells no total, and a page may be shorter than asked for: the end is a page with
//! nothing new. Pure.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::wire::{Page, Row};

/// More pages than any customer fills; what goes on after them goes in a circle.
pub const MOST_PAGES: u32 = 2000;

/// Where a search stands; what goes on later keeps it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Pagination {
    seen: HashSet<String>,
    pages: u32,
    longest: usize,
    last: usize,
    print: Option<u64>,
    /// The page before had nothing to go on with.
    doubtful: bool,
    /// Empty pages that others followed. They are read once more at the end, so that no record counts as deleted.
    again: Vec<u32>,
    /// The others are read.
    ended: bool,
    unreadable: usize,
    odd: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask for this page.
    Page(u32),
    End,
    /// It has no end.
    Endless,
}

impl Pagination {
    /// The page to ask for, from 1.
    pub fn page(&self) -> u32 {
        self.again.last().copied().filter(|_| self.ended).unwrap_or(self.pages + 1)
    }

    /// Rows that could not be read.
    pub fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// Values that could not be read, in rows that could.
    pub fn odd(&self) -> usize {
        self.odd
    }

    /// Takes a page: its rows that were on none before, and what comes next.
    pub fn take<T: Row>(&mut self, page: Page<T>) -> (Vec<T>, Next) {
        let Page { rows, print } = page;
        let (count, same) = (rows.len(), self.print == Some(print));
        let mut new = Vec::with_capacity(count);
        let mut unreadable = 0;
        for row in rows {
            match row {
                Ok((row, notes)) => {
                    if self.seen.insert(row.id().to_owned()) {
                        self.odd += notes.len();
                        new.push(row);
                    }
                }
                Err(_) => unreadable += 1,
            }
        }
        if self.ended {
            self.again.pop();
            self.unreadable += unreadable;
            return (new, self.after_the_end());
        }
        self.pages += 1;
        self.print = Some(print);
        let ended = if !new.is_empty() {
            if std::mem::take(&mut self.doubtful) {
                self.again.push(self.pages - 1);
            }
            false
        } else if count > 0 && (same || unreadable == 0) {
            // Only known rows: pages beyond the last one repeat it.
            true
        } else if count == 0 && self.last < self.longest {
            // A page shorter than those before it was the last one.
            true
        } else {
            // Nothing, where there might be more: one such page in the middle is gone past; two are the end, if the first of
            // them has nothing when it is asked for once more.
            let second = std::mem::replace(&mut self.doubtful, true);
            if second {
                self.again.push(self.pages - 1);
            }
            second
        };
        if count > 0 && !same {
            self.unreadable += unreadable;
            self.last = count;
            self.longest = self.longest.max(count);
        }
        let next = if ended {
            self.ended = true;
            self.after_the_end()
        } else if self.pages >= MOST_PAGES {
            Next::Endless
        } else {
            Next::Page(self.page())
        };
        (new, next)
    }

    fn after_the_end(&self) -> Next {
        if self.again.is_empty() { Next::End } else { Next::Page(self.page()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::{User, page};
    use super::*;
    use serde_json::{Value, json};

    /// The ids that a search finds, the pages it asks for, and how it ends; beyond `pages` every page is `beyond`.
    fn walked(pages: &[Value], beyond: &Value) -> (Vec<String>, u32, Next) {
        let (mut pagination, mut found, mut calls) = (Pagination::default(), Vec::new(), 0);
        loop {
            let body = pages.get(pagination.page() as usize - 1).unwrap_or(beyond).to_string();
            let (rows, next) = pagination.take(page::<User>(body.as_bytes()).unwrap());
            calls += 1;
            found.extend(rows.into_iter().map(|row| row.id));
            match next {
                Next::Page(number) => assert_eq!(number, pagination.page()),
                end => return (found, calls, end),
            }
        }
    }

    fn rows(ids: &[u32]) -> Value {
        ids.iter().map(|id| json!({ "ID": id })).collect()
    }

    #[test]
    fn a_search_ends_when_a_page_has_nothing_new_and_never_at_a_short_page() {
        let none = json!([]);
        for (pages, found, asked) in [
            (vec![], 0, 3),
            (vec![rows(&[1])], 1, 4),
            (vec![rows(&[1, 2]), rows(&[3])], 3, 3),
            // Full to the last row: the next page is asked for, the one after it, and the next one once more.
            (vec![rows(&[1, 2]), rows(&[3, 4])], 4, 5),
            (vec![rows(&[1, 2]), rows(&[3]), rows(&[4, 5]), rows(&[6])], 6, 5),
        ] {
            let (ids, calls, end) = walked(&pages, &none);
            assert_eq!((ids.len(), calls, end), (found, asked, Next::End), "{pages:?}");
        }
    }

    #[test]
    fn an_empty_page_in_the_middle_ends_nothing() {
        let pages = [rows(&[1, 2]), json!([]), rows(&[3, 4]), rows(&[5])];
        assert_eq!(walked(&pages, &json!([])).0, ["1", "2", "3", "4", "5"]);
    }

    #[test]
    fn a_page_that_was_empty_by_mistake_is_read_at_the_end() {
        let mut pagination = Pagination::default();
        let bodies = [rows(&[1, 2]), json!([]), rows(&[5, 6]), rows(&[7]), json!([]), rows(&[3, 4])];
        let asked = bodies.map(|body| {
            let page_asked = pagination.page();
            let (rows, next) = pagination.take(page::<User>(body.to_string().as_bytes()).unwrap());
            (page_asked, rows.len(), next)
        });
        assert_eq!(asked.map(|(page, ..)| page), [1, 2, 3, 4, 5, 2]);
        assert_eq!((asked[5].1, asked[5].2), (2, Next::End));
    }

    #[test]
    fn pages_beyond_the_last_that_repeat_it_end_the_search() {
        let pages = [rows(&[1, 2]), rows(&[3, 4])];
        assert_eq!(
            walked(&pages, &rows(&[3, 4])),
            (["1", "2", "3", "4"].map(str::to_owned).to_vec(), 3, Next::End)
        );
        assert_eq!(walked(&pages, &rows(&[1, 2])).1, 3);
    }

    #[test]
    fn a_row_on_two_pages_counts_once() {
        let pages = [rows(&[1, 2]), rows(&[2, 3])];
        assert_eq!(walked(&pages, &json!([])).0, ["1", "2", "3"]);
    }

    #[test]
    fn pages_of_rows_that_cannot_be_read_do_not_go_on_for_ever() {
        let pages = [rows(&[1, 2]), json!([{}, {}]), rows(&[3, 4])];
        assert_eq!(walked(&pages, &json!([{}])).0, ["1", "2", "3", "4"]);
        let (_, calls, end) = walked(&[], &json!([{}]));
        assert_eq!((calls, end), (2, Next::End));
    }

    #[test]
    fn a_search_without_end_is_left_off() {
        let mut pagination = Pagination::default();
        let end = (1..).map(|id| {
            let body = rows(&[id]).to_string();
            pagination.take(page::<User>(body.as_bytes()).unwrap()).1
        });
        assert_eq!(end.take(5000).find(|next| !matches!(next, Next::Page(_))), Some(Next::Endless));
    }
}
