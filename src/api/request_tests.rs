//! Every request type: what serde reads of a body, and what its schema says, are the same.

use proptest::prelude::*;
use serde_json::Value;

use super::{ace360, intents, onefile, tokens, webhooks};
use crate::domain::Check;
use crate::domain::parse::tests::{agree, any_json, places};

/// The example of a type's schema with something else at one of its places.
fn with<T: Check>(place: prop::sample::Index, planted: &Value) {
    let schema = serde_json::to_value(T::schema()).unwrap();
    let mut body = schema["example"].clone();
    agree::<T>(&body);
    let mut fields: Vec<String> =
        schema["properties"].as_object().unwrap().keys().map(|name| format!("/{name}")).collect();
    fields.extend(places(&body));
    let at = place.get(&fields);
    match body.pointer_mut(at) {
        Some(slot) => *slot = planted.clone(),
        None => body[&at[1..]] = planted.clone(),
    }
    agree::<T>(&body);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_reader_finds_no_fault_exactly_when_serde_reads_the_body(
        place in any::<prop::sample::Index>(), planted in any_json(),
    ) {
        with::<ace360::bulk::BulkUpload>(place, &planted);
        with::<ace360::bulk::MatchRequest>(place, &planted);
        with::<ace360::create::UploadRequest>(place, &planted);
        with::<ace360::link::LinkRequest>(place, &planted);
        with::<ace360::settings::SettingsRequest>(place, &planted);
        with::<intents::ResolveRequest>(place, &planted);
        with::<onefile::bulk::BulkEnrol>(place, &planted);
        with::<onefile::exchange::ExchangeRequest>(place, &planted);
        with::<onefile::create::EnrolRequest>(place, &planted);
        with::<onefile::learner_link::UserLinkRequest>(place, &planted);
        with::<onefile::link_proposals::SuggestRequest>(place, &planted);
        with::<onefile::links::LinkRequest>(place, &planted);
        with::<onefile::readiness::EnableRequest>(place, &planted);
        with::<onefile::settings_request::SettingsRequest>(place, &planted);
        with::<tokens::TokenRequest>(place, &planted);
        with::<webhooks::WebhookRequest>(place, &planted);
    }
}
