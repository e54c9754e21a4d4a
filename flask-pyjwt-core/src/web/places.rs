//! The places in which a guard looks for the token.

use std::{ops::Deref, rc::Rc};

use actix_web::{HttpMessage as _, HttpRequest};

use crate::{
    manager::AuthManager,
    rules::{Requirement, TokenLocation},
};

/// What a guard around a scope leaves in the extensions of a request that it let in, where it states
/// places of its own.
struct Enclosing(Rc<Requirement>);

/// The places of one guard: its own, else those of the nearest enclosing guard that states some and
/// has let the request in, else those of [`Config::locations`](crate::Config::locations).
pub(super) enum Places<'a> {
    Known(&'a [TokenLocation]),
    Enclosing(Rc<Requirement>),
}

impl<'a> Places<'a> {
    pub(super) fn of(
        requirement: &'a Requirement,
        manager: &'a AuthManager,
        request: &HttpRequest,
    ) -> Self {
        if let Some(own) = &requirement.locations {
            return Self::Known(own);
        }
        match request.extensions().get::<Enclosing>() {
            Some(Enclosing(requirement)) => Self::Enclosing(Rc::clone(requirement)),
            None => Self::Known(&manager.parts().locations),
        }
    }
}

impl Deref for Places<'_> {
    type Target = [TokenLocation];

    fn deref(&self) -> &[TokenLocation] {
        match self {
            Self::Known(locations) => locations,
            Self::Enclosing(requirement) => requirement.locations.as_deref().unwrap_or_default(),
        }
    }
}

/// Hands the places of a guard on to the guards inside it. Only the places: what the token has to be,
/// and whether a CSRF proof is needed, each guard says for itself.
pub(super) fn hand_on(requirement: &Rc<Requirement>, request: &HttpRequest) {
    if requirement.locations.is_some() {
        let enclosing = Enclosing(Rc::clone(requirement));
        request.extensions_mut().insert(enclosing);
    }
}
