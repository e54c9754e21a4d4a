//! The `SQLite` database: one file with the tables of `migrations/`.

use std::{error::Error, fs, path::Path, time::Duration};

use sqlx::{
    SqlSafeStr as _, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};

/// All migrations, in order. Never change one that was released: add another.
const MIGRATIONS: [(i64, &str, &str); 1] = [(
    1,
    "accounts and notes",
    include_str!("../migrations/0001_accounts_and_notes.sql"),
)];

/// Opens the database, and creates the file if it is missing. Its folder has to exist.
pub(crate) async fn open(path: &Path) -> Result<SqlitePool, Box<dyn Error>> {
    create_private(path)?;
    // Names like `:memory:` and `file:…` have a special meaning for SQLite. Absolute paths do not.
    let options = SqliteConnectOptions::new()
        .filename(std::path::absolute(path)?)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(5));
    let pool = SqlitePoolOptions::new()
        .max_connections(4)
        .acquire_timeout(Duration::from_secs(5))
        .connect_with(options)
        .await?;
    migrate(&pool).await?;
    Ok(pool)
}

/// The same as `sqlx::migrate!()`, which needs the feature `macros`.
async fn migrate(pool: &SqlitePool) -> Result<(), sqlx::migrate::MigrateError> {
    let migrations = MIGRATIONS.map(|(version, description, sql)| {
        let sql = sql.into_sql_str();
        Migration::new(
            version,
            description.into(),
            MigrationType::Simple,
            sql,
            false,
        )
    });
    Migrator::with_migrations(migrations.into()).run(pool).await
}

/// Creates the file so that only this user can read it: it contains password hashes. `SQLite` gives its other files,
/// `-wal` and `-shm`, the same mode.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
