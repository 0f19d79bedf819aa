//! Links in the API document from a response to the calls that use it, for readers, generated
//! clients and test tools.

use utoipa::openapi::link::LinkBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{OpenApi, RefOr, Response};

/// For a response with this schema, each of these calls takes the value at `pointer` as
/// `parameter`.
struct Follow {
    schema: &'static str,
    parameter: &'static str,
    pointer: &'static str,
    operations: &'static [&'static str],
}

const fn follow(
    schema: &'static str,
    parameter: &'static str,
    pointer: &'static str,
    operations: &'static [&'static str],
) -> Follow {
    Follow { schema, parameter, pointer, operations }
}

const RUN: &[&str] = &["getRun", "listRunRecords", "cancelRun", "retryRun"];
const LEARNER: &[&str] = &[
    "getLearner",
    "previewLearnerAce360",
    "uploadLearnerToAce360",
    "getLearnerAce360",
    "previewLearnerOneFile",
    "enrolLearnerInOneFile",
    "getLearnerOneFile",
    "eraseLearner",
];
const WEBHOOK: &[&str] =
    &["getWebhook", "putWebhook", "testWebhook", "listDeliveries", "rotateWebhookSecret", "deleteWebhook"];

const FOLLOWS: [Follow; 9] = [
    follow("Run", "id", "/id", RUN),
    follow("LearnerRecord", "learnerId", "/learnerId", LEARNER),
    follow("Tab", "learnerId", "/learnerId", &["syncLearnerAce360", "getLearnerAce360History"]),
    follow("OneFileTab", "learnerId", "/learnerId", &["syncLearnerOneFile", "unlinkLearnerFromOneFile"]),
    follow("OfficerRecord", "officerId", "/officerId", &["getOfficer", "deleteOfficer"]),
    follow(
        "OrganisationRecord",
        "organisationId",
        "/organisationId",
        &["getOrganisation", "deleteOrganisation"],
    ),
    follow("OneFileLink", "id", "/id", &["getOneFileLink", "unlinkFromOneFile"]),
    follow("WebhookWithSecret", "id", "/id", WEBHOOK),
    follow("IssuedToken", "id", "/id", &["revokeToken"]),
];

/// Adds the links to the document.
pub fn document(api: &mut OpenApi) {
    for item in api.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.put, &mut item.post].into_iter().flatten() {
            link(operation);
        }
    }
}

fn link(operation: &mut Operation) {
    let own = operation.operation_id.clone().unwrap_or_default();
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if !status.starts_with('2') {
            continue;
        }
        let Some(schema) = schema_of(response) else { continue };
        let fits = FOLLOWS.iter().filter(|own| schema.rsplit('/').next() == Some(own.schema));
        for Follow { parameter, pointer, operations, .. } in fits {
            for operation in operations.iter().filter(|next| **next != own) {
                let link = LinkBuilder::new()
                    .operation_id(*operation)
                    .parameter(*parameter, format!("$response.body#{pointer}"));
                response.links.insert((*operation).to_owned(), RefOr::T(link.build()));
            }
        }
    }
}

/// The schema that a response refers to.
fn schema_of(response: &Response) -> Option<String> {
    let RefOr::T(content) = response.content.get("application/json")? else { return None };
    match content.schema.as_ref()? {
        RefOr::Ref(schema) => Some(schema.ref_location.clone()),
        RefOr::T(_) => None,
    }
}
