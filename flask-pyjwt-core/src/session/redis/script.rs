//! The Lua scripts, each of which changes a subject's hash in one atomic step.

use std::sync::LazyLock;

use redis::Cmd;

use super::operation::Operation;

/// A script and its hash, by which a server that has run it can find it.
pub(super) struct Script {
    code: &'static str,
    hash: String,
    /// Whether the script may be sent twice.
    pub(super) operation: Operation,
}

macro_rules! script {
    ($($file:literal),+ => $operation:expr) => {
        LazyLock::new(|| {
            let code = concat!(include_str!("hash.lua") $(, "\n", include_str!($file))+);
            let hash = redis::Script::new(code).get_hash().to_owned();
            Script {
                code,
                hash,
                operation: $operation,
            }
        })
    };
}

/// Must not be sent twice: when the second one arrives, the session may have been ended.
pub(super) static OPEN: LazyLock<Script> = script!("open.lua" => Operation::WriteOnce);
/// Can be sent twice: the second time, the successor is already stored, and the same rotation wins
/// again.
pub(super) static ROTATE: LazyLock<Script> =
    script!("session.lua", "rotate.lua" => Operation::Write);
pub(super) static MARK_USED: LazyLock<Script> =
    script!("session.lua", "mark_used.lua" => Operation::Write);
/// Can be sent twice: the second time, the sessions are adopted already.
pub(super) static ADOPT: LazyLock<Script> = script!("adopt.lua" => Operation::Write);
/// Must not be sent twice: the second one would find the note of the first, and call the message used.
pub(super) static FIRST_USE: LazyLock<Script> = script!("first_use.lua" => Operation::WriteOnce);
pub(super) static REVOKE: LazyLock<Script> = script!("revoke.lua" => Operation::Write);

impl Script {
    /// Runs the script by its hash.
    pub(super) fn by_hash(&self, key: &[u8], args: &[Vec<u8>]) -> Cmd {
        call("EVALSHA", self.hash.as_bytes(), key, args)
    }

    /// Runs the script by its text. The server then knows its hash.
    pub(super) fn by_code(&self, key: &[u8], args: &[Vec<u8>]) -> Cmd {
        call("EVAL", self.code.as_bytes(), key, args)
    }
}

fn call(command: &str, script: &[u8], key: &[u8], args: &[Vec<u8>]) -> Cmd {
    let mut command = redis::cmd(command);
    command.arg(script).arg(1).arg(key).arg(args);
    command
}

/// A number as an argument of a script.
pub(super) fn number(number: i64) -> Vec<u8> {
    number.to_string().into_bytes()
}

/// A count as an argument of a script.
pub(super) fn count(count: usize) -> Vec<u8> {
    count.to_string().into_bytes()
}
