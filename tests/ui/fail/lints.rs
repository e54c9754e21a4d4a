#![deny(dead_code, missing_docs)]
//! Lints that find fault with a handler find the same fault with a protected one.

use flask_pyjwt::require_token;

#[require_token]
async fn never_registered() -> &'static str {
    ""
}

/// Documented, its handler is not.
pub mod public {
    use flask_pyjwt::require_token;

    #[require_token]
    pub async fn undocumented() -> &'static str {
        ""
    }
}

fn main() {}
