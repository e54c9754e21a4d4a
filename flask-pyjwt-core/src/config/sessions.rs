//! The part of the configuration that is about sessions.

use std::sync::Arc;

use time::Duration;

use super::{
    Config, key,
    seconds::{age, whole_seconds},
};
use crate::{
    error::ConfigError,
    session::{EventHook, MOST_SESSIONS, Policy, SessionEvent, SessionStore, Sessions, memory_of},
};

/// How long a session lives in all unless configured otherwise, or its refresh tokens live longer.
const DEFAULT_LIFETIME: Duration = Duration::days(30);
/// More than a person has devices, and little enough that one account takes no more of the store than a
/// hundred others.
const DEFAULT_MAX_SESSIONS: usize = 100;
const DEFAULT_GRACE: Duration = Duration::seconds(10);
const DEFAULT_LOST_ANSWER_WINDOW: Duration = Duration::hours(1);
const DEFAULT_TIMEOUT: Duration = Duration::milliseconds(250);
/// A longer grace window would be a second life for stolen tokens.
const LONGEST_GRACE: Duration = Duration::minutes(5);
const LONGEST_LOST_ANSWER_WINDOW: Duration = Duration::DAY;
/// No token lives longer: its moments are between 1970 and 9999.
const LONGEST_LIFE: i64 = 253_402_300_800;
const LONGEST_TIMEOUT: Duration = Duration::minutes(1);

/// What is configured of sessions.
#[derive(Clone)]
pub(super) struct SessionConfig {
    store: Option<Arc<dyn SessionStore>>,
    memory: Option<Arc<()>>,
    pub(super) lifetime: Option<Duration>,
    pub(super) idle: Option<Duration>,
    pub(super) grace: Duration,
    max_sessions: usize,
    pub(super) lost_answer_window: Duration,
    staleness: Duration,
    timeout: Duration,
    on_event: Option<EventHook>,
}

impl SessionConfig {
    pub(super) fn has_store(&self) -> bool {
        self.store.is_some()
    }
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            store: None,
            memory: None,
            lifetime: None,
            idle: None,
            grace: DEFAULT_GRACE,
            max_sessions: DEFAULT_MAX_SESSIONS,
            lost_answer_window: DEFAULT_LOST_ANSWER_WINDOW,
            staleness: Duration::ZERO,
            timeout: DEFAULT_TIMEOUT,
            on_event: None,
        }
    }
}

impl Config {
    /// Keeps sessions in this store: `AuthManager::login`, rotation and revocation work, and every
    /// guarded request is checked for revocation in one step of the store.
    ///
    /// With a store, `max_lifetime` is the longest age of a token minted here unless it is set: a
    /// revocation has to be remembered for as long as a token may live.
    ///
    /// Several managers share a store by an `Arc` of it.
    pub fn session_store(mut self, store: impl SessionStore) -> Self {
        self.sessions.memory = memory_of(&store);
        self.sessions.store = Some(Arc::new(store));
        self
    }

    /// Sets how long a session lives in all, however often it is refreshed: whole seconds, 1 to
    /// 3,155,760,000 (100 years). By default 30 days, or the age of refresh tokens where that is longer.
    #[doc(alias = "JWT_SESSIONMAXAGE")]
    pub fn session_lifetime(mut self, lifetime: Duration) -> Self {
        self.sessions.lifetime = Some(lifetime);
        self.settled(&[key::SESSION_MAX_AGE])
    }

    /// Sets how long a session lives without being refreshed, which is the age of its refresh
    /// tokens: whole seconds, 1 to 3,155,760,000. By default the age of other refresh tokens.
    #[doc(alias = "JWT_SESSIONIDLE")]
    pub fn session_idle(mut self, idle: Duration) -> Self {
        self.sessions.idle = Some(idle);
        self.settled(&[key::SESSION_IDLE])
    }

    /// Sets for how long a refresh token that was rotated gets the same successor again: for a retry, or
    /// a parallel tab. Later it is taken for stolen, and its session is revoked, unless it is a
    /// [lost answer](Self::lost_answer_window). 0 to 300 whole seconds, by default 10.
    #[doc(alias = "JWT_REFRESHGRACE")]
    pub fn refresh_grace(mut self, grace: Duration) -> Self {
        self.sessions.grace = grace;
        self.settled(&[key::REFRESH_GRACE])
    }

    /// Sets for how long after its rotation a refresh token gets the same successor again if the answer
    /// was lost: if no guard of a server that shares the store has seen a token of the successor, and
    /// the token itself was not given as a lost answer. 0 to 86,400 whole seconds, by default an hour;
    /// 0 turns it off.
    ///
    /// The first request with a token of a new pair costs one change of the store for it.
    ///
    /// Services that verify tokens by a key set alone do not tell the store what they have seen. Where a
    /// client uses its tokens with such services only, set it to 0, or let the client make one request
    /// to a server with the store after each rotation: until then, whoever presents the rotated token
    /// gets the client's pair.
    #[doc(alias = "JWT_LOSTANSWERWINDOW")]
    pub fn lost_answer_window(mut self, window: Duration) -> Self {
        self.sessions.lost_answer_window = window;
        self.settled(&[key::LOST_ANSWER_WINDOW])
    }

