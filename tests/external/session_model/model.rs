//! The rules of sessions in the simplest form: every pair that was issued is kept forever, and every question is
//! answered by looking at all of them.

use std::collections::HashSet;

/// Why the model refuses a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Expired,
    Revoked,
    Replayed,
}

/// Which token of a pair is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Presented {
    Auth,
    Refresh,
}

struct Pair {
    session: usize,
    issued_at: i64,
    /// When it was rotated, and into which pair.
    rotated: Option<(i64, usize)>,
    /// Whether one of its tokens was used.
    is_presented: bool,
    /// When it was last returned again after a lost answer.
    given_again_at: Option<i64>,
}

/// What is reported to the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Replayed { session: usize },
    Repeated { session: usize, rotated_at: i64 },
    LostAnswer { session: usize, rotated_at: i64 },
}

/// What it means when a rotated refresh token is presented again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repetition {
    InGrace,
    LostAnswer,
    Theft,
}

struct Session {
    subject: String,
    /// The ID in the store: of two sessions that were refreshed at the same time, the one with the smaller ID is
    /// ended first.
    id: String,
    opened_at: i64,
    last_issue: i64,
    is_ended: bool,
}

pub(crate) struct Model {
    grace: i64,
    lost_answer_window: i64,
    idle: i64,
    lifetime: i64,
    auth_max_age: i64,
    max_sessions: usize,
    sessions: Vec<Session>,
    pairs: Vec<Pair>,
    revoked: HashSet<(usize, Presented)>,
    events: Vec<Event>,
}

impl Model {
    pub(crate) fn new(
        grace: i64,
        lost_answer_window: i64,
        idle: i64,
        lifetime: i64,
        auth_max_age: i64,
        max_sessions: usize,
    ) -> Self {
        Self {
            grace,
            lost_answer_window,
            idle,
            lifetime,
            auth_max_age,
            max_sessions,
            sessions: Vec::new(),
            pairs: Vec::new(),
            revoked: HashSet::new(),
            events: Vec::new(),
        }
    }

    /// Opens a session. Returns the number of its first pair, and the IDs of the sessions that were ended for
    /// it.
    pub(crate) fn login(&mut self, subject: &str, id: &str, now: i64) -> (usize, Vec<String>) {
        let mut open: Vec<_> = (0..self.sessions.len())
            .filter(|session| self.sessions[*session].subject == subject)
            .filter(|session| self.is_open(*session, now))
            .collect();
        open.sort_by(|a, b| {
            let [a, b] = [&self.sessions[*a], &self.sessions[*b]];
            (a.last_issue, &a.id).cmp(&(b.last_issue, &b.id))
        });
        let mut evicted = Vec::new();
        while open.len() >= self.max_sessions {
            let first = &mut self.sessions[open.remove(0)];
            first.is_ended = true;
            evicted.push(first.id.clone());
        }
        self.sessions.push(Session {
            subject: subject.to_owned(),
            id: id.to_owned(),
            opened_at: now,
            last_issue: now,
            is_ended: false,
        });
        (self.issue(self.sessions.len() - 1, now), evicted)
    }

    fn issue(&mut self, session: usize, now: i64) -> usize {
        self.sessions[session].last_issue = now;
        self.pairs.push(Pair {
            session,
            issued_at: now,
            rotated: None,
            is_presented: false,
            given_again_at: None,
        });
        self.pairs.len() - 1
    }

    fn is_open(&self, session: usize, now: i64) -> bool {
        let session = &self.sessions[session];
        !session.is_ended
            && now < session.last_issue + self.idle
            && now < session.opened_at + self.lifetime
    }

