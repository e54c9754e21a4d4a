//! Space in the store in memory when others fill it. `docs/threats.md` 43.

use flask_pyjwt::{
    MemoryStore,
    store::{
        Generation, Moment, Opening, Revocation, SessionRecord, SessionStore as _, Standing,
        StoreError, TokenIdentity,
    },
};

use time::Duration;

const NOW: Moment = Moment::from_milliseconds(1_800_000_000_000);
const HOUR: Duration = Duration::HOUR;
const STRANGERS: usize = 1_600;

fn opening(subject: &str, number: usize) -> Opening {
    let first = Generation::new(format!("r{number}"), format!("a{number}"), NOW);
    let session = SessionRecord::new(format!("s{number}"), subject, first, HOUR);
    Opening::new(session, 100)
}

fn token(subject: &str, number: usize) -> Revocation {
    Revocation::of_token(subject, format!("t{number}"), NOW + HOUR)
}

fn everything(subject: &str) -> Revocation {
    Revocation::of_subject(subject, NOW, NOW + HOUR)
}

async fn standing(store: &MemoryStore, subject: &str, session: Option<&str>, id: &str) -> Standing {
    let mut token = TokenIdentity::new(subject, NOW);
    token.session = session.map(str::to_owned);
    token.id = Some(id.to_owned());
    store.standing(&token, NOW).await.expect("answered")
}

/// `docs/threats.md` 43: the space that 16,384 logins and as many revocations of one account leave for others.
#[actix_web::test]
async fn one_account_cannot_take_the_space_of_others() {
    // A sixteenth of the store is 800 entries: far fewer than the account tries to take.
    let store = MemoryStore::new(12_800);
    for number in 0..16_384 {
        store
            .open(&opening("mallory", number), NOW)
            .await
            .expect("opened");
        let revoked = store.revoke(&token("mallory", number), NOW).await;
        let is_bounded = matches!(revoked, Err(StoreError::TooManyTokens { .. }));
        assert_eq!(is_bounded, number >= 1_000, "{number}: {revoked:?}");
    }
    let listed = store.sessions("mallory", 100, NOW).await.expect("listed");
    assert_eq!(listed.len(), 100);
    for number in 0..STRANGERS {
        let subject = format!("stranger {number}");
        let opened = store.open(&opening(&subject, 1), NOW).await;
        assert!(opened.is_ok(), "{subject}: {opened:?}");
        assert_eq!(
            standing(&store, &subject, Some("s1"), "a1").await,
            Standing::Good
        );
        store
            .revoke(&token(&subject, 1), NOW)
            .await
            .expect("revoked");
        assert_eq!(
            standing(&store, &subject, None, "t1").await,
            Standing::Revoked
        );
        store
            .revoke(&everything(&subject), NOW)
            .await
            .expect("revoked");
        assert_eq!(
            standing(&store, &subject, Some("s1"), "a1").await,
            Standing::Revoked
        );
    }
}

/// Logins are refused when the whole store is full. Revocations still have space then.
#[actix_web::test]
async fn a_full_store_refuses_logins_and_accepts_revocations() {
    const LIMIT: usize = 16_000;
    let store = MemoryStore::new(LIMIT);
    for number in 0..STRANGERS {
        let subject = format!("stranger {number}");
        store
            .open(&opening(&subject, 1), NOW)
            .await
            .expect("opened");
    }
    for number in STRANGERS..LIMIT {
        let subject = format!("attacker {}", number / 100);
        let opened = store.open(&opening(&subject, number), NOW).await;
        assert!(opened.is_ok(), "{number}: {opened:?}");
    }
    let refused = store.open(&opening("late", 1), NOW).await;
    assert!(
        matches!(refused, Err(StoreError::Full { limit: LIMIT })),
        "{refused:?}"
    );

    for number in 0..STRANGERS {
        let subject = format!("stranger {number}");
        assert_eq!(
            standing(&store, &subject, Some("s1"), "a1").await,
            Standing::Good
        );
        store
            .revoke(&token(&subject, 1), NOW)
            .await
            .expect("revoked");
        assert_eq!(
            standing(&store, &subject, None, "t1").await,
            Standing::Revoked
        );
        store
            .revoke(&everything(&subject), NOW)
            .await
            .expect("revoked");
        assert_eq!(
            standing(&store, &subject, Some("s1"), "a1").await,
            Standing::Revoked
        );
        let unknown = format!("unknown {number}");
        store
            .revoke(&everything(&unknown), NOW)
            .await
            .expect("revoked");
    }
    // Ended sessions free space, whichever account took it.
    for number in STRANGERS / 100..LIMIT / 100 {
        let subject = format!("attacker {number}");
        store
            .revoke(&everything(&subject), NOW)
            .await
            .expect("revoked");
    }
    store.open(&opening("late", 1), NOW).await.expect("opened");
}
