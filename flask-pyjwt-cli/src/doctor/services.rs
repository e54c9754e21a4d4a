//! What the server depends on: its session store, and the keys of other issuers.

use std::time::Duration;

use actix_web::rt::time::timeout;
use flask_pyjwt::{AuthManager, AuthType, Config, Issuer};
use redis::Client;
use sqlx::{Connection as _, PgConnection};
use time::OffsetDateTime;

use super::{
    clocks,
    report::{Check, Report, State},
};
use crate::{failure::Failure, generate, store::Address, terminal, times};

/// How long another server may take to tell its time.
const PATIENCE: Duration = Duration::from_secs(5);

/// Fetches the keys of these issuers, as a server does that trusts them.
pub(super) async fn check_issuers(report: &mut Report, issuers: &[String]) {
    if issuers.is_empty() {
        return;
    }
    let trusted = issuers.iter().map(|name| {
        Issuer::new(name.as_str())
            .discovery()
            .audience("flask-pyjwt-doctor")
    });
    let auth = match AuthManager::new(Config::for_issuers(trusted)) {
        Ok(auth) => auth,
        Err(error) => {
            report.add(Check::new("issuer", State::Wrong, format!("{error:?}")));
            return;
        }
    };
    terminal::progress("the keys of other issuers are being fetched");
    for source in auth.fetch_keys().await {
        let issuer = source.issuer();
        report.add(if source.is_usable() {
            let count = source.key_ids().len();
            let text = format!("the issuer `{issuer}` answers, with {count} keys");
            Check::new("issuer", State::Ok, text)
        } else {
            let reason = source.error().unwrap_or("it has not answered yet");
            let text = format!("the keys of the issuer `{issuer}` cannot be fetched: {reason}");
            let check = Check::new("issuer", State::Wrong, text);
            check.advice(
                "compare the address with the documentation of the issuer, and check the network",
            )
        });
    }
}

/// Asks the store for the sessions of nobody.
pub(super) async fn check_store(report: &mut Report, argument: Option<&str>) {
    let address = match Address::find(argument) {
        Ok(Some(address)) => address,
        Ok(None) => {
            let text = "no session store is checked";
            let check = Check::new("store", State::Note, text);
            report.add(check.advice("to check one, give `--store URL` or set STORE"));
            return;
        }
        Err(failure) => {
            report.add(Check::new("store", State::Wrong, failure.text()));
            return;
        }
    };
    if let Address::File(path) = &address
        && !path.exists()
    {
        let text = "the file of the store does not exist: the server creates it when it starts";
        report.add(Check::new("store", State::Note, text));
        return;
    }
    match ask(&address).await {
        Ok(()) => {
            let text = format!("{} answers", address.kind());
            report.add(Check::new("store", State::Ok, text));
        }
        Err(failure) => {
            let check = Check::new("store", State::Wrong, failure.text());
            report.add(check.advice(match address {
                Address::File(_) => "if a server is running, it has the file open: stop it first",
                Address::Redis(_) => "check that Redis is running, the address and the password",
                Address::Postgres(_) => {
                    "check that PostgreSQL is running, the address and the password, and that the server has made its \
                     tables (`PostgresStore::migrate`)"
                }
            }));
            return;
        }
    }
    let before = OffsetDateTime::now_utc();
    if let Some(Ok(theirs)) = time_of(&address).await {
        let whose = address.kind();
        clocks::compare(report, whose, before, theirs, OffsetDateTime::now_utc());
    }
}

async fn ask(address: &Address) -> Result<(), Failure> {
    // A store can be checked even if the rest of the configuration is wrong.
    let secret = generate::key(AuthType::HS256, None)?;
    let config = Config::new("flask-pyjwt-doctor", AuthType::HS256, secret.as_bytes());
    let auth = address.manager(config).await?;
    let page = auth.session_page("flask-pyjwt-doctor", None, 1).await;
    page.map(drop).map_err(|error| address.failure(&error))
}

/// The time of the store's server, if it has a clock of its own.
async fn time_of(address: &Address) -> Option<Result<OffsetDateTime, Failure>> {
    let time = async {
        match address {
            Address::File(_) => None,
            Address::Redis(url) => Some(
                time_of_redis(url)
                    .await
                    .map_err(|error| address.failure(&error)),
            ),
            Address::Postgres(url) => Some(
                time_of_postgres(url)
                    .await
                    .map_err(|error| address.failure(&error)),
            ),
        }
    };
    timeout(PATIENCE, time).await.ok().flatten()
}

async fn time_of_redis(url: &str) -> Result<OffsetDateTime, redis::RedisError> {
    let mut connection = Client::open(url)?
        .get_multiplexed_async_connection()
        .await?;
    let (seconds, microseconds): (i64, i64) =
        redis::cmd("TIME").query_async(&mut connection).await?;
    let moment = times::of_seconds(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    Ok(moment + time::Duration::microseconds(microseconds))
}

async fn time_of_postgres(url: &str) -> Result<OffsetDateTime, sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    let query = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::int8";
    let milliseconds: i64 = sqlx::query_scalar(query).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(OffsetDateTime::UNIX_EPOCH + time::Duration::milliseconds(milliseconds))
}
