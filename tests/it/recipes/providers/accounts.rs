//! Tokens of account providers, with whose accounts people log in to many applications.

use flask_pyjwt::{AuthType, ExpectedClaim, Issuer};
use serde_json::json;

use super::{Provider, Signs, accepted, provider, recipes, refused, typed, untyped, with};
use crate::recipes::page::normal;
use support::NOW;

pub(super) fn google() -> Provider {
    let id = json!({
        "iss": "https://accounts.google.com", "azp": "CLIENT-ID.apps.googleusercontent.com",
        "aud": "CLIENT-ID.apps.googleusercontent.com", "sub": "10769150350006150715113082367",
        "at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q", "email": "jane@example.com", "email_verified": true,
        "name": "Jane Doe",
    });
    let old = with(&id, json!({"iss": "accounts.google.com"}));
    let service = json!({
        "iss": "https://accounts.google.com", "azp": "112010400000000710080",
        "aud": "CLIENT-ID.apps.googleusercontent.com", "sub": "112010400000000710080",
        "email": "svc@project.iam.gserviceaccount.com", "email_verified": true,
    });
    provider(
        "Google",
        recipes! {
            issuer: Issuer::new("https://accounts.google.com")
                .discovery()
                .audience("CLIENT-ID.apps.googleusercontent.com")
                .require_claim("azp", ExpectedClaim::one_of(["CLIENT-ID.apps.googleusercontent.com"]))
                .require_claim("email_verified", true);
            old_spelling: Issuer::new("accounts.google.com")
                .jwks_url("https://www.googleapis.com/oauth2/v3/certs")
                .audience("CLIENT-ID.apps.googleusercontent.com")
                .require_claim("azp", ExpectedClaim::one_of(["CLIENT-ID.apps.googleusercontent.com"]))
                .require_claim("email_verified", true);
        },
        vec![
            accepted(
                "user",
                "10769150350006150715113082367",
                &typed(),
                id.clone(),
            ),
            accepted(
                "user, old spelling of iss",
                "10769150350006150715113082367",
                &typed(),
                old.clone(),
            ),
            refused(
                "another application",
                &typed(),
                with(&id, json!({"aud": "other", "azp": "other"})),
            ),
            refused(
                "another application, old spelling",
                &typed(),
                with(&old, json!({"aud": "other"})),
            ),
            refused(
                "a service account that asks for our audience",
                &typed(),
                service.clone(),
            ),
            refused(
                "the same in the old spelling",
                &typed(),
                with(&service, json!({"iss": "accounts.google.com"})),
            ),
            refused(
                "unverified address",
                &typed(),
                with(&id, json!({"email_verified": false})),
            ),
        ],
    )
}

pub(super) fn identity_aware_proxy() -> Provider {
    let header = json!({"alg": "ES256", "typ": "JWT", "kid": ""});
    let audience = "/projects/PROJECT-NUMBER/global/backendServices/SERVICE-ID";
    let user = json!({
        "iss": "https://cloud.google.com/iap", "aud": audience, "azp": audience,
        "sub": "accounts.google.com:10769150350006150715", "email": "jane@example.com",
        "identity_source": "GOOGLE",
    });
    let mut provider = provider(
        "Identity-Aware Proxy",
        recipes! {
            issuer: Issuer::new("https://cloud.google.com/iap")
                .jwks_url("https://www.gstatic.com/iap/verify/public_key-jwk")
                .algorithms([AuthType::ES256])
                .audience("/projects/PROJECT-NUMBER/global/backendServices/SERVICE-ID");
        },
        vec![
            accepted(
                "user",
                "accounts.google.com:10769150350006150715",
                &header,
                user.clone(),
            ),
            refused(
                "of another backend",
                &header,
                with(
                    &user,
                    json!({"aud": "/projects/1/global/backendServices/2"}),
                ),
            ),
            refused(
                "ID token",
                &header,
                with(&user, json!({"iss": "https://accounts.google.com"})),
            ),
        ],
    );
    provider.signs = Signs::Es256;
    provider.jwk = json!({"alg": "ES256", "use": "sig"});
    provider
}

