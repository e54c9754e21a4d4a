//! The session store of `--store` or of the variable `STORE`.

use std::{env, error::Error, fmt, path::PathBuf, str::FromStr as _};

use actix_web::rt::time::timeout;
use flask_pyjwt::{AuthManager, Config, FileStore, PostgresStore, RedisStore};
use redis::IntoConnectionInfo as _;
use sqlx::{
    Connection as _, PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use time::Duration;

use crate::{failure::Failure, secrets::PASSWORDS, terminal};

/// The environment variable that names the store.
pub(crate) const VARIABLE: &str = "STORE";

const FORMS: &str = "a store is `redis://HOST:PORT`, `rediss://HOST:PORT`, `postgres://USER@HOST/DATABASE` or \
                     `file:PATH`";

/// How long a connection may take, and how long an answer.
const CONNECT: Duration = Duration::seconds(5);
const ANSWER: Duration = Duration::seconds(20);

/// Where the sessions are.
pub(crate) enum Address {
    File(PathBuf),
    Redis(String),
    Postgres(String),
}

impl Address {
    /// The address of the argument, or that of the environment. `None` if there is neither.
    pub(crate) fn find(argument: Option<&str>) -> Result<Option<Self>, Failure> {
        if let Some(text) = argument {
            return Self::parse(text).map(Some);
        }
        match env::var(VARIABLE) {
            Ok(text) if !text.is_empty() => Self::parse(&text).map(Some),
            Ok(_) | Err(env::VarError::NotPresent) => Ok(None),
            Err(env::VarError::NotUnicode(_)) => Err(Failure::usage("STORE is not UTF-8")),
        }
    }

    /// The same, where a command needs a store.
    pub(crate) fn required(argument: Option<&str>) -> Result<Self, Failure> {
        Self::find(argument)?.ok_or_else(|| {
            Failure::usage(format!(
                "there is no session store: give `--store URL`, or set STORE; {FORMS}"
            ))
        })
    }

    /// Parses an address. The error does not repeat it, because it can contain a password.
    fn parse(text: &str) -> Result<Self, Failure> {
        let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
        match scheme {
            "memory" => Err(Failure::usage(format!(
                "the sessions of a memory store are in the server's process, where no other program can reach them; \
                 {FORMS}"
            ))),
            "file" if !rest.is_empty() => Ok(Self::File(rest.into())),
            "redis" | "rediss" | "valkey" | "valkeys" if names_a_server(rest) => {
                let url = without_near_cache(text);
                let parsed = url.as_str().into_connection_info();
                parsed.map_err(|_| malformed())?;
                Ok(Self::Redis(url))
            }
            // Without a server, the driver would take that of its own environment variables.
            "postgres" | "postgresql" if names_a_server(rest) => {
                let url = without_near_cache(text);
                PgConnectOptions::from_str(&url).map_err(|_| malformed())?;
                Ok(Self::Postgres(url))
            }
            _ => Err(Failure::usage(format!(
                "this is not the address of a store: {FORMS}"
            ))),
        }
    }

    /// The kind of store, without its address.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::File(_) => "the file",
            Self::Redis(_) => "Redis",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    /// Adds the store to a configuration. It creates neither a file nor a table.
    pub(crate) async fn open(&self, config: Config) -> Result<Config, Failure> {
        let config = config.store_timeout(ANSWER + CONNECT);
        match self {
            Self::File(path) => {
                if !path.exists() {
                    return Err(Failure::wrong(
                        "there is no such file: the server creates it when it starts",
                    ));
                }
                Ok(config.session_store(FileStore::open(path)?))
            }
            Self::Redis(url) => {
                terminal::progress("connecting to Redis");
                let builder = RedisStore::builder();
                let builder = builder.timeout(ANSWER).connect_timeout(CONNECT);
                let store = builder.connect(url).await;
                Ok(config.session_store(store.map_err(|error| self.failure(&error))?))
            }
            Self::Postgres(url) => {
                terminal::progress("connecting to PostgreSQL");
                // A pool would repeat a refused connection until its time is over, and then not say why.
                let first = timeout(CONNECT.unsigned_abs(), PgConnection::connect(url)).await;
                let first = first.map_err(|_| self.failure(&Late))?;
                first.map_err(|error| self.failure(&error))?;
                let pool = PgPoolOptions::new()
                    .acquire_timeout(CONNECT.unsigned_abs())
                    .connect_lazy(url)
                    .map_err(|error| self.failure(&error))?;
                let builder = PostgresStore::builder(pool).connections(1);
                let builder = builder.timeout(ANSWER).connect_timeout(CONNECT);
                let store = builder.build();
                Ok(config.session_store(store.map_err(|error| self.failure(&error))?))
            }
        }
    }

    /// The manager of a server with this store.
    pub(crate) async fn manager(&self, config: Config) -> Result<AuthManager, Failure> {
        Ok(AuthManager::new(self.open(config).await?)?)
    }

    /// An error of a driver, unless it repeats a part of the address that may be secret.
    pub(crate) fn failure(&self, error: &dyn Error) -> Failure {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(source) = cause {
            let source_text = source.to_string();
            if !text.contains(&source_text) {
                text = format!("{text}: {source_text}");
            }
            cause = source.source();
        }
        if self.secrets().iter().any(|secret| text.contains(secret)) {
            text = String::from(
                "the connection failed, with an error that repeats a part of the address",
            );
        }
        if text.contains("PostgresStore::migrate") {
            let kind = self.kind();
            return Failure::wrong(format!("{kind} answers, but cannot be used: {text}"));
        }
        Failure::wrong(format!("{} does not answer: {text}", self.kind()))
    }

    /// The parts of the address that may be secret: what is before the last `@`, and the values of parameters.
    fn secrets(&self) -> Vec<String> {
        let url = match self {
            Self::File(_) => return Vec::new(),
            Self::Redis(url) | Self::Postgres(url) => url,
        };
        let rest = url.split_once("://").map_or("", |(_, rest)| rest);
        let user = rest.rsplit_once('@').map_or("", |(user, _)| user);
        let password = user.split_once(':').map_or(
            if matches!(self, Self::Redis(_)) {
                user
            } else {
                ""
            },
            |(_, password)| password,
        );
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        let parameters = query
            .split(['&', '#'])
            .filter_map(|parameter| parameter.split_once('='))
            .filter(|(name, _)| PASSWORDS.contains(&&*name.to_ascii_lowercase()))
            .map(|(_, value)| value);
        parameters
            .chain([password])
            .filter(|secret| !secret.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

/// Whether a scheme is followed by something to connect to.
fn names_a_server(rest: &str) -> bool {
    rest.strip_prefix("//").is_some_and(|it| !it.is_empty())
}

/// An address that cannot be parsed. The error does not repeat it.
fn malformed() -> Failure {
    Failure::usage(format!(
        "the address of the store is malformed: special characters of a password are written as in `%40` for `@`; {FORMS}"
    ))
}

/// The error of a server that accepts no connection in time.
#[derive(Debug)]
struct Late;

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no connection within {} seconds",
            CONNECT.whole_seconds()
        )
    }
}

impl Error for Late {}

/// Takes the parameter `near_cache` off a URL, which the examples of flask-pyjwt know and the drivers do not.
fn without_near_cache(url: &str) -> String {
    let Some((address, query)) = url.split_once('?') else {
        return url.to_owned();
    };
    let parameters = query.split('&');
    let others: Vec<_> = parameters
        .filter(|parameter| parameter.split('=').next() != Some("near_cache"))
        .collect();
    if others.is_empty() {
        address.to_owned()
    } else {
        format!("{address}?{}", others.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_repeats_the_password_is_not_shown() {
        for url in [
            "redis://:hidden@127.0.0.1",
            "redis://hidden@127.0.0.1",
            "postgres://a:hidden@127.0.0.1/b",
            "postgres://a@127.0.0.1/b?password=hidden",
        ] {
            let address = Address::parse(url).unwrap_or_else(|_| panic!("{url}"));
            let failure = address.failure(&std::io::Error::other("hidden is wrong"));
            assert!(!failure.text().contains("hidden"), "{url}");
            let failure = address.failure(&std::io::Error::other("refused"));
            assert!(failure.text().contains("refused"), "{url}");
        }
    }

    #[test]
    fn the_parameter_of_the_examples_is_taken_off() {
        for (url, expected) in [
            ("redis://a", "redis://a"),
            ("redis://a?near_cache=1", "redis://a"),
            (
                "postgres://a/b?x=1&near_cache=0&y=2",
                "postgres://a/b?x=1&y=2",
            ),
        ] {
            assert_eq!(without_near_cache(url), expected);
        }
    }
}
