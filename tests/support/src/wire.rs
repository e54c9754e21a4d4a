//! A server on a free port, and requests as raw bytes.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

use actix_web::{
    App, HttpServer,
    dev::ServerHandle,
    http::header::{HeaderMap, HeaderName, HeaderValue},
    rt::System,
    web::ServiceConfig,
};

use super::site::Reply;

/// A server that stops when it is dropped.
pub struct Server {
    pub port: u16,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(configure: impl Fn(&mut ServiceConfig) + Send + Clone + 'static) -> Self {
        let (started, starts) = mpsc::channel();
        let thread = thread::spawn(move || {
            System::new().block_on(async move {
                let server = HttpServer::new(move || App::new().configure(configure.clone()))
                    .workers(1)
                    .disable_signals()
                    .bind((Ipv4Addr::LOCALHOST, 0))
                    .expect("a free port");
                let port = server.addrs()[0].port();
                let server = server.run();
                started.send((port, server.handle())).expect("awaited");
                server.await.expect("no failure");
            });
        });
        let (port, handle) = starts.recv().expect("the server starts");
        Self {
            port,
            handle,
            thread: Some(thread),
        }
    }

    /// Sends these bytes and nothing else, and reads one response.
    pub fn send(&self, request: impl AsRef<[u8]>) -> Reply {
        let stream = self.sent(request.as_ref());
        read_reply(&mut BufReader::new(&stream))
    }

    /// Sends two requests over one connection, and reads both responses.
    pub fn send_two(&self, requests: impl AsRef<[u8]>) -> [Reply; 2] {
        let stream = self.sent(requests.as_ref());
        let mut reader = BufReader::new(&stream);
        [read_reply(&mut reader), read_reply(&mut reader)]
    }

    /// Sends a request that closes the connection, and reads the whole response.
    pub fn send_and_drain(&self, request: impl AsRef<[u8]>) -> String {
        let mut answer = String::new();
        let mut stream = self.sent(request.as_ref());
        std::io::Read::read_to_string(&mut stream, &mut answer).expect("the answer is text");
        answer
    }

    fn sent(&self, request: &[u8]) -> TcpStream {
        sent_to(self.port, request)
    }

    /// Sends a `GET` with this one header field, as bytes.
    pub fn get(&self, path: &str, fields: impl AsRef<[u8]>) -> Reply {
        let mut request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n").into_bytes();
        request.extend_from_slice(fields.as_ref());
        request.extend_from_slice(b"\r\n");
        self.send(request)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The call sends the command. Awaiting it would only wait for its end.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Sends these bytes to a port, and reads one response.
pub fn send_to(port: u16, request: &[u8]) -> Reply {
    read_reply(&mut BufReader::new(&sent_to(port, request)))
}

fn sent_to(port: u16, request: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("connected");
    // Otherwise a test could wait forever.
    let timeout = Some(Duration::from_secs(30));
    stream.set_read_timeout(timeout).expect("set");
    // A server that refuses a huge head closes the connection before it has read everything.
    let _ = stream.write_all(request);
    stream
}

/// Reads one response. Interim responses (`100 Continue`) are skipped.
fn read_reply(reader: &mut BufReader<&TcpStream>) -> Reply {
    loop {
        let (status, headers) = read_head(reader);
        if status < 200 {
            continue;
        }
        let length = headers
            .get("content-length")
            .and_then(|value| value.to_str().ok());
        let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a number"))];
        reader.read_exact(&mut body).expect("a body");
        return Reply {
            status,
            headers,
            body: body.into(),
        };
    }
}

fn read_head(reader: &mut BufReader<&TcpStream>) -> (u16, HeaderMap) {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).expect("a status line");
    let status = String::from_utf8_lossy(&line);
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no HTTP: {}", line.escape_ascii()));
    let mut headers = HeaderMap::new();
    loop {
        line.clear();
        reader.read_until(b'\n', &mut line).expect("a field");
        let field = line.trim_ascii_end();
        if field.is_empty() {
            return (status, headers);
        }
        let colon = field
            .iter()
            .position(|byte| *byte == b':')
            .expect("a colon");
        let name = HeaderName::from_bytes(&field[..colon]).expect("a name");
        let value = HeaderValue::from_bytes(field[colon + 1..].trim_ascii()).expect("a value");
        headers.append(name, value);
    }
}
