//! The steps of the store. Each reads in one statement, and changes in one message, which is one
//! transaction.

use std::fmt::Write as _;

use flask_pyjwt_core::{
    __private::store::{Known, MARGIN, MAX_TOKENS, MOST_SESSIONS},
    store::{
        Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, Standing, StoreError,
        TokenIdentity,
    },
};

use crate::{
    database::Database,
    lease::Answer,
    literal::{Id, Key, from_hex, moment},
    names::Names,
    problem::Problem,
    rows::{self, Found, Stored, column, unexpected},
};

/// How often a change is tried again when others change the same session at the same time. Each
/// time, one of the others has succeeded.
const MOST_TRIES: usize = 100;

/// The columns that tell the id of a deleted session `s`: the record says what only its hash is
/// stored of.
const ENDED: &str = "encode(s.id, 'hex'), \
     CASE WHEN substr(s.id, 1, 1) = decode('ff', 'hex') THEN encode(s.record, 'hex') END";

impl Database {
    pub(crate) async fn standing(
        &self,
        token: &TokenIdentity,
        now: Moment,
    ) -> Result<Standing, StoreError> {
        let found = self.find_token(token).await?;
        Ok(standing(&found, token, now))
    }

    pub(crate) async fn mark_used(
        &self,
        token: &TokenIdentity,
        now: Moment,
    ) -> Result<Standing, StoreError> {
        for _ in 0..MOST_TRIES {
            let found = self.find_token(token).await?;
            let standing = standing(&found, token, now);
            let (Standing::Unused, Some(mut stored)) = (standing, found.stored) else {
                return Ok(standing);
            };
            if let Some(current) = stored.session.generations.last_mut() {
                current.repeatable_until = None;
            }
            if self.save(&stored, None).await? {
                return Ok(Standing::Good);
            }
        }
        Err(Problem::Contended(MOST_TRIES).into())
    }

    pub(crate) async fn rotate(&self, rotation: &Rotation) -> Result<Rotated, StoreError> {
        let Rotation {
            subject,
            session,
            refresh_id,
            ..
        } = rotation;
        for _ in 0..MOST_TRIES {
            let found = self.find(subject, Some(session), Some(refresh_id)).await?;
            let (false, Some(mut stored)) = (found.revoked, found.stored) else {
                return Ok(Rotated::Gone);
            };
            let rotated = stored.session.rotate(rotation);
            let is_saved = match &rotated {
                Rotated::Won(session) | Rotated::LostAnswer(session, _) => {
                    stored.session = session.clone();
                    self.save(&stored, Some(refresh_id)).await?
                }
                Rotated::Replayed => self.remove(&stored).await?,
                _ => true,
            };
            if is_saved {
                return Ok(rotated);
            }
        }
        Err(Problem::Contended(MOST_TRIES).into())
    }

    async fn find_token(&self, token: &TokenIdentity) -> Result<Found, StoreError> {
        let (session, id) = (token.session.as_deref(), token.id.as_deref());
        self.find(&token.subject, session, id).await
    }

    async fn find(
        &self,
        subject: &str,
        session: Option<&str>,
        id: Option<&str>,
    ) -> Result<Found, StoreError> {
        let key = Key::of(subject);
        let statement = rows::find(self.names(), key, session, id);
        let found = rows::found(&self.read(statement).await?, key, session)?;
        self.check_primary(found.is_replica)?;
        Ok(found)
    }

    /// Saves a changed session, unless it was changed or deleted meanwhile, or the token was revoked
    /// by its id.
    async fn save(&self, stored: &Stored, token: Option<&str>) -> Result<bool, StoreError> {
        let names = self.names();
        let key = Key::of(&stored.session.subject);
        let [expires_at, refreshed_at, record] = rows::values(&stored.session)?;
        let mut statement = format!(
            "UPDATE {} SET revision = revision + 1, expires_at = {expires_at}, refreshed_at = {refreshed_at}, \
             record = {record} WHERE key = {key} AND id = {} AND revision = {}",
            names.sessions,
            Id(&stored.session.id),
            stored.revision,
        );
        if let Some(token) = token {
            let token = Id(token);
            let _ = write!(
                statement,
                " AND NOT EXISTS (SELECT FROM {} WHERE key = {key} AND id = {token})",
                names.tokens
            );
        }
        Ok(last(&self.write(None, &statement).await?)?.count > 0)
    }

    async fn remove(&self, stored: &Stored) -> Result<bool, StoreError> {
        let statement = format!(
            "DELETE FROM {} WHERE key = {} AND id = {} AND revision = {}",
            self.names().sessions,
            Key::of(&stored.session.subject),
            Id(&stored.session.id),
            stored.revision,
        );
        Ok(last(&self.write(None, &statement).await?)?.count > 0)
    }

