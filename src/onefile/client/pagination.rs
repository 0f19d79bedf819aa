//! Reads the pages of a search. OneFile returns no total, and a page may be shorter than requested,
//! so a page without new rows is the end. Pure.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::wire::{Page, Row};

/// More pages than any customer fills. A longer search repeats itself.
pub const MOST_PAGES: u32 = 2000;

/// How far a search has come. A cursor stores it to continue later.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Pagination {
    seen: HashSet<String>,
    pages: u32,
    longest: usize,
    last: usize,
    print: Option<u64>,
    /// Whether the page before had no new rows.
    doubtful: bool,
    /// Empty pages that others followed. They are read again at the end, so that no record counts
    /// as deleted by mistake.
    again: Vec<u32>,
    /// Whether all other pages are read.
    ended: bool,
    unreadable: usize,
    odd: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Request this page next.
    Page(u32),
    End,
    /// The search never ends.
    Endless,
}

impl Pagination {
    /// The page to ask for, from 1.
    pub fn page(&self) -> u32 {
        self.again.last().copied().filter(|_| self.ended).unwrap_or(self.pages + 1)
    }

    /// The number of unreadable rows.
    pub fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// The number of unusable values in readable rows.
    pub fn odd(&self) -> usize {
        self.odd
    }

    /// Takes a page. Returns its new rows, and what comes next.
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
            // Only known rows: pages after the last one repeat it.
            true
        } else if count == 0 && self.last < self.longest {
            // A page that is shorter than those before it is the last one.
            true
        } else {
            // An empty page that may not be the end. A single one in the middle is skipped. Two in
            // a row are the end, if the first is still empty when it is requested again.
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

    /// The ids that a search finds, the pages it requests, and how it ends. Every page after
    /// `pages` is `beyond`.
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
            // The last page is full: the next page is requested, the one after it, and the next one
            // again.
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
