//! The sessions of a subject, page by page.

use super::{MOST_SESSIONS, Session, SessionError, SessionRecord, issuer::SessionIssuer};
use crate::meters::StoreCall;

/// One page of the open sessions of a subject: the result of
/// [`AuthManager::session_page`](crate::AuthManager::session_page).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionPage {
    /// The sessions, the most recently opened first.
    pub sessions: Vec<Session>,
    /// What to pass for the next page. `None` if this is the last one.
    pub next: Option<String>,
}

impl SessionIssuer {
    /// At most `most` open sessions of a subject, the latest login first, from the place after
    /// `after` on.
    pub(crate) async fn page(
        &self,
        subject: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<SessionPage, SessionError> {
        let now = self.now()?;
        let listing = self.sessions.ask(StoreCall::Sessions, |store| {
            store.sessions(subject, MOST_SESSIONS, now)
        });
        let records = listing.await?.into_iter();
        let mut rest: Vec<_> = records
            .map(|record| (place(&record), record))
            .filter(|(place, _)| after.is_none_or(|after| place.as_str() > after))
            .collect();
        rest.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let most = most.max(1);
        let has_more = rest.len() > most;
        rest.truncate(most);
        let last = rest.last().map(|(place, _)| place.clone());
        Ok(SessionPage {
            next: last.filter(|_| has_more),
            sessions: rest.into_iter().map(|(_, record)| record.into()).collect(),
        })
    }
}

/// The place of a session in the list, as a text whose order is that of the list. It never changes,
/// so a page continues where the last one ended, whatever has happened in between. Every other text
/// is a place between two sessions.
fn place(session: &SessionRecord) -> String {
    // Latest first. The sign bit is flipped, so that moments before 1970 come last.
    let earlier = !(session.opened_at.milliseconds().cast_unsigned() ^ (1 << 63));
    format!("{earlier:016x}{}", session.id)
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;
    use crate::session::{Generation, Moment};

    #[test]
    fn places_are_in_the_order_of_the_logins_from_the_latest() {
        let at = |milliseconds, id: &str| {
            let first = Generation::new("r", "a", Moment::from_milliseconds(milliseconds));
            place(&SessionRecord::new(id, "alice", first, Duration::DAY))
        };
        let places = [
            at(i64::MAX, "a"),
            at(1_800_000_000_001, "a"),
            at(1_800_000_000_000, "a"),
            at(1_800_000_000_000, "b"),
            at(0, ""),
            at(-1, "z"),
            at(i64::MIN, "a"),
        ];
        assert!(places.is_sorted(), "{places:?}");
    }
}
