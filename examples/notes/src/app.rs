//! Builds the application: the parts that all workers share, the routes and the middleware.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use actix_web::{
    App, Error as ActixError, HttpResponse,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    error::JsonPayloadError,
    http::header::{self, HeaderName},
    middleware::DefaultHeaders,
    route, web,
};
use flask_pyjwt::{
    AuthManager, AuthType, Config, ConfigError, FileStore, Protected, SilentRenewal, TokenLocation,
    protected, public,
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use sqlx::SqlitePool;
use utoipa::ToSchema;

use crate::{
    accounts, database, description, error, metrics, notes, page, passwords::Passwords, secret,
    sessions, users,
};

/// The maximum length of a request body, in bytes.
const MAX_BODY: usize = 32 * 1024;

/// The parts that all workers share. Clones are cheap.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) auth: AuthManager,
    pub(crate) database: SqlitePool,
    pub(crate) recorder: PrometheusHandle,
    passwords: Passwords,
}

impl State {
    /// Opens the database at this path, and the files beside it: `….sessions` and, if needed, `….secret`.
    pub(crate) async fn open(path: &Path) -> Result<Self, Box<dyn Error>> {
        Self::open_with(path, Config::from_env()?).await
    }

    /// Opens the database with this configuration, and adds what the application needs. Tests call it directly.
    pub(crate) async fn open_with(path: &Path, config: Config) -> Result<Self, Box<dyn Error>> {
        create_folder(path)
            .map_err(|error| format!("cannot create the folder of {}: {error}", path.display()))?;
        // This comes first: only one process can have the store open, and a second one stops here.
        let sessions = beside(path, ".sessions");
        // `Debug` of an error of flask-pyjwt is its sentence with the causes.
        let store = FileStore::open(&sessions)
            .map_err(|error| format!("cannot open {}: {error:?}", sessions.display()))?;
        let database = database::open(path)
            .await
            .map_err(|error| format!("cannot open {}: {error}", path.display()))?;
        let recorder = metrics::install();
        let (pool, users) = (database.clone(), database.clone());
        let config = config
            .issuer("notes")
            .auth_type(AuthType::HS256)
            .session_store(store)
            // Programs send their token in the `Authorization` field, browsers in a cookie.
            .locations([TokenLocation::Header, TokenLocation::DefaultCookie])
            .token_check(move |token| {
                let pool = pool.clone();
                async move { accounts::check(&pool, &token).await }
            })
            .user_loader(move |token| {
                let pool = users.clone();
                async move { accounts::of(&pool, &token).await }
            });
        let auth = match AuthManager::new(config.clone()) {
            Err(ConfigError::Missing { key: "JWT_SECRET" }) => {
                let secret = secret::read_or_create(&beside(path, ".secret"))?;
                AuthManager::new(config.secret(secret))?
            }
            result => result?,
        };
        Ok(Self {
            auth,
            database,
            recorder,
            passwords: Passwords::new()?,
        })
    }
}

/// Appends to the name of the file: `notes.db` becomes `notes.db.secret`.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Creates the folder of the file, and its parents. Only this user can open the new ones.
fn create_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match path.parent() {
        Some(folder) if folder != Path::new("") => builder.create(folder),
        _ => Ok(()),
    }
}

/// The application of one worker. The tests use it as well.
pub(crate) fn create(
    state: &State,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = ActixError,
        InitError = (),
    > + use<>,
> {
    App::new()
        .app_data(state.auth.clone())
        .app_data(web::Data::new(state.database.clone()))
        .app_data(web::Data::new(state.passwords.clone()))
        .app_data(json_bodies())
        // For other bodies, such as a form with a CSRF proof.
        .app_data(web::PayloadConfig::new(MAX_BODY))
        .app_data(web::PathConfig::default().error_handler(|_, _| error::Error::NotFound.into()))
        .app_data(web::QueryConfig::default().error_handler(|_, _| {
            error::Error::Invalid("The query string does not fit this route").into()
        }))
        .app_data(web::Data::new(state.recorder.clone()))
        .service(routes(state))
        .default_service(web::to(not_found))
        .wrap(SilentRenewal::new())
        .wrap(security_headers())
}

/// All routes. Each says who may enter, or the application does not start.
fn routes(state: &State) -> Protected {
    protected("")
        .configure(page::routes)
        .configure(sessions::routes)
        .configure(notes::routes)
        .configure(users::routes)
        .configure(metrics::routes)
        .configure(|app| description::routes(app, &state.auth))
        .service(health)
}

/// For monitoring: answers 200 when the database works. Some monitors send `HEAD`.
#[utoipa::path(get, path = "/health", tag = "monitoring", responses((status = 200, body = Health, description = "The database works")))]
#[public]
#[route("/health", method = "GET", method = "HEAD")]
async fn health(database: web::Data<SqlitePool>) -> actix_web::Result<HttpResponse> {
    sqlx::query("SELECT 1")
        .execute(&**database)
        .await
        .map_err(error::Error::from)?;
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}

#[derive(Serialize, ToSchema)]
struct Health {
    status: &'static str,
}

async fn not_found() -> Result<HttpResponse, error::Error> {
    Err(error::Error::NotFound)
}

fn json_bodies() -> web::JsonConfig {
    web::JsonConfig::default()
        .limit(MAX_BODY)
        .error_handler(|error, _| match error {
            JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => {
                error::Error::TooLarge.into()
            }
            _ => error::Error::Invalid(
                "The body has to be the JSON of this route, sent as application/json",
            )
            .into(),
        })
}

/// Headers for every answer. Browsers run only scripts from this site and none in the page's text, show the page in no
/// frame, guess no content types, and store nothing. The referrer policy is `same-origin`: with `no-referrer`,
/// browsers send the page's forms with `Origin: null`.
fn security_headers() -> DefaultHeaders {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
        connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; \
        frame-ancestors 'none'";
    DefaultHeaders::new()
        .add((header::CONTENT_SECURITY_POLICY, POLICY))
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::REFERRER_POLICY, "same-origin"))
        .add((header::CACHE_CONTROL, "no-store"))
        .add((
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ))
}