    /// Rotates the refresh token of a pair. Returns the number of the next pair.
    pub(crate) fn refresh(&mut self, pair: usize, now: i64) -> Result<usize, Refused> {
        let session = self.pairs[pair].session;
        if self.revoked.contains(&(pair, Presented::Refresh)) || !self.is_open(session, now) {
            return Err(Refused::Revoked);
        }
        match self.pairs[pair].rotated {
            None => {
                let next = self.issue(session, now);
                self.pairs[pair].rotated = Some((now, next));
                Ok(next)
            }
            Some((rotated_at, next)) => match self.repetition(pair, rotated_at, next, now) {
                Repetition::InGrace => {
                    self.events.push(Event::Repeated {
                        session,
                        rotated_at,
                    });
                    Ok(next)
                }
                Repetition::LostAnswer => {
                    self.events.push(Event::LostAnswer {
                        session,
                        rotated_at,
                    });
                    self.pairs[next].given_again_at = Some(now);
                    Ok(next)
                }
                Repetition::Theft => {
                    self.replay(session);
                    Err(Refused::Replayed)
                }
            },
        }
    }

    /// What it means when the token of a pair that was rotated into this one is presented.
    fn repetition(&self, pair: usize, rotated_at: i64, next: usize, now: i64) -> Repetition {
        let successor = &self.pairs[next];
        let is_used = successor.is_presented || successor.rotated.is_some();
        let is_lost = !is_used
            && now - rotated_at < self.lost_answer_window
            && self.pairs[pair].given_again_at.is_none();
        let given_at = successor.given_again_at.unwrap_or(rotated_at);
        // The same time is the same attempt.
        if is_lost && successor.given_again_at == Some(now) {
            Repetition::LostAnswer
        } else if now - given_at < self.grace {
            Repetition::InGrace
        } else if is_lost {
            Repetition::LostAnswer
        } else {
            Repetition::Theft
        }
    }

    fn replay(&mut self, session: usize) {
        self.sessions[session].is_ended = true;
        self.events.push(Event::Replayed { session });
    }

    /// The events since the last call.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Checks a token. A replayed refresh token ends the session here, too.
    pub(crate) fn check(
        &mut self,
        pair: usize,
        presented: Presented,
        now: i64,
    ) -> Result<(), Refused> {
        let Pair {
            session,
            issued_at,
            rotated,
            ..
        } = self.pairs[pair];
        if self.expires_at(session, issued_at, presented) <= now {
            return Err(Refused::Expired);
        }
        if self.revoked.contains(&(pair, presented)) || !self.is_open(session, now) {
            return Err(Refused::Revoked);
        }
        if presented == Presented::Refresh
            && let Some((at, next)) = rotated
            && self.repetition(pair, at, next, now) == Repetition::Theft
        {
            self.replay(session);
            return Err(Refused::Replayed);
        }
        self.pairs[pair].is_presented = true;
        Ok(())
    }

    /// When a token expires, in whole seconds as in its claims.
    fn expires_at(&self, session: usize, issued_at: i64, presented: Presented) -> i64 {
        let age = match presented {
            Presented::Auth => self.auth_max_age.min(self.idle),
            Presented::Refresh => self.idle,
        };
        let end = self.sessions[session].opened_at + self.lifetime;
        let whole = |moment: i64| moment.div_euclid(1_000) * 1_000;
        (whole(issued_at) + age).min(whole(end))
    }

    pub(crate) fn logout(&mut self, pair: usize) {
        let session = self.pairs[pair].session;
        self.sessions[session].is_ended = true;
    }

    pub(crate) fn revoke_token(&mut self, pair: usize, presented: Presented) {
        self.revoked.insert((pair, presented));
    }

    pub(crate) fn revoke_session(&mut self, subject: &str, pair: usize) {
        let session = self.pairs[pair].session;
        let session = &mut self.sessions[session];
        session.is_ended |= session.subject == subject;
    }

    pub(crate) fn revoke_subject(&mut self, subject: &str) {
        for session in &mut self.sessions {
            session.is_ended |= session.subject == subject;
        }
    }

    pub(crate) fn open_sessions(&self, subject: &str, now: i64) -> usize {
        (0..self.sessions.len())
            .filter(|session| self.sessions[*session].subject == subject)
            .filter(|session| self.is_open(*session, now))
            .count()
    }
}
