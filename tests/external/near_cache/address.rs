//! A name or an address in front of several servers.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    thread,
};

use flask_pyjwt::store::{SessionStore as _, Standing};

use super::{kept, near};
use crate::redis_store::records::{Answers as _, NOW, auth, connected, revoke_session, session};
use support::redis::{Server, needs_redis, wait_until};

/// An address that new connections reach one server by, and later another one. Established connections stay.
struct Address {
    port: u16,
    target: Arc<AtomicU16>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
}

impl Address {
    fn of(server: &Server) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let target = Arc::new(AtomicU16::new(server.port));
        let connections = Arc::<Mutex<Vec<TcpStream>>>::default();
        let (to, known) = (Arc::clone(&target), Arc::clone(&connections));
        thread::spawn(move || {
            for near in listener.incoming() {
                let port = to.load(Ordering::Acquire);
                let (Ok(near), Ok(far)) = (near, TcpStream::connect(("127.0.0.1", port))) else {
                    return;
                };
                let copy = |stream: &TcpStream| stream.try_clone().expect("a stream");
                known.lock().expect("not poisoned").push(copy(&near));
                for (from, to) in [(copy(&near), copy(&far)), (far, near)] {
                    thread::spawn(move || pass(from, to));
                }
            }
        });
        Self {
            port,
            target,
            connections,
        }
    }

    /// New connections reach this server.
    fn leads_to(&self, server: &Server) {
        self.target.store(server.port, Ordering::Release);
    }

    fn connections(&self) -> usize {
        self.connections.lock().expect("not poisoned").len()
    }

    fn close(&self, number: usize) {
        let connections = self.connections.lock().expect("not poisoned");
        let closed = connections[number].shutdown(Shutdown::Both);
        closed.expect("it was open");
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = [0; 4_096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    for stream in [from, to] {
        // The other thread may have done so already.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

/// The server that an address leads to is replaced while the old one still works and considers itself the primary.
/// The connection for changes is made again, and the one that announces changes is still the old one.
#[actix_web::test]
async fn a_change_by_another_server_behind_the_same_address_is_seen_by_the_process_that_made_it() {
    needs_redis!();
    let (old, new) = (Server::start(), Server::start());
    let address = Address::of(&old);
    let url = format!("redis://127.0.0.1:{}", address.port);
    let store = near().connect(url).await.expect("connected");
    let [of_old, of_new] = [connected(&old).await, connected(&new).await];
    for number in 0..10 {
        let subject = format!("subject {number}");
        for server in [&of_old, &of_new] {
            server.opens(&session(&subject, "1", NOW), NOW).await;
        }
        let token = auth(&subject, "1", "0");
        assert_eq!(kept(&store, &token).await, Standing::Good);
    }
    assert_eq!(
        address.connections(),
        2,
        "one for changes, one that announces"
    );

    address.leads_to(&new);
    // The first one that was opened.
    address.close(0);
    for number in 0..10 {
        let subject = format!("subject {number}");
        wait_until("it is revoked by the new server", async || {
            store
                .revoke(&revoke_session(&subject, "1"), NOW)
                .await
                .is_ok()
        })
        .await;
        let token = auth(&subject, "1", "0");
        let standing = store.standing_of(&token, NOW).await;
        assert_eq!(standing, Standing::Revoked, "{subject}");
    }
}
