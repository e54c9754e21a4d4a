//! Which pair of a session a refresh token belongs to.

use time::Duration;

use super::moment::{Moment, whole_milliseconds};

/// One pair of tokens of a session, in the form in which a store keeps it.
pub(super) trait Pair {
    fn has_refresh_id(&self, id: &str) -> bool;
    fn has_auth_id(&self, id: &str) -> bool;
    fn issued_at(&self) -> Moment;
    fn repeatable_until(&self) -> Option<Moment>;
    fn repeated_at(&self) -> Option<Moment>;

    /// When the pair was last given out, not counting repetitions within the grace window.
    fn given_at(&self) -> Moment {
        self.repeated_at().unwrap_or_else(|| self.issued_at())
    }
}

/// The position of a refresh token in its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Position<P> {
    /// It has not been rotated.
    Current(P),
    /// It was rotated within the grace window, to this pair.
    Rotated(P),
    /// It was rotated before that, to this pair, which may be given again.
    Lost(P),
    /// It was rotated before that.
    Old,
    /// It was rotated in the future: the clock was set back, so no decision is possible.
    Unclear,
}

impl<P: Pair> Position<P> {
    /// Finds the refresh token with this id among the pairs of a session, oldest first. This server
    /// has issued every token of the session, so an unknown one is an old one.
    pub(super) fn of(
        refresh_id: &str,
        pairs: impl IntoIterator<Item = P>,
        grace: Duration,
        now: Moment,
    ) -> Self {
        let grace = whole_milliseconds(grace);
        let mut later = pairs
            .into_iter()
            .skip_while(|pair| !pair.has_refresh_id(refresh_id));
        let Some(presented) = later.next() else {
            return Self::Old;
        };
        let Some(successor) = later.next() else {
            return Self::Current(presented);
        };
        match whole_milliseconds(now.since(successor.given_at())) {
            age if age >= grace => match successor.repeatable_until() {
                Some(until) if now < until && later.next().is_none() => Self::Lost(successor),
                _ => Self::Old,
            },
            age if age <= grace.saturating_neg() && age < 0 => Self::Unclear,
            _ => Self::Rotated(successor),
        }
    }
}
