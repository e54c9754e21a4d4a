//! Redis servers on free ports, each with its own folder, which are stopped in any case.

use std::{
    env, fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use super::folder::Folder;
use redis::{Client, Cmd, Connection, FromRedisValue};

/// The pause between two checks of a condition, and how often it is checked: one minute in total.
const PAUSE: Duration = Duration::from_millis(10);
const MOST_LOOKS: usize = 6_000;

/// Waits for something that another process does.
#[track_caller]
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..MOST_LOOKS {
        if let Some(seen) = look() {
            return seen;
        }
        thread::sleep(PAUSE);
    }
    panic!("{what}: not within a minute");
}

/// The same without blocking the thread.
pub async fn wait_until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..MOST_LOOKS {
        if is_so().await {
            return;
        }
        actix_web::rt::time::sleep(PAUSE).await;
    }
    panic!("{what}: not within a minute");
}

pub fn binary() -> String {
    env::var("REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned())
}

/// Whether Redis is installed. With `CI=true` it must be.
pub fn is_there() -> bool {
    let version = Command::new(binary()).arg("--version").output();
    let is_there = version.is_ok_and(|it| it.status.success());
    let is_ci = env::var("CI").is_ok_and(|it| it == "true");
    assert!(is_there || !is_ci, "{} is not installed", binary());
    if !is_there {
        println!("skipped: {} is not installed", binary());
    }
    is_there
}

/// Ends a test if Redis is not installed.
#[macro_export]
macro_rules! needs_redis {
    () => {
        if !$crate::redis::is_there() {
            return;
        }
    };
}
pub use crate::needs_redis;

pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// A running process. It ends when this is dropped, and also when the test's process is killed.
#[derive(Debug)]
struct Running {
    child: Child,
    watchdog: Child,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server can be started");
        // It waits for the end of its input, which comes when the other end is closed.
        let watchdog = Command::new("sh")
            .args(["-c", "read -r _; kill -9 \"$0\""])
            .arg(child.id().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        Self { child, watchdog }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for child in [&mut self.watchdog, &mut self.child] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A Redis server.
#[derive(Debug)]
pub struct Server {
    running: Option<Running>,
    pub port: u16,
    options: Vec<String>,
    folder: Folder,
    password: Option<String>,
}

impl Server {
    /// Starts a server that stores nothing on disk.
    pub fn start() -> Self {
        Self::with(&["--save", "", "--appendonly", "no"])
    }

    /// Starts a server that writes every change to disk before it acknowledges it.
    pub fn durable() -> Self {
        Self::with(&DURABLE)
    }

    pub fn with(options: &[&str]) -> Self {
        let password = options.iter().position(|it| *it == "--requirepass");
        let mut server = Self {
            running: None,
            port: free_port(),
            options: options.iter().map(ToString::to_string).collect(),
            folder: Folder::new("redis"),
            password: password.map(|at| options[at + 1].to_owned()),
        };
        // A free port can be taken before it is used.
        for _ in 0..5 {
            if server.try_start() {
                return server;
            }
            server.port = free_port();
        }
        panic!("{} does not start", binary());
    }

    /// Starts it again on the same port, with its data on disk.
    pub fn restart(&mut self) {
        self.kill();
        assert!(self.try_start(), "{} does not start again", binary());
    }

    fn try_start(&mut self) -> bool {
        let mut command = Command::new(binary());
        command
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .arg("--dir")
            .arg(self.folder.path())
            .args(["--repl-diskless-sync-delay", "0"])
            .args(&self.options);
        let mut running = Running::start(&mut command);
        let is_up = wait_for("a server starts", || {
            let has_ended = running.child.try_wait().is_ok_and(|it| it.is_some());
            let answers = self.try_ask::<String>(&redis::cmd("PING")).is_ok();
            (has_ended || answers).then_some(answers)
        });
        self.running = is_up.then_some(running);
        is_up
    }

    /// Kills it without a chance to clean up.
    pub fn kill(&mut self) {
        self.running = None;
    }

    pub fn pause(&self) {
        self.signal("-STOP");
    }

    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let running = self.running.as_ref().expect("it runs");
        let sent = Command::new("kill")
            .args([signal, &running.child.id().to_string()])
            .status();
        assert!(sent.expect("a signal is sent").success());
    }

    pub fn url(&self) -> String {
        match &self.password {
            Some(password) => format!("redis://:{password}@127.0.0.1:{}", self.port),
            None => format!("redis://127.0.0.1:{}", self.port),
        }
    }

    /// A new connection for the test.
    pub fn connect(&self) -> Connection {
        self.try_connect().expect("connected")
    }

    fn try_connect(&self) -> redis::RedisResult<Connection> {
        let within = Duration::from_secs(5);
        let connection = Client::open(self.url())?.get_connection_with_timeout(within)?;
        connection.set_read_timeout(Some(within))?;
        Ok(connection)
    }

    fn try_ask<T: FromRedisValue>(&self, command: &Cmd) -> redis::RedisResult<T> {
        command.query(&mut self.try_connect()?)
    }

    /// Sends a command to the server.
    #[track_caller]
    pub fn ask<T: FromRedisValue>(&self, command: &str) -> T {
        let mut words = command.split(' ');
        let mut cmd = redis::cmd(words.next().unwrap_or_default());
        for word in words {
            cmd.arg(word);
        }
        self.try_ask(&cmd).expect(command)
    }

    /// A field of the server's `INFO`.
    pub fn info(&self, section: &str, field: &str) -> Option<String> {
        let info: String = self.ask(&format!("INFO {section}"));
        let value = |line: &str| Some(line.strip_prefix(field)?.strip_prefix(':')?.to_owned());
        info.lines().find_map(value)
    }
}

/// The rights of a Redis user for the store, as documented.
pub const RIGHTS: &str = "+role +ping +info +evalsha +eval +wait +hmget +hset +hdel +hget +hscan +hvals +hlen \
                                 +hrandfield +pttl +pexpire +unlink ~flask-pyjwt:*";

/// The options of a server that writes every change to disk before it acknowledges it.
pub const DURABLE: [&str; 6] = [
    "--save",
    "",
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
];

/// A sentinel, which monitors one primary with the name `mymaster`.
pub struct Sentinel {
    _running: Running,
    port: u16,
    _folder: Folder,
}

impl Sentinel {
    /// Starts a sentinel that considers a primary down after so many milliseconds.
    pub fn start(primary: &Server, quorum: usize, down_after: u64) -> Self {
        let folder = Folder::new("redis");
        let port = free_port();
        let config = folder.path().join("sentinel.conf");
        let text = format!(
            "bind 127.0.0.1\nport {port}\ndir {}\n\
             sentinel monitor mymaster 127.0.0.1 {} {quorum}\n\
             sentinel down-after-milliseconds mymaster {down_after}\n\
             sentinel failover-timeout mymaster 3000\n",
            folder.path().display(),
            primary.port
        );
        fs::write(&config, text).expect("the configuration is written");
        let mut command = Command::new(binary());
        let running = Running::start(command.arg(&config).arg("--sentinel"));
        let sentinel = Self {
            _running: running,
            port,
            _folder: folder,
        };
        wait_for("a sentinel starts", || sentinel.primary());
        sentinel
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn field(&self, field: &str) -> Option<String> {
        let client = Client::open(self.url()).expect("a URL");
        let within = Duration::from_secs(5);
        let mut connection = client.get_connection_with_timeout(within).ok()?;
        let mut question = redis::cmd("SENTINEL");
        let fields: Vec<String> = question
            .arg("MASTER")
            .arg("mymaster")
            .query(&mut connection)
            .ok()?;
        let mut pairs = fields.chunks_exact(2);
        Some(pairs.find(|pair| pair[0] == field)?[1].clone())
    }

    /// The port of the server that is the primary.
    pub fn primary(&self) -> Option<u16> {
        self.field("port")?.parse().ok()
    }

    /// How many of these it knows: `num-slaves`, `num-other-sentinels`.
    pub fn count(&self, field: &str) -> usize {
        let count = self.field(field).and_then(|it| it.parse().ok());
        count.unwrap_or_default()
    }
}
