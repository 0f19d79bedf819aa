//! All that the checklist is made of.

use super::report::Named;
use crate::domain::redacted;
use crate::onefile::setup::coverage::Coverage;

#[derive(Debug, Clone, Copy)]
pub struct ReadinessInput<'a> {
    pub token: Token<'a>,
    /// The PICS Desktop integration.
    pub desktop: Desktop,
    pub officers: Linking<'a>,
    pub organisations: Linking<'a>,
    /// What [`shared_mis_values`](super::shared_mis_values) found among the assessors, archived ones included.
    pub shared_mis_values: &'a [SharedMisValue],
    /// Officers in use without an e-mail address.
    pub without_email: &'a [WithoutEmail],
    /// What the delivery plans need; none: OneFile's learning aims were never read.
    pub coverage: Option<&'a Coverage>,
    /// Where learners are put.
    pub classrooms: Classrooms<'a>,
}

/// Whether the customer token works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    Missing,
    /// It was never tried, or not since it was changed.
    NotTested,
    /// OneFile did not take it, or could not be reached: why.
    Failed(&'a str),
    /// OneFile took it: whose it is.
    Tested(&'a str),
}

/// What is said of the PICS Desktop integration in the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Desktop {
    NotSaid,
    /// It was never used.
    Never,
    Active,
    /// It was used, and is switched off.
    Off,
}

/// How far records in use are linked.
#[derive(Debug, Clone, Copy)]
pub struct Linking<'a> {
    /// Whether OneFile's records were read: without them nobody knows what is there already.
    pub looked_up: bool,
    /// How many of ours are in use.
    pub in_use: usize,
    /// Those that are not linked.
    pub unlinked: &'a [Unlinked],
    /// Those whose partner in OneFile was archived or deleted.
    pub gone: &'a [Named],
}

/// A record in use that is not linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlinked {
    pub record: Named,
    /// Whether something in OneFile fits (a suggestion, or several that cannot be distinguished).
    pub likely_there: bool,
}

/// An officer without an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithoutEmail {
    pub record: Named,
    /// Whether it is linked: then nothing has to be created.
    pub linked: bool,
}

/// How a learner gets a classroom.
#[derive(Debug, Clone, Copy)]
pub struct Classrooms<'a> {
    /// Whether the Main Tag names it.
    pub from_main_tag: bool,
    /// The centres in use that have no default classroom.
    pub without_default: &'a [Named],
}

/// A MIS value that several assessors of one centre have.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedMisValue {
    pub centre_id: String,
    /// The value as the first of them has it.
    pub mis_value: String,
    /// OneFile's ids of the assessors, archived ones marked.
    pub assessors: Vec<String>,
}

redacted!(SharedMisValue);
