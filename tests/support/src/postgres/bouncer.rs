//! PgBouncer in front of a server.

use std::{fs, process::Command};

use super::{
    Server,
    programs::{owned_folder, server_user},
    running::Running,
};
use crate::{
    folder::Folder,
    redis::{free_port, wait_for},
};

/// A PgBouncer with two connections to a server.
#[derive(Debug)]
pub struct Bouncer {
    _running: Running,
    _folder: Folder,
    pub port: u16,
}

impl Bouncer {
    /// Whether PgBouncer is installed. With `CI=true` it must be.
    pub fn is_there() -> bool {
        let is_there = Command::new("pgbouncer").arg("--version").output().is_ok();
        let is_ci = std::env::var("CI").is_ok_and(|it| it == "true");
        assert!(is_there || !is_ci, "pgbouncer is not installed");
        if !is_there {
            println!("skipped: pgbouncer is not installed");
        }
        is_there
    }

    /// `mode` is `session`, `transaction` or `statement`.
    pub fn start(server: &Server, mode: &str) -> Self {
        let folder = owned_folder("bouncer");
        let port = free_port();
        let config = folder.write(
            "pgbouncer.ini",
            format!(
                "[databases]\n\
                 postgres = host=127.0.0.1 port={} user=postgres\n\
                 [pgbouncer]\n\
                 listen_addr = 127.0.0.1\n\
                 listen_port = {port}\n\
                 unix_socket_dir =\n\
                 auth_type = any\n\
                 pool_mode = {mode}\n\
                 default_pool_size = 2\n\
                 max_client_conn = 200\n\
                 ignore_startup_parameters = extra_float_digits\n",
                server.port
            ),
        );
        let log = fs::File::create(folder.file("log")).expect("a log");
        let mut command = match server_user() {
            None => Command::new("pgbouncer"),
            Some((user, group)) => {
                let mut command = Command::new("setpriv");
                command
                    .args([&format!("--reuid={user}"), &format!("--regid={group}")])
                    .args(["--clear-groups", "--", "pgbouncer"]);
                command
            }
        };
        command.arg("-q").arg(config);
        let nothing = std::process::Stdio::null;
        command.stdin(nothing()).stdout(nothing()).stderr(log);
        let running = Running::start(&mut command, folder.path());
        wait_for("PgBouncer starts", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Self {
            _running: running,
            _folder: folder,
            port,
        }
    }
}
