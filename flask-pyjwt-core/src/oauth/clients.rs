//! The clients that the endpoints know.

use std::{collections::HashMap, fmt, hint::black_box, sync::Arc};

use super::{OAuthClient, client::Credential};
use crate::{
    error::{ConfigError, Problem},
    jose::{HeaderTypes, NumericDate},
    keys::{AuthType, Crypto, Family, KeySet, sha256},
    log_limit::admits,
    replay::{Digest, NotFirst, Replays},
};

/// The name of the list in errors.
const CLIENTS: &str = "OAuthClients";
/// The shortest secret in bytes: as for HS256 (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;
/// The longest id in bytes.
const LONGEST_ID: usize = 256;

/// The clients of the OAuth endpoints. Make the list once at start: clones share it, and with it the memory of the
/// assertions that were used.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{OAuthClient, OAuthClients};
///
/// let secret = "change-me: at least 32 bytes of secret";
/// let clients = OAuthClients::new([OAuthClient::with_secret("demo", secret)])?;
/// println!("{clients:?}"); // the ids, and no secret
///
/// let twice = [OAuthClient::public("spa"), OAuthClient::with_secret("spa", secret)];
/// assert!(OAuthClients::new(twice).is_err());
/// # Ok::<(), flask_pyjwt::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use = "pass it to the endpoints"]
pub struct OAuthClients(Arc<Table>);

struct Table {
    clients: HashMap<String, Arc<Client>>,
    /// A client for each algorithm. Its key is tried for assertions that no client can have signed, so that these take as
    /// long as others.
    decoys: Vec<(AuthType, Arc<Client>)>,
    /// The assertions that were used. One client cannot take the places of all others.
    used: Replays,
}

/// A client whose credentials were checked at start.
pub(super) struct Client {
    pub(super) id: String,
    pub(super) proof: Proof,
}

/// What a client has to show.
pub(super) enum Proof {
    Nothing,
    /// The digest of the secret.
    Secret([u8; 32]),
    Keys(Box<ClientKeys>),
}

/// The keys of a client.
pub(super) struct ClientKeys {
    pub(super) set: KeySet,
    pub(super) types: HeaderTypes,
}

/// A right assertion, which works once.
pub(super) struct Used {
    /// The hash of its client.
    pub(super) client: Digest,
    /// The hash of its client and its `jti`. No DPoP proof has the same one.
    pub(super) id: Digest,
    /// From then on it is refused anyway.
    pub(super) ends_at: NumericDate,
}

impl Used {
    pub(super) fn new(client: &str, jti: &str, ends_at: NumericDate) -> Self {
        // An id has no control character.
        let client = ["client_assertion", client].join("\0");
        Self {
            client: sha256(client.as_bytes()),
            id: sha256([&*client, jti].join("\0").as_bytes()),
            ends_at,
        }
    }
}

impl OAuthClients {
    /// Checks the clients and prepares their keys.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if an id is empty, too long, given twice or has control characters, if a secret is empty or
    /// short, or if a key is an HMAC secret or cannot be used.
    pub fn new(clients: impl IntoIterator<Item = OAuthClient>) -> Result<Self, ConfigError> {
        let mut table = Table {
            clients: HashMap::new(),
            decoys: Vec::new(),
            used: Replays::default(),
        };
        for client in clients {
            let client = Arc::new(Client::new(client)?);
            for key in client.keys().into_iter().flat_map(|keys| keys.set.keys()) {
                if table
                    .decoys
                    .iter()
                    .all(|(known, _)| *known != key.auth_type)
                {
                    table.decoys.push((key.auth_type, Arc::clone(&client)));
                }
            }
            if let Some(twice) = table.clients.insert(client.id.clone(), client) {
                return Err(wrong(&twice.id, "is there twice"));
            }
        }
        Ok(Self(Arc::new(table)))
    }

    pub(super) fn find(&self, id: &str) -> Option<&Arc<Client>> {
        self.0.clients.get(id)
    }

    /// Keys of each algorithm, to check an assertion with if its client is unknown or has no such key.
    pub(super) fn decoys(&self) -> impl Iterator<Item = &ClientKeys> {
        self.0.decoys.iter().filter_map(|(_, client)| client.keys())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.clients.is_empty()
    }

    pub(super) fn has_public(&self) -> bool {
        self.has(|proof| matches!(proof, Proof::Nothing))
    }

    fn has(&self, is: fn(&Proof) -> bool) -> bool {
        self.0.clients.values().any(|client| is(&client.proof))
    }

