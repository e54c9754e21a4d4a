//! What PostgreSQL announces to a near cache: the triggers, and what identifies a server.

use std::fmt::Write as _;

use flask_pyjwt_core::store::StoreError;

use crate::{
    database::Database,
    lease::Answer,
    literal::Key,
    names::Names,
    problem::Problem,
    rows::{column, unexpected},
};

/// How many triggers there are: two for each table.
const TRIGGERS: i64 = 6;

/// The channel on which the keys of changed subjects are announced.
pub(crate) fn channel(names: &Names) -> String {
    names.plain("changes")
}

/// The SQL that makes the triggers that are not there as they should be. Replacing one would wait for
/// every transaction that reads the table, and all checks would wait behind it. They announce every change, even those that are made by hand or
/// by a restore. The sweep changes nothing that is known about a subject, except that it ends what
/// has ended.
pub(crate) fn migration(names: &Names) -> String {
    let channel = channel(names);
    let function = names.function("announce");
    let mut statements = format!(
        "CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$\n\
         BEGIN\n    \
             IF TG_OP = 'TRUNCATE' THEN\n        \
                 PERFORM pg_notify('{channel}', '');\n        \
                 RETURN NULL;\n    \
             END IF;\n    \
             IF TG_OP <> 'INSERT' THEN\n        \
                 PERFORM pg_notify('{channel}', encode(OLD.key, 'hex'));\n    \
             END IF;\n    \
             IF TG_OP <> 'DELETE' THEN\n        \
                 PERFORM pg_notify('{channel}', encode(NEW.key, 'hex'));\n    \
             END IF;\n    \
             RETURN NULL;\n\
         END $$;\n"
    );
    for (table, columns) in [
        (&names.sessions, "key, id, expires_at, record"),
        (&names.tokens, "key, id"),
        (&names.subjects, "key, issued_until"),
    ] {
        let of_rows = format!("INSERT OR DELETE OR UPDATE OF {columns}");
        for (name, events, each) in [
            ("announce", &*of_rows, "ROW"),
            ("announce_all", "TRUNCATE", "STATEMENT"),
        ] {
            let (plain, trigger) = (names.plain(name), names.index(name));
            let _ = write!(
                statements,
                "DO $$ BEGIN\n    \
                     IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = '{table}'::regclass AND tgname = '{plain}'\n        \
                         AND tgenabled = 'A' AND tgfoid = to_regproc('{function}')) THEN\n        \
                         DROP TRIGGER IF EXISTS {trigger} ON {table};\n        \
                         CREATE TRIGGER {trigger} AFTER {events} ON {table}\n            \
                             FOR EACH {each} EXECUTE FUNCTION {function}();\n        \
                         ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger};\n    \
                     END IF;\n\
                 END $$;\n"
            );
        }
    }
    statements
}

/// What an announcement says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announced {
    /// A subject has changed.
    Changed(Key),
    /// Anything may have changed.
    Everything,
}

impl Announced {
    /// Anybody who may connect to the database can announce something.
    pub(crate) fn parse(payload: &str) -> Self {
        Key::from_hex(payload).map_or(Self::Everything, Self::Changed)
    }
}

/// The server, since it was started, and the table that a connection to it finds: an SQL expression.
/// An answer is only kept if it comes from where the changes are announced.
pub(crate) fn identity(names: &Names) -> String {
    format!(
        "concat(pg_postmaster_start_time(), ' ', current_database(), ' ', '{}'::regclass::oid)",
        names.sessions
    )
}

/// Asks for [`identity`], for the number of triggers that are always enabled, and whether the server
/// is a replica.
pub(crate) fn question(names: &Names) -> String {
    let Names {
        sessions,
        tokens,
        subjects,
        ..
    } = names;
    format!(
        "SELECT {}, (SELECT count(*) FROM pg_trigger WHERE tgenabled = 'A' AND tgfoid = to_regproc('{}') \
         AND tgrelid IN ('{sessions}'::regclass, '{tokens}'::regclass, '{subjects}'::regclass)), \
         pg_is_in_recovery()",
        identity(names),
        names.function("announce"),
    )
}

impl Database {
    /// Whether the triggers are there.
    pub(crate) async fn announces(&self) -> Result<bool, StoreError> {
        let (_, triggers) = self.described().await?;
        Ok(triggers == TRIGGERS)
    }

    /// The identity of the server that announces all changes.
    ///
    /// # Errors
    ///
    /// If it does not announce them, or is a replica.
    pub(crate) async fn identity(&self) -> Result<String, StoreError> {
        let (identity, triggers) = self.described().await?;
        if triggers != TRIGGERS {
            return Err(Problem::NoTriggers.into());
        }
        Ok(identity)
    }

    async fn described(&self) -> Result<(String, i64), StoreError> {
        let answers: Vec<Answer> = self.read(question(self.names())).await?;
        let row = answers.first().and_then(|it| it.rows.first());
        let row = row.ok_or_else(unexpected)?;
        self.check_primary(column(row, 2)?)?;
        Ok((column(row, 0)?, column(row, 1)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_that_names_no_subject_is_about_all() {
        let alice = Key::of("alice");
        let digits = alice.to_string();
        let digits = digits
            .trim_start_matches("decode('")
            .trim_end_matches("','hex')");
        assert_eq!(Announced::parse(digits), Announced::Changed(alice));
        for other in ["", "alice", &digits[2..], &format!("{digits}00"), "é"] {
            assert_eq!(Announced::parse(other), Announced::Everything, "{other}");
        }
    }
}
