//! Stores the enums of `domain` as words in columns. `query_as!` reads such a column with `kind as
//! "kind: RunKind"`.

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
