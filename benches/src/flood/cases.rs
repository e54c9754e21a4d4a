//! The compared cases.

use super::{
    resource::{GUARDED, UNGUARDED},
    sender::Unknown,
};

/// What happens in addition to the honest requests. The unguarded route shows the cost of HTTP itself: requests
/// and responses have the same length, and the server does nothing else.
pub(super) const CASES: [(&str, Option<(&str, Unknown)>); 4] = [
    ("no flood", None),
    ("a flood of unknown keys", Some((GUARDED, Unknown::Key))),
    (
        "a flood of an unguarded route",
        Some((UNGUARDED, Unknown::Key)),
    ),
    (
        "a flood of unknown issuers",
        Some((GUARDED, Unknown::Issuer)),
    ),
];
