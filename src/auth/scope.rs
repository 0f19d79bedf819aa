//! What a token may do.

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

macro_rules! scopes {
    ($($variant:ident $text:literal $about:literal,)*) => {
        /// What a token may do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Scope { $(#[doc = $about] #[serde(rename = $text)] $variant,)* }

        // By hand: utoipa's derive does not read a `rename` that a macro puts in.
        impl PartialSchema for Scope {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some("What a token may do."))
                    .enum_values(Some([$($text,)*]))
                    .into()
            }
        }

        impl ToSchema for Scope {}

        impl Scope {
            /// All there are, in the order of the contract.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As tokens say it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// What it allows, for people.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }
        }

        /// A type for each scope, which a handler asks its caller for.
        pub mod needs {
            use super::{Scope, Needs};
            $(#[doc = $about] #[derive(Debug)] pub struct $variant;
              impl Needs for $variant { const ONE_OF: &'static [Scope] = &[Scope::$variant]; })*

            /// Synchronising with an upstream; with which one is known when what is meant was read.
            #[derive(Debug)]
            pub struct AnySync;

            impl Needs for AnySync {
                const ONE_OF: &'static [Scope] = &[Scope::Ace360Sync, Scope::OnefileSync];
            }

            /// Sending to an upstream, or saying what became of what was sent; to which one is known when what is meant was read.
            #[derive(Debug)]
            pub struct AnyWrite;

            impl Needs for AnyWrite {
                const ONE_OF: &'static [Scope] = &[Scope::Ace360Write, Scope::OnefileWrite];
            }
        }
    };
}

/// The scope that a handler needs, as a type.
pub trait Needs {
    /// Any of these will do to begin with.
    const ONE_OF: &'static [Scope];
}

scopes! {
    RecordsRead "records:read" "Read learners, officers and organisations.",
    RecordsWrite "records:write" "Write, import, delete and erase them.",
    Ace360Read "ace360:read" "Read what is kept of ACE360: tabs, previews, histories, the catalogue.",
    Ace360Write "ace360:write" "Upload learners to ACE360, link and unlink them.",
    Ace360Sync "ace360:sync" "Read statuses from ACE360 now, refresh its catalogue.",
    Ace360Configure "ace360:configure" "Change the ACE360 settings, test the connection.",
    OnefileRead "onefile:read" "Read what is kept of OneFile.",
    OnefileWrite "onefile:write" "Enrol learners in OneFile, link records.",
    OnefileSync "onefile:sync" "Exchange with OneFile now.",
    OnefileConfigure "onefile:configure" "Change the OneFile settings, test the connection.",
    RunsRead "runs:read" "Read runs and their records.",
    ChangesRead "changes:read" "Read the change feed.",
    WebhooksManage "webhooks:manage" "Manage webhooks.",
    TokensManage "tokens:manage" "Issue and revoke tokens.",
    AuditRead "audit:read" "Read the audit.",
}

impl Scope {
    /// From the word of a token or a request.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == text)
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u32);

impl Scopes {
    pub fn all() -> Self {
        Scope::ALL.iter().copied().collect()
    }

    /// Whether the scope is in it.
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u32) != 0
    }

    /// Those of it that are not in `other`: a token can never make one that may do more than itself.
    pub fn beyond(self, other: Self) -> Vec<Scope> {
        self.iter().filter(|scope| !other.contains(*scope)).collect()
    }

    /// Its scopes, in the order of the contract.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.contains(*scope))
    }

    /// As a token's claim: words with spaces between. Words that are not known are passed over, since a newer version
    /// may have issued the token.
    pub fn of_claim(claim: &str) -> Self {
        claim.split(' ').filter_map(Scope::parse).collect()
    }

    pub fn claim(self) -> String {
        self.iter().map(Scope::as_str).collect::<Vec<_>>().join(" ")
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | 1 << scope as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_comes_back_as_the_scopes_it_was_made_of() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(*scope));
        }
        assert_eq!(Scopes::of_claim(&Scopes::all().claim()), Scopes::all());
        assert_eq!(
            Scopes::of_claim("records:read  nonsense").iter().collect::<Vec<_>>(),
            [Scope::RecordsRead]
        );
    }

    #[test]
    fn what_goes_beyond_is_named() {
        let little: Scopes = [Scope::RecordsRead].into_iter().collect();
        assert!(little.beyond(Scopes::all()).is_empty());
        assert_eq!(Scopes::of_claim("records:read audit:read").beyond(little), [Scope::AuditRead]);
    }
}
