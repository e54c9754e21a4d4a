//! Events, and lists of sessions page by page.

use super::refused::reporting;
use crate::{
    manager::AuthManager,
    session::{SessionError, SessionEvents, SessionPage},
};

/// What an operator or an administrator asks about sessions.
impl AuthManager {
    /// Subscribes to what happens to sessions from now on: logins, refreshes, logouts, revocations and thefts, for instance
    /// for an audit log.
    ///
    /// There can be several subscribers, and each gets every [`SessionEvent`](crate::SessionEvent). No request waits for
    /// them. One that is slower than the last 1,024 events is told how many it has lost.
    ///
    /// These are the events of this manager and its clones. In a fleet, each process logs its own.
    ///
    /// The events of one session are in the order in which its calls were made. Those of calls that overlap, such as a
    /// refresh and a logout at the same time, can come in either order.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// # use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore};
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// let auth = AuthManager::new(config.clone().session_store(MemoryStore::default()))?;
    /// let mut events = auth.session_events()?;
    /// auth.login("alice").await?;
    /// let event = events.recv().await.ok_or("the manager exists")??;
    /// assert_eq!((event.name(), event.subject()), ("opened", "alice"));
    ///
    /// // Without a session store there are no sessions.
    /// assert!(AuthManager::new(config)?.session_events().is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::NoStore`] without a session store.
    #[doc(alias = "audit log")]
    pub fn session_events(&self) -> Result<SessionEvents, SessionError> {
        Ok(self.session_issuer()?.events())
    }

    /// Lists at most `most` open sessions of a subject of this manager's issuer, the latest login first.
    ///
    /// Pass `None` for the first page, and [`SessionPage::next`] for each following one. A session that is open all the
    /// time is on exactly one page, whatever ends or is opened in between. `most` counts as at least 1. A subject has at
    /// most 1,000 sessions, and each page reads them from the store.
    ///
    /// Check that the caller is an administrator, or that the subject is that of the caller's token. Any text is accepted
    /// as `after`, and shows nothing of other subjects.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// # use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore};
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// # let auth = AuthManager::new(config.clone().session_store(MemoryStore::default()))?;
    /// for device in ["phone", "laptop", "tablet"] {
    ///     auth.login("alice").label(device).await?;
    /// }
    /// let first = auth.session_page("alice", None, 2).await?;
    /// assert_eq!(first.sessions.len(), 2);
    /// let last = auth.session_page("alice", first.next.as_deref(), 2).await?;
    /// assert_eq!((last.sessions.len(), last.next), (1, None));
    ///
    /// // Without a session store there are no sessions.
    /// # let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// let without = AuthManager::new(config)?;
    /// assert!(without.session_page("alice", None, 2).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`] if the store does not answer.
    #[doc(alias = "devices")]
    pub async fn session_page(
        &self,
        subject: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<SessionPage, SessionError> {
        let work = async { self.session_issuer()?.page(subject, after, most).await };
        reporting(self, None, work).await
    }
}
