//! Who is told about events: the application's callback, and subscribers.

use std::{
    cell::Cell,
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use tokio::sync::broadcast::{Receiver, Sender, error::RecvError};

use super::SessionEvent;
use crate::{error_chain::debug_is_the_sentence, meters, reentry::Calling};

thread_local! {
    /// Whether this thread is in the application's hook. Events that the hook itself causes are not
    /// given to it.
    static IN_HOOK: Cell<bool> = const { Cell::new(false) };
}

/// How many events are kept for a subscriber that is slow. A power of two, as the channel needs it.
const KEPT: usize = 1_024;

/// The callback given to [`Config::on_session_event`](crate::Config::on_session_event).
pub(crate) type EventHook = Arc<dyn Fn(&SessionEvent) + Send + Sync>;

/// Those who are told about the events of a manager.
pub(super) struct Listeners {
    hook: Option<EventHook>,
    /// Made for the first subscriber.
    subscribers: OnceLock<Sender<Arc<SessionEvent>>>,
}

impl Listeners {
    pub(super) fn new(hook: Option<EventHook>) -> Self {
        Self {
            hook,
            subscribers: OnceLock::new(),
        }
    }

    pub(super) fn subscribe(&self) -> SessionEvents {
        let sender = self.subscribers.get_or_init(|| Sender::new(KEPT));
        SessionEvents {
            next: Box::pin(receive(sender.subscribe())),
            has_ended: false,
        }
    }

    /// Tells everybody about an event, which is only made if somebody listens. Nobody is waited for
    /// except the hook.
    ///
    /// No lock is held while the hook runs, so it may call the manager.
    pub(super) fn tell(&self, event: impl FnOnce() -> SessionEvent) {
        let subscribers = self.subscribers.get();
        let subscribers = subscribers.filter(|sender| sender.receiver_count() > 0);
        let is_counted = cfg!(feature = "metrics");
        if self.hook.is_none() && subscribers.is_none() && !is_counted {
            return;
        }
        let event = Arc::new(event());
        meters::session_event(event.name());
        if let Some(subscribers) = subscribers {
            // An error means that the last subscriber has just gone.
            drop(subscribers.send(Arc::clone(&event)));
        }
        if let Some(hook) = &self.hook
            && let Some(_calling) = Calling::begin(&IN_HOOK)
        {
            hook(&event);
        }
    }
}

/// A subscription to the events of a manager: the result of
/// [`AuthManager::session_events`](crate::AuthManager::session_events).
///
/// It is a `Stream`, and [`recv`](Self::recv) waits for the next event without further crates. It
/// ends when the manager and all its clones are dropped.
///
/// No request ever waits for a subscriber. The last 1,024 events are kept for it. If it is slower
/// than that, the oldest are lost, and it gets a [`LostEvents`] in their place that says how many.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore, SessionEvent};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::new("shop", AuthType::HS256, "change-me: at least 32 bytes of secret")
///     .session_store(MemoryStore::default());
/// let auth = AuthManager::new(config)?;
/// let mut events = auth.session_events()?;
///
/// let pair = auth.login("alice").label("phone").await?;
/// auth.logout(&pair.auth).await?;
/// // A second logout is accepted, and ends nothing.
/// auth.logout(&pair.auth).await?;
/// drop(auth);
///
/// let mut names = Vec::new();
/// while let Some(event) = events.recv().await {
///     names.push(event?.name());
/// }
/// assert_eq!(names, ["opened", "ended"]);
/// # Ok(())
/// # }
/// ```
#[must_use = "events are received by `recv().await`, or as a `Stream`"]
pub struct SessionEvents {
    /// Waits for the next event. Kept until it is done, so that a dropped `recv` loses nothing.
    next: Next,
    has_ended: bool,
}

type Source = Receiver<Arc<SessionEvent>>;
type Received = Result<Arc<SessionEvent>, RecvError>;
type Next = Pin<Box<dyn Future<Output = (Received, Source)> + Send>>;

/// How many events a subscriber has lost, because it was slow.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{count} session events were lost: their subscriber was too slow")]
pub struct LostEvents {
    count: u64,
}

debug_is_the_sentence!(LostEvents);

impl LostEvents {
    /// How many were lost, one or more.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }
}

async fn receive(mut source: Source) -> (Received, Source) {
    let received = source.recv().await;
    (received, source)
}

impl SessionEvents {
    /// Waits for the next event. Returns `None` when the manager and all its clones are dropped.
    ///
    /// A future that is dropped loses no event.
    ///
    /// # Errors
    ///
    /// [`LostEvents`] in place of events that were lost. The next call returns the oldest one that
    /// is left.
    pub async fn recv(&mut self) -> Option<Result<SessionEvent, LostEvents>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for SessionEvents {
    type Item = Result<SessionEvent, LostEvents>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        let (received, source) = ready!(self.next.as_mut().poll(context));
        self.next = Box::pin(receive(source));
        Poll::Ready(match received {
            Ok(event) => Some(Ok(Arc::unwrap_or_clone(event))),
            Err(RecvError::Lagged(count)) => Some(Err(LostEvents { count })),
            Err(RecvError::Closed) => {
                self.has_ended = true;
                None
            }
        })
    }
}

impl fmt::Debug for SessionEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionEvents").finish_non_exhaustive()
    }
}
