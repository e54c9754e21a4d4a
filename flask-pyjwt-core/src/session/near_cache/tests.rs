//! Questions to a store that answers when the test wants.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    runtime::Handle,
    sync::{Semaphore, oneshot},
    task::yield_now,
};

use super::{
    super::{Moment, Standing, StoreError, TokenIdentity},
    Answer, Asked, AuthToken, Cache, NearCache, Questions, Source, Subscription,
};

const NOW: Moment = Moment::UNIX_EPOCH;
const KEY: &[u8] = b"alice";

/// A question that waits for its answer.
struct Waiting {
    tokens: usize,
    is_kept: bool,
    answer: oneshot::Sender<Result<Answer, StoreError>>,
}

#[derive(Clone)]
struct Store {
    subscription: Arc<Subscription>,
    has_line: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<Waiting>>>,
}

impl Store {
    fn next(&self) -> Option<Waiting> {
        let mut asked = self.asked.lock().expect("not poisoned");
        (!asked.is_empty()).then(|| asked.remove(0))
    }
}

impl Source for Store {
    type Line = ();

    fn line(&self, _: &[u8]) -> Option<(Arc<Subscription>, ())> {
        let has_line = self.has_line.load(Ordering::SeqCst);
        has_line.then(|| (Arc::clone(&self.subscription), ()))
    }

    async fn ask(
        &self,
        line: Option<()>,
        _: &[u8],
        tokens: &[AuthToken],
    ) -> Result<Asked, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.asked.lock().expect("not poisoned").push(Waiting {
            tokens: tokens.len(),
            is_kept: line.is_some(),
            answer,
        });
        let answer = answered.await.expect("the store panics")?;
        Ok(Asked {
            answers: tokens.iter().map(|_| Ok(answer)).collect(),
            may_be_kept: line.is_some(),
        })
    }
}

struct Test {
    questions: Arc<Questions<Store>>,
    store: Store,
}

impl Test {
    /// Nobody loses patience, and the subscription does not end by itself.
    fn new(places: usize) -> Self {
        let mut test = Self::impatient(places);
        let questions = Arc::get_mut(&mut test.questions).expect("nobody else has it");
        questions.patience = Duration::from_secs(60);
        test
    }

    fn impatient(places: usize) -> Self {
        let settings = NearCache::new().max_silence(time::Duration::MINUTE);
        let cache = Cache::new(&settings).expect("in range");
        let store = Store {
            subscription: cache.subscribe(Instant::now()),
            has_line: Arc::new(AtomicBool::new(true)),
            asked: Arc::default(),
        };
        let places = Arc::new(Semaphore::new(places));
        let questions = Questions::new(cache, store.clone(), Handle::current(), places);
        Self { questions, store }
    }

    /// Asks about a token in a task.
    fn ask(&self, id: &str) -> tokio::task::JoinHandle<Result<Option<Standing>, StoreError>> {
        let questions = Arc::clone(&self.questions);
        let token = token(id);
        tokio::spawn(async move { questions.standing(KEY, &token, NOW).await })
    }

    /// The question that the store has got next.
    async fn asked(&self) -> Waiting {
        loop {
            let next = self.store.next();
            if let Some(waiting) = next {
                return waiting;
            }
            yield_now().await;
        }
    }

    fn known(&self, id: &str) -> Option<Standing> {
        let cache = self.questions.cache();
        cache.standing(KEY, &token(id), NOW, Instant::now())
    }
}

fn token(id: &str) -> TokenIdentity {
    let mut token = TokenIdentity::new("alice", NOW);
    token.id = Some(id.to_owned());
    token
}

async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

#[actix_web::test]
async fn an_answer_is_kept_until_the_subject_changes() {
    let test = Test::new(100);
    let asking = test.ask("1");
    assert!(test.asked().await.answer.send(Ok(Answer::Good)).is_ok());
    assert_eq!(
        asking.await.expect("no panic").ok(),
        Some(Some(Standing::Good))
    );
    assert_eq!(test.known("1"), Some(Standing::Good));
    assert_eq!(test.known("2"), None);
    test.questions.cache().forget(KEY);
    assert_eq!(test.known("1"), None);
    let counts = test.questions.cache().counts();
    assert_eq!((counts.hits, counts.questions, counts.changes), (1, 1, 1));
}

#[actix_web::test]
async fn a_change_or_loss_while_a_question_is_asked_prevents_that_its_answer_is_kept() {
    let events: [fn(&Test); 5] = [
        |test| test.questions.cache().forget(KEY),
        |test| drop(test.questions.cache().changing(KEY)),
        |test| test.store.subscription.forget_all(),
        |test| test.store.subscription.end(),
        |test| {
            let now = Instant::now();
            assert!(test.store.subscription.confirm(now, now));
        },
    ];
    for (place, event) in events.into_iter().enumerate() {
        let test = Test::new(100);
        let asking = test.ask("1");
        let waiting = test.asked().await;
        event(&test);
        assert!(waiting.answer.send(Ok(Answer::Good)).is_ok());
        assert_eq!(
            asking.await.expect("no panic").ok(),
            Some(Some(Standing::Good))
        );
        // A sign of life does not prevent it.
        assert_eq!(test.known("1").is_some(), place == 4, "{place}");
    }
}

