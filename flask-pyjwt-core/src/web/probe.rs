//! What guards tell the audit of all routes. No client can send a probe: it is in the extensions of a request that a test
//! makes.

use std::{cell::RefCell, rc::Rc};

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, dev::Payload};

use super::{
    authorize::{AtOnce, Verdict, guard, guard_at_once},
    places::Places,
    refusal_note::RefusalNote,
    registered::manager_of,
};
use crate::{
    manager::AuthManager,
    rules::{Requirement, TokenLocation},
};

/// In a request with a probe, no guarded handler runs. Guards note what they require and decide.
#[derive(Clone, Default)]
pub(crate) struct Probe(Rc<Noted>);

#[derive(Default)]
struct Noted {
    /// From the outermost guard to the innermost.
    guards: RefCell<Vec<Told>>,
    /// A handler asked for the manager before a guard has decided.
    manager_taken: RefCell<bool>,
    /// No service of the application has answered.
    is_default: RefCell<bool>,
    /// So many guards around scopes let an accepted request go further inside.
    passes: usize,
}

/// What one guard tells.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) requirement: Requirement,
    pub(crate) places: Vec<TokenLocation>,
    /// `None` if the application has none, or several.
    pub(crate) manager: Option<AuthManager>,
    pub(crate) decision: Decision,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    Accepted,
    /// With the `reason` of the event.
    Refused(&'static str),
}

impl Probe {
    pub(crate) fn new(passes: usize) -> Self {
        Self(Rc::new(Noted {
            passes,
            ..Noted::default()
        }))
    }

    /// The probe in a request.
    pub(super) fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    pub(crate) fn guards(&self) -> Vec<Told> {
        self.0.guards.borrow().clone()
    }

    pub(crate) fn manager_was_taken(&self) -> bool {
        *self.0.manager_taken.borrow()
    }

    /// Whether a guard that has accepted the request lets it go further inside.
    pub(super) fn looks_inside(&self) -> bool {
        self.0.guards.borrow().len() <= self.0.passes
    }

    /// Notes that no service of the application has answered.
    pub(crate) fn note_default(request: &HttpRequest) {
        if let Some(probe) = Self::of(request) {
            *probe.0.is_default.borrow_mut() = true;
        }
    }

    pub(crate) fn is_default(&self) -> bool {
        *self.0.is_default.borrow()
    }

    /// Whether a handler without a guard asks for the manager. It does not get it, so that it does not run.
    pub(super) fn stops_extraction(request: &HttpRequest) -> bool {
        let Some(probe) = Self::of(request) else {
            return false;
        };
        *probe.0.manager_taken.borrow_mut() = true;
        true
    }

    /// Decides as the guard decides, and notes it.
    pub(super) async fn decide(
        &self,
        requirement: &Requirement,
        request: &HttpRequest,
        body: &mut Payload,
        by_attribute: bool,
    ) -> Verdict {
        let manager = manager_of(request).ok();
        let places = manager.map(|manager| Places::of(requirement, manager, request).to_vec());
        let verdict = match guard_at_once(requirement, request, by_attribute) {
            AtOnce::Decided(verdict) => verdict,
            AtOnce::Undecided(recalled) => {
                guard(requirement, request, body, by_attribute, recalled).await
            }
        };
        let decision = match &verdict {
            Ok(_) => Decision::Accepted,
            Err(refused) => {
                let extensions = refused.extensions();
                let note = extensions.get::<RefusalNote>();
                Decision::Refused(note.map_or("", |note| note.reason))
            }
        };
        self.0.guards.borrow_mut().push(Told {
            requirement: requirement.clone(),
            places: places.unwrap_or_default(),
            manager: manager.cloned(),
            decision,
        });
        verdict
    }

    /// The answer in place of the handler's.
    pub(super) fn in_place_of_the_handler() -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}
