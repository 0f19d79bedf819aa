//! The changes of the feed and the webhooks: one variant for each kind, with the data of that kind.
//! Storage, messages, the API document and the tests all use these types. The data types are in
//! `change_*.rs`.

use serde::Serialize;
use utoipa::openapi::schema::{AdditionalProperties, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::ChangeType;
use super::change_ace360::{
    ArchivedData, CertificateClaimedData, GradeChangedData, RecordGoneData, StatusChangedData, UploadedData,
};
use super::change_onefile::{
    DetailsChangedData, OneFileArchivedData, OneFileUserData, QualificationChangedData, ReviewChangedData,
    ReviewThere,
};
use super::change_service::{LinkData, RunFinishedData, WebhookDisabledData};

macro_rules! changes {
    ($($kind:ident($data:ident),)*) => {
        /// A change. It serialises as its data alone: the feed, messages and rows hold the kind
        /// next to the data.
        #[derive(Clone, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum Change { $(#[doc = concat!("The data of `ChangeType::", stringify!($kind), "`.")] $kind($data),)* }

        impl Change {
            pub const fn kind(&self) -> ChangeType { match self { $(Self::$kind(_) => ChangeType::$kind,)* } }

            /// Reads the data of a change of this kind.
            pub fn read(kind: ChangeType, data: &[u8]) -> serde_json::Result<Self> {
                match kind { $(ChangeType::$kind => serde_json::from_slice(data).map(Self::$kind),)* }
            }

            /// The schema name of this kind's data in the API document.
            pub const fn data_name(kind: ChangeType) -> &'static str {
                match kind { $(ChangeType::$kind => stringify!($data),)* }
            }
        }

        impl ToSchema for Change {
            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                $(schemas.push((stringify!($data).to_owned(), $data::schema()));
                $data::schemas(schemas);)*
                schemas.push(("ReviewThere".to_owned(), ReviewThere::schema()));
            }
        }
    };
}

changes! {
    Uploaded(UploadedData),
    StatusChanged(StatusChangedData),
    GradeChanged(GradeChangedData),
    Archived(ArchivedData),
    CertificateClaimed(CertificateClaimedData),
    Gone(RecordGoneData),
    Returned(RecordGoneData),
    Enrolled(OneFileUserData),
    ProgressChanged(QualificationChangedData),
    RegistrationChanged(QualificationChangedData),
    CertificateChanged(QualificationChangedData),
    DetailsChanged(DetailsChangedData),
    UserArchived(OneFileArchivedData),
    UserGone(OneFileUserData),
    UserReturned(OneFileUserData),
    ReviewChanged(ReviewChangedData),
    LinkCreated(LinkData),
    LinkRemoved(LinkData),
    RunFinished(RunFinishedData),
    WebhookDisabled(WebhookDisabledData),
}

redacted!(Change);

/// Allows any object. Its description names the schema of each kind, for clients that want the
/// details.
impl PartialSchema for Change {
    fn schema() -> RefOr<Schema> {
        let lines =
            ChangeType::ALL.iter().map(|kind| format!("- `{}`: `{}`", kind.as_str(), Self::data_name(*kind)));
        let lines = lines.collect::<Vec<_>>().join("\n");
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(AdditionalProperties::FreeForm(true)))
            .description(Some(format!(
                "What changed, usually with the values before and after. Each type has its own schema (see the document's webhooks):\n\n{lines}"
            )))
            .into()
    }
}