    pub(crate) async fn open(
        &self,
        opening: &Opening,
        now: Moment,
    ) -> Result<Vec<String>, StoreError> {
        let sessions = &self.names().sessions;
        let session = &opening.session;
        let key = Key::of(&session.subject);
        let id = Id(&session.id);
        let most = opening.most.clamp(1, MOST_SESSIONS);
        let now = moment(now);
        let mut statements = String::new();
        let replaced: Vec<_> = opening
            .replaces
            .iter()
            .filter(|id| **id != session.id)
            .map(|id| Id(id).to_string())
            .collect();
        if !replaced.is_empty() {
            let _ = write!(
                statements,
                "DELETE FROM {sessions} AS s WHERE key = {key} AND id IN ({}) \
                 RETURNING expires_at > {now}, {ENDED};",
                replaced.join(",")
            );
        }
        statements += &self.insert(
            session,
            "DO UPDATE SET revision = s.revision + 1, \
            expires_at = excluded.expires_at, refreshed_at = excluded.refreshed_at, \
            sweep_at = least(s.sweep_at, excluded.sweep_at), record = excluded.record",
        )?;
        // If there are too many, none of them may be refreshed before the oldest ones are evicted.
        // The order is that of `Candidate` in the other stores.
        let count = format!("(SELECT count(*) FROM {sessions} WHERE key = {key})");
        let _ = write!(
            statements,
            ";SELECT FROM {sessions} WHERE key = {key} AND {count} > {most} ORDER BY id FOR UPDATE;\
             WITH first AS (SELECT id, expires_at > {now} AS is_live FROM {sessions} WHERE key = {key} AND id <> {id} \
             ORDER BY is_live, refreshed_at, id LIMIT greatest(0, {count} - {most})) \
             DELETE FROM {sessions} AS s USING first WHERE s.key = {key} AND s.id = first.id \
             RETURNING first.is_live, {ENDED}",
        );
        let answers = self.write(Some(key), &statements).await?;
        let mut ended = live_ids(last(&answers)?)?;
        if !replaced.is_empty() {
            // Three statements follow the one that has deleted them.
            let deleted = answers.iter().rev().nth(3).ok_or_else(unexpected)?;
            ended.extend(live_ids(deleted)?);
        }
        Ok(ended)
    }

    /// The statement that saves a new session. `conflict` says what happens if its id is in use.
    fn insert(&self, session: &SessionRecord, conflict: &str) -> Result<String, StoreError> {
        let [expires_at, refreshed_at, record] = rows::values(session)?;
        Ok(format!(
            "INSERT INTO {} AS s (key, id, expires_at, sweep_at, refreshed_at, revision, record) \
             VALUES ({}, {}, {expires_at}, {expires_at}, {refreshed_at}, 0, {record}) \
             ON CONFLICT (key, id) {conflict}",
            self.names().sessions,
            Key::of(&session.subject),
            Id(&session.id),
        ))
    }

    pub(crate) async fn revoke(
        &self,
        revocation: &Revocation,
        now: Moment,
    ) -> Result<Vec<String>, StoreError> {
        let names = self.names();
        let key = Key::of(revocation.subject());
        let ended = format!("RETURNING expires_at > {}, {ENDED}", moment(now));
        match revocation {
            Revocation::Token { id, until, .. } => {
                let tokens = &names.tokens;
                let token = Id(id);
                let is_known =
                    format!("EXISTS (SELECT FROM {tokens} WHERE key = {key} AND id = {token})");
                let is_full =
                    format!("(SELECT count(*) FROM {tokens} WHERE key = {key}) >= {MAX_TOKENS}");
                let statements = format!(
                    "DELETE FROM {tokens} WHERE key = {key} AND until <= {} AND {is_full} AND NOT {is_known};\
                     INSERT INTO {tokens} AS t (key, id, until) SELECT {key}, {token}, {} \
                     WHERE {is_known} OR NOT {is_full} \
                     ON CONFLICT (key, id) DO UPDATE SET until = greatest(t.until, excluded.until) \
                     RETURNING xmax = 0", // no earlier row
                    moment(now - MARGIN),
                    moment(*until),
                );
                let answers = self.write(Some(key), &statements).await?;
                let Some(row) = last(&answers)?.rows.first() else {
                    return Err(StoreError::TooManyTokens { limit: MAX_TOKENS });
                };
                let is_new: bool = column(row, 0)?;
                Ok(is_new.then(|| id.clone()).into_iter().collect())
            }
            Revocation::Session { session, .. } => {
                let statement = format!(
                    "DELETE FROM {} AS s WHERE key = {key} AND id = {} {ended}",
                    names.sessions,
                    Id(session)
                );
                live_ids(last(&self.write(None, &statement).await?)?)
            }
            Revocation::Subject {
                issued_until,
                until,
                ..
            } => {
                let statements = format!(
                    "INSERT INTO {} AS s (key, issued_until, until) VALUES ({key}, {}, {}) \
                     ON CONFLICT (key) DO UPDATE SET issued_until = greatest(s.issued_until, excluded.issued_until), \
                     until = greatest(s.until, excluded.until);\
                     DELETE FROM {} AS s WHERE key = {key} {ended}",
                    names.subjects,
                    moment(*issued_until),
                    moment(*until),
                    names.sessions,
                );
                live_ids(last(&self.write(Some(key), &statements).await?)?)
            }
            _ => Err(StoreError::unavailable(
                "PostgresStore does not know this kind of revocation",
            )),
        }
    }

