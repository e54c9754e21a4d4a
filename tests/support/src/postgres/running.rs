//! A running server.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::process::signal;

/// How long a server may take to stop in an orderly way.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running server. It ends when this is dropped, and also when the test's process is killed.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) child: Child,
    watchdog: Child,
}

impl Running {
    pub(super) fn start(command: &mut Command, folder: &Path) -> Self {
        let child = command.spawn().expect("the server can be started");
        // It waits for the end of its input, which comes when the other end is closed.
        let watchdog = Command::new("sh")
            .args(["-c", "read -r _; kill -9 \"$0\"; sleep 1; rm -rf \"$1\""])
            .arg(child.id().to_string())
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        Self { child, watchdog }
    }

    /// The server's process and those of its connections.
    fn processes(&self) -> Vec<u32> {
        let main = self.child.id();
        let mut all = vec![main];
        all.extend(fs::read_dir("/proc").expect("processes").filter_map(|it| {
            let process: u32 = it.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
            let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse();
            (parent == Ok(main)).then_some(process)
        }));
        all
    }

    pub(super) fn signal(&self, name: &str) {
        for process in self.processes() {
            signal(name, process);
        }
    }

    /// Waits for the end of the main process.
    fn has_ended_within(&mut self, patience: Duration) -> bool {
        let began = Instant::now();
        while began.elapsed() < patience {
            if self.child.try_wait().is_ok_and(|it| it.is_some()) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }

    /// Kills all its processes without a chance to clean up.
    pub(super) fn kill(&mut self) {
        // It must not start others meanwhile.
        signal("STOP", self.child.id());
        self.signal("KILL");
        self.child.wait().ok();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.watchdog.kill().ok();
        self.watchdog.wait().ok();
        if !self.child.try_wait().is_ok_and(|it| it.is_some()) {
            self.signal("CONT");
            // An immediate shutdown, which leaves no shared memory.
            signal("QUIT", self.child.id());
            if !self.has_ended_within(PATIENCE) {
                self.kill();
            }
        }
    }
}
