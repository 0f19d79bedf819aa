//! Two macros for values with rules: a text type and a whole-number type that cannot hold a bad
//! value. The rules are in the files of the values.

/// A text with a rule: `$parse` gets the trimmed text and returns its canonical form. The caller
/// provides `Debug`: derived, or redacted in `mod.rs` when the value is personal.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, pattern: $pattern:literal, max: $max:literal, example: $example:literal,
     about: $about:literal, parse: $parse:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The pattern of the canonical form, as the API document shows it.
            pub const PATTERN: &'static str = $pattern;

            /// Reads the text, or says which rule it breaks. Blanks and invisible signs around it fall off.
            pub fn parse(text: &str) -> Result<Self, $crate::domain::rule::Broken> {
                let parse: fn(&str) -> Result<String, $crate::domain::rule::Broken> = $parse;
                parse($crate::domain::folding::trimmed(text)).map(Self)
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        // Hand-written, because serde's `try_from` and `into` each copy the text.
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = $crate::domain::serde_fields::Text::deserialize(deserializer)?;
                Self::parse(&text.0).map_err(serde::de::Error::custom)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::domain::rule::Broken;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::rule::Broken;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some($about))
                    .pattern(Some($pattern))
                    .max_length(Some($max))
                    .examples([serde_json::json!($example)])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

/// A whole number with a rule: `$allowed` decides which numbers are valid.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty), code: $code:literal, message: $message:literal,
     allowed: $allowed:expr, schema: $schema:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name($inner);

        impl $name {
            /// Reads the number, or returns the rule that it breaks.
            pub fn parse(number: i64) -> Result<Self, $crate::domain::rule::Broken> {
                let broken = $crate::domain::rule::Broken { code: $code, message: $message };
                let allowed: fn(i64) -> bool = $allowed;
                if !allowed(number) {
                    return Err(broken);
                }
                <$inner>::try_from(number).map(Self).map_err(|_| broken)
            }

            pub fn get(self) -> $inner {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = $crate::domain::rule::Broken;
            fn try_from(number: i64) -> Result<Self, Self::Error> {
                Self::parse(number)
            }
        }

        impl From<$name> for i64 {
            fn from(value: $name) -> Self {
                Self::from(value.0)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let builder = utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::Integer);
                let finish: fn(utoipa::openapi::ObjectBuilder) -> utoipa::openapi::ObjectBuilder = $schema;
                finish(builder).into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

pub(super) use {number, text};
