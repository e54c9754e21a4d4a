//! `docs/threats.md` 53: CSRF proofs are only as good as the key that made them, and each is bound to one
//! session whatever its ID is.

use std::{env, fs, process, time::SystemTime};

use actix_web::{HttpResponse, test::TestRequest, web};
use flask_pyjwt::{
    AuthManager, AuthType, Config, Key, MemoryStore, Token, require_token, testing::FrozenClock,
};
use time::Duration;

use support::{ISSUER, NOW, SECRET, at, config, hs256, keys, manager, site::Site};

#[require_token("auth", "cookies")]
async fn note() -> &'static str {
    "in"
}

/// Sends a proof with a token's cookie: in a header, or in a form if it is not a valid header value.
async fn outcome(auth: &AuthManager, token: &Token, proof: &str) -> (u16, String) {
    let auth = auth.clone();
    let site = Site::new(|app| {
        app.app_data(auth).route("/", web::post().to(note));
    })
    .await;
    let cookie = ("cookie", format!("__Host-auth={}", token.signed()));
    let request = TestRequest::post().uri("/").insert_header(cookie);
    let request = if proof.chars().any(char::is_control) {
        request.set_form([("csrf_token", proof)])
    } else {
        request.insert_header(("x-csrf-token", proof))
    };
    let reply = site.ask(request).await;
    let (status, reason) = reply.outcome();
    (status, reason.to_owned())
}

fn ok() -> (u16, String) {
    (200, String::new())
}

fn wrong() -> (u16, String) {
    (403, "csrf_proof_wrong".to_owned())
}

fn other_key(id: &str) -> Key {
    Key::new(AuthType::HS256, id.repeat(32)).id(id)
}

#[actix_web::test]
async fn a_proof_is_valid_until_its_key_is_removed() {
    let clock = FrozenClock::new(at(NOW));
    let auth = manager(hs256().clock(clock.clone()));
    let made = |auth: &AuthManager| {
        let token = auth.auth_token("alice").sign().expect("minted");
        (auth.csrf_proof(&token).expect("made"), token)
    };
    let (first, token) = made(&auth);
    assert_eq!(outcome(&auth, &token, &first).await, ok());
    let first_id = auth.keys()[0].id().to_owned();
    auth.rotate(other_key("b")).expect("another key");
    let (second, token) = made(&auth);
    assert_eq!(
        outcome(&auth, &token, &first).await,
        ok(),
        "its key retires"
    );
    assert_eq!(outcome(&auth, &token, &second).await, ok());

    auth.remove_key(&first_id).expect("dropped");
    assert_eq!(
        outcome(&auth, &token, &first).await,
        wrong(),
        "its key was leaked"
    );
    assert_eq!(outcome(&auth, &token, &second).await, ok());

    auth.rotate(other_key("c")).expect("another key");
    clock.advance(Duration::days(7) - Duration::seconds(1));
    let (third, token) = made(&auth);
    assert_eq!(
        outcome(&auth, &token, &second).await,
        ok(),
        "a token of its key may live"
    );
    clock.advance(Duration::seconds(1));
    assert_eq!(outcome(&auth, &token, &second).await, wrong());
    assert_eq!(outcome(&auth, &token, &third).await, ok());
}

#[actix_web::test]
async fn a_leaked_secret_makes_no_valid_proofs_after_its_removal() {
    let auth = manager(hs256());
    let leaked = manager(hs256());
    let old = auth.keys()[0].id().to_owned();
    auth.rotate(other_key("b")).expect("another key");
    auth.remove_key(&old).expect("dropped");
    let token = auth.auth_token("alice").sign().expect("minted");
    let forged = leaked.csrf_proof(&token).expect("made");
    assert_eq!(outcome(&auth, &token, &forged).await, wrong());
}

#[actix_web::test]
async fn a_prepublished_key_verifies_proofs_of_another_process() {
    let (auth, ahead) = (manager(hs256()), manager(hs256()));
    auth.prepublish(other_key("b")).expect("another key");
    ahead.rotate(other_key("b")).expect("another key");
    let token = ahead.auth_token("alice").sign().expect("minted");
    let proof = ahead.csrf_proof(&token).expect("made");
    assert_eq!(outcome(&auth, &token, &proof).await, ok());
}

#[actix_web::test]
async fn a_key_known_only_by_its_public_part_makes_proofs_once_it_signs() {
    let auth = manager(config(AuthType::EdDSA, keys::secret(AuthType::EdDSA)));
    let public = keys::public(AuthType::ES256).expect("it exists");
    let public = Key::verify_only(AuthType::ES256, public).id("second");
    auth.prepublish(public).expect("another key");
    let private = Key::new(AuthType::ES256, keys::secret(AuthType::ES256)).id("second");
    auth.rotate(private).expect("the same key");
    let token = auth.auth_token("alice").sign().expect("minted");
    let proof = auth.csrf_proof(&token).expect("made");
    assert_eq!(outcome(&auth, &token, &proof).await, ok());
}

