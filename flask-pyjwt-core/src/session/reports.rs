//! What is logged and told about changes of sessions, after the store has made them.

use std::sync::Arc;

use super::{
    EndedBy, Generation, Moment, Opening, Revocation, Rotation, SessionEvent, policy::Sessions,
};
use crate::log_limit::admits;

impl Sessions {
    /// Reports a session that was opened, and those that have ended for it.
    pub(super) fn report_opening(&self, opening: &Opening, ended: Vec<String>, now: Moment) {
        let opened = &opening.session;
        self.listeners.tell(|| SessionEvent::Opened {
            subject: opened.subject.clone(),
            session: opened.id.clone(),
            at: now.into(),
            label: opened.label.clone(),
            address: opened.address.clone(),
            user_agent: opened.user_agent.clone(),
        });
        for session in ended {
            let subject = || opened.subject.clone();
            if opening.replaces.contains(&session) {
                self.listeners.tell(|| SessionEvent::Ended {
                    subject: subject(),
                    session,
                    at: now.into(),
                    by: EndedBy::Login,
                });
                continue;
            }
            if admits("evicted") {
                tracing::info!(
                    session,
                    "a login ended another session: the subject has reached its limit of sessions"
                );
            }
            self.listeners.tell(|| SessionEvent::Evicted {
                subject: subject(),
                session,
                at: now.into(),
            });
        }
    }

    /// Reports that a refresh token was exchanged for the next pair.
    pub(super) fn report_refresh(&self, rotation: &Rotation) {
        self.listeners.tell(|| SessionEvent::Refreshed {
            subject: rotation.subject.clone(),
            session: rotation.session.clone(),
            at: rotation.successor.issued_at.into(),
        });
    }

    /// Reports that a token was presented again within the grace window.
    pub(super) fn report_repetition(&self, rotation: &Rotation, successor: &Generation) {
        if admits("repeated") {
            tracing::info!(
                session = rotation.session,
                "a refresh token was used again within the grace window: it got the same pair of tokens"
            );
        }
        self.listeners.tell(|| SessionEvent::Repeated {
            subject: rotation.subject.clone(),
            session: rotation.session.clone(),
            rotated_at: successor.issued_at.into(),
            repeated_at: rotation.successor.issued_at.into(),
        });
    }

    /// Reports that a token was presented again later, while its successor was unused.
    pub(super) fn report_lost_answer(&self, rotation: &Rotation, successor: &Generation) {
        if admits("lost_answer") {
            tracing::warn!(
                session = rotation.session,
                "a refresh token was used again after the grace window and got its unused successor \
                 again: the response was lost, or somebody else has that pair"
            );
        }
        self.listeners.tell(|| SessionEvent::LostAnswer {
            subject: rotation.subject.clone(),
            session: rotation.session.clone(),
            rotated_at: successor.issued_at.into(),
            repeated_at: rotation.successor.issued_at.into(),
        });
    }

    /// Reports that somebody has a copy of a refresh token.
    pub(super) fn report_replay(self: &Arc<Self>, subject: &str, session: &str, now: Moment) {
        self.forget_answers();
        tracing::warn!(
            session,
            "a refresh token was used again after the grace window: the session is revoked"
        );
        self.listeners.tell(|| SessionEvent::Replayed {
            subject: subject.to_owned(),
            session: session.to_owned(),
            at: now.into(),
        });
    }

    /// Reports what a revocation of a session or a subject has ended.
    pub(super) fn report_ended(
        &self,
        revocation: &Revocation,
        ended: &[String],
        by: EndedBy,
        now: Moment,
    ) {
        for session in ended {
            self.listeners.tell(|| SessionEvent::Ended {
                subject: revocation.subject().to_owned(),
                session: session.clone(),
                at: now.into(),
                by,
            });
        }
        if let Revocation::Subject { subject, .. } = revocation {
            self.listeners.tell(|| SessionEvent::SubjectRevoked {
                subject: subject.clone(),
                at: now.into(),
            });
        }
    }

    /// Reports tokens that were revoked by their ids.
    pub(super) fn report_tokens(
        &self,
        subject: &str,
        session: Option<&str>,
        tokens: Vec<String>,
        now: Moment,
    ) {
        for token in tokens {
            self.listeners.tell(|| SessionEvent::TokenRevoked {
                subject: subject.to_owned(),
                session: session.map(str::to_owned),
                token,
                at: now.into(),
            });
        }
    }
}