pub(super) fn firebase() -> Provider {
    let user = json!({
        "name": "Jane", "iss": "https://securetoken.google.com/PROJECT-ID", "aud": "PROJECT-ID",
        "auth_time": NOW - 20, "user_id": "uid1", "sub": "uid1", "email": "jane@example.com",
        "email_verified": true,
        "firebase": {"identities": {"email": ["jane@example.com"]}, "sign_in_provider": "password"},
    });
    provider(
        "Firebase",
        recipes! {
            issuer: Issuer::new("https://securetoken.google.com/PROJECT-ID")
                .jwks_url("https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com")
                .audience("PROJECT-ID")
                .map_claim("sign_in_provider", "/firebase/sign_in_provider")
                .require_claim("auth_time", ExpectedClaim::Present);
        },
        vec![
            accepted("user", "uid1", &typed(), user.clone()),
            refused(
                "another project, which is signed by the same keys",
                &typed(),
                with(
                    &user,
                    json!({"iss": "https://securetoken.google.com/OTHER", "aud": "OTHER"}),
                ),
            ),
            refused(
                "for another project",
                &typed(),
                with(&user, json!({"aud": "OTHER"})),
            ),
            refused(
                "a session cookie",
                &typed(),
                with(
                    &user,
                    json!({"iss": "https://session.firebase.google.com/PROJECT-ID"}),
                ),
            ),
            refused(
                "without a login",
                &typed(),
                with(&user, json!({"auth_time": null})),
            ),
        ],
    )
}

pub(super) fn apple() -> Provider {
    let user = json!({
        "iss": "https://appleid.apple.com", "aud": "com.example.app", "sub": "000995.e7f8.1234",
        "nonce": "n", "nonce_supported": true, "email": "x@privaterelay.appleid.com",
        "email_verified": "true", "is_private_email": "true", "auth_time": NOW - 20,
        "real_user_status": 2, "at_hash": "a",
    });
    provider(
        "Sign in with Apple",
        recipes! {
            issuer: Issuer::new("https://appleid.apple.com")
                .discovery()
                .accept_untyped(true)
                .audience("com.example.app");
        },
        vec![
            accepted("user", "000995.e7f8.1234", &untyped(), user.clone()),
            refused(
                "another application",
                &untyped(),
                with(&user, json!({"aud": "com.other.app"})),
            ),
            refused(
                "a notification of Apple's, which is no login",
                &untyped(),
                with(&user, json!({"sub": null, "events": "{}"})),
            ),
        ],
    )
}

pub(super) fn supabase() -> Provider {
    let header = json!({"alg": "ES256", "kid": "", "typ": "JWT"});
    let user = json!({
        "iss": "https://PROJECT.supabase.co/auth/v1", "sub": "1f8d-user", "aud": "authenticated",
        "email": "jane@example.com", "phone": "", "app_metadata": {"provider": "email"},
        "user_metadata": {}, "role": "authenticated", "aal": "aal1",
        "amr": [{"method": "password", "timestamp": NOW - 20}], "session_id": "s", "is_anonymous": false,
    });
    let mut provider = provider(
        "Supabase",
        recipes! {
            issuer: Issuer::new("https://PROJECT.supabase.co/auth/v1")
                .jwks_url("https://PROJECT.supabase.co/auth/v1/.well-known/jwks.json")
                .audience("authenticated")
                .require_claim("role", "authenticated")
                .require_claim("is_anonymous", false);
        },
        vec![
            accepted("user", "1f8d-user", &header, user.clone()),
            refused(
                "an anonymous user",
                &header,
                with(&user, json!({"is_anonymous": true})),
            ),
            refused(
                "the project's public key, which is a token",
                &header,
                json!({"iss": "supabase", "ref": "PROJECT", "role": "anon"}),
            ),
            refused(
                "another project",
                &header,
                with(&user, json!({"iss": "https://OTHER.supabase.co/auth/v1"})),
            ),
        ],
    );
    provider.signs = Signs::Es256;
    provider.jwk = json!({"alg": "ES256", "use": "sig", "key_ops": ["verify"], "ext": true});
    provider
}
