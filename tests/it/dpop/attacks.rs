//! Each rule of a proof, broken by itself (RFC 9449, sections 4.3 and 11).

use serde_json::json;

use super::*;
use support::{
    NOW,
    dpop::{hash, jwk},
    forge::{Key, encode, segments},
    keys::{ED25519, OTHER_P256, P384},
};

/// Presents a proof that was made from a good one, and expects this reason.
async fn refuses(reason: &str, change: impl FnOnce(Proof) -> Proof) {
    refuses_text(reason, |proof| change(proof).sign()).await;
}

async fn refuses_text(reason: &str, make: impl FnOnce(Proof) -> String) {
    let auth = manager(hs256());
    let site = site(&auth).await;
    let token = token(&auth);
    let proof = make(Proof::new("GET", BOUND).of(&token));
    let reply = present(&site, BOUND, &token, &proof).await;
    is_refused(&reply, "invalid_dpop_proof", reason, reason);
    // A good proof still passes.
    let good = Proof::new("GET", BOUND).of(&token).sign();
    assert_eq!(
        present(&site, BOUND, &token, &good).await.outcome(),
        (200, "")
    );
}

#[actix_web::test]
async fn threat_63_a_proof_is_used_once() {
    let auth = manager(hs256());
    let site = site(&auth).await;
    let token = token(&auth);
    let proof = Proof::new("GET", BOUND).of(&token).sign();
    assert_eq!(
        present(&site, BOUND, &token, &proof).await.outcome(),
        (200, "")
    );
    let reply = present(&site, BOUND, &token, &proof).await;
    is_refused(&reply, "invalid_dpop_proof", "dpop_replayed", "replayed");
    // Nor is another proof with the same `jti`.
    let same = Proof::new("GET", BOUND)
        .of(&token)
        .claim("jti", "one")
        .sign();
    let again = Proof::new("GET", BOUND)
        .of(&token)
        .claim("jti", "one")
        .claim("iat", NOW - 1);
    assert_eq!(
        present(&site, BOUND, &token, &same).await.outcome(),
        (200, "")
    );
    let reply = present(&site, BOUND, &token, &again.sign()).await;
    is_refused(&reply, "invalid_dpop_proof", "dpop_replayed", "the same id");
}

#[actix_web::test]
async fn threat_63_of_a_hundred_requests_with_one_proof_one_passes() {
    let auth = manager(hs256());
    let site = site(&auth).await;
    let token = token(&auth);
    let proof = Proof::new("GET", BOUND).of(&token).sign();
    let replies = (0..100).map(|_| present(&site, BOUND, &token, &proof));
    let replies = futures_util::future::join_all(replies).await;
    let passed = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(passed, 1);
}

#[actix_web::test]
async fn threat_63_a_proof_for_another_request_is_refused() {
    refuses("dpop_method", |proof| proof.claim("htm", "POST")).await;
    refuses("dpop_method", |proof| proof.claim("htm", "get")).await;
    for address in [
        "http://localhost:8080/any",
        "http://localhost:8080/bound/",
        "http://localhost:8080/Bound",
        "https://localhost:8080/bound",
        "http://localhost:8081/bound",
        "http://localhost/bound",
        "http://other.example/bound",
        "http://localhost:8080@other.example/bound",
        "http://user@localhost:8080/bound",
        "/bound",
        "localhost:8080/bound",
    ] {
        refuses("dpop_address", |proof| proof.claim("htu", address)).await;
    }
}

#[actix_web::test]
async fn threat_63_a_proof_for_another_token_is_refused() {
    refuses("dpop_other_token", |proof| {
        proof.claim("ath", hash("another token"))
    })
    .await;
    refuses("dpop_claim", |proof| proof.claim("ath", "")).await;
    let padded = format!("{}=", hash("another token"));
    refuses("dpop_other_token", |proof| proof.claim("ath", padded)).await;
}

