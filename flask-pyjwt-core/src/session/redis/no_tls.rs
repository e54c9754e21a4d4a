//! No TLS: URLs that ask for it are errors already.

use redis::ConnectionInfo;

use super::problem::Problem;

/// What there is of certificates.
#[derive(Debug, Clone, Default)]
pub(super) struct Tls {}

impl Tls {
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "as where there is TLS"
    )]
    pub(super) fn apply(&self, info: ConnectionInfo) -> Result<ConnectionInfo, Problem> {
        Ok(info)
    }
}
