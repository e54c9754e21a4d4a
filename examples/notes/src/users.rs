//! The current user, the notes of a user, and the list of users for admins: three guards with different rules.

use actix_web::{get, web};
use flask_pyjwt::{CurrentToken, CurrentUser, Protected, require_token};
use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;
use utoipa::{IntoParams, ToSchema};

use crate::{
    accounts::{self, Account},
    description::Problem,
    error::Error,
    notes::{self, Note},
};

pub(crate) fn routes(app: Protected) -> Protected {
    app.service((me, notes_of, list))
}

#[derive(Serialize, ToSchema)]
struct Me {
    username: String,
    account: String,
    admin: bool,
    /// In seconds since 1970.
    token_expires: i64,
}

/// The current user, from the database.
#[utoipa::path(tag = "users", responses((status = 200, body = Me, description = "The user of the token")))]
#[require_token]
#[get("/me")]
async fn me(account: CurrentUser<Account>, token: CurrentToken) -> web::Json<Me> {
    web::Json(Me {
        username: account.username.clone(),
        account: account.id.clone(),
        admin: account.admin,
        token_expires: token.exp().unix_timestamp(),
    })
}

/// The notes of a user, for that user and for admins. Others get a 403, whether or not the user exists.
#[utoipa::path(tag = "users", responses(
    (status = 200, body = Vec<Note>, description = "Newest first"),
    (status = 404, body = Problem, description = "There is no such user"),
))]
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

#[derive(Deserialize, IntoParams)]
struct Page {
    #[serde(default)]
    after: String,
}

/// Lists the users in the order of their names, a hundred at a time. `?after=` takes the last name of the previous page.
#[utoipa::path(operation_id = "list_users", tag = "users", responses((status = 200, body = Vec<Account>, description = "In the order of their names")))]
#[require_token(scope = {"admin": true})]
#[get("/admin/users")]
async fn list(
    database: web::Data<SqlitePool>,
    page: web::Query<Page>,
) -> actix_web::Result<web::Json<Vec<Account>>> {
    Ok(web::Json(accounts::list(&database, &page.after).await?))
}
