//! A proxy that cuts connections in the middle of a request.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// Which connections to cut.
#[derive(Debug, Clone)]
struct Cut {
    /// A text of the request.
    marker: String,
    /// Whether the server gets the request. The client gets no answer in any case.
    is_forwarded: bool,
}

/// Forwards bytes between clients and a server.
#[derive(Debug)]
pub struct Proxy {
    pub port: u16,
    next: Arc<Mutex<Option<Cut>>>,
    cuts: Arc<AtomicUsize>,
}

impl Proxy {
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let proxy = Self {
            port: listener.local_addr().expect("an address").port(),
            next: Arc::default(),
            cuts: Arc::default(),
        };
        let (next, cuts) = (Arc::clone(&proxy.next), Arc::clone(&proxy.cuts));
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", port)))
                else {
                    continue;
                };
                forward(&client, &server, &next, &cuts);
            }
        });
        proxy
    }

    /// Cuts the connection of the next request with this text: after the server has answered it, or before it gets it
    /// as a whole.
    pub fn cut_next(&self, marker: &str, is_forwarded: bool) {
        let cut = Cut {
            marker: marker.to_owned(),
            is_forwarded,
        };
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(cut);
    }

    /// How many connections were cut.
    pub fn cuts(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }
}

fn forward(
    client: &TcpStream,
    server: &TcpStream,
    next: &Arc<Mutex<Option<Cut>>>,
    cuts: &Arc<AtomicUsize>,
) {
    let is_doomed = Arc::<AtomicBool>::default();
    let copy = |it: &TcpStream| it.try_clone().expect("a stream");
    let end = |client: &TcpStream, server: &TcpStream| {
        client.shutdown(Shutdown::Both).ok();
        server.shutdown(Shutdown::Both).ok();
    };

    let (mut from, mut to) = (copy(client), copy(server));
    let (next, cuts, doom) = (Arc::clone(next), Arc::clone(cuts), Arc::clone(&is_doomed));
    thread::spawn(move || {
        let mut bytes = vec![0; 65_536];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            let request = &bytes[..count];
            let has_it = |cut: &mut Cut| {
                let marker = cut.marker.as_bytes();
                request.windows(marker.len()).any(|it| it == marker)
            };
            let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
            let cut = next.take_if(has_it);
            drop(next);
            if let Some(cut) = &cut {
                cuts.fetch_add(1, Ordering::SeqCst);
                if !cut.is_forwarded {
                    to.write_all(&request[..count / 2]).ok();
                    break;
                }
                doom.store(true, Ordering::SeqCst);
            }
            if to.write_all(request).is_err() {
                break;
            }
        }
        end(&from, &to);
    });

    let (mut from, mut to) = (copy(server), copy(client));
    thread::spawn(move || {
        let mut bytes = vec![0; 65_536];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if is_doomed.load(Ordering::SeqCst) || to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        end(&from, &to);
    });
}