#[actix_web::test]
async fn threat_63_an_old_proof_and_one_of_the_future_are_refused() {
    for iat in [NOW - 61, NOW - 3_600, NOW + 61, NOW + 86_400, 0] {
        refuses("dpop_time", |proof| proof.claim("iat", iat)).await;
    }
    let auth = manager(hs256());
    let site = site(&auth).await;
    let token = token(&auth);
    for iat in [NOW - 59, NOW, NOW + 59] {
        let proof = Proof::new("GET", BOUND).of(&token).claim("iat", iat).sign();
        assert_eq!(
            present(&site, BOUND, &token, &proof).await.outcome(),
            (200, ""),
            "{iat}"
        );
    }
}

#[actix_web::test]
async fn threat_63_a_proof_of_another_key_is_refused() {
    // Signed by another key than that of the header.
    refuses_text("dpop_signature", |proof| {
        proof.sign_with(&Key::Ecdsa(&OTHER_P256))
    })
    .await;
    // The thief's own key in the header.
    refuses_text("dpop_other_key", |proof| {
        let swapped = proof.member("jwk", jwk(&OTHER_P256));
        swapped.sign_with(&Key::Ecdsa(&OTHER_P256))
    })
    .await;
    // The owner's key in the header, the thief's signature.
    refuses_text("dpop_signature", |proof| {
        let good = proof.sign();
        let [header, payload, _] = segments(&good);
        format!("{header}.{payload}.{}", encode([0; 64]))
    })
    .await;
    refuses_text("dpop_signature", |proof| {
        let good = proof.sign();
        let [header, _, signature] = segments(&good);
        let payload = encode(proof.claim("jti", "another").claims.to_string());
        format!("{header}.{payload}.{signature}")
    })
    .await;
}

#[actix_web::test]
async fn threat_63_symmetric_and_missing_algorithms_are_refused() {
    let secret = b"a secret that both sides would have to know";
    for algorithm in ["HS256", "none", "None", "", "ES256K", "dir"] {
        refuses_text("dpop_algorithm", |proof| {
            proof
                .member("alg", algorithm)
                .sign_with(&Key::Hs256(secret))
        })
        .await;
    }
    refuses("dpop_algorithm", |proof| proof.member("alg", json!(null))).await;
    // An HMAC with the public key as the secret.
    refuses_text("dpop_key", |proof| {
        let oct = json!({"kty": "oct", "k": encode(secret)});
        proof.member("jwk", oct).sign_with(&Key::Hs256(secret))
    })
    .await;
    // The algorithm of another key.
    refuses("dpop_key", |proof| proof.member("alg", "ES384")).await;
    refuses_text("dpop_key", |proof| {
        proof
            .member("alg", "EdDSA")
            .sign_with(&Key::Ed25519(&ED25519))
    })
    .await;
}

#[actix_web::test]
async fn threat_63_a_key_that_is_private_weak_or_malformed_is_refused() {
    let mut private = jwk(&P256);
    private["d"] = json!("AAAA");
    let mut off_curve = jwk(&P256);
    off_curve["y"] = off_curve["x"].clone();
    let mut short = jwk(&P256);
    short["x"] = json!("AA");
    let mut other_use = jwk(&P256);
    other_use["use"] = json!("enc");
    let weak = json!({"kty": "OKP", "crv": "Ed25519", "x": encode([0; 32])});
    let small = json!({"kty": "RSA", "e": "AQAB", "n": encode([0xc5; 128])});
    for (key, algorithm) in [
        (private, "ES256"),
        (off_curve, "ES256"),
        (short, "ES256"),
        (other_use, "ES256"),
        (json!("a text"), "ES256"),
        (json!({}), "ES256"),
        (json!(null), "ES256"),
        (weak, "EdDSA"),
        (small, "RS256"),
        (jwk(&P384), "ES256"),
    ] {
        refuses("dpop_key", |proof| {
            proof.member("jwk", key).member("alg", algorithm)
        })
        .await;
    }
}

