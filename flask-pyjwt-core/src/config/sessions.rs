//! Configuration of sessions.

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

/// The default lifetime of a session, unless its refresh tokens are valid for longer.
const DEFAULT_LIFETIME: Duration = Duration::days(30);
/// More than the devices of one person, and small enough that one account cannot fill the store.
const DEFAULT_MAX_SESSIONS: usize = 100;
const DEFAULT_GRACE: Duration = Duration::seconds(10);
const DEFAULT_LOST_ANSWER_WINDOW: Duration = Duration::hours(1);
const DEFAULT_TIMEOUT: Duration = Duration::milliseconds(250);
/// In a longer grace window, stolen tokens would go unnoticed for too long.
const LONGEST_GRACE: Duration = Duration::minutes(5);
const LONGEST_LOST_ANSWER_WINDOW: Duration = Duration::DAY;
/// The longest possible lifetime: the times of a token are between 1970 and 9999.
const LONGEST_LIFE: i64 = 253_402_300_800;
const LONGEST_TIMEOUT: Duration = Duration::minutes(1);

/// The configuration of sessions, not yet checked.
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
    /// Sets the session store, which makes `AuthManager::login`, refresh token rotation and revocation work.
    ///
    /// Every guarded request asks it once whether its token, session or subject is revoked. With a store,
    /// [`max_lifetime`](Self::max_lifetime) defaults to the longest lifetime that this manager signs, because a revocation
    /// is remembered for as long as a token may be valid.
    ///
    /// Give several managers an `Arc` of one store to share it.
    #[doc(alias = "blocklist")]
    pub fn session_store(mut self, store: impl SessionStore) -> Self {
        self.sessions.memory = memory_of(&store);
        self.sessions.store = Some(Arc::new(store));
        self
    }

    /// Sets the total lifetime of a session, however often it is refreshed: whole seconds, 1 to 3,155,760,000 (100 years).
    ///
    /// The default is 30 days, or the lifetime of refresh tokens if that is longer.
    #[doc(alias = "JWT_SESSIONMAXAGE")]
    pub fn session_lifetime(mut self, lifetime: Duration) -> Self {
        self.sessions.lifetime = Some(lifetime);
        self.settled(&[key::SESSION_MAX_AGE])
    }

    /// Sets after what time without a refresh a session ends: whole seconds, 1 to 3,155,760,000 (100 years).
    ///
    /// It is the lifetime of the session's refresh tokens. The default is [`refresh_max_age`](Self::refresh_max_age).
    #[doc(alias = "JWT_SESSIONIDLE")]
    pub fn session_idle(mut self, idle: Duration) -> Self {
        self.sessions.idle = Some(idle);
        self.settled(&[key::SESSION_IDLE])
    }

    /// Sets the grace window: how long a rotated refresh token returns the same new pair again, for retries and parallel
    /// tabs.
    ///
    /// After it, a rotated token counts as stolen and its session is revoked, unless the answer to the rotation was
    /// [lost](Self::lost_answer_window). 0 to 300 whole seconds. The default is 10.
    #[doc(alias = "JWT_REFRESHGRACE")]
    pub fn refresh_grace(mut self, grace: Duration) -> Self {
        self.sessions.grace = grace;
        self.settled(&[key::REFRESH_GRACE])
    }

    /// Sets how long after its rotation a refresh token returns the same new pair again if the answer was lost.
    ///
    /// An answer counts as lost if no server that shares the store has seen a token of the new pair, and the rotated token
    /// was not itself returned as a lost answer. 0 to 86,400 whole seconds. The default is one hour, and 0 disables it. The
    /// first request with a new pair costs one write to the store.
    ///
    /// Services that verify tokens with only a key set do not tell the store what they have seen. If a client uses its
    /// tokens only with such services, set this to 0, or let the client send one request to a server with the store after
    /// each rotation. Until then, anyone who presents the rotated token gets the client's pair.
    #[doc(alias = "JWT_LOSTANSWERWINDOW")]
    pub fn lost_answer_window(mut self, window: Duration) -> Self {
        self.sessions.lost_answer_window = window;
        self.settled(&[key::LOST_ANSWER_WINDOW])
    }

    /// Sets how many open sessions a subject may have: 1 to 1,000. The default is 100.
    ///
    /// A login beyond the limit ends the sessions whose last refresh is the oldest, in the same step of the store.
    /// [`Config::on_session_event`] reports each of them. The limit keeps one account from filling the store. A subject
    /// that stands for many people, such as `guest`, may need more.
    pub fn max_sessions(mut self, most: usize) -> Self {
        self.sessions.max_sessions = most;
        self
    }

    /// Sets for how long the store's answer that an auth token is not revoked may be reused: zero to one day.
    ///
    /// The default is zero: the store is asked every time. Revocations by this process take effect at once, those by other
    /// processes after at most this time. Refresh tokens are always asked about. The answers are kept in the table of
    /// verified tokens; without that table, the store is asked every time.
    pub fn revocation_staleness(mut self, staleness: Duration) -> Self {
        self.sessions.staleness = staleness;
        self
    }

    /// Sets how long a request waits for the store before it is answered with 503: up to one minute. The default is 250
    /// milliseconds.
    pub fn store_timeout(mut self, timeout: Duration) -> Self {
        self.sessions.timeout = timeout;
        self
    }

    /// Sets a function that is called for every session event, such as a login or the replay of a refresh token.
    ///
    /// The request waits for it, so it should return quickly. It may call the manager, and is not called for events that it
    /// causes itself. [`AuthManager::session_events`](crate::AuthManager::session_events) gives the same events, and no
    /// request waits for them.
    #[doc(alias = "reuse detection")]
    pub fn on_session_event(
        mut self,
        hook: impl Fn(&SessionEvent) + Send + Sync + 'static,
    ) -> Self {
        self.sessions.on_event = Some(Arc::new(hook));
        self
    }
}

/// The other configured times, checked, in seconds.
pub(super) struct Times {
    pub(super) auth_max_age: i64,
    pub(super) refresh_max_age: i64,
    pub(super) leeway: i64,
    pub(super) max_lifetime: Option<Duration>,
}

impl SessionConfig {
    /// Checks every value. Returns `None` if there is no store.
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
