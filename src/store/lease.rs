//! Leases: a worker holds a row for a limited time, and no other worker takes it meanwhile. Runs,
//! enrolments, exchanges, webhooks and idempotency keys are leased. Each table has two columns for
//! it: the holder's token, and the end of the lease. The times are the database's, because the
//! clocks of two processes differ.
//!
//! Only this file defines what a lease means:
//!
//! | fragment | meaning |
//! |---|---|
//! | `free("until")` | No worker holds the row, or the lease has expired, so the row can be taken. |
//! | `held("until")` | A worker holds the row, and the lease has not expired. |
//! | `ours("token" = "$1")` | The caller still holds the row. Each write of a holder requires this. |
//! | `outlives("token" = "$1", "until" > "$2")` | The caller holds the row, and the lease lasts longer than this. Required before a call that must not happen twice. |
//! | `take("token" = "$1", "until" + "$2")` | Takes the row for this time from now. |
//! | `renew("until" + "$2")` | Extends the lease to this time from now. |
//! | `release("token", "until")` | Releases the row. |
//!
//! An expired lease stays its holder's until another worker takes it. A write that requires `ours`
//! is therefore safe however late it comes: whoever takes the row replaces the token, and the late
//! write finds no row.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;
use uuid::Uuid;

use super::clock::interval;

pub(super) struct Lease {
    pub(super) token: Uuid,
    pub(super) term: PgInterval,
}

impl Lease {
    /// A lease of this length, with a new random token.
    pub(super) fn of(term: Duration) -> Self {
        Self { token: Uuid::new_v4(), term: interval(term) }
    }
}

/// One of `sqlx`'s query macros over SQL with the fragments above: `leased!(query_scalar: "update …
/// where " + free("until"); arguments)`. The full statement is checked against the schema, as in
/// any other query.
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
