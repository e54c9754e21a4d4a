//! The `SQLite` database: one file, opened or created, with the tables of `migrations/`.

use std::{error::Error, fs, path::Path, time::Duration};

use sqlx::{
    SqlSafeStr as _, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};

/// Every migration, in order. One that was released is never changed: add the next.
const MIGRATIONS: [(i64, &str, &str); 1] = [(
    1,
    "accounts and notes",
    include_str!("../migrations/0001_accounts_and_notes.sql"),
)];

/// Opens the database, and creates the file where it is missing. Its folder has to be there.
pub(crate) async fn open(path: &Path) -> Result<SqlitePool, Box<dyn Error>> {
    create_private(path)?;
    // SQLite gives names like `:memory:` and `file:…` a meaning of their own. An absolute path has none.
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

/// What `sqlx::migrate!()` does as well, with the feature `macros`.
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

/// Creates the file for this user alone: password hashes are in it. `SQLite` gives the files that it adds, `-wal`
/// and `-shm`, the same mode.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
