//! The items of several subjects, compared with a `SubjectRecord` of each.

use std::collections::BTreeMap;

use time::Duration;

use super::*;
use crate::session::{Generation, SubjectRecord};

const NOW: Moment = Moment::from_milliseconds(1_800_000_000_123);
const MINUTE: Duration = Duration::MINUTE;
/// One begins with another, and two differ in a byte that ends texts elsewhere.
const SUBJECTS: [&str; 4] = ["", "alice", "alice\0", "alice\0\u{1f600}"];
const IDS: [&str; 4] = ["", "s", "s\0", "\u{e9}-AAAAAAAAAAAAAAAAAAAAAA"];

/// A reproducible source of choices.
struct Choices(u64);

impl Choices {
    fn below(&mut self, end: usize) -> usize {
        let factor = 6_364_136_223_846_793_005;
        self.0 = self
            .0
            .wrapping_mul(factor)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }

    fn of<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.below(things.len())]
    }

    fn minutes(&mut self, end: usize) -> Duration {
        MINUTE * i32::try_from(self.below(end)).expect("small")
    }
}

fn pair(session: &str, number: usize, issued_at: Moment) -> Generation {
    Generation::new(
        format!("{session}-r{number}"),
        format!("{session}-a{number}"),
        issued_at,
    )
}

/// The tokens of a subject that a store can be asked about.
fn tokens(subject: &str, now: Moment) -> Vec<TokenIdentity> {
    let mut tokens = Vec::new();
    for session in IDS {
        for number in 0..4 {
            let pair = pair(session, number, now);
            let mut token = TokenIdentity::new(subject, now);
            token.session = Some(session.to_owned());
            token.id = Some(pair.auth_id);
            tokens.push(token.clone());
            token.id = Some(pair.refresh_id);
            token.grace = Some(Duration::ZERO);
            tokens.push(token.clone());
            token.grace = Some(2 * MINUTE);
            tokens.push(token);
        }
    }
    for issued_at in [NOW, now - MINUTE, now] {
        tokens.push(TokenIdentity::new(subject, issued_at));
    }
    tokens
}

/// One random step, made in the items and in the model.
fn step(
    choices: &mut Choices,
    items: &mut Items,
    model: &mut SubjectRecord,
    subject: &str,
    now: Moment,
) {
    let id = choices.of(&IDS);
    let pair = |number| pair(id, number, now);
    match choices.below(13) {
        0..3 => {
            let lifetime = MINUTE + choices.minutes(120);
            let mut session = SessionRecord::new(id, subject, pair(0), lifetime);
            session.expires_at = now + MINUTE + choices.minutes(60);
            session.label = choices
                .of(&[None, Some(""), Some("phone")])
                .map(str::to_owned);
            let replaces = vec![choices.of(&IDS).to_owned(); choices.below(2)];
            let opening = Opening::new(session, 1 + choices.below(3)).replacing(replaces);
            assert_eq!(items.open(&opening, now), model.open(&opening, now));
        }
        3..8 => {
            let presented = choices.below(4);
            let mut successor = pair(presented + 1);
            successor.repeatable_until = choices.of(&[None, Some(now + 30 * MINUTE)]);
            let mut rotation = Rotation::new(
                subject,
                id,
                pair(presented).refresh_id,
                successor,
                40 * MINUTE,
            );
            rotation.grace = choices.of(&[Duration::ZERO, 2 * MINUTE]);
            rotation.claims = choices.of(&[None, Some("{\"a\":1}")]).map(str::to_owned);
            assert_eq!(items.rotate(&rotation), model.rotate(&rotation));
        }
        8 => {
            let mut token = TokenIdentity::new(subject, now);
            token.session = Some(id.to_owned());
            token.id = Some(pair(choices.below(4)).auth_id);
            assert_eq!(items.mark_used(&token, now), model.mark_used(&token, now));
        }
        9 => {
            let mut session = SessionRecord::new(id, subject, pair(0), 90 * MINUTE);
            session.address = choices.of(&[None, Some("192.0.2.1")]).map(str::to_owned);
            let sessions = vec![session; choices.below(2)];
            let adopted = items.adopt(subject, &sessions, now);
            assert_eq!(adopted, model.adopt(&sessions, now));
        }
        10 => revoke(items, model, &Revocation::of_session(subject, id), now),
        11 => {
            let token = pair(choices.below(4));
            let until = now + choices.minutes(90);
            let id = choices.of(&[&*token.auth_id, &*token.refresh_id]);
            revoke(items, model, &Revocation::of_token(subject, id, until), now);
        }
        _ => {
            let (issued_until, until) = (now - choices.minutes(3), now + choices.minutes(90));
            let everything = Revocation::of_subject(subject, issued_until, until);
            revoke(items, model, &everything, now);
        }
    }
}

