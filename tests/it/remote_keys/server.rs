//! A misbehaving server of key sets: slow, huge, redirecting, wrong, flapping.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The response to a path.
#[derive(Clone)]
pub(crate) enum Answer {
    /// These bytes, and then the connection is closed.
    Bytes(Vec<u8>),
    /// This head, and then bytes without end.
    Endless(String),
    /// This head, and then nothing for as long as the client waits.
    Silent(String),
    /// The inner response, once the gate is opened.
    Gated(Arc<Gate>, Box<Answer>),
}

/// Holds responses back.
#[derive(Default)]
pub(crate) struct Gate {
    waiting: Mutex<Vec<mpsc::Sender<()>>>,
    reached: Mutex<Option<mpsc::Sender<()>>>,
}

impl Gate {
    /// A closed gate, and a channel that reports the first request that reaches it.
    pub(crate) fn closed() -> (Arc<Self>, mpsc::Receiver<()>) {
        let (sender, receiver) = mpsc::channel();
        let gate = Self::default();
        *gate.reached.lock().expect("not poisoned") = Some(sender);
        (Arc::new(gate), receiver)
    }

    fn wait(&self) {
        let (sender, receiver) = mpsc::channel();
        self.waiting.lock().expect("not poisoned").push(sender);
        if let Some(reached) = self.reached.lock().expect("not poisoned").as_ref() {
            reached.send(()).ok();
        }
        receiver.recv().ok();
    }

    /// Lets all waiting requests pass.
    pub(crate) fn open(&self) {
        for waiting in self.waiting.lock().expect("not poisoned").drain(..) {
            waiting.send(()).ok();
        }
    }
}

impl Answer {
    pub(crate) fn json(body: impl std::fmt::Display) -> Self {
        Self::with("200 OK", "Content-Type: application/json\r\n", body)
    }

    pub(crate) fn with(status: &str, fields: &str, body: impl std::fmt::Display) -> Self {
        let body = body.to_string();
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\n\r\n");
        Self::Bytes((head + &body).into_bytes())
    }

    fn give(&self, stream: &mut (impl Read + Write)) -> std::io::Result<()> {
        match self {
            Self::Bytes(bytes) => stream.write_all(bytes),
            Self::Endless(head) => {
                stream.write_all(head.as_bytes())?;
                loop {
                    stream.write_all(&[b' '; 4096])?;
                }
            }
            Self::Silent(head) => {
                stream.write_all(head.as_bytes())?;
                // Ends when the client disconnects.
                let mut line = String::new();
                BufReader::new(stream).read_line(&mut line).map(drop)
            }
            Self::Gated(gate, answer) => {
                gate.wait();
                answer.give(stream)
            }
        }
    }
}

/// A running server, which stops when it is dropped.
pub(crate) struct BadServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    answers: Mutex<HashMap<String, Answer>>,
    requests: AtomicUsize,
    /// The heads of all requests.
    heads: Mutex<Vec<String>>,
    /// The bodies of those that have one.
    bodies: Mutex<Vec<String>>,
    is_over: AtomicBool,
}

impl BadServer {
    pub(crate) fn start() -> Self {
        Self::serving(serve)
    }

    /// A server that uses https.
    pub(crate) fn start_with_tls(config: ServerConfig) -> Self {
        let config = Arc::new(config);
        Self::serving(move |stream, shared| {
            let connection = ServerConnection::new(Arc::clone(&config));
            let connection = connection.map_err(std::io::Error::other)?;
            serve(StreamOwned::new(connection, stream), shared)
        })
    }

    fn serving(
        serve: impl Fn(TcpStream, &Shared) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let serve = Arc::new(serve);
        Self::listening(Ipv4Addr::LOCALHOST.into(), serve)
    }

    /// A server that listens on IPv6 only.
    pub(crate) fn start_on_ipv6() -> Self {
        Self::listening(Ipv6Addr::LOCALHOST.into(), Arc::new(serve))
    }

    fn listening(
        host: IpAddr,
        serve: Arc<impl Fn(TcpStream, &Shared) -> std::io::Result<()> + Send + Sync + 'static>,
    ) -> Self {
        let listener = TcpListener::bind((host, 0)).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::<Shared>::default();
        let server = Self {
            address,
            shared: Arc::clone(&shared),
        };
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.is_over.load(Ordering::Acquire) {
                    break;
                }
                let (serve, shared) = (Arc::clone(&serve), Arc::clone(&shared));
                thread::spawn(move || serve(stream, &shared).ok());
            }
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The same with another name of this host.
    pub(crate) fn url_of(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.address.port())
    }

    /// The request lines and the fields of all requests, in lower case.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.shared.heads.lock().expect("not poisoned").clone()
    }

    /// The bodies of all requests that have one.
    #[cfg(feature = "aws-lc-rs")]
    pub(crate) fn bodies(&self) -> Vec<String> {
        self.shared.bodies.lock().expect("not poisoned").clone()
    }

    /// The same with https, and with another name of this host.
    pub(crate) fn https_url(&self, host: &str, path: &str) -> String {
        format!("https://{host}:{}{path}", self.address.port())
    }

    pub(crate) fn answers(&self, path: &str, answer: Answer) {
        let mut answers = self.shared.answers.lock().expect("not poisoned");
        answers.insert(path.to_owned(), answer);
    }

    /// The number of requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::Acquire)
    }
}

impl Drop for BadServer {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        TcpStream::connect(self.address).ok();
    }
}

fn serve(stream: impl Read + Write, shared: &Shared) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut request = String::new();
    stream.read_line(&mut request)?;
    let mut head = request.to_ascii_lowercase();
    let mut field = String::from("a field");
    while !field.trim_end().is_empty() {
        field.clear();
        stream.read_line(&mut field)?;
        head += &field.to_ascii_lowercase();
    }
    let length = head.split("content-length: ").nth(1);
    let length = length.and_then(|length| length.lines().next()?.parse().ok());
    shared.heads.lock().expect("not poisoned").push(head);
    if let Some(length) = length {
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        let body = String::from_utf8_lossy(&body).into_owned();
        shared.bodies.lock().expect("not poisoned").push(body);
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    shared.requests.fetch_add(1, Ordering::AcqRel);
    let answer = shared
        .answers
        .lock()
        .expect("not poisoned")
        .get(path)
        .cloned();
    // No response at all: the connection is just closed.
    answer.map_or(Ok(()), |answer| answer.give(stream.get_mut()))
}
