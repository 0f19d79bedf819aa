//! How the enums of `domain` stand in columns: as their words. In `query_as!` a column is read as one of them by
//! `kind as "kind: RunKind"`.

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueRef};
use sqlx::{Decode, Postgres, Type};

use crate::domain::{
    Ace360LinkState, ChangeType, IntentState, RunKind, RunState, RunTrigger, SubjectKind, Upstream,
};

use crate::store::ace360::mirror::TwinMatch;

macro_rules! read_as_text {
    ($($name:ty),*) => {$(
        impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                <str as Type<Postgres>>::type_info()
            }

            fn compatible(info: &PgTypeInfo) -> bool {
                <str as Type<Postgres>>::compatible(info)
            }
        }

        impl<'r> Decode<'r, Postgres> for $name {
            fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
                let word = <&str as Decode<Postgres>>::decode(value)?;
                Self::parse(word).ok_or_else(|| format!("`{word}` is not a {}", stringify!($name)).into())
            }
        }
    )*};
}

read_as_text!(
    Ace360LinkState,
    ChangeType,
    IntentState,
    RunKind,
    RunState,
    RunTrigger,
    SubjectKind,
    TwinMatch,
    Upstream
);
