//! The notes of the current user. Every query names the account, so that other users' notes do not exist here.

use actix_web::{HttpResponse, delete, get, http::header, post, web};
use flask_pyjwt::{CurrentUser, Protected, require_token};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, Row as _, SqlitePool, sqlite::SqliteRow};
use utoipa::ToSchema;

use crate::{accounts::Account, description::Problem, error::Error};

/// The maximum length of a note, in characters.
const MAX_TEXT: usize = 2_000;

/// How many notes an account can have.
pub(crate) const MAX_NOTES: i64 = 500;

pub(crate) fn routes(app: Protected) -> Protected {
    app.service((list, add, show, remove))
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Note {
    id: i64,
    text: String,
    /// In seconds since 1970.
    created: i64,
}

impl FromRow<'_, SqliteRow> for Note {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            text: row.try_get("text")?,
            created: row.try_get("created")?,
        })
    }
}

/// The body of `POST /notes`: `text`, or what many clients of such an API send in its place. The first form that
/// fits is taken.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum NewNote {
    Text {
        /// 1 to 2,000 characters, without white space around them.
        #[schema(max_length = 2000, pattern = "\\S")]
        text: String,
    },
    Content {
        title: Option<String>,
        #[schema(pattern = "\\S")]
        content: String,
    },
    Body {
        title: Option<String>,
        #[schema(pattern = "\\S")]
        body: String,
    },
}

impl NewNote {
    /// The text of the note, which begins with the title if there is one.
    fn into_text(self) -> String {
        let (title, text) = match self {
            Self::Text { text } => (None, text),
            Self::Content { title, content } => (title, content),
            Self::Body { title, body } => (title, body),
        };
        let text = [title.unwrap_or_default(), text].join("\n");
        text.trim().to_owned()
    }
}

/// Lists the notes of the current user, newest first.
#[utoipa::path(operation_id = "list_notes", tag = "notes", responses((status = 200, body = Vec<Note>, description = "Newest first")))]
#[require_token]
#[get("/notes")]
async fn list(
    account: CurrentUser<Account>,
    database: web::Data<SqlitePool>,
) -> actix_web::Result<web::Json<Vec<Note>>> {
    Ok(web::Json(of(&database, &account.id).await?))
}

/// The notes of an account, newest first.
pub(crate) async fn of(database: &SqlitePool, account: &str) -> Result<Vec<Note>, Error> {
    let notes =
        sqlx::query_as("SELECT id, text, created FROM notes WHERE account = ? ORDER BY id DESC")
            .bind(account)
            .fetch_all(database)
            .await?;
    Ok(notes)
}

/// Saves a note. A request with cookies needs the CSRF proof, as with every method but `GET`.
#[utoipa::path(tag = "notes", responses(
    (status = 201, body = Note, description = "Saved", headers(("Location" = String))),
    (status = 400, body = Problem, description = "The body or the credentials break a rule"),
    (status = 409, body = Problem, description = "There are too many notes"),
    (status = 413, body = Problem, description = "The body is too long"),
))]
#[require_token]
#[post("/notes")]
async fn add(
    account: CurrentUser<Account>,
    database: web::Data<SqlitePool>,
    note: web::Json<NewNote>,
) -> actix_web::Result<HttpResponse> {
    let text = note.into_inner().into_text();
    if text.is_empty() || text.chars().count() > MAX_TEXT {
        return Err(Error::Invalid("A note has 1 to 2,000 characters").into());
    }
    // One statement counts and inserts, so that parallel requests cannot exceed the limit.
    let kept = sqlx::query_as::<_, Note>(
        "INSERT INTO notes (account, text) \
         SELECT id, ?2 FROM accounts \
         WHERE id = ?1 AND (SELECT COUNT(*) FROM notes WHERE account = ?1) < ?3 \
         RETURNING id, text, created",
    )
    .bind(&account.id)
    .bind(text)
    .bind(MAX_NOTES)
    .fetch_optional(&**database)
    .await
    .map_err(Error::from)?;
    let note = kept.ok_or(Error::TooManyNotes)?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/notes/{}", note.id)))
        .json(note))
}

/// Shows one note. Another user's note is a 404: a 403 would tell that it exists.
#[utoipa::path(tag = "notes", responses(
    (status = 200, body = Note, description = "The note"),
    (status = 404, body = Problem, description = "There is no such note"),
))]
#[require_token]
#[get("/notes/{id}")]
async fn show(
    account: CurrentUser<Account>,
    database: web::Data<SqlitePool>,
    id: web::Path<i64>,
) -> actix_web::Result<web::Json<Note>> {
    let note = sqlx::query_as("SELECT id, text, created FROM notes WHERE id = ? AND account = ?")
        .bind(*id)
        .bind(&account.id)
        .fetch_optional(&**database)
        .await
        .map_err(Error::from)?;
    Ok(web::Json(note.ok_or(Error::NotFound)?))
}

/// Deletes a note. Another user's note is a 404 here, too.
#[utoipa::path(tag = "notes", responses(
    (status = 204, description = "Deleted"),
    (status = 404, body = Problem, description = "There is no such note"),
))]
#[require_token]
#[delete("/notes/{id}")]
async fn remove(
    account: CurrentUser<Account>,
    database: web::Data<SqlitePool>,
    id: web::Path<i64>,
) -> actix_web::Result<HttpResponse> {
    let deleted = sqlx::query("DELETE FROM notes WHERE id = ? AND account = ?")
        .bind(*id)
        .bind(&account.id)
        .execute(&**database)
        .await
        .map_err(Error::from)?;
    if deleted.rows_affected() == 0 {
        return Err(Error::NotFound.into());
    }
    Ok(HttpResponse::NoContent().finish())
}
