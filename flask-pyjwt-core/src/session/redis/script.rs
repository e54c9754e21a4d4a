//! The scripts by which Redis changes what it holds in one step.

use std::sync::LazyLock;

use redis::Cmd;

use super::operation::Operation;

/// A script, and the hash by which servers that have run it know it.
pub(super) struct Script {
    code: &'static str,
    hash: String,
    /// Whether it may be sent twice.
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

/// Never twice: when the second one arrives, somebody may have ended the session.
pub(super) static OPEN: LazyLock<Script> = script!("open.lua" => Operation::WriteOnce);
/// The second time, the successor is stored already, and the same rotation wins again.
pub(super) static ROTATE: LazyLock<Script> =
    script!("session.lua", "rotate.lua" => Operation::Write);
pub(super) static MARK_USED: LazyLock<Script> =
    script!("session.lua", "mark_used.lua" => Operation::Write);
pub(super) static REVOKE: LazyLock<Script> = script!("revoke.lua" => Operation::Write);

impl Script {
    /// Runs it by its hash.
    pub(super) fn by_hash(&self, key: &[u8], args: &[Vec<u8>]) -> Cmd {
        call("EVALSHA", self.hash.as_bytes(), key, args)
    }

    /// Runs it, and makes its hash known.
    pub(super) fn by_code(&self, key: &[u8], args: &[Vec<u8>]) -> Cmd {
        call("EVAL", self.code.as_bytes(), key, args)
    }
}

fn call(command: &str, script: &[u8], key: &[u8], args: &[Vec<u8>]) -> Cmd {
    let mut command = redis::cmd(command);
    command.arg(script).arg(1).arg(key).arg(args);
    command
}
