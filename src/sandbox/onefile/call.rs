//! Reads the requested operation from method and path. Paths are matched in any case and with or
//! without a trailing slash, which actix's own router cannot do.

use actix_web::http::Method;

use super::kind::Kind;
use super::record::UNIT_PREFIX;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    Authenticate,
    Customer,
    /// The page number from 1 and the page size. Without them: all rows.
    Search(Kind, Option<(usize, usize)>),
    Get(Kind, u64),
    Create(Kind),
    Update(Kind, u64),
    DeleteUser(u64),
    /// `true` archives, `false` restores.
    ArchiveUser(u64, bool),
    AssignUser(u64),
    AssignStandard {
        standard: u64,
        learner: u64,
    },
    AssignUnit {
        unit: u64,
        learner: u64,
        standard: u64,
    },
    AssignTemplate {
        template: u64,
        learner: u64,
    },
    UnitSummaries(u64),
    LearnerStatuses(u64),
    LearningAimStatuses(u64),
    AssignedStandards(u64),
}

/// The operations that do not follow the pattern of `Kind::offered`.
const SPECIAL: [&str; 13] = [
    "authenticate",
    "getCustomer",
    "deleteUser",
    "archiveUser",
    "unarchiveUser",
    "assignUser",
    "assignStandard",
    "assignUnit",
    "assignFrameworkTemplate",
    "getUserUnitSummaries",
    "getLearnerStatuses",
    "getLearningAimStatuses",
    "getAssignedStandards",
];

/// The names of all operations.
pub fn operations() -> impl Iterator<Item = &'static str> {
    let patterned = Kind::ALL.into_iter().flat_map(|kind| {
        let offered = kind.offered();
        [offered.search, offered.get, offered.create, offered.update]
    });
    patterned.flatten().chain(SPECIAL)
}

impl Call {
    /// `None`: the path does not exist, does not allow this method, or contains an invalid id.
    pub fn read(method: &Method, path: &str) -> Option<Self> {
        let path = path.to_ascii_lowercase();
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let call = if *method == Method::POST {
            Self::post(&parts)
        } else if *method == Method::GET {
            Self::get(&parts)
        } else if *method == Method::DELETE {
            match parts.as_slice() {
                ["user", user] => Some(Self::DeleteUser(user.parse().ok()?)),
                _ => None,
            }
        } else {
            None
        };
        call.filter(|call| call.operation().is_some())
    }

    fn get(parts: &[&str]) -> Option<Self> {
        Some(match parts {
            ["customer"] => Self::Customer,
            ["organisation", centre, "learnerstatuses"] => Self::LearnerStatuses(centre.parse().ok()?),
            ["organisation", centre, "learningaimstatuses"] => {
                Self::LearningAimStatuses(centre.parse().ok()?)
            }
            ["organisation", centre, "assignedstandards"] => Self::AssignedStandards(centre.parse().ok()?),
            ["user", user, "unitsummary"] => Self::UnitSummaries(user.parse().ok()?),
            [noun, record] => {
                let kind = kind(noun)?;
                Self::Get(kind, id(kind, record)?)
            }
            _ => return None,
        })
    }

    fn post(parts: &[&str]) -> Option<Self> {
        Some(match parts {
            ["authentication"] => Self::Authenticate,
            [noun] => Self::Create(kind(noun)?),
            [noun, "search"] => Self::Search(kind(noun)?, None),
            [noun, "search", number, size] => {
                let page: (usize, usize) = (number.parse().ok()?, size.parse().ok()?);
                // One client uses page 0 for "all", and it works.
                Self::Search(kind(noun)?, Some(page).filter(|(number, size)| *number > 0 && *size > 0))
            }
            ["user", user, "archive"] => Self::ArchiveUser(user.parse().ok()?, true),
            ["user", user, "unarchive"] => Self::ArchiveUser(user.parse().ok()?, false),
            ["user", user, "assign"] => Self::AssignUser(user.parse().ok()?),
            ["standard", standard, "assign", learner] => {
                Self::AssignStandard { standard: standard.parse().ok()?, learner: learner.parse().ok()? }
            }
            ["unit", unit, "assign", learner, standard] => Self::AssignUnit {
                unit: id(Kind::Unit, unit)?,
                learner: learner.parse().ok()?,
                standard: standard.parse().ok()?,
            },
            // The effect of the flag `onlyChangeAssigned` is unknown; here it has none.
            ["frameworktemplate", template, "assign", learner, "true" | "false"] => {
                Self::AssignTemplate { template: template.parse().ok()?, learner: learner.parse().ok()? }
            }
            [noun, record] => {
                let kind = kind(noun)?;
                Self::Update(kind, id(kind, record)?)
            }
            _ => return None,
        })
    }

    /// The name of the operation. Paged and unpaged searches share one. `None`: OneFile does not
    /// offer it.
    pub fn operation(&self) -> Option<&'static str> {
        match self {
            Self::Authenticate => Some("authenticate"),
            Self::Customer => Some("getCustomer"),
            Self::Search(kind, _) => kind.offered().search,
            Self::Get(kind, _) => kind.offered().get,
            Self::Create(kind) => kind.offered().create,
            Self::Update(kind, _) => kind.offered().update,
            Self::DeleteUser(_) => Some("deleteUser"),
            Self::ArchiveUser(_, true) => Some("archiveUser"),
            Self::ArchiveUser(_, false) => Some("unarchiveUser"),
            Self::AssignUser(_) => Some("assignUser"),
            Self::AssignStandard { .. } => Some("assignStandard"),
            Self::AssignUnit { .. } => Some("assignUnit"),
            Self::AssignTemplate { .. } => Some("assignFrameworkTemplate"),
            Self::UnitSummaries(_) => Some("getUserUnitSummaries"),
            Self::LearnerStatuses(_) => Some("getLearnerStatuses"),
            Self::LearningAimStatuses(_) => Some("getLearningAimStatuses"),
            Self::AssignedStandards(_) => Some("getAssignedStandards"),
        }
    }
}

fn kind(noun: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.noun().eq_ignore_ascii_case(noun))
}

/// The ids of units are texts; all others are numbers.
fn id(kind: Kind, text: &str) -> Option<u64> {
    match kind {
        Kind::Unit => text.strip_prefix(&UNIT_PREFIX.to_ascii_lowercase())?.parse().ok(),
        _ => text.parse().ok(),
    }
}
