//! The encoding of a session in its hash field: three lines. The scripts read and write only the
//! first line.
//!
//! ```text
//! [opened_at,expires_at,ends_at,[[refresh_id,auth_id,issued_at,repeatable_until,repeated_at],…]]
//! [label, address, user_agent]: each a text or null
//! the claims
//! ```
//!
//! A pair of tokens may end after `issued_at`. It then counts as used.
//!
//! Without address and user agent, the second line is only the label.
//!
//! Label, address, user agent and claims are arbitrary texts from the application. The scripts do not parse them and
//! therefore cannot change them. The ids of session and subject are the names of the field and the
//! key.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use time::Duration;

use super::super::{Generation, Moment, SessionRecord, StoreError, moment::whole_milliseconds};

/// The largest moment that Lua counts exactly, since it only has floating-point numbers: the year
/// 287396.
const LAST_MOMENT: i64 = 1 << 53;

/// The first line.
type Header = (i64, i64, i64, Vec<StoredGeneration>);

/// The second line, if it is not only the label: label, address and user agent.
type Recognition = (Option<String>, Option<String>, Option<String>);

/// A [`Generation`] as an array.
#[derive(Serialize, Deserialize)]
struct StoredGeneration(
    String,
    String,
    i64,
    #[serde(default)] Option<i64>,
    #[serde(default)] Option<i64>,
);

/// Converts a moment for the scripts.
///
/// # Errors
///
/// [`StoreError::Unavailable`] if the moment is out of range.
pub(super) fn moment(moment: Moment) -> Result<i64, StoreError> {
    let milliseconds = moment.milliseconds();
    if (-LAST_MOMENT..=LAST_MOMENT).contains(&milliseconds) {
        Ok(milliseconds)
    } else {
        Err(StoreError::unavailable(
            "RedisStore accepts no moment that is more than 285,000 years from 1970",
        ))
    }
}

/// Converts the end of a revocation for the scripts, saturated to their range.
pub(super) fn nearest_moment(moment: Moment) -> i64 {
    moment.milliseconds().clamp(-LAST_MOMENT, LAST_MOMENT)
}

/// Converts a duration for the scripts. It is saturated to a value that acts the same on every
/// [`moment`].
pub(super) fn duration(duration: Duration) -> i64 {
    whole_milliseconds(duration).clamp(-4 * LAST_MOMENT, 4 * LAST_MOMENT)
}

/// Encodes a session.
///
/// # Errors
///
/// [`StoreError::Unavailable`] if a moment is out of range.
pub(super) fn encode(session: &SessionRecord) -> Result<String, StoreError> {
    let generations = session.generations.iter().map(|it| {
        Ok(StoredGeneration(
            it.refresh_id.clone(),
            it.auth_id.clone(),
            moment(it.issued_at)?,
            it.repeatable_until.map(nearest_moment),
            it.repeated_at.map(moment).transpose()?,
        ))
    });
    let header = (
        moment(session.opened_at)?,
        moment(session.expires_at)?,
        moment(session.ends_at)?,
        generations.collect::<Result<Vec<_>, StoreError>>()?,
    );
    let header = serde_json::to_string(&header).map_err(StoreError::unavailable)?;
    let (label, address, user_agent) = (&session.label, &session.address, &session.user_agent);
    let recognition = match (address, user_agent) {
        (None, None) => serde_json::to_string(label),
        _ => serde_json::to_string(&(label, address, user_agent)),
    };
    let recognition = recognition.map_err(StoreError::unavailable)?;
    Ok(format!("{header}\n{recognition}\n{}", session.claims))
}

/// Decodes a session.
///
/// # Errors
///
/// [`StoreError::Corrupt`] if the text was not written by [`encode`].
pub(super) fn decode(subject: &str, id: &str, stored: &[u8]) -> Result<SessionRecord, StoreError> {
    let corrupt = || StoreError::corrupt("a session");
    let stored = std::str::from_utf8(stored).map_err(|_| corrupt())?;
    let mut lines = stored.splitn(3, '\n');
    let (Some(header), Some(recognition), Some(claims)) =
        (lines.next(), lines.next(), lines.next())
    else {
        return Err(corrupt());
    };
    let (opened_at, expires_at, ends_at, generations): Header = json(header).ok_or_else(corrupt)?;
    let generations = generations.into_iter().map(
        |StoredGeneration(refresh_id, auth_id, issued_at, repeatable_until, repeated_at)| {
            Generation {
                refresh_id,
                auth_id,
                issued_at: Moment::from_milliseconds(issued_at),
                repeatable_until: repeatable_until.map(Moment::from_milliseconds),
                repeated_at: repeated_at.map(Moment::from_milliseconds),
            }
        },
    );
    let (label, address, user_agent): Recognition = if recognition.starts_with('[') {
        json(recognition).ok_or_else(corrupt)?
    } else {
        (json(recognition).ok_or_else(corrupt)?, None, None)
    };
    Ok(SessionRecord {
        id: id.to_owned(),
        subject: subject.to_owned(),
        opened_at: Moment::from_milliseconds(opened_at),
        expires_at: Moment::from_milliseconds(expires_at),
        ends_at: Moment::from_milliseconds(ends_at),
        label,
        address,
        user_agent,
        claims: claims.to_owned(),
        generations: generations.collect(),
    })
}

