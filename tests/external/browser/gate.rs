//! A proxy in front of a server that can hold requests back until several have arrived.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

/// After this time requests are no longer held back, and the test finds that they did not arrive together.
const PATIENCE: Duration = Duration::from_secs(10);

/// Forwards every byte, and each request once all requests that it waits for have arrived. Its threads end with
/// their connections, and the last one with the test.
pub(crate) struct Gate {
    pub(crate) port: u16,
    awaited: Arc<Awaited>,
}

impl Gate {
    pub(crate) fn before(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let awaited = Arc::new(Awaited::default());
        let of_thread = Arc::clone(&awaited);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let awaited = Arc::clone(&of_thread);
                thread::spawn(move || forward(client, server, &awaited));
            }
        });
        Self { port, awaited }
    }

    /// From now on, no request is forwarded until this many have arrived.
    pub(crate) fn close_until(&self, number: usize) {
        *self.awaited.number.lock().expect("not poisoned") = number;
    }
}

/// How many requests have yet to arrive.
#[derive(Default)]
struct Awaited {
    number: Mutex<usize>,
    changed: Condvar,
}

impl Awaited {
    fn come(&self) {
        let mut number = self.number.lock().expect("not poisoned");
        *number = number.saturating_sub(1);
        self.changed.notify_all();
        let waited = self
            .changed
            .wait_timeout_while(number, PATIENCE, |number| *number > 0);
        drop(waited.expect("not poisoned"));
    }
}

/// Forwards both directions of a connection. When one end closes, both are closed.
fn forward(mut client: TcpStream, server: u16, awaited: &Awaited) -> io::Result<()> {
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, server))?;
    let (mut answers, mut to_client) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        io::copy(&mut answers, &mut to_client).ok();
        to_client.shutdown(Shutdown::Both).ok();
    });
    // A browser sends a request without a body in one piece.
    let mut piece = [0; 16_384];
    while let Ok(length @ 1..) = client.read(&mut piece) {
        awaited.come();
        server.write_all(&piece[..length])?;
    }
    server.shutdown(Shutdown::Both)
}
