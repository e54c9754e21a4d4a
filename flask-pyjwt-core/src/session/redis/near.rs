//! Asks about tokens of one subject, and keeps the answers that the server will announce changes of.

use std::{collections::HashMap, sync::Arc};

use redis::Value;

use super::{
    super::{
        Moment, StoreError,
        near_cache::{Answer, Asked, AuthToken, Source, Subscription},
    },
    encoding, reply,
    servers::Servers,
    tracker::Line,
};

impl Source for Arc<Servers> {
    type Line = Line;

    fn line(&self, key: &[u8]) -> Option<(Arc<Subscription>, Line)> {
        let line = Servers::line(self, key)?;
        Some((Arc::clone(&line.subscription), line))
    }

    async fn ask(
        &self,
        line: Option<Line>,
        key: &[u8],
        tokens: &[AuthToken],
    ) -> Result<Asked, StoreError> {
        let mut fields = Fields::default();
        let places: Vec<_> = tokens.iter().map(|token| fields.of(token)).collect();
        let mut question = redis::cmd("HMGET");
        question.arg(key).arg(&fields.names);
        let (may_be_kept, found) = self.read_on(line, key, question).await?;
        let found = reply::array(found)?;
        if found.len() != fields.names.len() {
            return Err(reply::unexpected());
        }
        let answers = tokens.iter().zip(places);
        let answers = answers.map(|(token, places)| places.answer(token, &found));
        Ok(Asked {
            answers: answers.collect(),
            may_be_kept,
        })
    }
}

/// The fields of a hash that a question reads.
#[derive(Default)]
struct Fields {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

/// The places of a token's fields among them.
struct Places {
    /// The field of its session, or of the subject.
    about: usize,
    /// The field that exists if the token is revoked by its id.
    revoked: Option<usize>,
}

impl Fields {
    fn of(&mut self, token: &AuthToken) -> Places {
        Places {
            about: self.place(about_field(token.session.as_deref())),
            revoked: token.id.as_deref().map(|id| self.place(token_field(id))),
        }
    }

    fn place(&mut self, name: String) -> usize {
        *self.places.entry(name).or_insert_with_key(|name| {
            self.names.push(name.clone());
            self.names.len() - 1
        })
    }
}

impl Places {
    fn answer(&self, token: &AuthToken, found: &[Value]) -> Result<Answer, StoreError> {
        let field = |place: usize| reply::field(found.get(place).cloned());
        let is_revoked = self.revoked.map(field).transpose()?.flatten().is_some();
        let about = field(self.about)?.filter(|_| !is_revoked);
        Ok(match (&token.session, about) {
            (Some(id), Some(stored)) => {
                let session = encoding::decode("", id, &stored)?;
                Answer::new(token, is_revoked, Some(&session), None)
            }
            (None, Some(stored)) => {
                let issued_until: Moment = encoding::issued_until(&stored)?;
                Answer::new(token, is_revoked, None, Some(issued_until))
            }
            (_, None) => Answer::new(token, is_revoked, None, None),
        })
    }
}

/// The field of a session, or of the subject's tokens that belong to no session.
pub(super) fn about_field(session: Option<&str>) -> String {
    match session {
        Some(id) => session_field(id),
        None => "n".to_owned(),
    }
}

pub(super) fn session_field(id: &str) -> String {
    format!("s:{id}")
}

pub(super) fn token_field(id: &str) -> String {
    format!("t:{id}")
}
