//! Tokens of the providers: headers, claims and key sets as their documentation and reports of their users show
//! them, with the names replaced.

use flask_pyjwt::{Config, Issuer};
use serde_json::{Value, json};

use support::NOW;

mod accounts;
mod companies;
mod machines;
mod open_sets;
mod open_source;
mod self_hosted;

/// What a provider signs with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signs {
    Rs256,
    Es256,
    /// With a secret that is in the recipe: nothing is fetched.
    Hs256,
}

pub(crate) use self::open_sets::client_secret;

/// The outcome for a token.
pub(crate) enum Expect {
    /// It is accepted, and this is its subject.
    Subject(&'static str),
    /// It is refused by a rule, although its signature is valid.
    Refused,
}

pub(crate) struct Issued {
    pub(crate) what: &'static str,
    pub(crate) header: Value,
    pub(crate) claims: Value,
    pub(crate) expect: Expect,
}

pub(crate) struct Provider {
    /// A heading on its page.
    pub(crate) name: &'static str,
    /// Its recipes.
    pub(crate) issuers: fn() -> Vec<Issuer>,
    /// The same as code.
    pub(crate) code: Vec<String>,
    /// Additional configuration from the page.
    pub(crate) config: fn(Config) -> Config,
    pub(crate) signs: Signs,
    /// Members of its keys in addition to the key itself.
    pub(crate) jwk: Value,
    /// Keys of its set that are not for signatures.
    pub(crate) other_keys: Vec<Value>,
    pub(crate) tokens: Vec<Issued>,
}

/// Recipes that run, and their code.
macro_rules! recipes {
    ($($name:ident: $recipe:expr;)+) => {
        (
            (|| vec![$($recipe),+]) as fn() -> Vec<Issuer>,
            vec![$(normal(stringify!($recipe))),+],
        )
    };
}
use recipes;

fn provider(
    name: &'static str,
    (issuers, code): (fn() -> Vec<Issuer>, Vec<String>),
    tokens: Vec<Issued>,
) -> Provider {
    Provider {
        name,
        issuers,
        code,
        config: |config| config,
        signs: Signs::Rs256,
        jwk: json!({"use": "sig", "alg": "RS256"}),
        other_keys: Vec::new(),
        tokens,
    }
}

fn accepted(what: &'static str, subject: &'static str, header: &Value, claims: Value) -> Issued {
    let expect = Expect::Subject(subject);
    issued(what, expect, header, claims)
}

fn refused(what: &'static str, header: &Value, claims: Value) -> Issued {
    issued(what, Expect::Refused, header, claims)
}

fn issued(what: &'static str, expect: Expect, header: &Value, mut claims: Value) -> Issued {
    let members = claims.as_object_mut().expect("an object");
    members.entry("iat").or_insert_with(|| (NOW - 10).into());
    members.entry("exp").or_insert_with(|| (NOW + 3_590).into());
    Issued {
        what,
        header: header.clone(),
        claims,
        expect,
    }
}

/// These claims, with some changed or added. `null` removes one.
fn with(claims: &Value, changes: Value) -> Value {
    let mut claims = claims.clone();
    let members = claims.as_object_mut().expect("an object");
    let Value::Object(changes) = changes else {
        panic!("changes are an object");
    };
    for (name, value) in changes {
        if value.is_null() {
            members.remove(&name);
        } else {
            members.insert(name, value);
        }
    }
    claims
}

/// `alg`, `typ` and `kid`, in the order in which most write them.
fn typed() -> Value {
    json!({"alg": "RS256", "typ": "JWT", "kid": ""})
}

/// Without a `typ`.
fn untyped() -> Value {
    json!({"kid": "", "alg": "RS256"})
}

/// All providers.
pub(crate) fn providers() -> Vec<Provider> {
    vec![
        companies::auth0(),
        companies::entra(),
        companies::entra_v1(),
        open_sets::entra_tenants(),
        companies::okta(),
        companies::cognito(),
        accounts::google(),
        accounts::identity_aware_proxy(),
        accounts::firebase(),
        accounts::apple(),
        accounts::supabase(),
        open_sets::shopify(),
        self_hosted::keycloak(),
        self_hosted::duende(),
        self_hosted::adfs(),
        open_source::zitadel(),
        open_source::authentik(),
        open_source::hydra(),
        open_source::dex(),
        open_source::rauthy(),
        machines::google_services(),
        machines::github(),
        machines::gitlab(),
        machines::kubernetes(),
    ]
}
