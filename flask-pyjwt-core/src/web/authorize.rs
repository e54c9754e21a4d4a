//! The decision about one request. Not generic: compiled once, whatever the handlers are.

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};

use super::{CheckError, Rejection, answer::answer, credentials, registered::manager_of};
use crate::{
    manager::AuthManager,
    rules::{Requirement, RouteVariables},
    token::{Token, TokenError},
};

/// What a guard leaves in the request's extensions for [`CurrentToken`](crate::CurrentToken).
pub(super) struct Guarded {
    /// `None` where credentials are optional and there were none.
    pub(super) token: Option<Token>,
    /// Whether the attribute's wrapper is extracting, and will ask what became of it.
    pub(super) by_attribute: bool,
}

/// Lets a request pass, its token left in the extensions, or gives the answer to refuse it with.
///
/// Of the request only its head is read.
pub(super) async fn guard(
    requirement: &Requirement,
    request: &HttpRequest,
    by_attribute: bool,
) -> Result<(), HttpResponse> {
    let manager = manager_of(request).map_err(|rejection| answer(None, &rejection, request))?;
    match authorize(manager, requirement, request).await {
        Ok(token) => {
            request.extensions_mut().insert(Guarded {
                token,
                by_attribute,
            });
            Ok(())
        }
        Err(rejection) => Err(answer(Some(manager), &rejection, request)),
    }
}

/// Decides in this order: credentials, token, its type, its session, the server's own check, the age
/// of the login, the claims.
async fn authorize(
    manager: &AuthManager,
    requirement: &Requirement,
    request: &HttpRequest,
) -> Result<Option<Token>, Rejection> {
    let Some(signed) = credentials::find(&requirement.locations, request)? else {
        return if requirement.optional {
            Ok(None)
        } else {
            Err(Rejection::MissingCredentials)
        };
    };
    #[cfg(feature = "jwks")]
    let token = manager.verify_token_async(signed).await?;
    #[cfg(not(feature = "jwks"))]
    let token = manager.verify_token(signed)?;
    if token.token_type() != requirement.token_type {
        return Err(TokenError::WrongType {
            expected: requirement.token_type,
        }
        .into());
    }
    requirement.check_issuer(&token, &manager.parts().verification)?;
    // The sessions of other issuers are theirs.
    if let Some(sessions) = manager.sessions_of(&token) {
        sessions.check(&token, manager.now()?).await?;
    }
    if let Some(check) = &manager.parts().token_check {
        check(token.clone()).await.map_err(|error| match error {
            CheckError::Revoked => TokenError::Revoked.into(),
            CheckError::Unavailable { retry_after } => Rejection::Unavailable { retry_after },
        })?;
    }
    if let Some(freshness) = requirement.freshness {
        freshness.check(&token, &manager.parts().verification)?;
    }
    requirement.decide(&token, &RouteVariables::of(request))?;
    Ok(Some(token))
}
