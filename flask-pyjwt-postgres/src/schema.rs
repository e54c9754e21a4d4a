//! The tables, and the migration that makes them.

use flask_pyjwt_core::store::StoreError;

use crate::{
    announcements,
    database::Database,
    literal::lock_of,
    names::Names,
    problem::Problem,
    rows::{column, unexpected},
};

/// The version of the tables that this program makes and uses.
const VERSION: i64 = 1;

/// The SQL that makes the tables. It changes and locks nothing that is there, and can run in several
/// processes at once. It does not wait long for others: requests would wait behind it.
///
/// - `sweep_at` is at most `expires_at`. Only the sweep moves it, so a refresh changes no index.
/// - `revision` is the number of a session's changes.
/// - `record` is the session as JSON, in bytes: texts of PostgreSQL cannot contain NUL.
///
/// For a store with a near cache, it also makes the triggers that announce changes.
pub(crate) fn migration(names: &Names, has_near_cache: bool) -> String {
    let announcing = if has_near_cache {
        announcements::migration(names)
    } else {
        String::new()
    };
    let lock = lock_of("flask-pyjwt migration");
    let schema = match names.schema() {
        Some(schema) => format!(
            "DO $$ BEGIN IF to_regnamespace('{schema}') IS NULL THEN CREATE SCHEMA \"{schema}\"; END IF; END $$;\n"
        ),
        None => String::new(),
    };
    let Names {
        sessions,
        tokens,
        subjects,
        versions,
        ..
    } = names;
    let [by_sweep, by_token, by_subject] = [
        ("sessions_sweep_at", sessions, "sweep_at"),
        ("tokens_until", tokens, "until"),
        ("subjects_until", subjects, "until"),
    ]
    .map(|(name, table, column)| index(names, name, table, column));
    format!(
        "SELECT pg_advisory_xact_lock({lock});\n\
         SELECT set_config('lock_timeout', '5s', true);\n\
         {schema}\
         CREATE TABLE IF NOT EXISTS {versions} (\n    \
             version bigint PRIMARY KEY\n\
         );\n\
         CREATE TABLE IF NOT EXISTS {sessions} (\n    \
             key bytea NOT NULL,\n    \
             id bytea NOT NULL,\n    \
             expires_at bigint NOT NULL,\n    \
             sweep_at bigint NOT NULL,\n    \
             refreshed_at bigint NOT NULL,\n    \
             revision bigint NOT NULL,\n    \
             record bytea NOT NULL,\n    \
             PRIMARY KEY (key, id)\n\
         ) WITH (fillfactor = 80);\n\
         {by_sweep}\
         CREATE TABLE IF NOT EXISTS {tokens} (\n    \
             key bytea NOT NULL,\n    \
             id bytea NOT NULL,\n    \
             until bigint NOT NULL,\n    \
             PRIMARY KEY (key, id)\n\
         );\n\
         {by_token}\
         CREATE TABLE IF NOT EXISTS {subjects} (\n    \
             key bytea PRIMARY KEY,\n    \
             issued_until bigint NOT NULL,\n    \
             until bigint NOT NULL\n\
         );\n\
         {by_subject}\
         INSERT INTO {versions} (version) VALUES ({VERSION}) ON CONFLICT DO NOTHING;\n\
         {announcing}"
    )
}

/// `CREATE INDEX IF NOT EXISTS` would wait for all changes of the table before it looks.
fn index(names: &Names, name: &str, table: &str, column: &str) -> String {
    let (plain, index) = (names.plain(name), names.index(name));
    format!(
        "DO $$ BEGIN\n    \
             IF NOT EXISTS (SELECT FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid\n        \
                 WHERE indrelid = '{table}'::regclass AND relname = '{plain}') THEN\n        \
                 CREATE INDEX {index} ON {table} ({column});\n    \
             END IF;\n\
         END $$;\n"
    )
}

impl Database {
    /// Makes the tables and the triggers, if they are not there.
    pub(crate) async fn migrate(&self, has_near_cache: bool) -> Result<(), StoreError> {
        let is_there =
            self.version().await? == Some(VERSION) && (!has_near_cache || self.announces().await?);
        if is_there {
            return Ok(());
        }
        let migration = migration(self.names(), has_near_cache);
        self.write(None, &migration).await.map(drop)
    }

    /// The version of the tables, if they are there.
    async fn version(&self) -> Result<Option<i64>, StoreError> {
        let versions = &self.names().versions;
        let question = format!("SELECT to_regclass('{versions}') IS NOT NULL");
        let answers = self.read(question).await?;
        let row = answers.first().and_then(|it| it.rows.first());
        if !column::<bool>(row.ok_or_else(unexpected)?, 0)? {
            return Ok(None);
        }
        let answers = self
            .read(format!("SELECT max(version) FROM {versions}"))
            .await?;
        let row = answers.first().and_then(|it| it.rows.first());
        let version = column::<Option<i64>>(row.ok_or_else(unexpected)?, 0)?;
        match version {
            Some(found) if found > VERSION => Err(Problem::Newer {
                found,
                known: VERSION,
            }
            .into()),
            version => Ok(version),
        }
    }
}
