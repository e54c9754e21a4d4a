//! This program in another mode, as a separate process.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde::{Serialize, de::DeserializeOwned};

/// A process of this program with an order. It ends when it is dropped.
pub(crate) struct Process {
    child: Child,
    /// The process ends when this is closed, whatever happens to its parent.
    lifeline: Option<ChildStdin>,
    lines: Option<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts this program in the given mode. `through` is a program, with its arguments, that starts it, if
    /// any.
    pub(crate) fn start(through: &[&str], mode: &str, order: &impl Serialize) -> io::Result<Self> {
        let own = std::env::current_exe()?;
        let mut command = match through {
            [] => Command::new(own),
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.args(arguments).arg(own);
                command
            }
        };
        let mut child = command
            .arg(mode)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lifeline = child.stdin.take();
        let lines = child.stdout.take().map(BufReader::new);
        if let Some(lifeline) = &mut lifeline {
            writeln!(lifeline, "{}", serde_json::to_string(order)?)?;
            lifeline.flush()?;
        }
        Ok(Self {
            child,
            lifeline,
            lines,
        })
    }

    /// The next line of its output, without the line end.
    pub(crate) fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if let Some(lines) = &mut self.lines {
            lines.read_line(&mut line)?;
        }
        Ok(line.trim().to_owned())
    }

    /// Tells it to end, and returns the line that it writes then.
    pub(crate) fn end(mut self) -> io::Result<String> {
        drop(self.lifeline.take());
        self.line()
    }

    /// User and system time used so far, in nanoseconds.
    pub(crate) fn cpu(&self) -> io::Result<u64> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id()))?;
        tasks
            .map(|task| {
                let text = fs::read_to_string(task?.path().join("schedstat"))?;
                let first = text.split(' ').next().unwrap_or_default();
                first.parse::<u64>().map_err(io::Error::other)
            })
            .sum()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let _ = self.child.wait();
    }
}

/// In such a process: reads the order.
pub(crate) fn order<T: DeserializeOwned>() -> io::Result<T> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

/// In such a process: waits until it is told to end, or until its parent has ended.
pub(crate) fn wait_for_end() {
    let _ = io::stdin().read_to_end(&mut Vec::new());
}
