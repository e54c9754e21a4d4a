//! Placeholder.

#[doc(inline)]
pub use flask_pyjwt_core::*;

// The same attribute, whose expansion names `::flask_pyjwt` in place of `::flask_pyjwt_core`.
#[doc(inline)]
pub use flask_pyjwt_macros::__require_token_facade as require_token;

#[doc(hidden)]
pub use flask_pyjwt_core::__private;
