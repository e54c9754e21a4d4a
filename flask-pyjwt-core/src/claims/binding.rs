//! The claim `cnf`: who may use a token (RFC 7800).

use crate::{
    jose::{Thumbprint, TokenError},
    json::{Json, Kind},
};

/// What a client has to prove to use a token. At least one of the two is there, and both have to be proven if both are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Binding {
    /// The key that signs DPoP proofs: `jkt` (RFC 9449, section 6.1).
    pub(crate) key: Option<Thumbprint>,
    /// The client certificate of the connection: `x5t#S256` (RFC 8705, section 3.1).
    pub(crate) certificate: Option<Thumbprint>,
}

/// The names of the members of `cnf`.
const KEY: &str = "jkt";
const CERTIFICATE: &str = "x5t#S256";

impl Binding {
    /// Reads the claim. A member that is not known may demand something that is not checked here, so it is refused.
    pub(crate) fn of(claim: Json<'_>) -> Result<Self, TokenError> {
        if claim.kind() != Kind::Object {
            return Err(TokenError::UnknownBinding);
        }
        let (mut key, mut certificate) = (None, None);
        for (name, value) in claim.members() {
            let place = match &*name {
                KEY => &mut key,
                CERTIFICATE => &mut certificate,
                _ => return Err(TokenError::UnknownBinding),
            };
            let thumbprint = value.as_str().and_then(|text| Thumbprint::parse(&text));
            *place = Some(thumbprint.ok_or(TokenError::UnknownBinding)?);
        }
        if key.is_none() && certificate.is_none() {
            return Err(TokenError::UnknownBinding);
        }
        Ok(Self { key, certificate })
    }

    /// The value of the claim.
    pub(crate) fn to_value(self) -> serde_json::Value {
        let members = [(KEY, self.key), (CERTIFICATE, self.certificate)];
        members
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_string().into())))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}
