//! The API document, collected from the routing table.

use actix_web::App;
use utoipa::openapi::OpenApi;
use utoipa_actix_web::AppExt as _;

use crate::api;

pub fn document() -> OpenApi {
    let frame = api::document::base();
    let (_, mut document) =
        App::new().into_utoipa_app().openapi(frame).configure(api::routes).split_for_parts();
    api::document::finish(&mut document);
    document
}
