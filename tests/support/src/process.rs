//! A process whose output is read line by line, and which ends when it is dropped.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

/// Much longer than any test takes: a process that hangs fails the test and is ended.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let output = child.stdout.take().expect("it is piped");
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    /// Its output up to and including the line with this text.
    pub fn read_until(&self, last: &str) -> String {
        let mut text = String::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => text += &(line + "\n"),
                Err(error) => panic!("{error} before {last:?}; its output:\n{text}"),
            }
            if text.lines().last().is_some_and(|line| line.contains(last)) {
                return text;
            }
        }
    }

    pub fn read_to_end(&self) -> String {
        let mut text = String::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => text += &(line + "\n"),
                Err(RecvTimeoutError::Disconnected) => return text,
                Err(RecvTimeoutError::Timeout) => panic!("it does not stop; its output:\n{text}"),
            }
        }
    }

    /// Sends SIGINT, like Ctrl-C.
    pub fn interrupt(&self) {
        signal("INT", self.child.id());
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("it has ended")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Sends a signal to a process that a test has started.
pub fn signal(name: &str, process: u32) {
    let sent = Command::new("sh")
        .args(["-c", "kill -\"$1\" \"$2\"", "sh", name])
        .arg(process.to_string())
        .stderr(Stdio::null())
        .status();
    assert!(sent.is_ok(), "there is a shell");
}
