//! Minting: a login with a proof, and refreshes, which keep the binding.

use flask_pyjwt::{DpopProof, MemoryStore, MintError, Rejection, TokenPair};

use super::*;
use support::{dpop::jwk, forge::Key, keys::OTHER_P256};

const LOGIN: &str = "http://localhost:8080/login";
const REFRESH: &str = "http://localhost:8080/refresh";

async fn login(auth: AuthManager, request: actix_web::HttpRequest) -> Result<String, Rejection> {
    let proof = auth.dpop_proof(&request).await?;
    let pair = auth.login("alice").bind(&proof).await?;
    Ok(texts(&pair))
}

#[require_token("refresh")]
async fn refresh(auth: AuthManager, token: CurrentToken) -> Result<String, Rejection> {
    Ok(texts(&auth.refresh(&token).claim("team", 7).await?))
}

fn texts(pair: &TokenPair) -> String {
    format!("{} {}", pair.auth.signed(), pair.refresh.signed())
}

fn sessions() -> AuthManager {
    manager(hs256().session_store(MemoryStore::default()))
}

async fn site_of(auth: &AuthManager) -> Site {
    let auth = auth.clone();
    Site::new(|app| {
        app.app_data(auth)
            .route("/login", web::post().to(login))
            .route("/refresh", web::post().to(refresh))
            .route("/bound", web::get().to(bound));
    })
    .await
}

async fn post(site: &Site, address: &str, token: &str, proofs: &[&str]) -> Reply {
    ask_with(
        site,
        Method::POST,
        address,
        &format!("DPoP {token}"),
        proofs,
    )
    .await
}

#[actix_web::test]
async fn a_login_with_a_proof_binds_both_tokens_and_refreshes_keep_it() {
    let auth = sessions();
    let site = site_of(&auth).await;
    let proof = Proof::new("POST", LOGIN).sign();
    let mut reply = ask_with(&site, Method::POST, LOGIN, "none", &[&proof]).await;
    for round in 0..3 {
        assert_eq!(reply.outcome(), (200, ""), "{round}");
        let (access, refresh) = reply.text().split_once(' ').expect("two tokens");
        for token in [access, refresh] {
            let claims = flask_pyjwt::UnverifiedToken::decode(token).expect("a token");
            assert_eq!(claims.claims()["cnf"]["jkt"], thumbprint(&P256), "{round}");
        }
        let proof = Proof::new("GET", BOUND).of(access).sign();
        assert_eq!(
            present(&site, BOUND, access, &proof).await.outcome(),
            (200, ""),
            "{round}"
        );

        // Whoever has stolen the refresh token gets nothing with it.
        let thief = Proof::new("POST", REFRESH)
            .of(refresh)
            .member("jwk", jwk(&OTHER_P256));
        let thief = thief.sign_with(&Key::Ecdsa(&OTHER_P256));
        let stolen = post(&site, REFRESH, refresh, &[&thief]).await;
        is_refused(&stolen, "invalid_dpop_proof", "dpop_other_key", "a thief");
        let bearer = format!("Bearer {refresh}");
        let stolen = ask_with(&site, Method::POST, REFRESH, &bearer, &[]).await;
        is_refused(&stolen, "invalid_token", "token_bound", "a thief");

        let proof = Proof::new("POST", REFRESH).of(refresh).sign();
        reply = post(&site, REFRESH, refresh, &[&proof]).await;
    }
}

#[actix_web::test]
async fn threat_63_a_login_with_a_bad_proof_fails_and_binds_nothing() {
    let auth = sessions();
    let site = site_of(&auth).await;
    let once = Proof::new("POST", LOGIN).sign();
    assert_eq!(
        ask_with(&site, Method::POST, LOGIN, "none", &[&once])
            .await
            .status,
        200
    );
    let other = Proof::new("POST", REFRESH).sign();
    for (proofs, reason) in [
        (vec![&*once], "invalid_dpop_proof"),
        (vec![&*other], "invalid_dpop_proof"),
        (vec!["no proof"], "invalid_dpop_proof"),
        (vec![&*other, &*other], "invalid_dpop_proof"),
    ] {
        let reply = ask_with(&site, Method::POST, LOGIN, "none", &proofs).await;
        assert_eq!(
            (reply.status, &reply.json()["error"]),
            (401, &reason.into())
        );
    }
    // Without a field, the login is as it was.
    let reply = ask_with(&site, Method::POST, LOGIN, "none", &[]).await;
    let (access, _) = reply.text().split_once(' ').expect("two tokens");
    assert!(!auth.verify_token(access).expect("valid").is_bound());
}

#[actix_web::test]
async fn a_login_tells_the_nonce_that_it_demands() {
    let auth = manager(
        hs256()
            .session_store(MemoryStore::default())
            .dpop_nonce(true),
    );
    let site = site_of(&auth).await;
    let proof = Proof::new("POST", LOGIN);
    let reply = ask_with(&site, Method::POST, LOGIN, "none", &[&proof.sign()]).await;
    assert_eq!(
        (reply.status, &reply.json()["error"]),
        (401, &"use_dpop_nonce".into())
    );
    let proof = proof.claim("nonce", reply.field("dpop-nonce")).sign();
    let reply = ask_with(&site, Method::POST, LOGIN, "none", &[&proof]).await;
    assert_eq!(reply.status, 200);
}

#[actix_web::test]
async fn builders_bind_what_they_mint() {
    let auth = manager(hs256());
    let request = TestRequest::post()
        .uri("/login")
        .insert_header(("host", "localhost:8080"))
        .insert_header(("dpop", Proof::new("POST", LOGIN).sign()))
        .to_http_request();
    let proof: Option<DpopProof> = auth.dpop_proof(&request).await.expect("good");
    assert_eq!(proof.expect("a proof").thumbprint(), thumbprint(&P256));
    let token = auth
        .auth_token("alice")
        .bind(&proof)
        .sign()
        .expect("minted");
    assert!(token.is_bound());
    assert_eq!(token.claims()["cnf"]["jkt"], thumbprint(&P256));
    let refresh = auth
        .refresh_token("alice")
        .bind(&proof)
        .sign()
        .expect("minted");
    assert_eq!(refresh.claims()["cnf"], token.claims()["cnf"]);
    assert!(
        !auth
            .auth_token("alice")
            .bind(None)
            .sign()
            .expect("minted")
            .is_bound()
    );
    for wrong in ["", "a", &"A".repeat(44)] {
        let error = auth
            .auth_token("alice")
            .bind_to(wrong)
            .sign()
            .expect_err(wrong);
        assert!(matches!(error, MintError::Thumbprint), "{error}");
    }
    let reserved = auth.auth_token("alice").claim("cnf", 1).sign();
    assert!(matches!(reserved, Err(MintError::ReservedClaim { .. })));
}

/// RFC 9449, section 7.1: an empty list would say that no algorithm is accepted.
#[actix_web::test]
async fn a_refused_login_lists_no_algorithms_rather_than_none() {
    let site = site_of(&sessions()).await;
    let reply = ask_with(&site, Method::POST, LOGIN, "none", &["no proof"]).await;
    assert_eq!(reply.status, 401);
    let challenge = reply.field("www-authenticate");
    assert!(challenge.starts_with("DPoP error="), "{challenge}");
    assert!(!challenge.contains("algs"), "{challenge}");
}
