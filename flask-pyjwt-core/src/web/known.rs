//! What is known of a refused request, for its event.

use std::borrow::Cow;

use actix_web::HttpRequest;

use super::{credentials, shown::shown};
use crate::{
    issuers::{Found, Trust},
    jose::Segments,
    json::Document,
    manager::AuthManager,
    rules::{Requirement, TokenLocation},
    token::Token,
};

/// What is known of a refused request.
#[derive(Clone, Copy, Default)]
pub(super) struct Known<'a> {
    pub(super) manager: Option<&'a AuthManager>,
    pub(super) request: Option<&'a HttpRequest>,
    /// A token that was verified.
    pub(super) token: Option<&'a Token>,
    /// What a guard asks for.
    pub(super) asked: Option<Asked<'a>>,
}

/// What a guard asks for: of the token, and where it looks for it.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) requirement: &'a Requirement,
    pub(super) places: &'a [TokenLocation],
}

/// Who has signed the token of a refused request, or says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signer {
    /// This server, or another one of the same `JWT_ISSUER`.
    Own,
    /// An issuer of `Config::trust` or `Config::for_issuers`.
    Trusted,
    Unknown,
}

impl Known<'_> {
    /// Finds out whose token was refused. The token may not be verified, so this only selects a sentence.
    pub(super) fn signer(&self) -> Signer {
        let Some(manager) = self.manager else {
            return Signer::Unknown;
        };
        let verification = &manager.parts().verification;
        let signer_of = |issuer: &str| {
            if *issuer == *verification.rules.issuer {
                Signer::Own
            } else if verification.issuers.may_have(issuer) {
                Signer::Trusted
            } else {
                Signer::Unknown
            }
        };
        if verification.issuers.is_empty() {
            Signer::Own
        } else if verification.rules.issuer.is_empty() {
            Signer::Trusted
        } else if let Some(token) = self.token {
            signer_of(token.iss())
        } else {
            let payload = self.refused_payload();
            let issuer = payload.as_ref().and_then(issuer_in);
            issuer.map_or(Signer::Unknown, |issuer| signer_of(&issuer))
        }
    }

    /// The name of the claim of a trusted issuer's token that is not what the issuer's configuration requires.
    pub(super) fn unmet_claim(&self) -> Option<String> {
        let verification = &self.manager?.parts().verification;
        let payload = self.refused_payload()?;
        let issuer = issuer_in(&payload)?;
        let unmet = |trust: &Trust| trust.rules.unmet_claim(payload.root(), &issuer).map(shown);
        match verification
            .issuers
            .find(&issuer, verification.clock.now().ok()?)
        {
            Found::Trust(trust) => unmet(trust),
            #[cfg(feature = "jwks")]
            Found::Resolved(trust) => unmet(&trust),
            _ => None,
        }
    }

    /// The payload of the token that the request presents, without verification.
    fn refused_payload(&self) -> Option<Document> {
        let parts = self.manager?.parts();
        let Asked {
            requirement,
            places,
        } = self.asked?;
        let cookie = credentials::default_cookie(&parts.browser.cookies, requirement.token_type);
        let found = credentials::find(places, cookie, self.request?).ok()??;
        if found.signed.len() > parts.verification.max_size {
            return None;
        }
        let payload = Segments::of(found.signed).ok()?.decode_payload().ok()?;
        Document::object(payload).ok()
    }
}

fn issuer_in(payload: &Document) -> Option<Cow<'_, str>> {
    payload.root().member("iss")?.as_str()
}
