//! PostgreSQL servers on free ports, each with its own folder, which are stopped in any case.
//!
//! `POSTGRES_BIN` selects another folder of programs than that of Debian's newest version. A server that is started by
//! root runs as the user `postgres`.

mod bouncer;
mod programs;
mod proxy;
mod running;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use self::{
    programs::{copy, owned_folder, program, server_user, succeed, template},
    running::Running,
};
use super::{
    folder::Folder,
    redis::{free_port, wait_for},
};

pub use self::{bouncer::Bouncer, programs::is_there, proxy::Proxy};
pub use crate::needs_postgres;

/// Tests need no protection from a crash of the operating system.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "fsync=off",
    "shared_buffers=32MB",
    "dynamic_shared_memory_type=mmap",
    "max_wal_size=256MB",
];

/// A PostgreSQL server with the database `postgres` and the user of the same name, who needs no password.
#[derive(Debug)]
pub struct Server {
    running: Option<Running>,
    pub port: u16,
    settings: Vec<String>,
    data: PathBuf,
    folder: Folder,
}

impl Server {
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts a server with these settings, as `name=value`.
    pub fn with(settings: &[&str]) -> Self {
        let folder = owned_folder("postgres");
        let data = folder.file("data");
        Self::on(folder, data, settings)
    }

    /// Starts a server whose data are in another folder, which may exist.
    pub fn on(folder: Folder, data: PathBuf, settings: &[&str]) -> Self {
        if !data.join("PG_VERSION").exists() {
            copy(&template(), &data);
        }
        let settings = SETTINGS.iter().chain(settings);
        let server = Self {
            running: None,
            port: free_port(),
            settings: settings.map(ToString::to_string).collect(),
            data,
            folder,
        };
        server.started(Self::try_start)
    }

    fn started(mut self, mut start: impl FnMut(&mut Self) -> bool) -> Self {
        // A free port can be taken before it is used.
        for _ in 0..5 {
            if start(&mut self) {
                return self;
            }
            self.port = free_port();
        }
        panic!("PostgreSQL does not start: {}", self.log());
    }

    /// Starts a server whose data, apart from the write-ahead log, are on a disk of so many megabytes. Only root can make
    /// such a disk. It disappears with the server.
    pub fn on_small_disk(megabytes: usize) -> Option<Self> {
        let (user, group) = server_user()?;
        let folder = owned_folder("small");
        let data = folder.folder("data");
        let script = format!(
            "mount -t tmpfs -o size={megabytes}m,mode=700,uid={user},gid={group} tmpfs \"$1\" &&
             cp -a \"$2\"/. \"$1\" && cp -a \"$1\"/pg_wal \"$3\" && rm -rf \"$1\"/pg_wal && ln -s \"$3\" \"$1\"/pg_wal &&
             shift 3 && exec \"$@\""
        );
        let mut command = Command::new("unshare");
        command
            .args(["-m", "sh", "-c", &script, "sh"])
            .arg(&data)
            .arg(template())
            .arg(folder.file("wal"));
        let server = Self {
            running: None,
            port: free_port(),
            settings: SETTINGS.iter().map(ToString::to_string).collect(),
            data,
            folder,
        };
        Some(server.started(|server| server.try_start_by(Some(&mut command))))
    }

    /// Starts a replica of this server, which applies its changes as they come.
    pub fn replica(&self) -> Self {
        let folder = owned_folder("replica");
        let data = folder.file("data");
        succeed(
            program("pg_basebackup")
                .args([
                    "-h",
                    "127.0.0.1",
                    "-U",
                    "postgres",
                    "-c",
                    "fast",
                    "-R",
                    "-N",
                ])
                .args(["-p", &self.port.to_string()])
                .arg("-D")
                .arg(&data),
        );
        Self::on(folder, data, &[])
    }

    fn try_start(&mut self) -> bool {
        self.try_start_by(None)
    }

    /// Starts the server by a command to which its own is added.
    fn try_start_by(&mut self, by: Option<&mut Command>) -> bool {
        let log = fs::File::create(self.folder.file("log")).expect("a log");
        let mut command = program("postgres");
        command
            .arg("-D")
            .arg(&self.data)
            .args(["-p", &self.port.to_string(), "-k"])
            .arg(self.folder.path());
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        let command = match by {
            None => &mut command,
            Some(by) => by.arg(command.get_program()).args(command.get_args()),
        };
        let command = command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut running = Running::start(command.stderr(log), self.folder.path());
        let is_up = wait_for("a server starts", || {
            let has_ended = running.child.try_wait().is_ok_and(|it| it.is_some());
            let answers = program("pg_isready")
                .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
                .status()
                .is_ok_and(|it| it.success());
            (has_ended || answers).then_some(answers && !has_ended)
        });
        self.running = is_up.then_some(running);
        is_up
    }

    /// What the server has reported since it was started.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.file("log")).unwrap_or_default()
    }

    /// Kills all its processes without a chance to clean up.
    pub fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill();
        }
    }

    /// Starts it again on the same port, with its data on disk.
    #[track_caller]
    pub fn restart(&mut self) {
        self.kill();
        let is_up = self.try_start();
        assert!(is_up, "PostgreSQL does not start again: {}", self.log());
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs")
    }

    /// Stops all its processes until [`go_on`](Self::go_on).
    pub fn pause(&self) {
        self.running().signal("STOP");
    }

    pub fn go_on(&self) {
        self.running().signal("CONT");
    }

    pub fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// The same by way of another port, of a proxy.
    pub fn url_at(&self, port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable")
    }

    /// A folder that the server may use.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs SQL and returns the rows, one a line, with `|` between the columns.
    #[track_caller]
    pub fn ask(&self, sql: &str) -> String {
        let output = program("psql")
            .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, &self.url()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()
            .expect("psql");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{sql}: {errors}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}
