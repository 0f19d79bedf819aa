//! The five operations of the ACE360 simulator.

use actix_web::dev::HttpServiceFactory;
use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};

use super::alterations::Totals;
use super::catalogue::Standard;
use super::gate::{Caller, gate};
use super::page::{Asked, Page};
use super::record::Row;
use super::{BASE, create};
use crate::sandbox::origin::Origin;
use crate::sandbox::world::Shared;

/// All routes under the base path.
pub fn routes() -> impl HttpServiceFactory {
    web::scope(BASE)
        .wrap(from_fn(gate))
        .service(
            web::resource("/apprentices")
                .route(web::get().to(list_apprentices))
                .route(web::post().to(create_apprentice)),
        )
        .service(web::resource("/apprentices/{id}").route(web::get().to(get_apprentice)))
        .service(web::resource("/standards").route(web::get().to(list_standards)))
        .service(web::resource("/standards/{id}").route(web::get().to(get_standard)))
        .default_service(web::to(async || not_found()))
}

/// A standard with its count, which differs for each organisation.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    #[serde(flatten)]
    standard: &'a Standard,
    number_of_attached_apprentices: u32,
}

async fn list_apprentices(
    shared: web::Data<Shared>,
    caller: web::ReqData<Caller>,
    asked: web::Query<Asked>,
) -> HttpResponse {
    let world = shared.world();
    let (hide_archived, alterations) = (world.settings.hide_archived, &world.settings.alterations);
    let count = world.books.count(&caller.0, hide_archived);
    // The newest are the youngest, so those that are too young to be shown are at the beginning.
    let newest =
        world.books.list(&caller.0, hide_archived, 0..if alterations.late_seconds == 0 { 0 } else { count });
    let hidden = newest.iter().take_while(|record| !alterations.shows(&record.apprentice.created_at)).count();
    let total = count - hidden;
    let page = asked.take(total, |places| {
        let places = if alterations.oldest_first { total - places.end..total - places.start } else { places };
        let mut records =
            world.books.list(&caller.0, hide_archived, places.start + hidden..places.end + hidden);
        if alterations.oldest_first {
            records.reverse();
        }
        records.into_iter().map(|record| Row::from(&record.apprentice)).collect()
    });
    listed(&page, alterations.totals)
}

/// Another organisation's record is "not found", like one that does not exist.
async fn get_apprentice(
    shared: web::Data<Shared>,
    caller: web::ReqData<Caller>,
    id: web::Path<String>,
) -> HttpResponse {
    let world = shared.world();
    let record = id.parse().ok().and_then(|id| world.books.get(id));
    match record.filter(|record| record.organisation == caller.0) {
        Some(record) => HttpResponse::Ok().json(&record.apprentice),
        None => not_found(),
    }
}

/// Accepts the same apprentice as often as it is sent, and takes a credit each time.
async fn create_apprentice(
    shared: web::Data<Shared>,
    caller: web::ReqData<Caller>,
    body: web::Bytes,
) -> HttpResponse {
    let Ok(Value::Object(body)) = serde_json::from_slice(&body) else {
        return HttpResponse::BadRequest().json(json!({ "message": "The body must be a JSON object." }));
    };
    let made = match create::read(&body, &shared.catalogue) {
        Ok(made) => made,
        Err(problem) => return HttpResponse::UnprocessableEntity().json(problem),
    };
    let (apprentice, write_only) = made;
    let mut world = shared.world();
    let made = (world.settings.alterations.keep(apprentice), write_only);
    let Ok(apprentice) = world.create(&caller.0, Origin::Api, made) else {
        let message = "There are no apprentice credits left on this account.";
        return HttpResponse::PaymentRequired().json(json!({ "message": message }));
    };
    HttpResponse::Created().json(apprentice)
}

async fn list_standards(
    shared: web::Data<Shared>,
    caller: web::ReqData<Caller>,
    asked: web::Query<Asked>,
) -> HttpResponse {
    let standards = shared.catalogue.all();
    let mut world = shared.world();
    let totals = world.settings.alterations.totals;
    let organisation = world.books.organisation(&caller.0);
    let page = asked.take(standards.len(), |places| {
        let standards = standards[places].iter();
        standards
            .map(|standard| Shown {
                standard,
                number_of_attached_apprentices: organisation.attached(standard.id),
            })
            .collect()
    });
    listed(&page, totals)
}

/// A page as it goes out.
fn listed<T: Serialize>(page: &Page<T>, totals: Totals) -> HttpResponse {
    let Ok(mut shown) = serde_json::to_value(page) else {
        return HttpResponse::InternalServerError().finish();
    };
    let said = match totals {
        Totals::Right => return HttpResponse::Ok().json(page),
        Totals::Missing => None,
        Totals::Null => Some(Value::Null),
        Totals::Zero => Some(json!(0)),
        Totals::Words => Some(json!("many")),
    };
    if let Value::Object(fields) = &mut shown {
        for name in ["total", "totalPages"] {
            fields.remove(name);
            if let Some(said) = &said {
                fields.insert(name.to_owned(), said.clone());
            }
        }
    }
    HttpResponse::Ok().json(shown)
}

async fn get_standard(
    shared: web::Data<Shared>,
    caller: web::ReqData<Caller>,
    id: web::Path<String>,
) -> HttpResponse {
    let Some(standard) = id.parse().ok().and_then(|id| shared.catalogue.find(id)) else { return not_found() };
    let number_of_attached_apprentices = shared.world().books.organisation(&caller.0).attached(standard.id);
    HttpResponse::Ok().json(Shown { standard, number_of_attached_apprentices })
}

fn not_found() -> HttpResponse {
    HttpResponse::NotFound().json(json!({ "message": "Not found." }))
}
