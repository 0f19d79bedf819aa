//! Leases: whoever works at a row holds it for a while, and nobody else takes it meanwhile. Runs, enrolments, exchanges,
//! webhooks and idempotency keys are leased. Each table has two columns of its own for it: the holder's token, and the
//! time until which the lease lasts. The times are the database's, since the clocks of two processes differ.
//!
//! This file is the only place that says what a lease means:
//!
//! | fragment | meaning |
//! |---|---|
//! | `free("until")` | Nobody holds the row, or the lease has run out: it may be taken. |
//! | `held("until")` | Somebody holds the row, and the lease has not run out. |
//! | `ours("token" = "$1")` | Nobody has taken the row since. Each write of a holder asks for this. |
//! | `outlives("token" = "$1", "until" > "$2")` | It is ours, and the lease lasts longer than this. Ask before a call that must not happen twice. |
//! | `take("token" = "$1", "until" + "$2")` | Takes the row from now on for so long. |
//! | `renew("until" + "$2")` | Holds it from now on for so long. |
//! | `release("token", "until")` | Gives it back. |
//!
//! A lease that has run out stays its holder's until somebody takes it. A write that asks for `ours` is therefore safe
//! however late it comes: whoever takes the row replaces the token, and the late write then finds no row.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;
use uuid::Uuid;

use super::clock::interval;

/// A lease to take.
pub(super) struct Lease {
    pub(super) token: Uuid,
    pub(super) term: PgInterval,
}

impl Lease {
    /// A lease of this length, with a token that nobody else has.
    pub(super) fn of(term: Duration) -> Self {
        Self { token: Uuid::new_v4(), term: interval(term) }
    }
}

/// One of `sqlx`'s query macros over SQL with the fragments above: `leased!(query_scalar: "update … where " + free("until"); arguments)`.
/// The whole statement is checked against the schema, as in any other query.
macro_rules! leased {
    ($query:ident $(($row:ident))?: $first:tt $($rest:tt)*) => {
        $crate::store::lease::leased!(@ $query [$($row)?] [$first] $($rest)*)
    };
    (@ $query:ident $row:tt [$($sql:tt)*] + free($until:tt) $($rest:tt)*) => {
        $crate::store::lease::leased!(@ $query $row
            [$($sql)* + "(" + $until + " is null or " + $until + " < app_now())"] $($rest)*)
    };
    (@ $query:ident $row:tt [$($sql:tt)*] + held($until:tt) $($rest:tt)*) => {
        $crate::store::lease::leased!(@ $query $row
            [$($sql)* + "coalesce(" + $until + " >= app_now(), false)"] $($rest)*)
    };
    (@ $query:ident $row:tt [$($sql:tt)*] + ours($token:tt = $own:tt) $($rest:tt)*) => {
        $crate::store::lease::leased!(@ $query $row [$($sql)* + $token + " = " + $own] $($rest)*)
    };
    (@ $query:ident $row:tt [$($sql:tt)*] + outlives($token:tt = $own:tt, $until:tt > $term:tt) $($rest:tt)*) => {
        $crate::store::lease::leased!(@ $query $row
            [$($sql)* + $token + " = " + $own + " and " + $until + " > app_now() + " + $term + "::interval"] $($rest)*)
    };
    (@ $query:ident $row:tt [$($sql:tt)*] + take($token:tt = $own:tt, $until:tt + $term:tt) $($rest:tt)*) => {
        $crate::store::lease::leased!(@ $query $row
            [$($sql)* + $token + " = " + $own + ", " + $until + " = app_now() + " + $term + "::interval"] $($rest)*)
    };
    (@ $query:ident $row:tt [$($sql:tt)*] + renew($until:tt + $term:tt) $($rest:tt)*) => {
        $crate::store::lease::leased!(@ $query $row
            [$($sql)* + $until + " = app_now() + " + $term + "::interval"] $($rest)*)
    };
    (@ $query:ident $row:tt [$($sql:tt)*] + release($token:tt, $until:tt) $($rest:tt)*) => {
        $crate::store::lease::leased!(@ $query $row
            [$($sql)* + $token + " = null, " + $until + " = null"] $($rest)*)
    };
    (@ $query:ident $row:tt [$($sql:tt)*] + $text:literal $($rest:tt)*) => {
        $crate::store::lease::leased!(@ $query $row [$($sql)* + $text] $($rest)*)
    };
    (@ $query:ident [] [$($sql:tt)*]; $($argument:tt)*) => { sqlx::$query!($($sql)*, $($argument)*) };
    (@ $query:ident [$row:ident] [$($sql:tt)*]; $($argument:tt)*) => { sqlx::$query!($row, $($sql)*, $($argument)*) };
}

pub(super) use leased;
