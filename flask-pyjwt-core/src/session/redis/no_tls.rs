//! Replaces `tls` without the feature. URLs that require TLS are refused when they are parsed.

use redis::ConnectionInfo;

use super::problem::Problem;

/// The certificates: none.
#[derive(Debug, Clone, Default)]
pub(super) struct Tls {}

impl Tls {
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "same signature as with TLS"
    )]
    pub(super) fn apply(&self, info: ConnectionInfo) -> Result<ConnectionInfo, Problem> {
        Ok(info)
    }
}
