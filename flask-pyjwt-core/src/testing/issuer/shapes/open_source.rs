//! The smaller self-hosted providers.

use crate::{
    AuthType, ExpectedClaim,
    testing::issuer::shape::{Document, Finds, KeyId, Scope, Shape},
};

pub(in crate::testing::issuer) const ZITADEL: Shape = Shape {
    name: "Zitadel",
    issuer: "",
    document: Some(Document {
        path: "/.well-known/openid-configuration",
        members: r#"{
            "authorization_endpoint": "$origin/oauth/v2/authorize", "token_endpoint": "$origin/oauth/v2/token",
            "userinfo_endpoint": "$origin/oidc/v1/userinfo", "end_session_endpoint": "$origin/oidc/v1/end_session"
        }"#,
    }),
    finds: Finds::Discovery,
    keys: "/oauth/v2/keys",
    algorithm: AuthType::RS256,
    key_id: KeyId::Digits,
    key: r#"{"use": "sig", "alg": "RS256"}"#,
    encryption_key: None,
    header: r#"{"alg": "RS256", "kid": "$kid", "typ": "JWT"}"#,
    claims: r#"{
        "iss": "$iss", "sub": "$sub", "aud": ["170079991923474689@project", "$aud"], "exp": "$exp", "iat": "$iat",
        "nbf": "$iat", "jti": "$jti", "client_id": "170079991923474689@project",
        "urn:zitadel:iam:org:project:roles": {"admin": {"165617850692654601": "example.zitadel.cloud"}}
    }"#,
    audience: "PROJECT-ID",
    scope: Scope::Nowhere,
    lifetime: 43_200,
    settings: |issuer, audience| {
        issuer
            .audience(audience)
            .map_claim("roles", "urn:zitadel:iam:org:project:roles")
            .require_claim("jti", ExpectedClaim::Present)
            .require_claim("auth_time", ExpectedClaim::Absent)
            .require_claim("amr", ExpectedClaim::Absent)
    },
};

pub(in crate::testing::issuer) const AUTHENTIK: Shape = Shape {
    name: "Authentik",
    issuer: "/application/o/test/",
    document: Some(Document {
        path: "/application/o/test/.well-known/openid-configuration",
        members: r#"{
            "authorization_endpoint": "$origin/application/o/authorize/",
            "token_endpoint": "$origin/application/o/token/",
            "userinfo_endpoint": "$origin/application/o/userinfo/"
        }"#,
    }),
    finds: Finds::Discovery,
    keys: "/application/o/test/jwks/",
    algorithm: AuthType::RS256,
    key_id: KeyId::Hex(32),
    key: r#"{"alg": "RS256", "use": "sig", "x5c": ["$x5c"], "x5t": "$x5t"}"#,
    encryption_key: None,
    header: r#"{"alg": "RS256", "kid": "$kid", "typ": "JWT"}"#,
    claims: r#"{
        "iss": "$iss", "sub": "$sub", "aud": "$aud", "exp": "$exp", "iat": "$iat", "auth_time": "$iat",
        "acr": "goauthentik.io/providers/oauth2/default", "amr": ["pwd"], "sid": "s", "email": "jane@example.com",
        "groups": ["admins"], "azp": "CLIENT-ID", "uid": "$jti", "scope": "openid profile email"
    }"#,
    audience: "CLIENT-ID",
    scope: Scope::Text("scope"),
    lifetime: 600,
    settings: |issuer, audience| {
        issuer
            .audience(audience)
            .require_claim("uid", ExpectedClaim::Present)
            .require_claim("scope", ExpectedClaim::Present)
    },
};