fn revoke(items: &mut Items, model: &mut SubjectRecord, revocation: &Revocation, now: Moment) {
    let expected = model.revoke(revocation, now).expect("there is room");
    let mut ended = items.revoke(revocation, now).expect("there is room");
    ended.sort();
    assert_eq!(ended, expected);
}

/// The subjects share one list, as if their hashes were the same.
#[test]
fn any_history_has_the_same_outcomes_as_the_records_of_its_subjects() {
    let mut seen = BTreeMap::new();
    for seed in 0..40 {
        let (mut choices, mut items, mut now) = (Choices(seed), Items::default(), NOW);
        let mut models = SUBJECTS.map(|subject| (subject, SubjectRecord::default()));
        for _ in 0..60 {
            let (subject, model) = &mut models[choices.below(SUBJECTS.len())];
            step(&mut choices, &mut items, model, subject, now);
            if choices.below(4) == 0 {
                // Sometimes the clock steps back.
                now = now + choices.minutes(5) - choices.minutes(3);
            }
            if choices.below(8) == 0 {
                let later = now + choices.minutes(120);
                items.forget_ended(later);
                for (_, model) in &mut models {
                    model.forget_ended(later);
                }
            }
            for (subject, model) in &models {
                for token in tokens(subject, now) {
                    let standing = items.standing(&token, now);
                    assert_eq!(standing, model.standing(&token, now), "{seed}: {token:?}");
                    *seen.entry(format!("{standing:?}")).or_insert(0) += 1;
                }
                let most = choices.below(4);
                assert_eq!(
                    items.sessions(subject, most, now),
                    model.sessions(most, now)
                );
            }
            let entries: usize = models.iter().map(|(_, model)| model.len()).sum();
            assert_eq!(items.len(), entries);
        }
    }
    // Otherwise the histories would not reach what they are to compare.
    for standing in ["Good", "Unused", "Revoked", "Replayed"] {
        assert!(
            seen.get(standing).is_some_and(|count| *count > 100),
            "{standing}: {seen:?}"
        );
    }
}

#[test]
fn any_session_is_read_as_it_was_written() {
    let long = "\u{1f600}\0".repeat(2_000_000); // 10 MB
    let texts = [
        "",
        "\0",
        "a",
        "-",
        "\u{7f}",
        "{\"seal\":\"",
        &*"x".repeat(127),
        &*"y".repeat(128),
        &*"z".repeat(600),
        &long,
    ]
    .map(str::to_owned);
    let moments = [
        i64::MIN,
        i64::MIN + 1,
        -1,
        0,
        1,
        63,
        64,
        -65,
        1_800_000_000_123,
        i64::MAX,
    ]
    .map(Moment::from_milliseconds);
    let mut choices = Choices(1);
    for _ in 0..1_000 {
        let mut text = || {
            // The long one is rare.
            let count = texts.len() - usize::from(choices.below(500) > 0);
            texts[choices.below(count)].clone()
        };
        let mut session = SessionRecord {
            id: text(),
            subject: text(),
            opened_at: Moment::MIN,
            expires_at: Moment::MIN,
            ends_at: Moment::MIN,
            label: Some(text()),
            address: Some(text()),
            user_agent: Some(text()),
            claims: text(),
            generations: vec![Generation::new(text(), text(), Moment::MIN)],
        };
        if choices.below(2) == 0 {
            session.label = None;
        }
        if choices.below(2) == 0 {
            session.address = None;
        }
        if choices.below(2) == 0 {
            session.user_agent = None;
        }
        session.opened_at = choices.of(&moments);
        session.expires_at = choices.of(&moments);
        session.ends_at = choices.of(&moments);
        for _ in 0..choices.below(17) {
            session.generations.push(Generation {
                refresh_id: texts[choices.below(9)].clone(),
                auth_id: texts[choices.below(9)].clone(),
                issued_at: choices.of(&moments),
                repeatable_until: Some(choices.of(&moments)).filter(|_| choices.below(2) == 0),
                repeated_at: Some(choices.of(&moments)).filter(|_| choices.below(2) == 0),
            });
        }
        if choices.below(20) == 0 {
            session.generations.clear();
        }
        let item = Item::session(&session);
        assert_eq!(item.until(), session.expires_at);
        let now = choices.of(&moments);
        assert!(item.candidate(now) == Some(Candidate::of(&session, now)));
        // Without the text of 10 MB in the message.
        assert!(item.to_session() == Some(session));
    }
}
