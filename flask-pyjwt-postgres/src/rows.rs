//! What is stored about one token, and how sessions are written.

use flask_pyjwt_core::store::{Moment, SessionRecord, StoreError};
use sqlx::{Row as _, postgres::PgRow};

use crate::{
    lease::Answer,
    literal::{Bytes, Id, Key, from_hex, moment},
    names::Names,
};

/// A session with the number of its last change.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) session: SessionRecord,
    pub(crate) revision: i64,
}

/// Everything that decides about one token, as of one moment.
#[derive(Debug)]
pub(crate) struct Found {
    /// The session of the token, if it exists.
    pub(crate) stored: Option<Stored>,
    /// Whether the token is revoked by its id.
    pub(crate) revoked: bool,
    /// The subject's tokens without a session are revoked if they were issued until this moment.
    pub(crate) issued_until: Option<Moment>,
    /// Whether the server is a replica.
    pub(crate) is_replica: bool,
}

/// The statement that finds it. It reads at most one row of each table.
pub(crate) fn find(names: &Names, key: Key, session: Option<&str>, id: Option<&str>) -> String {
    let Names {
        sessions,
        tokens,
        subjects,
        ..
    } = names;
    let revoked = match id {
        Some(id) => format!(
            "EXISTS (SELECT FROM {tokens} WHERE key = {key} AND id = {})",
            Id(id)
        ),
        None => "false".to_owned(),
    };
    match session {
        Some(session) => format!(
            "SELECT pg_is_in_recovery(), {revoked}, NULL::bigint, s.revision, encode(s.record, 'hex') \
             FROM (SELECT) AS one LEFT JOIN {sessions} AS s ON s.key = {key} AND s.id = {}",
            Id(session)
        ),
        None => format!(
            "SELECT pg_is_in_recovery(), {revoked}, (SELECT issued_until FROM {subjects} WHERE key = {key}), \
             NULL::bigint, NULL::text"
        ),
    }
}

/// Reads the answer to [`find`].
pub(crate) fn found(
    answers: &[Answer],
    key: Key,
    session: Option<&str>,
) -> Result<Found, StoreError> {
    let [answer] = answers else {
        return Err(unexpected());
    };
    let [row] = &answer.rows[..] else {
        return Err(unexpected());
    };
    let stored = match (session, column::<Option<i64>>(row, 3)?) {
        (Some(session), Some(revision)) => Some(Stored {
            session: record(key, Some(session), column(row, 4)?)?,
            revision,
        }),
        _ => None,
    };
    Ok(Found {
        stored,
        revoked: column(row, 1)?,
        issued_until: column::<Option<i64>>(row, 2)?.map(Moment::from_milliseconds),
        is_replica: column(row, 0)?,
    })
}

/// Decodes a session. It must belong to this subject and have this id: a row that was copied from
/// another subject is not one of this subject.
pub(crate) fn record(key: Key, id: Option<&str>, hex: &str) -> Result<SessionRecord, StoreError> {
    from_hex(hex)
        .and_then(|json| serde_json::from_slice::<SessionRecord>(&json).ok())
        .filter(|it| Key::of(&it.subject) == key && id.is_none_or(|id| it.id == id))
        .ok_or_else(|| StoreError::corrupt("a session in PostgreSQL"))
}

/// The values of a session's columns: `expires_at`, `refreshed_at` and `record`.
pub(crate) fn values(session: &SessionRecord) -> Result<[String; 3], StoreError> {
    let json = serde_json::to_vec(session).map_err(StoreError::unavailable)?;
    let refreshed_at = session
        .current()
        .map_or(session.opened_at, |it| it.issued_at);
    Ok([
        moment(session.expires_at).to_string(),
        moment(refreshed_at).to_string(),
        Bytes(&json).to_string(),
    ])
}

/// A column of a row.
pub(crate) fn column<'r, T>(row: &'r PgRow, number: usize) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    row.try_get(number).map_err(|_| unexpected())
}

/// An answer that PostgreSQL does not give: something else may have answered.
pub(crate) fn unexpected() -> StoreError {
    StoreError::unavailable("PostgreSQL gave an answer that PostgresStore does not expect")
}
