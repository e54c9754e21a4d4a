//! The issuer's HTTP server: a few JSON documents on a free loopback port.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::background::RuntimeThread;

/// The longest head of a request in bytes. The library's own requests have a few hundred.
const MAX_HEAD: usize = 32 * 1024;

/// How the server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Answers,
    /// Takes requests and does not answer until the mode changes.
    Hangs,
    /// Answers everything with this status.
    Fails(u16),
}

/// A server that listens from its creation until it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    _thread: RuntimeThread,
}

#[derive(Debug)]
struct Shared {
    /// JSON texts by their paths.
    pages: Mutex<BTreeMap<String, String>>,
    requests: Mutex<BTreeMap<String, usize>>,
    mode: watch::Sender<Mode>,
}

impl Server {
    pub(super) fn start() -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            pages: Mutex::default(),
            requests: Mutex::default(),
            mode: watch::Sender::new(Mode::Answers),
        });
        let serving = Arc::clone(&shared);
        // Connections that arrive before the thread runs wait in the listener's queue.
        let thread = RuntimeThread::start("test-issuer", move || {
            let listener = TcpListener::from_std(listener);
            async move {
                match listener {
                    Ok(listener) => accept(listener, serving).await,
                    Err(error) => tracing::error!(%error, "a test issuer cannot listen"),
                }
            }
        })?;
        Ok(Self {
            address,
            shared,
            _thread: thread,
        })
    }

    /// The scheme, host and port, without a slash at the end.
    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves this JSON text at a path from now on.
    pub(super) fn publish(&self, path: &str, json: String) {
        locked(&self.shared.pages).insert(path.to_owned(), json);
    }

    pub(super) fn answer(&self, mode: Mode) {
        self.shared.mode.send_replace(mode);
    }

    pub(super) fn requests(&self) -> BTreeMap<String, usize> {
        locked(&self.shared.requests).clone()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            let shared = Arc::clone(&shared);
            // A client that disconnects is no concern of the issuer.
            tokio::spawn(async move { drop(serve(&stream, &shared).await) });
        }
    }
}

/// Answers the one request of a connection.
async fn serve(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    let head = read_head(stream).await?;
    let mut words = head.split(' ');
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let path = target.split('?').next().unwrap_or_default();
    *locked(&shared.requests).entry(path.to_owned()).or_default() += 1;
    let mut mode = shared.mode.subscribe();
    let mode = mode.wait_for(|mode| *mode != Mode::Hangs).await;
    let failed = match mode.map(|mode| *mode) {
        Ok(Mode::Fails(status)) => Some(status),
        _ => None,
    };
    let page = locked(&shared.pages).get(path).cloned();
    let answer = match (failed, method, page) {
        (Some(status), ..) => with_status(status, "{}"),
        (None, "GET", Some(page)) => with_status(200, &page),
        (None, "GET", None) => with_status(404, "{}"),
        (None, ..) => with_status(405, "{}"),
    };
    write_all(stream, answer.as_bytes()).await
}

fn with_status(status: u16, json: &str) -> String {
    let length = json.len();
    format!(
        "HTTP/1.1 {status} \r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{json}"
    )
}

/// Reads up to the empty line after the header fields.
async fn read_head(stream: &TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    let mut part = [0; 2048];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        stream.readable().await?;
        match stream.try_read(&mut part) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => head.extend_from_slice(&part[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if head.len() > MAX_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

async fn write_all(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
