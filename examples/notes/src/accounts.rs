//! The accounts in the database, and the check whether the account of a token still exists.

use flask_pyjwt::{Token, TokenCheckError, TokenType};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{FromRow, Row as _, SqlitePool, sqlite::SqliteRow};
use utoipa::ToSchema;

use crate::error::Error;

/// How many accounts one answer lists at most.
pub(crate) const PAGE: i64 = 100;

/// An account, without the password hash.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Account {
    #[serde(skip)]
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) admin: bool,
    /// In seconds since 1970.
    pub(crate) created: i64,
}

impl FromRow<'_, SqliteRow> for Account {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            username: row.try_get("username")?,
            admin: row.try_get("is_admin")?,
            created: row.try_get("created")?,
        })
    }
}

/// The body of `/register` and `/login`.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Credentials {
    #[schema(min_length = 3, max_length = 64, pattern = "^[A-Za-z0-9_.@-]+$")]
    pub(crate) username: String,
    #[schema(min_length = 8, max_length = 128)]
    pub(crate) password: String,
}

impl Credentials {
    /// Checks the rules for new accounts. `/login` does not: there, a password that breaks a rule is a wrong one.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.@".contains(&byte);
        if !(3..=64).contains(&self.username.len()) || !self.username.bytes().all(is_name) {
            return Err(Error::Invalid(
                "A username has 3 to 64 characters: letters from A to Z, digits and _ - . @",
            ));
        }
        if !(8..=128).contains(&self.password.chars().count()) {
            return Err(Error::Invalid("A password has 8 to 128 characters"));
        }
        Ok(())
    }
}

/// Creates an account. The first one is the admin. The check for other accounts is part of the `INSERT`, and `SQLite`
/// runs one writing statement at a time: two registrations cannot both be the first.
pub(crate) async fn create(
    database: &SqlitePool,
    username: &str,
    password_hash: &str,
) -> Result<Account, Error> {
    let created = sqlx::query_as(
        "INSERT INTO accounts (username, password_hash, is_admin) \
         VALUES (?, ?, NOT EXISTS (SELECT 1 FROM accounts)) \
         ON CONFLICT (username) DO NOTHING \
         RETURNING id, username, is_admin, created",
    )
    .bind(username)
    .bind(password_hash)
    .fetch_optional(database)
    .await?;
    created.ok_or(Error::Taken)
}

/// The account with this name, in upper or lower case, and its password hash.
pub(crate) async fn with_hash(
    database: &SqlitePool,
    username: &str,
) -> Result<Option<(Account, String)>, Error> {
    let row = sqlx::query(
        "SELECT id, username, is_admin, created, password_hash FROM accounts WHERE username = ?",
    )
    .bind(username)
    .fetch_optional(database)
    .await?;
    row.map(|row| Ok((Account::from_row(&row)?, row.try_get("password_hash")?)))
        .transpose()
}

/// The account with this name, in upper or lower case.
pub(crate) async fn named(database: &SqlitePool, username: &str) -> Result<Option<Account>, Error> {
    let account =
        sqlx::query_as("SELECT id, username, is_admin, created FROM accounts WHERE username = ?")
            .bind(username)
            .fetch_optional(database)
            .await?;
    Ok(account)
}

/// Lists the accounts whose names come after `after`, in the order of the names.
pub(crate) async fn list(database: &SqlitePool, after: &str) -> Result<Vec<Account>, Error> {
    let accounts = sqlx::query_as(
        "SELECT id, username, is_admin, created FROM accounts \
         WHERE username > ? ORDER BY username LIMIT ?",
    )
    .bind(after)
    .bind(PAGE)
    .fetch_all(database)
    .await?;
    Ok(accounts)
}

/// The account of a token, for handlers that take `CurrentUser<Account>`. `Config::user_loader` calls it.
///
/// A new user who takes the name of a deleted account gets another id.
pub(crate) async fn of(
    database: &SqlitePool,
    token: &Token,
) -> Result<Option<Account>, sqlx::Error> {
    let id = token.claim("account").and_then(Value::as_str);
    sqlx::query_as(
        "SELECT id, username, is_admin, created FROM accounts WHERE id = ? AND username = ?",
    )
    .bind(id)
    .bind(token.sub())
    .fetch_optional(database)
    .await
}

/// Checks that the account of a token still exists, and is an admin if the token says so. Guards call it through
/// `Config::token_check`.
///
/// The session store is a file apart from the database, so that a session can outlive its account, or the whole
/// database. The check costs one query by primary key. Without it, such tokens are accepted until they expire.
pub(crate) async fn check(database: &SqlitePool, token: &Token) -> Result<(), TokenCheckError> {
    // Refresh tokens do not have these claims. `/refresh` checks the new auth token instead.
    if token.token_type() == TokenType::Refresh {
        return Ok(());
    }
    let is_admin = token.claim("admin") == Some(&Value::Bool(true));
    match of(database, token).await {
        Ok(Some(account)) if account.admin || !is_admin => Ok(()),
        Ok(_) => Err(TokenCheckError::Revoked),
        Err(cause) => {
            tracing::error!(%cause, "a database query failed");
            Err(TokenCheckError::Unavailable {
                retry_after: time::Duration::SECOND,
            })
        }
    }
}