#[actix_web::test]
async fn all_who_ask_while_a_question_is_asked_share_the_next_one() {
    let test = Test::new(100_000);
    let first = test.ask("1");
    let waiting = test.asked().await;
    let others: Vec<_> = (0..500).map(|it| test.ask(&(it % 5).to_string())).collect();
    settle().await;
    // Nobody gets the answer to a question that was sent before he asked.
    assert!(waiting.answer.send(Ok(Answer::Revoked)).is_ok());
    assert_eq!(
        first.await.expect("no panic").ok(),
        Some(Some(Standing::Revoked))
    );
    let waiting = test.asked().await;
    assert_eq!(waiting.tokens, 5);
    test.questions.cache().forget(KEY);
    assert!(waiting.answer.send(Ok(Answer::Good)).is_ok());
    for other in others {
        assert_eq!(
            other.await.expect("no panic").ok(),
            Some(Some(Standing::Good))
        );
    }
    assert_eq!(test.questions.cache().counts().questions, 2);
}

#[actix_web::test]
async fn a_slow_question_does_not_delay_the_next_one() {
    let test = Test::impatient(100);
    let slow = test.ask("1");
    let waiting = test.asked().await;
    let other = test.ask("2");
    // Comes although the first one has no answer.
    assert!(test.asked().await.answer.send(Ok(Answer::Good)).is_ok());
    assert_eq!(
        other.await.expect("no panic").ok(),
        Some(Some(Standing::Good))
    );
    let third = test.ask("3");
    assert!(test.asked().await.answer.send(Ok(Answer::Good)).is_ok());
    assert!(third.await.is_ok_and(|it| it.is_ok()));
    assert!(waiting.answer.send(Ok(Answer::Good)).is_ok());
    assert!(slow.await.is_ok_and(|it| it.is_ok()));
    assert_eq!(test.known("1"), Some(Standing::Good));
}

#[actix_web::test]
async fn an_error_reaches_all_who_wait_and_is_not_kept() {
    let test = Test::new(100);
    let first = test.ask("1");
    let waiting = test.asked().await;
    let both = [test.ask("1"), test.ask("2")];
    settle().await;
    assert!(waiting.answer.send(Ok(Answer::Good)).is_ok());
    assert!(first.await.is_ok_and(|it| it.is_ok()));
    test.questions.cache().forget(KEY);
    let error = StoreError::unavailable("the reason");
    assert!(test.asked().await.answer.send(Err(error)).is_ok());
    for asking in both {
        let error = asking.await.expect("no panic").expect_err("it fails");
        assert_eq!(
            format!("{error:?}"),
            "the session store cannot be reached or failed: the reason"
        );
    }
    assert_eq!((test.known("1"), test.known("2")), (None, None));
}

#[actix_web::test]
async fn a_panic_of_the_store_is_an_error_for_all_who_wait() {
    let test = Test::new(100);
    let first = test.ask("1");
    let waiting = test.asked().await;
    let second = test.ask("1");
    settle().await;
    drop(waiting);
    assert!(first.await.is_ok_and(|it| it.is_err()));
    assert!(second.await.is_ok_and(|it| it.is_err()));
    let third = test.ask("1");
    assert!(test.asked().await.answer.send(Ok(Answer::Good)).is_ok());
    assert!(third.await.is_ok_and(|it| it.is_ok()));
}

#[actix_web::test]
async fn a_question_goes_on_when_nobody_waits_any_more() {
    let test = Test::new(1);
    let asking = test.ask("1");
    let waiting = test.asked().await;
    asking.abort();
    assert!(asking.await.is_err());
    // It still counts among those who wait.
    let refused = test.ask("2").await.expect("no panic");
    assert!(refused.is_err_and(|it| format!("{it:?}").contains("too many requests")));
    assert!(waiting.answer.send(Ok(Answer::Good)).is_ok());
    settle().await;
    assert_eq!(test.known("1"), Some(Standing::Good));
}

#[actix_web::test]
async fn without_announcements_nothing_is_asked_or_answered_here() {
    let test = Test::new(100);
    test.store.has_line.store(false, Ordering::SeqCst);
    assert_eq!(test.ask("1").await.expect("no panic").ok(), Some(None));
    // The line is lost before a question is sent.
    test.store.has_line.store(true, Ordering::SeqCst);
    let asking = test.ask("1");
    let waiting = test.asked().await;
    let second = test.ask("1");
    settle().await;
    test.store.has_line.store(false, Ordering::SeqCst);
    assert!(
        waiting
            .answer
            .send(Err(StoreError::unavailable("lost")))
            .is_ok()
    );
    assert!(asking.await.is_ok_and(|it| it.is_err()));
    let waiting = test.asked().await;
    assert!(!waiting.is_kept);
    assert!(waiting.answer.send(Ok(Answer::Good)).is_ok());
    assert_eq!(
        second.await.expect("no panic").ok(),
        Some(Some(Standing::Good))
    );
    assert_eq!(test.known("1"), None);
}