    /// Saves sessions that another store had, and notes it as the revocation of the token with the
    /// empty id, which no token has.
    pub(crate) async fn adopt(
        &self,
        subject: &str,
        adopted: &[SessionRecord],
        now: Moment,
    ) -> Result<bool, StoreError> {
        let Names {
            sessions, tokens, ..
        } = self.names();
        let key = Key::of(subject);
        let ends = adopted.iter().map(|it| it.ends_at.max(it.expires_at));
        let until = ends.fold(now, Moment::max);
        let row = |session: &SessionRecord| {
            let [expires_at, refreshed_at, record] = rows::values(session)?;
            let id = Id(&session.id);
            Ok(format!(
                "({key}, {id}, {expires_at}, {expires_at}, {refreshed_at}, {record})"
            ))
        };
        let rows: Vec<_> = adopted.iter().map(row).collect::<Result<_, StoreError>>()?;
        let mut saved = String::new();
        if !rows.is_empty() {
            saved = format!(
                ", saved AS (INSERT INTO {sessions} (key, id, expires_at, sweep_at, refreshed_at, revision, record) \
                 SELECT it.key, it.id, it.expires_at, it.sweep_at, it.refreshed_at, 0, it.record \
                 FROM (VALUES {}) AS it (key, id, expires_at, sweep_at, refreshed_at, record), noted \
                 ON CONFLICT (key, id) DO NOTHING)",
                rows.join(",")
            );
        }
        let statement = format!(
            "WITH noted AS (INSERT INTO {tokens} (key, id, until) VALUES ({key}, {}, {}) \
             ON CONFLICT (key, id) DO NOTHING RETURNING true){saved} SELECT count(*) > 0 FROM noted",
            Id(""),
            moment(until),
        );
        let answers = self.write(Some(key), &statement).await?;
        let row = last(&answers)?.rows.first().ok_or_else(unexpected)?;
        column(row, 0)
    }

    /// The messages that were used are kept beside the revoked tokens, as those of the empty subject, which no token has.
    /// The sweep removes them.
    pub(crate) async fn first_use(&self, id: &str, ends_at: Moment) -> Result<bool, StoreError> {
        // Without a lock: of two inserts of one row, the second one waits and changes nothing.
        let statement = format!(
            "WITH noted AS (INSERT INTO {} (key, id, until) VALUES ({}, {}, {}) \
             ON CONFLICT (key, id) DO NOTHING RETURNING true) SELECT count(*) > 0 FROM noted",
            self.names().tokens,
            Key::of(""),
            Id(id),
            moment(ends_at),
        );
        let answers = self.write(None, &statement).await?;
        let row = last(&answers)?.rows.first().ok_or_else(unexpected)?;
        column(row, 0)
    }

    pub(crate) async fn sessions(
        &self,
        subject: &str,
        most: usize,
        now: Moment,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let key = Key::of(subject);
        let most = most.min(MOST_SESSIONS);
        let statement = format!(
            "SELECT pg_is_in_recovery(), encode(s.record, 'hex') FROM (SELECT) AS one LEFT JOIN \
             (SELECT record FROM {} WHERE key = {} AND expires_at > {} LIMIT {most}) AS s ON true",
            self.names().sessions,
            key,
            moment(now),
        );
        let answers = self.read(statement).await?;
        let mut sessions = Vec::new();
        for row in &last(&answers)?.rows {
            self.check_primary(column(row, 0)?)?;
            if let Some(hex) = column(row, 1)? {
                sessions.push(rows::record(key, None, hex)?);
            }
        }
        sessions.retain(|session| session.is_live(now));
        Ok(sessions)
    }
}

fn standing(found: &Found, token: &TokenIdentity, now: Moment) -> Standing {
    let session = found.stored.as_ref().map(|it| &it.session);
    let known = Known {
        revoked: found.revoked,
        in_session: session.map(|session| session.standing(token, now)),
        issued_until: found.issued_until,
    };
    known.standing(token)
}

/// The ids that a statement has returned, without those of sessions that had ended before.
fn live_ids(answer: &Answer) -> Result<Vec<String>, StoreError> {
    let mut ids = Vec::new();
    for row in &answer.rows {
        if column(row, 0)? {
            let id = match column::<Option<&str>>(row, 2)? {
                Some(record) => from_hex(record)
                    .and_then(|json| serde_json::from_slice::<SessionRecord>(&json).ok())
                    .map(|session| session.id),
                None => from_hex(column(row, 1)?).and_then(|id| String::from_utf8(id).ok()),
            };
            // A row that is not what the store has written was never good.
            ids.extend(id);
        }
    }
    Ok(ids)
}

/// The result of the last statement.
fn last(answers: &[Answer]) -> Result<&Answer, StoreError> {
    answers.last().ok_or_else(unexpected)
}
