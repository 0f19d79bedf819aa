//! One PostgreSQL for the test binary, and one database for each test. The server ends with the
//! process, by its own watcher, and its folders are removed.

use std::str::FromStr as _;
use std::sync::LazyLock;

use picsbridge::embedded_postgres::{EmbeddedOptions, EmbeddedPostgres};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Mutex, mpsc};

use super::folder::{self, Folder};

/// The runtime for the app, and for everything that outlives a test. The test's own runtime is only
/// for its calls.
/// caller's, no more.
pub static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// Runs something on the app's runtime, so that its connections do not end with the test.
pub async fn on_runtime<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    RUNTIME.spawn(work).await.unwrap()
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    // A separate thread, because a test's thread is inside a runtime already.
    std::thread::spawn(|| RUNTIME.block_on(Server::start())).join().expect("PostgreSQL starts")
});

struct Server {
    postgres: EmbeddedPostgres,
    _folder: Folder,
    /// Holds the pipe whose end shows that the process has ended.
    _remover: std::process::Child,
}

impl Server {
    async fn start() -> Self {
        folder::remove_stale();
        let folder = Folder::new();
        let settings = [
            ("fsync", "off"),
            ("synchronous_commit", "off"),
            ("full_page_writes", "off"),
            ("autovacuum", "off"),
            ("max_connections", "400"),
            ("shared_buffers", "64MB"),
        ];
        let options = EmbeddedOptions {
            extra_settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            search: None,
        };
        let postgres = EmbeddedPostgres::start(folder.path(), options).await.unwrap();
        let remover = folder.remove_at_exit();
        // Migrated once. Each test's database is a copy of it.
        let options = PgConnectOptions::from_str(&postgres.url()).unwrap();
        let pool = PgPoolOptions::new().max_connections(3).connect_with(options).await.unwrap();
        picsbridge::store::migrate(&pool).await.unwrap();
        pool.close().await;
        Self { postgres, _folder: folder, _remover: remover }
    }

    /// A connection to another database, because the template must not have any when it is copied.
    async fn admin(&self) -> PgConnection {
        let options = PgConnectOptions::from_str(&self.postgres.url()).unwrap().database("postgres");
        PgConnection::connect_with(&options).await.unwrap()
    }
}

/// The test's own migrated database, dropped with this value.
#[derive(Debug)]
pub struct Database {
    name: String,
}

/// Databases that are ready to use. Copying the template is slow, so it happens in the background.
static READY: LazyLock<Mutex<mpsc::Receiver<String>>> = LazyLock::new(|| {
    let (ready, taken) = mpsc::channel(2);
    RUNTIME.spawn(async move {
        let mut number = 0;
        loop {
            let name = format!("test_{number}");
            number += 1;
            let mut admin = SERVER.admin().await;
            let sql = format!("create database {name} template picsbridge strategy file_copy");
            sqlx::query(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
            admin.close().await.unwrap();
            if ready.send(name).await.is_err() {
                return;
            }
        }
    });
    Mutex::new(taken)
});

impl Database {
    pub async fn new() -> Self {
        let name = READY.lock().await.recv().await.expect("PostgreSQL makes databases");
        Self { name }
    }

    pub fn options(&self) -> PgConnectOptions {
        PgConnectOptions::from_str(&SERVER.postgres.url()).unwrap().database(&self.name)
    }

    pub fn url(&self) -> String {
        let mut url = url::Url::parse(&SERVER.postgres.url()).unwrap();
        url.set_path(&self.name);
        url.into()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = self.name.clone();
        RUNTIME.spawn(async move {
            let mut admin = SERVER.admin().await;
            let sql = format!("drop database {name} with (force)");
            let _ = sqlx::query(AssertSqlSafe(sql)).execute(&mut admin).await;
        });
    }
}
