//! Providers with whose accounts people log in to many applications.

use crate::{
    AuthType, ExpectedClaim,
    testing::issuer::shape::{Document, Finds, KeyId, Scope, Shape},
};

const GOOGLE_CLIENT: &str = "CLIENT-ID.apps.googleusercontent.com";
const GOOGLE_SERVICE: &str = "112010400000000710080";
const GOOGLE_DOCUMENT: Document = Document {
    path: "/.well-known/openid-configuration",
    members: r#"{
        "authorization_endpoint": "$origin/o/oauth2/v2/auth", "token_endpoint": "$origin/token",
        "userinfo_endpoint": "$origin/v1/userinfo", "revocation_endpoint": "$origin/revoke",
        "claims_supported": ["aud", "email", "email_verified", "exp", "iat", "iss", "name", "sub"]
    }"#,
};

pub(in crate::testing::issuer) const GOOGLE: Shape = Shape {
    name: "Google",
    issuer: "",
    document: Some(GOOGLE_DOCUMENT),
    finds: Finds::Discovery,
    keys: "/oauth2/v3/certs",
    algorithm: AuthType::RS256,
    key_id: KeyId::Hex(40),
    key: r#"{"use": "sig", "alg": "RS256"}"#,
    encryption_key: None,
    header: r#"{"alg": "RS256", "kid": "$kid", "typ": "JWT"}"#,
    claims: r#"{
        "iss": "$iss", "azp": "CLIENT-ID.apps.googleusercontent.com", "aud": "$aud", "sub": "$sub",
        "at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q", "email": "jane@example.com", "email_verified": true,
        "name": "Jane Doe", "iat": "$iat", "exp": "$exp"
    }"#,
    audience: GOOGLE_CLIENT,
    scope: Scope::Nowhere,
    lifetime: 3_600,
    settings: |issuer, audience| {
        issuer
            .audience(audience)
            .require_claim("azp", ExpectedClaim::one_of([GOOGLE_CLIENT]))
            .require_claim("email_verified", true)
    },
};

pub(in crate::testing::issuer) const GOOGLE_SERVICE_ACCOUNT: Shape = Shape {
    name: "Google, service accounts",
    claims: r#"{
        "iss": "$iss", "azp": "112010400000000710080", "aud": "$aud", "sub": "$sub",
        "email": "svc@project.iam.gserviceaccount.com", "email_verified": true, "iat": "$iat", "exp": "$exp"
    }"#,
    audience: "https://api.example.com",
    settings: |issuer, audience| {
        issuer
            .audience(audience)
            .require_claim("azp", ExpectedClaim::one_of([GOOGLE_SERVICE]))
    },
    ..GOOGLE
};

pub(in crate::testing::issuer) const IDENTITY_AWARE_PROXY: Shape = Shape {
    name: "Identity-Aware Proxy",
    issuer: "/iap",
    document: None,
    finds: Finds::KeySet,
    keys: "/iap/verify/public_key-jwk",
    algorithm: AuthType::ES256,
    key_id: KeyId::Short(6),
    key: r#"{"alg": "ES256", "use": "sig"}"#,
    encryption_key: None,
    header: r#"{"alg": "ES256", "typ": "JWT", "kid": "$kid"}"#,
    claims: r#"{
        "iss": "$iss", "aud": "$aud", "azp": "$aud", "sub": "$sub", "email": "jane@example.com",
        "identity_source": "GOOGLE", "iat": "$iat", "exp": "$exp"
    }"#,
    audience: "/projects/PROJECT-NUMBER/global/backendServices/SERVICE-ID",
    scope: Scope::Nowhere,
    lifetime: 600,
    settings: |issuer, audience| issuer.algorithms([AuthType::ES256]).audience(audience),
};

pub(in crate::testing::issuer) const FIREBASE: Shape = Shape {
    name: "Firebase",
    issuer: "/PROJECT-ID",
    document: Some(Document {
        path: "/PROJECT-ID/.well-known/openid-configuration",
        members: r#"{"response_types_supported": ["id_token"]}"#,
    }),
    finds: Finds::KeySet,
    keys: "/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
    algorithm: AuthType::RS256,
    key_id: KeyId::Hex(40),
    key: r#"{"use": "sig", "alg": "RS256"}"#,
    encryption_key: None,
    header: r#"{"alg": "RS256", "kid": "$kid", "typ": "JWT"}"#,
    claims: r#"{
        "name": "Jane", "iss": "$iss", "aud": "$aud", "auth_time": "$iat", "user_id": "$sub", "sub": "$sub",
        "iat": "$iat", "exp": "$exp", "email": "jane@example.com", "email_verified": true,
        "firebase": {"identities": {"email": ["jane@example.com"]}, "sign_in_provider": "password"}
    }"#,
    audience: "PROJECT-ID",
    scope: Scope::Nowhere,
    lifetime: 3_600,
    settings: |issuer, audience| {
        issuer
            .audience(audience)
            .map_claim("sign_in_provider", "/firebase/sign_in_provider")
            .require_claim("auth_time", ExpectedClaim::Present)
    },
};

pub(in crate::testing::issuer) const APPLE: Shape = Shape {
    name: "Sign in with Apple",
    issuer: "",
    document: Some(Document {
        path: "/.well-known/openid-configuration",
        members: r#"{
            "authorization_endpoint": "$origin/auth/authorize", "token_endpoint": "$origin/auth/token",
            "subject_types_supported": ["pairwise"], "scopes_supported": ["openid", "email", "name"]
        }"#,
    }),
    finds: Finds::Discovery,
    keys: "/auth/keys",
    algorithm: AuthType::RS256,
    key_id: KeyId::Short(10),
    key: r#"{"use": "sig", "alg": "RS256"}"#,
    encryption_key: None,
    header: r#"{"kid": "$kid", "alg": "RS256"}"#,
    claims: r#"{
        "iss": "$iss", "aud": "$aud", "sub": "$sub", "iat": "$iat", "exp": "$exp", "nonce": "n",
        "nonce_supported": true, "email": "x@privaterelay.appleid.com", "email_verified": true,
        "is_private_email": true, "auth_time": "$iat", "real_user_status": 2, "at_hash": "a"
    }"#,
    audience: "com.example.app",
    scope: Scope::Nowhere,
    lifetime: 86_400,
    settings: |issuer, audience| issuer.accept_untyped(true).audience(audience),
};
