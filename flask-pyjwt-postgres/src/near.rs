//! Questions of the near cache: about several tokens of one subject in one statement.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use flask_pyjwt_core::{
    __private::near_cache::{Answer, Asked, AuthToken, Cache, Questions, Source, Subscription},
    store::{Moment, StoreError},
};

use sqlx::{PgPool, postgres::PgConnectOptions};

use crate::{
    announced::Follower,
    announcements::identity,
    connections::Connections,
    database::Database,
    follower::Following,
    literal::{Id, Key},
    names::Names,
    rows::{column, record, unexpected},
    worker::Worker,
};

/// Settings of a near cache.
pub(crate) struct NearSettings {
    pub(crate) cache: Arc<Cache>,
    pub(crate) source: PgPool,
    pub(crate) direct: Option<PgConnectOptions>,
    pub(crate) connect_timeout: Duration,
}

/// The near cache of a store.
pub(crate) struct Near {
    pub(crate) questions: Arc<Questions<Tables>>,
    pub(crate) follower: Arc<Follower>,
}

impl Near {
    /// Starts to listen, on the thread of the store.
    pub(crate) fn start(
        settings: NearSettings,
        worker: &Worker,
        names: &Arc<Names>,
        timeout: Duration,
    ) -> Self {
        let follower = Follower::new();
        let following = Following {
            follower: Arc::clone(&follower),
            cache: Arc::clone(&settings.cache),
            source: settings.source,
            direct: settings.direct,
            connections: Arc::clone(worker.connections()),
            names: Arc::clone(names),
            connect_timeout: settings.connect_timeout,
        };
        worker.spawn(following.follow());
        let tables = Tables {
            connections: Arc::clone(worker.connections()),
            names: Arc::clone(names),
            timeout,
            follower: Arc::clone(&follower),
        };
        let (runtime, places) = (worker.runtime().clone(), Arc::clone(worker.places()));
        let questions = Questions::new(settings.cache, tables, runtime, places);
        Self {
            questions,
            follower,
        }
    }
}

/// Asks the tables, and knows whether somebody listens to their changes.
pub(crate) struct Tables {
    pub(crate) connections: Arc<Connections>,
    pub(crate) names: Arc<Names>,
    pub(crate) timeout: Duration,
    pub(crate) follower: Arc<Follower>,
}

impl Source for Tables {
    /// The identity of the server that announces the changes.
    type Line = Arc<str>;

    fn line(&self, _: &[u8]) -> Option<(Arc<Subscription>, Self::Line)> {
        self.follower.line()
    }

    async fn ask(
        &self,
        line: Option<Self::Line>,
        key: &[u8],
        tokens: &[AuthToken],
    ) -> Result<Asked, StoreError> {
        let key = Key::from_bytes(key).ok_or_else(unexpected)?;
        let (connections, names) = (Arc::clone(&self.connections), Arc::clone(&self.names));
        let database = Database::new(connections, names, self.timeout);
        let statement = question(&self.names, key, tokens);
        let answers = database.read(statement).await?;
        let rows = &answers.last().ok_or_else(unexpected)?.rows;
        if rows.len() != tokens.len() {
            return Err(unexpected());
        }
        let mut answered_by = None;
        let mut answers = Vec::with_capacity(tokens.len());
        for (row, token) in rows.iter().zip(tokens) {
            database.check_primary(column(row, 0)?)?;
            answered_by = Some(column::<&str>(row, 1)?);
            let revoked = column(row, 2)?;
            let issued_until = column::<Option<i64>>(row, 3)?;
            let session = match (&token.session, column::<Option<&str>>(row, 4)?) {
                (Some(id), Some(hex)) => record(key, Some(id), hex).map(Some),
                _ => Ok(None),
            };
            let issued_until = issued_until.map(Moment::from_milliseconds);
            let answer =
                |session: Option<_>| Answer::new(token, revoked, session.as_ref(), issued_until);
            answers.push(session.map(answer));
        }
        let may_be_kept = line.is_some() && line.as_deref() == answered_by;
        if !may_be_kept && line.is_some() {
            // The connections lead to another server now.
            self.follower.lose();
        }
        Ok(Asked {
            answers,
            may_be_kept,
        })
    }
}

fn question(names: &Names, key: Key, tokens: &[AuthToken]) -> String {
    let Names {
        sessions,
        tokens: revoked,
        subjects,
        ..
    } = names;
    let mut values = String::new();
    let id = |id: &Option<String>| match id {
        Some(id) => Id(id).to_string(),
        None => "NULL::bytea".to_owned(),
    };
    for (number, token) in tokens.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let (session, token) = (id(&token.session), id(&token.id));
        // Writing to a text does not fail.
        let _ = write!(values, "{comma}({number},{session},{token})");
    }
    format!(
        "SELECT pg_is_in_recovery(), {}, \
         EXISTS (SELECT FROM {revoked} AS r WHERE r.key = {key} AND r.id = t.token), \
         (SELECT issued_until FROM {subjects} WHERE key = {key}), encode(s.record, 'hex') \
         FROM (VALUES {values}) AS t (number, session, token) \
         LEFT JOIN {sessions} AS s ON s.key = {key} AND s.id = t.session ORDER BY t.number",
        identity(names),
    )
}
