//! Whether a token is still good, from what a store knows about it.

use super::{
    Moment, SessionRecord, Standing, TokenIdentity,
    position::{Pair, Position},
};

/// What is stored about one token, for stores that do not read the whole record of a subject.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Whether the token is revoked by its id.
    pub revoked: bool,
    /// The standing that the token has by its session alone, if that exists.
    pub in_session: Option<Standing>,
    /// The subject's tokens that belong to no session are revoked if they were issued until this
    /// moment.
    pub issued_until: Option<Moment>,
}

impl Known {
    /// Returns the standing of the token.
    #[must_use]
    pub fn standing(&self, token: &TokenIdentity) -> Standing {
        if self.revoked {
            return Standing::Revoked;
        }
        match (&token.session, self.in_session) {
            (Some(_), Some(standing)) => standing,
            (Some(_), None) => Standing::Revoked,
            (None, _) => match self.issued_until {
                Some(issued_until) if token.issued_at <= issued_until => Standing::Revoked,
                _ => Standing::Good,
            },
        }
    }
}

/// Returns the standing of a token of a session that ends at `expires_at` and has these pairs,
/// oldest first. Revocation by id is not considered.
pub(super) fn standing_among<P: Pair>(
    expires_at: Moment,
    pairs: impl Iterator<Item = P>,
    token: &TokenIdentity,
    now: Moment,
) -> Standing {
    if now >= expires_at {
        return Standing::Revoked;
    }
    let id = token.id.as_deref().unwrap_or_default();
    let by_use = |pair: P| match pair.repeatable_until() {
        Some(_) if token.id.is_some() => Standing::Unused,
        _ => Standing::Good,
    };
    let Some(grace) = token.grace else {
        let current = pairs.last().filter(|current| current.has_auth_id(id));
        return current.map_or(Standing::Good, by_use);
    };
    match Position::of(id, pairs, grace, now) {
        Position::Current(current) => by_use(current),
        Position::Rotated(_) | Position::Lost(_) => Standing::Good,
        Position::Old => Standing::Replayed,
        Position::Unclear => Standing::Revoked,
    }
}

impl SessionRecord {
    /// Returns the standing of a token of this session, not considering revocation by id.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::store::{Generation, Moment, SessionRecord, Standing, TokenIdentity};
    /// use time::Duration;
    ///
    /// let now = Moment::from_milliseconds(1_800_000_000_000);
    /// let first = Generation::new("refresh-0", "auth-0", now);
    /// let session = SessionRecord::new("phone", "alice", first, Duration::DAY);
    /// let mut token = TokenIdentity::new("alice", now);
    /// token.session = Some("phone".to_owned());
    /// token.id = Some("auth-0".to_owned());
    ///
    /// assert_eq!(session.standing(&token, now), Standing::Good);
    /// assert_eq!(session.standing(&token, now + Duration::DAY), Standing::Revoked);
    /// ```
    #[must_use]
    pub fn standing(&self, token: &TokenIdentity, now: Moment) -> Standing {
        standing_among(self.expires_at, self.generations.iter(), token, now)
    }
}
