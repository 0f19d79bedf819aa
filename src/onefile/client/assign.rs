//! How OneFile's `User/{id}/Assign` names the assessor and the learner.

/// Whose id goes into the path of `User/{id}/Assign`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssignReading {
    /// The assessor's; the learner's is in the body. What a client that ran in production does.
    AssessorInPath,
    /// The learner's, in both places. What OneFile's article says since 2026.
    LearnerInPath,
}

/// The reading that is relied on (assumed; `openapi/upstream/onefile-v2.1.yaml` says why).
pub const ASSIGN: AssignReading = AssignReading::AssessorInPath;

impl AssignReading {
    /// The id for the path, and the one for `LearnerID`.
    pub const fn read<'a>(self, assessor: &'a str, learner: &'a str) -> (&'a str, &'a str) {
        match self {
            Self::AssessorInPath => (assessor, learner),
            Self::LearnerInPath => (learner, learner),
        }
    }
}
