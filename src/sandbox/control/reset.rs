//! `POST /control/reset`: an empty sandbox, or one with many invented apprentices.

use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::default_token::default_token;
use super::problem::{Problem, Refusal, optional};
use crate::sandbox::ace360::books::Books;
use crate::sandbox::ace360::create;
use crate::sandbox::ace360::invented::People;
use crate::sandbox::ace360::record::Record;
use crate::sandbox::origin::Origin;
use crate::sandbox::world::Shared;

/// The most apprentices to seed at once: ten times the size that the sandbox is designed for.
const MOST: u32 = 1_000_000;

/// The content of the sandbox after the reset.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reset {
    /// The number of invented apprentices to create, in training and beyond. They cost no credits.
    #[serde(default)]
    seed_apprentices: u32,
    /// The token of the organisation that owns them.
    #[serde(default = "default_token")]
    for_token: String,
}

/// Delete all records, credits, counts, faults and settings
///
/// OneFile's customers are seeded again at their first call.
#[utoipa::path(
    tag = "state",
    request_body(content = Option<Reset>),
    responses((status = 204), (status = 400, body = Problem), (status = 422, body = Problem))
)]
#[post("/control/reset")]
pub async fn reset(shared: web::Data<Shared>, body: web::Bytes) -> Result<HttpResponse, Refusal> {
    let Reset { seed_apprentices: count, for_token: token } = optional(&body)?;
    if count > MOST {
        return Err(Refusal::invalid(&format!("seedApprentices goes up to {MOST}")));
    }
    // Not on the workers, because a hundred thousand take a while.
    let done = web::block(move || {
        shared.world().reset(&shared.options, |books| fill(books, &shared, count, &token));
    });
    done.await.map_err(|error| Refusal::broken(&error))?;
    Ok(HttpResponse::NoContent().finish())
}

impl Default for Reset {
    fn default() -> Self {
        Self { seed_apprentices: 0, for_token: default_token() }
    }
}

fn fill(books: &mut Books, shared: &Shared, count: u32, token: &str) {
    let tpo_id = books.organisation(token).account.tpo_id;
    let mut people = People::new(&shared.catalogue, shared.options.seed, books.next_id());
    for _ in 0..count {
        let Ok((mut apprentice, write_only)) = create::read(&people.body(), &shared.catalogue) else {
            continue;
        };
        apprentice.id = books.next_id();
        apprentice.tpo_id = tpo_id;
        // Not the current time, because a seeded sandbox is the same each time.
        apprentice.created_at = format!("{} 09:00:00", apprentice.estimated_start_date);
        books.put(Record { organisation: token.to_owned(), origin: Origin::Seed, apprentice, write_only });
    }
}
