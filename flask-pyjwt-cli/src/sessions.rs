//! `sessions`: lists and ends the sessions of a subject.

use actix_web::rt::System;
use flask_pyjwt::{AuthManager, Session};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::{
    arguments::{Global, Sessions, SessionsCommand, StoreAndForm},
    configuration,
    failure::Failure,
    store::Address,
    terminal, times,
};

/// How many sessions one page has.
const PAGE: usize = 100;

pub(crate) fn run(global: &Global, command: &Sessions) -> Result<(), Failure> {
    let form = command.command.form();
    let address = Address::required(form.store.as_deref())?;
    let config = configuration::config(global)?;
    System::new().block_on(async {
        let auth = address.manager(config).await?;
        match &command.command {
            SessionsCommand::List { subject, .. } => list(&auth, subject, form).await,
            SessionsCommand::End { subject, id, .. } => end(&auth, subject, id, form).await,
            SessionsCommand::EndAll { subject, .. } => {
                let ended = auth.revoke_subject(subject).await?;
                let plural = if ended == 1 { "" } else { "s" };
                show(
                    form,
                    &json!({"ended": ended}),
                    &format!("{ended} session{plural} ended"),
                )
            }
        }
    })
}

async fn list(auth: &AuthManager, subject: &str, form: &StoreAndForm) -> Result<(), Failure> {
    let mut sessions = Vec::new();
    let mut after = None;
    loop {
        let page = auth.session_page(subject, after.as_deref(), PAGE).await?;
        sessions.extend(page.sessions);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let now = OffsetDateTime::now_utc();
    let lines: Vec<_> = sessions.iter().map(|session| line(session, now)).collect();
    let objects: Vec<_> = sessions.iter().map(object).collect();
    if lines.is_empty() {
        terminal::note("there is no open session");
    }
    if form.json || !lines.is_empty() {
        show(form, &json!({"sessions": objects}), &lines.join("\n"))?;
    }
    Ok(())
}

async fn end(
    auth: &AuthManager,
    subject: &str,
    id: &str,
    form: &StoreAndForm,
) -> Result<(), Failure> {
    let is_ended = auth.revoke_session(subject, id).await?;
    let ended = json!({"ended": usize::from(is_ended)});
    if is_ended {
        return show(form, &ended, "1 session ended");
    }
    if form.json {
        show(form, &ended, "")?;
    }
    Err(Failure::wrong(
        "this subject has no open session with this ID",
    ))
}

/// Prints a result as JSON or as text.
fn show(form: &StoreAndForm, object: &Value, text: &str) -> Result<(), Failure> {
    if form.json {
        terminal::print_line(&terminal::escaped(&format!("{object:#}")))
    } else {
        terminal::print_line(text)
    }
}

fn line(session: &Session, now: OffsetDateTime) -> String {
    let mut parts = vec![
        session.id.clone(),
        format!("opened {}", times::relative(session.opened, now)),
        format!("refreshed {}", times::relative(session.refreshed, now)),
        format!("expires {}", times::relative(session.expires, now)),
    ];
    let device = [&session.label, &session.address, &session.user_agent];
    parts.extend(device.into_iter().flatten().cloned());
    terminal::escaped_line(&parts.join("  "))
}

fn object(session: &Session) -> Value {
    json!({
        "id": session.id,
        "opened": times::exact(session.opened),
        "refreshed": times::exact(session.refreshed),
        "expires": times::exact(session.expires),
        "label": session.label,
        "address": session.address,
        "user_agent": session.user_agent,
    })
}
