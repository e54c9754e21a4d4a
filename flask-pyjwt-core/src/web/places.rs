//! The places in which a guard looks for the token.

use std::{ops::Deref, rc::Rc};

use actix_web::{HttpMessage as _, HttpRequest};

use crate::{
    manager::AuthManager,
    rules::{Requirement, TokenLocation},
};

/// The requirement of a guard around a scope. It is stored in the extensions of accepted requests if the guard names
/// places.
struct Enclosing(Rc<Requirement>);

/// The places of one guard: those that it names, else those of the nearest enclosing guard that names some, else those
/// of [`Config::locations`](crate::Config::locations).
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

/// Stores the places of a guard for the guards inside it. Other settings of the guard, such as `csrf`, do not apply to
/// them.
pub(super) fn pass_to_inner_guards(requirement: &Rc<Requirement>, request: &HttpRequest) {
    if requirement.locations.is_some() {
        let enclosing = Enclosing(Rc::clone(requirement));
        request.extensions_mut().insert(enclosing);
    }
}