#[actix_web::test]
async fn threat_63_another_kind_of_token_is_no_proof() {
    for kind in [
        json!("JWT"),
        json!("at+jwt"),
        json!(""),
        json!(null),
        json!(["dpop+jwt"]),
    ] {
        refuses("dpop_type", |proof| proof.member("typ", kind)).await;
    }
    for name in ["crit", "b64", "zip"] {
        refuses("dpop_malformed", |proof| proof.member(name, json!(["x"]))).await;
    }
}

#[actix_web::test]
async fn threat_63_each_claim_is_there_and_of_its_type() {
    for name in ["jti", "htm", "htu", "iat", "ath"] {
        for value in [json!(null), json!(true), json!([]), json!({})] {
            refuses("dpop_claim", |proof| proof.claim(name, value)).await;
        }
    }
    refuses("dpop_claim", |proof| proof.claim("jti", "")).await;
    refuses("dpop_claim", |proof| proof.claim("iat", NOW.to_string())).await;
}

#[actix_web::test]
async fn threat_63_two_proofs_none_and_garbage_are_refused() {
    let auth = manager(hs256());
    let site = site(&auth).await;
    let token = token(&auth);
    let good = || Proof::new("GET", BOUND).of(&token).sign();
    let credentials = format!("DPoP {token}");
    let (one, other) = (good(), good());
    let joined = format!("{one}, {other}");
    let twice = format!("{one},{one}");
    let with_duplicate = {
        let [header, _, _] = segments(&one);
        let payload = encode(r#"{"jti":"a","jti":"b"}"#);
        let key = Key::Ecdsa(&P256);
        support::forge::sign_segments(header, &payload, &key)
    };
    let huge = "a".repeat(8_193);
    for (proofs, reason) in [
        (vec![], "dpop_missing"),
        (vec![&*one, &*other], "dpop_several"),
        (vec![&*one, &*one], "dpop_several"),
        (vec![&*joined], "dpop_several"),
        (vec![&*twice], "dpop_several"),
        (vec![""], "dpop_malformed"),
        (vec!["a.b.c"], "dpop_malformed"),
        (vec!["a.b"], "dpop_malformed"),
        (vec![&*huge], "dpop_malformed"),
        (vec![&*token], "dpop_type"),
        (vec![&*with_duplicate], "dpop_malformed"),
    ] {
        let reply = ask(&site, BOUND, &credentials, &proofs).await;
        is_refused(&reply, "invalid_dpop_proof", reason, &format!("{proofs:?}"));
    }
    // The proof is no token.
    let proof = good();
    let reply = ask(&site, ANY, &format!("Bearer {proof}"), &[]).await;
    assert_eq!(reply.outcome(), (401, "token_kind"));
    assert_eq!(present(&site, BOUND, &token, &good()).await.status, 200);
}

/// What `cnf` can say, and what of it is not known here.
#[actix_web::test]
async fn threat_34_a_binding_that_is_not_known_is_refused() {
    let auth = manager(hs256());
    let site = site(&auth).await;
    let jkt = thumbprint(&P256);
    for cnf in [
        json!({}),
        json!(null),
        json!("a text"),
        json!([{"jkt": jkt}]),
        json!({"jkt": ""}),
        json!({"jkt": format!("{jkt}=")}),
        json!({"jkt": jkt[1..]}),
        json!({"jkt": 1}),
        json!({"jkt": jkt, "kid": "a"}),
        json!({"jwk": jwk(&P256)}),
        json!({"kid": "a"}),
        json!({"x5t": "a"}),
    ] {
        let mut claims = support::claims();
        claims["cnf"] = cnf.clone();
        let key = Key::Hs256(support::SECRET);
        let header = r#"{"alg":"HS256","typ":"JWT"}"#;
        let token = support::forge::forge(header, claims.to_string(), &key);
        for scheme in ["Bearer", "DPoP"] {
            let proof = Proof::new("GET", ANY).of(&token).sign();
            let reply = ask(&site, ANY, &format!("{scheme} {token}"), &[&proof]).await;
            assert_eq!(reply.outcome(), (401, "token_unknown_binding"), "{cnf}");
        }
    }
}
