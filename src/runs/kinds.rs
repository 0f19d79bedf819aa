//! The work of each kind of run. Only this file names the work of both upstreams.

use super::batch::Batch;
use super::slice::AnyWork;
use crate::ace360::Ace360;
use crate::ace360::catalogue::standards::StandardsRefresh;
use crate::ace360::create::bulk::Uploads;
use crate::ace360::links::matching::Matching;
use crate::ace360::sync::run::StatusSync;
use crate::domain::RunKind;
use crate::onefile::OneFile;
use crate::onefile::catalogue::qualifications::QualificationsRefresh;
use crate::onefile::create::bulk::Enrolments;
use crate::onefile::sync::run::Exchange;

pub(super) fn work_of<'a>(kind: RunKind, ace360: &'a Ace360, onefile: &'a OneFile) -> Box<dyn AnyWork + 'a> {
    match kind {
        RunKind::StandardsRefresh => Box::new(StandardsRefresh(ace360)),
        RunKind::StatusSync => Box::new(StatusSync(ace360)),
        RunKind::Match => Box::new(Matching(ace360)),
        RunKind::Upload => Box::new(Batch(Uploads(ace360))),
        RunKind::Enrol => Box::new(Batch(Enrolments(onefile))),
        RunKind::QualificationsRefresh => Box::new(QualificationsRefresh(onefile)),
        RunKind::Exchange => Box::new(Exchange(onefile)),
    }
}
