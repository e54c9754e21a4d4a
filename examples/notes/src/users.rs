//! The current user, the notes of a user, and the list of users for admins: three guards with different rules.

use actix_web::{get, web};
use flask_pyjwt::{CurrentToken, require_token};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::SqlitePool;

use crate::{
    accounts::{self, Account, Claims},
    error::Error,
    notes::{self, Note},
};

pub(crate) fn routes(app: &mut web::ServiceConfig) {
    app.service(me).service(notes_of).service(list);
}

/// The current user. The token has all of it, and `accounts::check` has compared it with the database.
#[require_token]
#[get("/me")]
async fn me(token: CurrentToken<Claims>) -> web::Json<Value> {
    web::Json(json!({
        "username": token.sub(),
        "account": token.typed().account,
        "admin": token.claim("admin").is_some(),
        "token_expires": token.exp().unix_timestamp(),
    }))
}

/// The notes of a user, for that user and for admins. Others get a 403, whether or not the user exists.
#[require_token(sub = "username", override = {"admin": true})]
#[get("/users/{username}/notes")]
async fn notes_of(
    database: web::Data<SqlitePool>,
    username: web::Path<String>,
) -> actix_web::Result<web::Json<Vec<Note>>> {
    let account = accounts::named(&database, &username).await?;
    let account = account.ok_or(Error::NotFound)?;
    Ok(web::Json(notes::of(&database, &account.id).await?))
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    after: String,
}

/// Lists the users in the order of their names, a hundred at a time. `?after=` takes the last name of the previous page.
#[require_token(scope = {"admin": true})]
#[get("/admin/users")]
async fn list(
    database: web::Data<SqlitePool>,
    page: web::Query<Page>,
) -> actix_web::Result<web::Json<Vec<Account>>> {
    Ok(web::Json(accounts::list(&database, &page.after).await?))
}
