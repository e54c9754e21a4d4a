use super::*;
use crate::{
    keys::Crypto,
    remote::{Address, Place, PlainHttp},
};

fn source() -> RemoteKeys {
    let connections = Connections::default();
    let client = Arc::new(connections.client().expect("a client"));
    let plain_http = PlainHttp::default();
    let address = Address::parse("https://keys.example/jwks.json", &plain_http);
    RemoteKeys::new(RemoteRules {
        issuer: "https://issuer.example".to_owned(),
        label: "https://issuer.example".to_owned(),
        request: Request {
            place: Place::Keys(address.expect("an address")),
            plain_http,
            fields: <_>::default(),
            token_file: None,
            any_content_type: false,
        },
        client,
        connections,
        algorithms: None,
        types: HeaderTypes::own(),
        crypto: Crypto::default(),
        clock: TimeSource::System,
        keep: 3_600,
    })
}

fn fetched() -> Fetched {
    let json = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    Fetched {
        json: json.to_owned(),
        lifetime: 300,
    }
}

/// A token is looked up in the keys of before a fetch, and its key is missing. By the time that this is judged, the
/// fetch has ended: the key is no longer unknown.
#[test]
fn a_key_that_was_fetched_meanwhile_is_not_unknown() {
    let source = source();
    let searched = source.load();
    let now = source.rules.clock.now().expect("a time");
    source.finish_fetch(Ok(fetched()));
    assert_eq!(source.unknown_key(&searched, now), None);

    // In the new keys it is unknown, until the next fetch.
    let searched = source.load();
    assert_eq!(
        source.unknown_key(&searched, now),
        Some(TokenError::UnknownKey)
    );
    source.finish_fetch(Ok(fetched()));
    assert_eq!(source.unknown_key(&searched, now), None);
}

#[test]
fn a_failed_fetch_leaves_the_keys_in_place() {
    let source = source();
    let searched = source.load();
    let now = source.rules.clock.now().expect("a time");
    source.finish_fetch(Err(FetchError::Timeout));
    assert_eq!(
        source.unknown_key(&searched, now),
        Some(TokenError::KeysUnavailable {
            retry_after: time::Duration::seconds(COOLDOWN)
        })
    );
}
