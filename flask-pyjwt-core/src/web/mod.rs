//! The HTTP layer: finds the token of a request, decides about it, calls the handler, and answers refused requests.

mod administration;
mod advice;
mod answer;
mod authorize;
mod bearer;
mod binding;
mod claim_words;
mod client_certificate;
mod conversions;
mod cookies;
mod credentials;
mod csrf;
mod current_token;
mod current_user;
mod decided;
mod dpop_proof;
mod explain;
mod explained_rules;
mod explanation;
mod form;
mod jwks;
mod known;
mod login_builder;
mod manager_extractor;
mod misconfiguration;
mod multipart;
mod on_rejection;
mod origin;
mod places;
#[cfg(feature = "test-kit")]
mod probe;
pub(crate) mod protect;
mod protected;
mod query;
mod refresh_builder;
#[cfg(feature = "oauth")]
mod refresh_proof;
#[cfg(feature = "test-kit")]
mod refusal_note;
mod refused;
mod registered;
mod rejection;
mod replaced;
mod request_state;
mod require_bound;
mod require_login;
mod require_token;
mod revocation;
mod row;
mod shown;
mod silent_renewal;
mod user_loader;
mod websocket;

#[cfg(feature = "client-certificates")]
pub use self::client_certificate::keep_client_certificate;
#[cfg(feature = "oauth")]
pub(crate) use self::{
    authorize::run_token_check,
    binding::DPOP_NONCE,
    jwks::{DOCUMENT_MAX_AGE, document, serve},
    refresh_proof::RefreshProof,
    row::quoted,
};
pub use self::{
    current_token::{AnyClaims, CurrentToken, TakeCurrentToken},
    current_user::CurrentUser,
    explain::ExplainBuilder,
    explanation::{ExplainedRule, Explanation, RuleOutcome},
    jwks::{Jwks, ServerMetadata},
    login_builder::LoginBuilder,
    misconfiguration::Misconfiguration,
    protected::{Guardable, Protected, SaysWhoMayEnter, protected},
    refresh_builder::RefreshBuilder,
    rejection::Rejection,
    require_token::{RequireToken, RequireTokenService},
    silent_renewal::{SilentRenewal, SilentRenewalService},
};
#[cfg(feature = "test-kit")]
pub(crate) use self::{
    probe::{Decision, Probe, Told},
    refusal_note::RefusalNote,
};
