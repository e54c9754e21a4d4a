//! Client authentication (RFC 6749, section 2.3; RFC 7523, section 2.2).

use std::sync::Arc;

use actix_web::{
    HttpRequest,
    http::header::{AUTHORIZATION, HeaderMap},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    OAuthClients,
    assertion::{self, Expected},
    clients::{Client, Proof, Used, has_digest},
    form::{Form, decode},
    refusal::Refusal,
};

/// The value of `client_assertion_type` (RFC 7523, section 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const SEVERAL: Refusal = Refusal::Request("More than one client authentication is given");

/// What a request shows of its client.
enum Shown<'a> {
    Id(&'a str),
    /// The client has one of these ids and secrets.
    Secret(Vec<Pair>),
    Assertion(&'a str),
}

/// An id and a secret.
type Pair = (String, Vec<u8>);

/// The client of a request, and its assertion, which is not noted as used yet.
pub(super) struct Found {
    pub(super) client: Arc<Client>,
    pub(super) used: Option<Used>,
}

/// Finds the client of a request and checks its credentials. `None` if the request names no client.
pub(super) fn authenticate(
    clients: &OAuthClients,
    request: &HttpRequest,
    form: &Form,
    expected: &Expected<'_>,
) -> Result<Option<Found>, Refusal> {
    let id = form.get("client_id");
    let Some(shown) = shown(request.headers(), form)? else {
        return Ok(None);
    };
    let mut used = None;
    let client = match shown {
        Shown::Id(id) => {
            let client = clients.find(id);
            client.filter(|client| matches!(client.proof, Proof::Nothing))
        }
        Shown::Secret(pairs) => {
            if id.is_some_and(|id| pairs.iter().all(|(named, _)| id != named)) {
                return Err(Refusal::Request(
                    "`client_id` is not the authenticated client",
                ));
            }
            let all = pairs.iter();
            // All of them are checked, whichever is right.
            let found = all.fold(None, |found, (id, secret)| {
                with_secret(clients, id, secret).or(found)
            });
            found.filter(|client| id.is_none_or(|id| client.id == id))
        }
        Shown::Assertion(assertion) => {
            let checked = assertion::check(clients, assertion, id, expected);
            checked.map(|(client, assertion)| {
                used = Some(assertion);
                client
            })
        }
    };
    let client = client.cloned().ok_or(Refusal::Client)?;
    Ok(Some(Found { client, used }))
}

/// The client with this id and secret.
fn with_secret<'a>(clients: &'a OAuthClients, id: &str, secret: &[u8]) -> Option<&'a Arc<Client>> {
    // Of an unknown client, a secret is hashed and compared as well.
    let (client, digest) = match clients.find(id) {
        Some(client) => match &client.proof {
            Proof::Secret(digest) => (Some(client), digest),
            _ => (None, &[0; 32]),
        },
        None => (None, &[0; 32]),
    };
    let is_right = has_digest(secret, digest);
    client.filter(|_| is_right)
}

fn shown<'a>(headers: &HeaderMap, form: &'a Form) -> Result<Option<Shown<'a>>, Refusal> {
    let mut fields = headers.get_all(AUTHORIZATION);
    let field = fields.next();
    if fields.next().is_some() {
        return Err(SEVERAL);
    }
    let secret = form.get("client_secret");
    let assertion = form.get("client_assertion");
    let assertion_type = form.get("client_assertion_type");
    let has_assertion = assertion.is_some() || assertion_type.is_some();
    if usize::from(field.is_some()) + usize::from(secret.is_some()) + usize::from(has_assertion) > 1
    {
        return Err(SEVERAL);
    }
    if let Some(field) = field {
        let pairs = basic(field.as_bytes()).ok_or(Refusal::Client)?;
        return Ok(Some(Shown::Secret(pairs)));
    }
    if has_assertion {
        let (Some(assertion), Some(assertion_type)) = (assertion, assertion_type) else {
            let why = "`client_assertion` and `client_assertion_type` belong together";
            return Err(Refusal::Request(why));
        };
        if assertion_type != JWT_BEARER {
            return Err(Refusal::Client);
        }
        return Ok(Some(Shown::Assertion(assertion)));
    }
    let id = form.get("client_id");
    match (id, secret) {
        (Some(id), Some(secret)) => Ok(Some(Shown::Secret(vec![(id.to_owned(), secret.into())]))),
        (None, Some(_)) => Err(Refusal::Request("`client_secret` needs a `client_id`")),
        (id, None) => Ok(id.map(Shown::Id)),
    }
}

/// The ids and secrets that Basic credentials can mean: both form-encoded (RFC 6749, section 2.3.1), or, from clients
/// that do not encode them, as they are.
fn basic(field: &[u8]) -> Option<Vec<Pair>> {
    let (scheme, credentials) = field.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let credentials = STANDARD.decode(credentials.trim_ascii()).ok()?;
    let colon = credentials.iter().position(|byte| *byte == b':')?;
    let (id, secret) = credentials.split_at(colon);
    let secret = &secret[1..];
    let encoded = decode(id).zip(decode(secret));
    let mut pairs: Vec<_> = encoded
        .map(|(id, secret)| (id, secret.into_bytes()))
        .into_iter()
        .collect();
    let plain = (str::from_utf8(id).ok()?.to_owned(), secret.to_vec());
    if !pairs.contains(&plain) {
        pairs.push(plain);
    }
    Some(pairs)
}
