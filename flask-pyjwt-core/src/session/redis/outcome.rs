//! What the scripts answer, as the outcome of a method of the store.

use redis::Value;

use super::{
    super::{Rotated, Rotation, StoreError},
    encoding, reply,
};

/// Converts an answer that is a list of ids.
pub(super) fn ids(answer: Value) -> Result<Vec<String>, StoreError> {
    let id = |id: Value| reply::as_text(&id).map(str::to_owned);
    let ids = reply::array(answer)?.into_iter();
    ids.map(|it| id(it).ok_or_else(reply::unexpected)).collect()
}

/// Converts the answer of the rotation script.
pub(super) fn rotated(rotation: &Rotation, answer: Vec<Value>) -> Result<Rotated, StoreError> {
    let mut answer = answer.into_iter();
    let code = answer.next();
    let mut session = || {
        let stored = reply::field(answer.next())?.ok_or_else(reply::unexpected)?;
        encoding::decode(&rotation.subject, &rotation.session, &stored)
    };
    match code {
        Some(Value::Int(1)) => Ok(Rotated::Won(session()?)),
        Some(Value::Int(code @ (2 | 6))) => {
            let session = session()?;
            let Some(Value::Int(place)) = answer.next() else {
                return Err(reply::unexpected());
            };
            let place = usize::try_from(place).unwrap_or_default().wrapping_sub(1);
            let successor = session.generations.get(place).cloned();
            let successor = successor.ok_or_else(reply::unexpected)?;
            Ok(if code == 2 {
                Rotated::Again(session, successor)
            } else {
                Rotated::LostAnswer(session, successor)
            })
        }
        Some(Value::Int(3)) => Ok(Rotated::Replayed),
        Some(Value::Int(4)) => Ok(Rotated::Gone),
        Some(Value::Int(5)) => Err(StoreError::corrupt("a session")),
        _ => Err(reply::unexpected()),
    }
}
