//! Whether a guarded route refuses hostile requests.

use actix_web::http::Method;

use super::{
    attacks::{Attack, Target, attacks, with_token},
    concrete::Concrete,
    good::Good,
    learn::{ANY, Audit, Settings},
    report::{AuditedRoute, Finding},
    routes::Header,
    visit::visit,
};
use crate::{
    rules::TokenLocation,
    web::{Decision, Told},
};

impl Audit<'_> {
    /// A token that these guards accept.
    pub(super) async fn good(&self, guards: &[Told], found: &Concrete) -> Result<Good, String> {
        let Settings {
            subject, claims, ..
        } = self.settings;
        Good::new(guards, &found.variables, subject, claims.clone()).await
    }

    /// Sends a guarded route all hostile requests.
    pub(super) async fn prove(
        &self,
        route: &mut AuditedRoute,
        method: &Method,
        found: &Concrete,
        headers: &[Header],
        guards: &[Told],
    ) {
        // The token in a query string is for GET only.
        let is_query = |it: &TokenLocation| matches!(it, TokenLocation::Query(_));
        let places = guards.last().map_or(&[][..], |it| &it.places);
        let get = Method::GET;
        let method = match method.as_str() {
            ANY if places.iter().all(is_query) => &get,
            _ => method,
        };
        let headers = [headers, &self.settings.headers].concat();
        let headers = &*headers;
        let target = Target {
            method,
            path: &found.path,
            headers,
        };
        let good = self.good(guards, found).await;
        let good = match good {
            Ok(good) => good,
            Err(why) => {
                route.unproven = Some(why);
                let shot = target
                    .shot()
                    .with([("authorization".to_owned(), "Bearer garbage".to_owned())]);
                self.shoot(
                    route,
                    guards.len(),
                    Attack {
                        name: "no token".to_owned(),
                        shot,
                    },
                )
                .await;
                return;
            }
        };
        route.unproven = self.is_accepted(&good, target, guards.len()).await.err();
        for attack in attacks(&good, target).await {
            self.shoot(route, guards.len(), attack).await;
        }
    }

    /// Whether the good token is accepted, without which the hostile ones prove nothing.
    async fn is_accepted(
        &self,
        good: &Good,
        target: Target<'_>,
        depth: usize,
    ) -> Result<(), String> {
        let is_query = |it: &TokenLocation| matches!(it, TokenLocation::Query(_));
        let usable = good
            .places
            .iter()
            .find(|it| !is_query(it) || *target.method == Method::GET);
        let Some(place) = usable else {
            return Err(format!(
                "no place of its tokens can be used with {}",
                target.method
            ));
        };
        let shot = with_token(good, target, place, &good.signed);
        let seen = visit(self.application, &shot, depth - 1).await;
        match seen.guards.get(depth - 1).map(|it| &it.decision) {
            Some(Decision::Accepted) => Ok(()),
            Some(Decision::Refused(reason)) => Err(format!(
                "a token that has all it requires is refused: {reason}"
            )),
            None => Err("a token that has all it requires does not reach the guard".to_owned()),
        }
    }

    /// Sends a hostile request, and notes if it gets in.
    async fn shoot(&self, route: &mut AuditedRoute, depth: usize, attack: Attack) {
        route.attacks += 1;
        let seen = visit(self.application, &attack.shot, depth - 1).await;
        let all_accept = seen.guards.len() >= depth
            && seen
                .guards
                .iter()
                .all(|it| it.decision == Decision::Accepted);
        // A refusal may also be a redirect to the login.
        let is_success = seen
            .status()
            .is_none_or(|status| (200..300).contains(&status));
        if all_accept || seen.handler_began || is_success {
            route.findings.push(Finding {
                attack: attack.name,
                status: seen.status(),
                curl: attack.shot.curl(),
            });
        }
    }
}
