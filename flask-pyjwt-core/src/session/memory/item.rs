//! One session or revocation as one allocation.
//!
//! An item begins with the moment until which it counts, its kind, its subject and its id, so that a
//! search and a sweep read nothing else.

use super::bytes::{Reader, Writer, text};
use crate::session::{Generation, Moment, SessionRecord, opening::Candidate, position::Pair};

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Session,
    /// A token that is revoked by its id.
    Token,
    /// The revocation of everything that was issued to the subject. Its id is empty.
    Everything,
}

/// What identifies an item. Items are sorted by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key<'a> {
    pub(super) subject: &'a [u8],
    pub(super) kind: Kind,
    pub(super) id: &'a [u8],
}

impl<'a> Key<'a> {
    pub(super) fn session(subject: &'a str, id: &'a str) -> Self {
        Self::new(Kind::Session, subject, id)
    }

    pub(super) fn token(subject: &'a str, id: &'a str) -> Self {
        Self::new(Kind::Token, subject, id)
    }

    pub(super) fn everything(subject: &'a str) -> Self {
        Self::new(Kind::Everything, subject, "")
    }

    fn new(kind: Kind, subject: &'a str, id: &'a str) -> Self {
        Self {
            subject: subject.as_bytes(),
            kind,
            id: id.as_bytes(),
        }
    }

    /// Begins an item that has this key.
    fn until(self, until: Moment) -> Writer {
        let mut writer = Writer::default();
        writer.fixed_moment(until);
        writer.array([self.kind as u8]);
        writer.bytes(self.subject);
        writer.bytes(self.id);
        writer
    }
}

/// One session or revocation of a subject.
#[derive(Debug)]
pub(super) struct Item(Box<[u8]>);

/// The beginning of an item, and a reader of what follows.
#[derive(Clone, Copy)]
struct Head<'a> {
    until: Moment,
    key: Key<'a>,
    rest: Reader<'a>,
}

impl<'a> Head<'a> {
    /// Reads the pairs, if the item is a session.
    fn pairs(mut self) -> Option<Pairs<'a>> {
        Some(Pairs {
            expires_at: self.until,
            opened_at: self.rest.fixed_moment()?,
            left: self.rest.number()?,
            rest: self.rest,
        })
    }
}

impl Item {
    pub(super) fn session(session: &SessionRecord) -> Self {
        // Names every field, so that none can be forgotten.
        let SessionRecord {
            id,
            subject,
            opened_at,
            expires_at,
            ends_at,
            label,
            address,
            user_agent,
            claims,
            generations,
        } = session;
        let mut writer = Key::session(subject, id).until(*expires_at);
        writer.fixed_moment(*opened_at);
        // What a check reads comes first, because the memory after it is then not loaded.
        writer.number(generations.len() as u64);
        for generation in generations {
            let Generation {
                refresh_id,
                auth_id,
                issued_at,
                repeatable_until,
                repeated_at,
            } = generation;
            writer.text(refresh_id);
            writer.text(auth_id);
            writer.moment(*issued_at, *opened_at);
            writer.optional_moments([*repeatable_until, *repeated_at], *issued_at);
        }
        writer.moment(*ends_at, *expires_at);
        writer.text(claims);
        for text in [label, address, user_agent] {
            writer.optional_text(text.as_deref());
        }
        Self(writer.finish())
    }

    pub(super) fn token(subject: &str, id: &str, until: Moment) -> Self {
        Self(Key::token(subject, id).until(until).finish())
    }

    pub(super) fn everything(subject: &str, issued_until: Moment, until: Moment) -> Self {
        let mut writer = Key::everything(subject).until(until);
        writer.moment(issued_until, until);
        Self(writer.finish())
    }

    /// When the session expires, or until when the revocation is kept.
    pub(super) fn until(&self) -> Moment {
        Reader(&self.0).fixed_moment().unwrap_or(Moment::MAX)
    }

