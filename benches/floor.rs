//! The floor: a minimal actix-web and sqlx program. A read is one query by primary key and a small
//! response. A write is one upsert of a row as large as the service's. The program has no
//! authentication, log or audit, and parses nothing. The bench starts itself as this program.

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};
use serde::Serialize;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};

/// The argument that makes the bench run as the floor. The database's address and the number of
/// workers follow it.
pub const HIDDEN: &str = "serve-the-floor";

/// Creates the floor's tables, with rows to read.
pub async fn prepare(connection: &mut PgConnection, rows: i32) {
    for sql in [
        "create schema floor",
        "create table floor.links (id text primary key, state text not null, record_id bigint not null, status_id int, status_text text)",
        "create table floor.records (id text primary key, body bytea not null)",
    ] {
        sqlx::query(sql).execute(&mut *connection).await.unwrap();
    }
    sqlx::query("insert into floor.links select 'L' || n, 'uploaded', n, 1, 'In Training' from generate_series(0, $1 - 1) n")
        .bind(rows)
        .execute(&mut *connection)
        .await
        .unwrap();
}

#[derive(Serialize, sqlx::FromRow)]
struct Link {
    id: String,
    state: String,
    record_id: i64,
    status_id: Option<i32>,
    status_text: Option<String>,
}

async fn read(pool: Data<PgPool>, id: web::Path<String>) -> HttpResponse {
    let link: Option<Link> =
        sqlx::query_as("select id, state, record_id, status_id, status_text from floor.links where id = $1")
            .bind(id.as_str())
            .fetch_optional(pool.get_ref())
            .await
            .unwrap();
    link.map_or_else(|| HttpResponse::NotFound().finish(), |link| HttpResponse::Ok().json(link))
}

async fn write(pool: Data<PgPool>, id: web::Path<String>, body: Bytes) -> HttpResponse {
    sqlx::query(
        "insert into floor.records (id, body) values ($1, $2) on conflict (id) do update set body = excluded.body",
    )
    .bind(id.as_str())
    .bind(&body[..])
    .execute(pool.get_ref())
    .await
    .unwrap();
    HttpResponse::Ok().json("kept")
}

/// Serves requests until the process is killed.
pub fn serve(arguments: &[String]) {
    let [database, workers] = arguments else { panic!("{HIDDEN} DATABASE WORKERS") };
    let (database, workers) = (database.clone(), workers.parse().unwrap());
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            let pool = PgPoolOptions::new()
                .max_connections(8)
                .test_before_acquire(false)
                .connect_lazy(&database)
                .unwrap();
            App::new()
                .app_data(Data::new(pool))
                .route("/learners/{id}/ace360", web::get().to(read))
                .route("/learners/{id}", web::put().to(write))
        })
        .workers(workers)
        .bind("127.0.0.1:0")
        .unwrap();
        println!("ready at http://{}", server.addrs()[0]);
        server.run().await.unwrap();
    });
}
