//! What is compared.

use super::{
    resource::{GUARDED, UNGUARDED},
    sender::Unknown,
};

/// What happens besides the honest requests. The unguarded route shows what HTTP itself costs: the
/// requests and the answers are as long, and differ in nothing but who has made them.
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
