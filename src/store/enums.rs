//! Enums as they are stored: columns hold their words. A query reads one with `column as "column: Enum"`.

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueRef};
use sqlx::{Decode, Postgres, Type};

use crate::domain::{ChangeType, RunKind, RunState, SubjectKind, Upstream};

macro_rules! stored {
    ($($name:ident)+) => {$(
        impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                <str as Type<Postgres>>::type_info()
            }

            fn compatible(ty: &PgTypeInfo) -> bool {
                <str as Type<Postgres>>::compatible(ty)
            }
        }

        impl<'r> Decode<'r, Postgres> for $name {
            fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
                let word = <&str as Decode<Postgres>>::decode(value)?;
                Self::parse(word).ok_or_else(|| format!("`{word}` is no {}", stringify!($name)).into())
            }
        }
    )+};
}

stored!(ChangeType RunKind RunState SubjectKind Upstream);
