//! Proofs that may be used once, in the store that all servers of a fleet share.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Moment, SessionError, policy::Sessions};
use crate::{jose::NumericDate, meters::StoreCall};

impl Sessions {
    /// Notes in the store that a proof was used, and returns whether it was the first time. A store that keeps no proofs
    /// leaves that to each process.
    pub(crate) async fn first_use(
        self: &Arc<Self>,
        id: &[u8],
        ends_at: NumericDate,
        now: NumericDate,
    ) -> Result<bool, SessionError> {
        let id = URL_SAFE_NO_PAD.encode(id);
        let [ends_at, now] = [ends_at, now].map(|it| Moment::from_milliseconds(it.milliseconds()));
        let first = self
            .ask(StoreCall::FirstUse, |store| {
                store.first_use(&id, ends_at, now)
            })
            .await?;
        Ok(first.unwrap_or(true))
    }
}