pub(in crate::testing::issuer) const HYDRA: Shape = Shape {
    name: "Ory Hydra",
    issuer: "",
    document: Some(Document {
        path: "/.well-known/openid-configuration",
        members: r#"{
            "authorization_endpoint": "$origin/oauth2/auth", "token_endpoint": "$origin/oauth2/token",
            "userinfo_endpoint": "$origin/userinfo", "revocation_endpoint": "$origin/oauth2/revoke"
        }"#,
    }),
    finds: Finds::Discovery,
    keys: "/.well-known/jwks.json",
    algorithm: AuthType::RS256,
    key_id: KeyId::Uuid,
    key: r#"{"use": "sig", "alg": "RS256"}"#,
    encryption_key: None,
    header: r#"{"alg": "RS256", "kid": "$kid", "typ": "JWT"}"#,
    claims: r#"{
        "aud": ["$aud"], "client_id": "web", "exp": "$exp", "ext": {}, "iat": "$iat", "iss": "$iss",
        "jti": "$jti", "nbf": "$iat", "scp": ["openid", "profile"], "sub": "$sub"
    }"#,
    audience: "my-api",
    scope: Scope::Array("scp"),
    lifetime: 3_600,
    settings: |issuer, audience| {
        issuer
            .audience(audience)
            .map_claim("scope", "scp")
            .require_claim("client_id", ExpectedClaim::Present)
            .require_claim("scp", ExpectedClaim::Present)
    },
};

pub(in crate::testing::issuer) const DEX: Shape = Shape {
    name: "Dex",
    issuer: "/dex",
    document: Some(Document {
        path: "/dex/.well-known/openid-configuration",
        members: r#"{
            "authorization_endpoint": "$origin/dex/auth", "token_endpoint": "$origin/dex/token",
            "userinfo_endpoint": "$origin/dex/userinfo"
        }"#,
    }),
    finds: Finds::Discovery,
    keys: "/dex/keys",
    algorithm: AuthType::RS256,
    key_id: KeyId::Hex(40),
    key: r#"{"use": "sig", "alg": "RS256"}"#,
    encryption_key: None,
    header: r#"{"alg": "RS256", "kid": "$kid"}"#,
    claims: r#"{
        "iss": "$iss", "sub": "$sub", "aud": "$aud", "exp": "$exp", "iat": "$iat",
        "at_hash": "bi96gOXZShvlWYtal9Eqiw", "email": "jane@example.com", "email_verified": true,
        "groups": ["admins", "developers"], "name": "Jane Doe"
    }"#,
    audience: "example-app",
    scope: Scope::Nowhere,
    lifetime: 86_400,
    settings: |issuer, audience| {
        issuer
            .accept_untyped(true)
            .audience(audience)
            .require_claim("email_verified", true)
    },
};

pub(in crate::testing::issuer) const RAUTHY: Shape = Shape {
    name: "Rauthy",
    issuer: "/auth/v1/",
    document: Some(Document {
        path: "/auth/v1/.well-known/openid-configuration",
        members: r#"{
            "authorization_endpoint": "$origin/auth/v1/oidc/authorize",
            "token_endpoint": "$origin/auth/v1/oidc/token", "userinfo_endpoint": "$origin/auth/v1/oidc/userinfo",
            "id_token_signing_alg_values_supported": ["RS256", "RS384", "RS512", "EdDSA"]
        }"#,
    }),
    finds: Finds::Discovery,
    keys: "/auth/v1/oidc/certs",
    algorithm: AuthType::RS256,
    key_id: KeyId::Short(24),
    key: r#"{"use": "sig", "alg": "RS256"}"#,
    encryption_key: None,
    header: r#"{"typ": "JWT", "alg": "RS256", "kid": "$kid"}"#,
    claims: r#"{
        "iat": "$iat", "nbf": "$iat", "exp": "$exp", "iss": "$iss", "aud": ["web", "$aud"], "sub": "$sub",
        "jti": "$jti", "typ": "Bearer", "azp": "web", "scope": "openid profile email",
        "preferred_username": "jane", "roles": ["admin"]
    }"#,
    audience: "my-api",
    scope: Scope::Text("scope"),
    lifetime: 1_800,
    settings: |issuer, audience| {
        issuer
            .audience(audience)
            .require_claim("typ", "Bearer")
            .map_claim("sub", ["sub", "azp"])
    },
};
