//! The flood: a separate process that sends at a steady rate, whatever the responses are.

use std::{
    collections::BTreeMap,
    io::{self, ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{
    cores::pin,
    process::{self, Process},
};

/// The argument that starts the bench as a flood.
pub(crate) const MODE: &str = "send";
/// Requests per second.
pub(super) const RATE: u32 = 10_000;
/// The connections are used in turn, so that a response has 6 ms until the next request on its connection.
const CONNECTIONS: usize = 64;
/// The start of every response, before its status.
const BEGIN: &[u8] = b"HTTP/1.1 ";

/// What is unknown about the tokens that are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Unknown {
    Key,
    Issuer,
}

/// What is sent, and to which server.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) address: SocketAddr,
    pub(super) core: Option<usize>,
    pub(super) path: String,
    /// Payload and signature of the tokens, with the dot between them.
    pub(super) rest: String,
    pub(super) unknown: Unknown,
}

/// The results of a flood.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) seconds: f64,
    pub(super) sent: u64,
    /// Requests that did not fit into the send buffer any more.
    pub(super) unsent: u64,
    /// Responses by status.
    pub(super) answers: BTreeMap<u16, u64>,
}

/// A running flood.
pub(super) struct Flood(Process);

impl Flood {
    /// Starts the flood.
    pub(super) fn start(order: &Order) -> io::Result<Self> {
        let mut process = Process::start(&[], MODE, order)?;
        match &*process.line()? {
            "ready" => Ok(Self(process)),
            other => Err(io::Error::other(format!("no flood: {other}"))),
        }
    }

    /// Stops the flood.
    pub(super) fn end(self) -> io::Result<Outcome> {
        Ok(serde_json::from_str(&self.0.end()?)?)
    }
}

/// The body of the process: it floods until its standard input is closed.
pub(crate) fn send() -> io::Result<()> {
    let order: Order = process::order()?;
    pin(order.core);
    let mut streams = (0..CONNECTIONS)
        .map(|_| {
            let stream = TcpStream::connect(order.address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            Ok(stream)
        })
        .collect::<io::Result<Vec<_>>>()?;
    let is_over = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&is_over);
    thread::spawn(move || {
        process::wait_for_end();
        over.store(true, Ordering::Release);
    });
    println!("ready");
    let outcome = flood(&order, &mut streams, &is_over)?;
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(())
}

fn flood(order: &Order, streams: &mut [TcpStream], is_over: &AtomicBool) -> io::Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut ids = Ids::default();
    let began = Instant::now();
    let interval = Duration::from_secs(1) / RATE;
    let mut due = began;
    for place in (0..streams.len()).cycle() {
        if is_over.load(Ordering::Acquire) {
            break;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        due += interval;
        let stream = &mut streams[place];
        outcome.take_answers(stream)?;
        match stream.write(order.request(ids.next()).as_bytes()) {
            Ok(_) => outcome.sent += 1,
            Err(error) if error.kind() == ErrorKind::WouldBlock => outcome.unsent += 1,
            Err(error) => return Err(error),
        }
    }
    outcome.seconds = began.elapsed().as_secs_f64();
    for stream in streams {
        outcome.take_answers(stream)?;
    }
    Ok(outcome)
}

impl Order {
    /// A request whose token names the key or the issuer with this number.
    pub(super) fn request(&self, id: u64) -> String {
        if self.unknown == Unknown::Issuer {
            return self.request_of_issuer(id);
        }
        let header = format!(r#"{{"alg":"EdDSA","kid":"{id:016x}","typ":"JWT"}}"#);
        let header = URL_SAFE_NO_PAD.encode(header);
        let Self { path, rest, .. } = self;
        format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {header}.{rest}\r\n\r\n"
        )
    }
}

impl Order {
    /// The payload names another issuer that matches the pattern of the server. The signature is arbitrary.
    fn request_of_issuer(&self, id: u64) -> String {
        let Self { path, rest, .. } = self;
        let signature = rest.split_once('.').map_or("", |(_, signature)| signature);
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","typ":"JWT"}"#);
        let payload = URL_SAFE_NO_PAD.encode(format!(
            r#"{{"iss":"https://{id:016x}.tenants.example.com","sub":"alice","aud":"api","iat":1,"exp":2}}"#
        ));
        format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {header}.{payload}.{signature}\r\n\r\n"
        )
    }
}

impl Outcome {
    /// Reads the responses that have arrived on a connection.
    fn take_answers(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        let mut bytes = [0; 16_384];
        let length = match stream.read(&mut bytes) {
            Ok(0) => return Err(io::Error::other("the server has closed a connection")),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        for window in bytes[..length].windows(BEGIN.len() + 3) {
            if let Some(status) = window.strip_prefix(BEGIN) {
                let status = str::from_utf8(status).ok();
                let status = status.and_then(|status| status.parse().ok());
                *self.answers.entry(status.unwrap_or(0)).or_default() += 1;
            }
        }
        Ok(())
    }
}

/// Distinct numbers that cannot be predicted (`SplitMix64`).
struct Ids(u64);

impl Default for Ids {
    fn default() -> Self {
        let since_1970 = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        Self(since_1970.as_secs() << 32 | u64::from(since_1970.subsec_nanos()))
    }
}

impl Ids {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
