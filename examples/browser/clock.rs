//! A WebSocket that closes when its token expires or is revoked.

use std::{pin::pin, time::Duration};

use actix_web::{HttpRequest, HttpResponse, get, rt, web};
use actix_ws::{CloseCode, CloseReason, Message, MessageStream};
use flask_pyjwt::{AuthManager, CurrentToken, Rejection, Token, require_token};
use futures_util::future::{Either, select};
use time::OffsetDateTime;

/// Sends the time every second. Only a page of this site can open the WebSocket.
#[require_token("auth", "cookies")]
#[get("/ws")]
pub(crate) async fn clock(
    auth: AuthManager,
    token: CurrentToken,
    request: HttpRequest,
    body: web::Payload,
) -> actix_web::Result<HttpResponse> {
    let (response, session, messages) = actix_ws::handle(&request, body)?;
    rt::spawn(tell_the_time(auth, token.into_token(), session, messages));
    Ok(response)
}

/// Checks the token before each message. When it has expired or is revoked, the server closes the WebSocket and says why.
async fn tell_the_time(
    auth: AuthManager,
    token: Token,
    mut session: actix_ws::Session,
    mut messages: MessageStream,
) {
    let mut seconds = rt::time::interval(Duration::from_secs(1));
    loop {
        let sent = match select(pin!(seconds.tick()), pin!(messages.recv())).await {
            Either::Left(_) => {
                if let Err(error) = auth.check_revocation(&token).await {
                    // An error means that the client has gone.
                    let reason = close_reason(&error.into());
                    session.close(Some(reason)).await.ok();
                    return;
                }
                let now = OffsetDateTime::now_utc().unix_timestamp();
                session.text(now.to_string()).await
            }
            Either::Right((Some(Ok(Message::Ping(bytes))), _)) => session.pong(&bytes).await,
            Either::Right((Some(Ok(Message::Close(reason))), _)) => {
                session.close(reason).await.ok();
                return;
            }
            Either::Right((Some(Ok(_)), _)) => Ok(()),
            Either::Right((Some(Err(_)) | None, _)) => return,
        };
        if sent.is_err() {
            return;
        }
    }
}

fn close_reason(rejection: &Rejection) -> CloseReason {
    let code = match rejection {
        Rejection::Unavailable { .. } => CloseCode::Again,
        _ => CloseCode::Policy,
    };
    CloseReason {
        code,
        description: Some(rejection.reason().to_owned()),
    }
}