fn json<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

/// Decodes the moment until which a subject's tokens without a session are revoked.
///
/// # Errors
///
/// [`StoreError::Corrupt`] if the text was not written by the script.
pub(super) fn issued_until(stored: &[u8]) -> Result<Moment, StoreError> {
    std::str::from_utf8(stored)
        .ok()
        .and_then(|stored| stored.split_once(' '))
        .filter(|(_, until)| until.parse::<i64>().is_ok())
        .and_then(|(issued_until, _)| issued_until.parse().ok())
        .map(Moment::from_milliseconds)
        .ok_or_else(|| StoreError::corrupt("the revocation of a subject"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> SessionRecord {
        SessionRecord {
            id: "s".to_owned(),
            subject: "alice".to_owned(),
            opened_at: Moment::from_milliseconds(1),
            expires_at: Moment::from_milliseconds(LAST_MOMENT),
            ends_at: Moment::from_milliseconds(-3),
            label: Some("two\nlines, \"quoted\"".to_owned()),
            address: Some("::1\n".to_owned()),
            user_agent: None,
            claims: "{\"a\":\n1}\n".to_owned(),
            generations: vec![Generation {
                refresh_id: "r\n\"".to_owned(),
                auth_id: String::new(),
                issued_at: Moment::UNIX_EPOCH,
                repeatable_until: Some(Moment::from_milliseconds(2)),
                repeated_at: Some(Moment::from_milliseconds(1)),
            }],
        }
    }

    #[test]
    fn an_encoded_session_is_decoded_unchanged() {
        let mut session = session();
        for user_agent in [None, Some("[\"a\",null]\n".to_owned()), None] {
            session.user_agent = user_agent;
            let stored = encode(&session).expect("stored");
            let read = decode("alice", "s", stored.as_bytes()).expect("read");
            assert_eq!(read, session);
            session.label = None;
            session.address = None;
            session.claims.clear();
            session.generations.clear();
        }
        session.opened_at = Moment::from_milliseconds(LAST_MOMENT + 1);
        assert!(encode(&session).is_err());
    }

    #[test]
    fn a_record_of_an_earlier_version_has_no_address_and_no_user_agent() {
        let mut session = session();
        session.address = None;
        let stored = encode(&session).expect("stored");
        let label = stored.lines().nth(1);
        assert_eq!(label, Some(r#""two\nlines, \"quoted\"""#));
        session.label = None;
        let stored = encode(&session).expect("stored");
        assert_eq!(stored.lines().nth(1), Some("null"));
        for (line, label) in [("null", None), ("\"phone\"", Some("phone"))] {
            let stored = format!("[1,2,3,[]]\n{line}\n{{}}");
            let read = decode("alice", "s", stored.as_bytes()).expect("read");
            assert_eq!(read.label.as_deref(), label);
            assert_eq!((read.address, read.user_agent), (None, None));
        }
    }

    #[test]
    fn a_malformed_record_is_corrupt() {
        for stored in [
            "",
            "[1,2,3,[]]",
            "[1,2,3,[]]\nnull",
            "[1,2,3]\nnull\n{}",
            "[1,2,3,[],4]\nnull\n{}",
            "[1,2.5,3,[]]\nnull\n{}",
            "[1,2,3,{}]\nnull\n{}",
            "[1,2,3,[[\"r\",\"a\"]]]\nnull\n{}",
            "[1,2,3,[[\"r\",\"a\",1,\"2\",3]]]\nnull\n{}",
            "[1,2,3,[[\"r\",\"a\",1,2,3.5]]]\nnull\n{}",
            "[1,2,3,[[\"r\",\"a\",1,2,3,4]]]\nnull\n{}",
            "[1,2,3,[[\"r\",\"a\",\"1\"]]]\nnull\n{}",
            "[1,2,3,[]] x\nnull\n{}",
            "[1,2,3,[]]\n7\n{}",
            "[1,2,3,[]]\n[]\n{}",
            "[1,2,3,[]]\n[null,\"::1\"]\n{}",
            "[1,2,3,[]]\n[null,1,null]\n{}",
            "[1,2,3,[]]\n[null,null,null,null]\n{}",
        ] {
            assert!(decode("alice", "s", stored.as_bytes()).is_err(), "{stored}");
        }
        assert!(decode("alice", "s", b"[1,2,3,[]]\nnull\n\xff").is_err());
        assert_eq!(
            issued_until(b"-5 7").ok(),
            Some(Moment::from_milliseconds(-5))
        );
        for stored in ["", "5", "5 ", " 7", "5 x", "x 7", "5  7", "5.5 7"] {
            assert!(issued_until(stored.as_bytes()).is_err(), "{stored}");
        }
    }
}
