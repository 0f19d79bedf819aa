//! Which work each kind of run is: the only file that names the work of both upstreams.

use super::batch::Batch;
use super::slice::AnyWork;
use crate::ace360::Ace360;
use crate::ace360::bulk::Uploads;
use crate::ace360::catalogue::StandardsRefresh;
use crate::ace360::matching::Matching;
use crate::ace360::status_sync::StatusSync;
use crate::domain::RunKind;
use crate::onefile::OneFile;
use crate::onefile::enrol::bulk::Enrolments;
use crate::onefile::exchange::Exchange;
use crate::onefile::qualifications::QualificationsRefresh;

/// The work of a run of this kind.
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
