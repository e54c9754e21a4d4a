//! A server process: the bench executes itself in this mode.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::SocketAddr,
    process::{Child, ChildStdin, Command, Stdio},
    thread,
};

use actix_web::{App, HttpServer};
use core_affinity::CoreId;

use super::Way;
use crate::keys::Keys;

/// The argument that makes the bench a server.
pub(crate) const MODE: &str = "serve";

/// A running server process. Dropped, it is stopped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    process: Child,
    /// The server ends when this is closed, whatever becomes of this process.
    lifeline: Option<ChildStdin>,
}

impl Server {
    /// Starts this very program as a server on this core.
    pub(super) fn start(way: Way, keys: &Keys, core: Option<usize>) -> io::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg(MODE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lifeline = process.stdin.take();
        if let Some(lifeline) = &mut lifeline {
            writeln!(lifeline, "{}", serde_json::to_string(&(way, keys, core))?)?;
            lifeline.flush()?;
        }
        let mut line = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address = line.trim().parse().map_err(io::Error::other)?;
        Ok(Self {
            address,
            process,
            lifeline,
        })
    }

    /// User and system time that the process has used so far, in nanoseconds.
    pub(super) fn cpu(&self) -> io::Result<u64> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.id()))?;
        tasks
            .map(|task| {
                let text = fs::read_to_string(task?.path().join("schedstat"))?;
                let first = text.split(' ').next().unwrap_or_default();
                first.parse::<u64>().map_err(io::Error::other)
            })
            .sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let _ = self.process.wait();
    }
}

/// What the server process does: serves until its standard input ends.
pub(crate) fn serve() -> io::Result<()> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let (way, keys, core): (Way, Keys, Option<usize>) = serde_json::from_str(&line)?;
    pin(core);
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || App::new().configure(|app| way.configure(&keys, app)))
            .workers(1)
            .disable_signals()
            .bind(("127.0.0.1", 0))?;
        for address in server.addrs() {
            println!("{address}");
        }
        server.run().await
    })
}

/// A core for the server and another one for the load generator, if there are two.
///
/// To be asked before anything is pinned: a thread sees only the cores that it may run on.
pub(super) fn cores() -> [Option<usize>; 2] {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    match cores[..] {
        [server, load, ..] => [Some(server.id), Some(load.id)],
        _ => [None, None],
    }
}

/// Keeps this thread, and those that it starts, on this core.
pub(super) fn pin(core: Option<usize>) {
    if let Some(id) = core
        && !core_affinity::set_for_current(CoreId { id })
    {
        eprintln!("core {id} is not to be had: the figures will vary");
    }
}