    /// Notes in this process that an assertion is used.
    pub(super) fn first_use(&self, used: &Used, now: NumericDate) -> Result<(), NotFirst> {
        let first = self
            .0
            .used
            .first_use(used.client, used.id, used.ends_at, now);
        if first == Err(NotFirst::Full) && admits("too_many_assertions") {
            tracing::warn!(
                "too many client assertions are remembered, of one client or of all: more are refused with 503"
            );
        }
        first
    }

    /// The authentication methods of the clients that authenticate (RFC 8414, section 2).
    pub(super) fn methods(&self) -> Vec<&'static str> {
        let mut methods = Vec::new();
        if self.has(|proof| matches!(proof, Proof::Secret(_))) {
            methods.extend(["client_secret_basic", "client_secret_post"]);
        }
        if self.has(|proof| matches!(proof, Proof::Keys(_))) {
            methods.push("private_key_jwt");
        }
        methods
    }

    /// The algorithms of the assertions of these clients, sorted by name.
    pub(super) fn algorithms(&self) -> Vec<&'static str> {
        let keys = self.0.clients.values().filter_map(|client| client.keys());
        let keys = keys.flat_map(|keys| keys.set.keys());
        let mut algorithms: Vec<_> = keys.map(|key| key.auth_type.name()).collect();
        algorithms.sort_unstable();
        algorithms.dedup();
        algorithms
    }
}

impl fmt::Debug for OAuthClients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ids: Vec<_> = self.0.clients.keys().collect();
        ids.sort_unstable();
        f.debug_tuple("OAuthClients").field(&ids).finish()
    }
}

impl Client {
    fn new(client: OAuthClient) -> Result<Self, ConfigError> {
        let OAuthClient {
            id,
            credential,
            allow_weak,
        } = client;
        if id.is_empty() || id.len() > LONGEST_ID || id.chars().any(char::is_control) {
            return Err(ConfigError::invalid(
                CLIENTS,
                "has a client whose id is empty, longer than 256 bytes, or has control characters",
            ));
        }
        let proof = match credential {
            Credential::Public => Proof::Nothing,
            Credential::Secret(secret) => Proof::Secret({
                let secret = secret.as_bytes();
                check_secret(&id, secret.len(), allow_weak)?;
                sha256(secret)
            }),
            Credential::Keys(keys) => {
                let mut prepared = Vec::new();
                for key in keys {
                    check_algorithm(&id, key.auth_type())?;
                    // Many clients send no `kid`, also during a rotation. A client has few keys, so all are tried.
                    let key = key.or_accept_without_id();
                    let key = key.prepare(CLIENTS, CLIENTS, Crypto::default());
                    let key = key.map_err(|error| wrong(&id, format!("has a bad key: {error}")))?;
                    prepared.push(key.split().1);
                }
                let types = ["JWT", "client-authentication+jwt"].map(str::to_owned);
                let types = HeaderTypes::new(types, true);
                Proof::Keys(Box::new(ClientKeys {
                    set: KeySet::new(prepared, &types),
                    types,
                }))
            }
        };
        Ok(Self { id, proof })
    }

    pub(super) fn keys(&self) -> Option<&ClientKeys> {
        match &self.proof {
            Proof::Keys(keys) => Some(keys),
            _ => None,
        }
    }
}

fn check_secret(id: &str, length: usize, allow_weak: bool) -> Result<(), ConfigError> {
    match length {
        0 => Err(wrong(id, "has an empty secret")),
        1..SHORTEST_SECRET if allow_weak => {
            tracing::warn!(
                "the OAuth client `{id}` has a secret of {length} bytes: use 32 or more"
            );
            Ok(())
        }
        1..SHORTEST_SECRET => {
            let problem = format!("has a secret of {length} bytes, and 32 or more are needed");
            Err(wrong(id, problem))
        }
        _ => Ok(()),
    }
}

fn check_algorithm(id: &str, auth_type: AuthType) -> Result<(), ConfigError> {
    if auth_type.family() == Family::Hmac {
        return Err(wrong(id, "has an HMAC key: use `OAuthClient::with_secret`"));
    }
    Ok(())
}

fn wrong(id: &str, problem: impl Into<std::borrow::Cow<'static, str>>) -> ConfigError {
    let problem = Problem::new(problem);
    ConfigError::invalid(CLIENTS, format!("has the client `{id}`, which {problem}"))
}

/// Whether a secret has this digest. The time does not depend on where they differ.
pub(super) fn has_digest(secret: &[u8], digest: &[u8; 32]) -> bool {
    let given = sha256(secret);
    let differing = given
        .iter()
        .zip(digest)
        .fold(0, |all, (a, b)| all | (a ^ b));
    black_box(differing) == 0
}
