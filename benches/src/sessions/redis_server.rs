//! A real `redis-server` on a free port for a measurement.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

/// It is stopped when this is dropped.
pub(super) struct RedisServer {
    process: Child,
    port: u16,
}

impl RedisServer {
    /// Starts it without files on disk. Returns `None` if it is not installed.
    pub(super) fn start() -> Option<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).ok()?;
        let port = listener.local_addr().ok()?.port();
        drop(listener);
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .stdout(Stdio::null())
            .spawn()
            .ok()?;
        let server = Self { process, port };
        for _ in 0..200 {
            if server.info("server", "redis_version").is_some() {
                return Some(server);
            }
            thread::sleep(Duration::from_millis(10));
        }
        None
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A number of the server's `INFO`.
    pub(super) fn info(&self, section: &str, name: &str) -> Option<f64> {
        let value = self.text(section, name)?;
        // Of a version, the first number.
        let digits = value.split('.').next().unwrap_or(&value);
        value.parse().or_else(|_| digits.parse()).ok()
    }

    /// How often a command was carried out, also by scripts. `None` if it never was.
    pub(super) fn calls(&self, command: &str) -> Option<f64> {
        let stats = self.text("commandstats", &format!("cmdstat_{command}"))?;
        let calls = stats.split(',').find_map(|it| it.strip_prefix("calls="))?;
        calls.parse().ok()
    }

    /// A field of the server's `INFO`.
    fn text(&self, section: &str, name: &str) -> Option<String> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        write!(connection, "INFO {section}\r\n").ok()?;
        let mut reader = BufReader::new(connection);
        let mut length = String::new();
        reader.read_line(&mut length).ok()?;
        let length: usize = length.trim().strip_prefix('$')?.parse().ok()?;
        let mut text = vec![0; length];
        reader.read_exact(&mut text).ok()?;
        let text = String::from_utf8(text).ok()?;
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(value.to_owned())
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