#[actix_web::test]
async fn processes_that_share_a_folder_of_keys_accept_each_others_proofs() {
    let folder = env::temp_dir().join(format!("flask-pyjwt-proofs-{}", process::id()));
    fs::create_dir_all(&folder).expect("the folder is created");
    let [first, second] = [AuthType::EdDSA, AuthType::ES256].map(keys::secret);
    // The files have not been modified for a while, so that they are used at once.
    let write = |name: &str, content: &[u8], age: u64| {
        let path = folder.join(name);
        fs::write(&path, content).expect("written");
        let file = fs::File::options().write(true).open(&path);
        let then = SystemTime::now() - std::time::Duration::from_secs(age);
        let dated = file.and_then(|file| file.set_modified(then));
        dated.expect("its time is set");
    };
    write("a.EdDSA.pem", &first, 20);
    let open = || {
        let config = Config::with_keys_dir(ISSUER, AuthType::EdDSA, &folder);
        manager(config.session_store(MemoryStore::default()))
    };
    let [one, other] = [open(), open()];
    let login = one.login("alice").await.expect("opened");
    let mut answer = HttpResponse::Ok();
    one.set_cookies(&mut answer, &login)
        .expect("cookies are set");
    let token = other.auth_token("alice").sign().expect("minted");
    let proof = one.csrf_proof(&token).expect("made");
    assert_eq!(outcome(&other, &token, &proof).await.0, 200);

    // A second key signs and the first one verifies. Then the first one is deleted.
    write("b.ES256.pem", &second, 10);
    other.reload_keys().expect("valid keys");
    assert_eq!(outcome(&other, &token, &proof).await.0, 200);
    fs::remove_file(folder.join("a.EdDSA.pem")).expect("it exists");
    other.reload_keys().expect("valid keys");
    let token = other.auth_token("alice").sign().expect("minted");
    assert_eq!(outcome(&other, &token, &proof).await.0, 403);
    fs::remove_dir_all(&folder).expect("it exists");
}

#[actix_web::test]
async fn proofs_with_a_separate_secret_survive_every_rotation() {
    let own = "a secret for proofs alone, of many bytes";
    let auth = manager(hs256().csrf_secret(own));
    let token = auth.auth_token("alice").sign().expect("minted");
    let proof = auth.csrf_proof(&token).expect("made");
    let old = auth.keys()[0].id().to_owned();
    auth.rotate(other_key("b")).expect("another key");
    auth.remove_key(&old).expect("dropped");
    let token = auth.auth_token("alice").sign().expect("minted");
    assert_eq!(outcome(&auth, &token, &proof).await, ok());
    // The signing key makes no proofs then, and neither does the same text as a signing key.
    let without = manager(hs256());
    without.rotate(other_key("b")).expect("another key");
    let ring = without.csrf_proof(&token).expect("made");
    assert_eq!(outcome(&auth, &token, &ring).await, wrong());
    let swapped = manager(config(AuthType::HS256, own).csrf_secret(SECRET));
    let proof = swapped.csrf_proof(&token).expect("made");
    assert_eq!(outcome(&auth, &token, &proof).await, wrong());
}

#[actix_web::test]
async fn a_session_id_with_separators_makes_no_proof_of_another_session() {
    let auth = manager(hs256());
    let token = |session: &str| {
        let token = auth.auth_token("alice").claim("sid", session);
        token.sign().expect("minted")
    };
    let victim = token("victim");
    for separator in ["\0", "", ".", "\n"] {
        let crafted = format!("{ISSUER}{separator}victim");
        let proof = auth.csrf_proof(&token(&crafted)).expect("made");
        let (random, tag) = proof.split_once('.').expect("two parts");
        for moved in [
            format!("{random}{separator}{ISSUER}.{tag}"),
            format!("{random}{separator}.{tag}"),
            proof.clone(),
        ] {
            let (status, _) = outcome(&auth, &victim, &moved).await;
            assert_eq!(status, 403, "{moved:?}");
        }
    }
    let own = auth.csrf_proof(&victim).expect("made");
    assert_eq!(outcome(&auth, &victim, &own).await, ok());
}

#[actix_web::test]
async fn one_key_makes_the_same_proofs_in_every_encoding() {
    for (auth_type, encodings) in [
        (
            AuthType::RS256,
            [
                keys::rsa_private(&keys::RSA),
                keys::rsa_private_pkcs1(&keys::RSA),
            ],
        ),
        (
            AuthType::ES256,
            [
                keys::ecdsa_private(&keys::P256),
                keys::ecdsa_private_sec1(&keys::P256),
            ],
        ),
        (
            AuthType::EdDSA,
            [
                keys::ed25519_private(&keys::ED25519),
                keys::ed25519_private_v2(&keys::ED25519),
            ],
        ),
    ] {
        let [one, other] = encodings.map(|encoding| manager(config(auth_type, encoding)));
        let token = one.auth_token("alice").sign().expect("minted");
        let proof = one.csrf_proof(&token).expect("made");
        assert_eq!(outcome(&other, &token, &proof).await, ok(), "{auth_type}");
    }
}