    /// What identifies the item. `None` does not happen.
    pub(super) fn key(&self) -> Option<Key<'_>> {
        self.head().map(|head| head.key)
    }

    pub(super) fn is(&self, subject: &str, kind: Kind) -> bool {
        let is = |key: Key<'_>| key.kind == kind && key.subject == subject.as_bytes();
        self.key().is_some_and(is)
    }

    /// The tokens that were issued until this moment are revoked, if this is the revocation of a
    /// subject.
    pub(super) fn issued_until(&self) -> Moment {
        let read = |mut head: Head<'_>| head.rest.moment(head.until);
        self.head().and_then(read).unwrap_or(Moment::MAX)
    }

    /// The pairs of tokens of a session, oldest first.
    pub(super) fn pairs(&self) -> Pairs<'_> {
        let head = self.head();
        head.and_then(Head::pairs).unwrap_or_default()
    }

    /// Returns the session, or `None` if this is a revocation.
    pub(super) fn to_session(&self) -> Option<SessionRecord> {
        let head = self.head().filter(|head| head.key.kind == Kind::Session)?;
        let mut pairs = head.pairs()?;
        let generations = pairs.by_ref().map(PairView::into_generation);
        let generations = generations.collect::<Option<_>>()?;
        let mut rest = pairs.rest;
        Some(SessionRecord {
            id: text(head.key.id)?,
            subject: text(head.key.subject)?,
            opened_at: pairs.opened_at,
            expires_at: head.until,
            ends_at: rest.moment(head.until)?,
            generations,
            claims: rest.text()?,
            label: rest.optional_text()?,
            address: rest.optional_text()?,
            user_agent: rest.optional_text()?,
        })
    }

    /// The session as one that may be evicted.
    pub(super) fn candidate(&self, now: Moment) -> Option<Candidate> {
        let head = self.head()?;
        let refreshed_at = head.pairs()?.refreshed_at();
        let id = std::str::from_utf8(head.key.id).ok()?;
        Some(Candidate::new(id, now < head.until, refreshed_at))
    }

    /// The id of the session, if it has not expired.
    pub(super) fn live_id(&self, now: Moment) -> Option<String> {
        let head = self.head().filter(|head| now < head.until)?;
        text(head.key.id)
    }

    fn head(&self) -> Option<Head<'_>> {
        let mut rest = Reader(&self.0);
        let until = rest.fixed_moment()?;
        let kind = match rest.array()? {
            [0] => Kind::Session,
            [1] => Kind::Token,
            [2] => Kind::Everything,
            _ => return None,
        };
        let (subject, id) = (rest.bytes()?, rest.bytes()?);
        Some(Head {
            until,
            key: Key { subject, kind, id },
            rest,
        })
    }
}

/// Reads the pairs of tokens of a session one by one.
#[derive(Default)]
pub(super) struct Pairs<'a> {
    /// When the session expires.
    pub(super) expires_at: Moment,
    opened_at: Moment,
    left: u64,
    rest: Reader<'a>,
}

impl Pairs<'_> {
    /// When the current pair was issued.
    fn refreshed_at(self) -> Moment {
        let opened_at = self.opened_at;
        self.last().map_or(opened_at, |current| current.issued_at)
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = PairView<'a>;

    fn next(&mut self) -> Option<PairView<'a>> {
        self.left = self.left.checked_sub(1)?;
        let rest = &mut self.rest;
        let (refresh_id, auth_id) = (rest.bytes()?, rest.bytes()?);
        let issued_at = rest.moment(self.opened_at)?;
        let [repeatable_until, repeated_at] = rest.optional_moments(issued_at)?;
        Some(PairView {
            refresh_id,
            auth_id,
            issued_at,
            repeatable_until,
            repeated_at,
        })
    }
}

/// A [`Generation`] in an item.
#[derive(Debug)]
pub(super) struct PairView<'a> {
    refresh_id: &'a [u8],
    auth_id: &'a [u8],
    issued_at: Moment,
    repeatable_until: Option<Moment>,
    repeated_at: Option<Moment>,
}

impl PairView<'_> {
    fn into_generation(self) -> Option<Generation> {
        Some(Generation {
            refresh_id: text(self.refresh_id)?,
            auth_id: text(self.auth_id)?,
            issued_at: self.issued_at,
            repeatable_until: self.repeatable_until,
            repeated_at: self.repeated_at,
        })
    }
}

impl Pair for PairView<'_> {
    fn has_refresh_id(&self, id: &str) -> bool {
        self.refresh_id == id.as_bytes()
    }

    fn has_auth_id(&self, id: &str) -> bool {
        self.auth_id == id.as_bytes()
    }

    fn issued_at(&self) -> Moment {
        self.issued_at
    }

    fn repeatable_until(&self) -> Option<Moment> {
        self.repeatable_until
    }

    fn repeated_at(&self) -> Option<Moment> {
        self.repeated_at
    }
}