    /// Sets how many sessions a subject may have open: 1 to 1,000, by default 100. A login beyond it ends
    /// those that were refreshed the longest ago, in the same step of the store, and
    /// [`Config::on_session_event`] hears of each.
    ///
    /// Nobody has a hundred devices, so that the default ends only what was forgotten, or what somebody
    /// opens to fill the store: without a limit, one account could take all of its room and time. A
    /// subject that stands for many people, such as `guest`, may need more.
    pub fn max_sessions(mut self, most: usize) -> Self {
        self.sessions.max_sessions = most;
        self
    }

    /// Lets auth tokens pass without asking the store when it has said at most this long ago that they
    /// are good. By default zero: it is asked every time. What this process itself revokes counts at
    /// once; what another process revokes, after this time. Refresh tokens are always asked about.
    ///
    /// The answers are kept in the table of verified tokens; without that, the store is asked.
    pub fn revocation_staleness(mut self, staleness: Duration) -> Self {
        self.sessions.staleness = staleness;
        self
    }

    /// Sets for how long the store is waited for before a request is answered with 503: up to a
    /// minute, by default 250 milliseconds.
    pub fn store_timeout(mut self, timeout: Duration) -> Self {
        self.sessions.timeout = timeout;
        self
    }

    /// Calls this when something about a session should be heard of, such as a refresh token that
    /// somebody has a copy of. It should return soon: the request waits for it. It may call the
    /// manager.
    pub fn on_session_event(
        mut self,
        hook: impl Fn(&SessionEvent) + Send + Sync + 'static,
    ) -> Self {
        self.sessions.on_event = Some(Arc::new(hook));
        self
    }
}

/// The other times of a configuration without a mistake, in seconds.
pub(super) struct Times {
    pub(super) auth_max_age: i64,
    pub(super) refresh_max_age: i64,
    pub(super) leeway: i64,
    pub(super) max_lifetime: Option<Duration>,
}

impl SessionConfig {
    /// Checks every value. Gives nothing where there is no store.
    pub(super) fn validate(self, times: &Times) -> Result<Option<Sessions>, ConfigError> {
        let refresh_max_age = Duration::seconds(times.refresh_max_age);
        let idle = age(key::SESSION_IDLE, self.idle.unwrap_or(refresh_max_age))?;
        let lifetime = self
            .lifetime
            .unwrap_or_else(|| DEFAULT_LIFETIME.max(Duration::seconds(idle)));
        let lifetime = age(key::SESSION_MAX_AGE, lifetime)?;
        let grace = whole_seconds(key::REFRESH_GRACE, self.grace)?;
        if !(Duration::ZERO..=LONGEST_GRACE).contains(&self.grace) {
            return Err(ConfigError::invalid(
                key::REFRESH_GRACE,
                "must be 0 to 300 seconds",
            ));
        }
        let lost_answer_window = whole_seconds(key::LOST_ANSWER_WINDOW, self.lost_answer_window)?;
        if !(Duration::ZERO..=LONGEST_LOST_ANSWER_WINDOW).contains(&self.lost_answer_window) {
            return Err(ConfigError::invalid(
                key::LOST_ANSWER_WINDOW,
                "must be 0 to 86400 seconds",
            ));
        }
        if !(Duration::ZERO..=Duration::DAY).contains(&self.staleness) {
            return Err(ConfigError::invalid(
                key::REVOCATION_STALENESS,
                "must be zero to a day",
            ));
        }
        let timeout = match self.timeout.try_into() {
            Ok(timeout) if !self.timeout.is_zero() && self.timeout <= LONGEST_TIMEOUT => timeout,
            _ => {
                return Err(ConfigError::invalid(
                    key::STORE_TIMEOUT,
                    "must be above zero and at most a minute",
                ));
            }
        };
        if !(1..=MOST_SESSIONS).contains(&self.max_sessions) {
            return Err(ConfigError::invalid(key::MAX_SESSIONS, "must be 1 to 1000"));
        }
        let Some(store) = self.store else {
            return Ok(None);
        };
        let longest = times.auth_max_age.max(times.refresh_max_age).max(idle);
        let longest_life = times.max_lifetime.map_or(longest, |life| {
            life.whole_seconds().saturating_add(1).min(LONGEST_LIFE)
        });
        if times
            .max_lifetime
            .is_some_and(|life| life < Duration::seconds(longest))
        {
            return Err(ConfigError::invalid(
                key::MAX_LIFETIME,
                "is shorter than the age of a session's refresh tokens",
            ));
        }
        let policy = Policy {
            grace: Duration::seconds(grace),
            lost_answer_window: Duration::seconds(lost_answer_window),
            max_sessions: self.max_sessions,
            lifetime: Duration::seconds(lifetime),
            idle: Duration::seconds(idle),
            auth_max_age: Duration::seconds(times.auth_max_age),
            leeway: Duration::seconds(times.leeway),
            longest_life: Duration::seconds(longest_life),
            staleness: self.staleness,
        };
        let sessions = Sessions::new(store, policy, timeout, self.on_event, self.memory);
        Ok(Some(sessions))
    }
}
