//! The issuer's key set over HTTP, with a count of its fetches.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
};

use actix_web::{
    App, HttpServer,
    dev::{ServerHandle, Service as _},
    rt::System,
};
use flask_pyjwt::AuthManager;

/// A server in a thread of this process. It stops when it is dropped.
pub(super) struct KeyServer {
    address: SocketAddr,
    fetches: Arc<AtomicUsize>,
    handle: ServerHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl KeyServer {
    /// Publishes the keys of this manager. Clients can cache them for an hour.
    pub(super) fn start(issuer: AuthManager) -> io::Result<Self> {
        let fetches = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&fetches);
        let (send, started) = mpsc::channel();
        let thread = thread::spawn(move || {
            System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    let count = Arc::clone(&count);
                    App::new()
                        .wrap_fn(move |request, next| {
                            count.fetch_add(1, Ordering::AcqRel);
                            next.call(request)
                        })
                        .service(issuer.jwks().max_age(time::Duration::hours(1)))
                })
                .workers(1)
                .disable_signals()
                .bind(("127.0.0.1", 0))?;
                let address = server.addrs().first().copied();
                let server = server.run();
                drop(send.send((address, server.handle())));
                server.await
            })
        });
        let (address, handle) = started.recv().map_err(io::Error::other)?;
        Ok(Self {
            address: address.ok_or_else(|| io::Error::other("the keys are nowhere"))?,
            fetches,
            handle,
            thread: Some(thread),
        })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/.well-known/jwks.json", self.address)
    }

    /// How often the keys were fetched so far.
    pub(super) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Acquire)
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        drop(self.handle.stop(false)); // the call sends the request
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
