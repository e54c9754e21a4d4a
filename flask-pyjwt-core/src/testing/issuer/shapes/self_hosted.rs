//! Providers that companies host themselves, and the plain standard.

use crate::{
    AuthType,
    testing::issuer::shape::{Document, Finds, KeyId, Scope, Shape},
};

/// `OpenID` Connect Discovery 1.0, with access tokens by RFC 9068.
pub(in crate::testing::issuer) const OIDC: Shape = Shape {
    name: "OpenID Connect",
    issuer: "",
    document: Some(Document {
        path: "/.well-known/openid-configuration",
        members: r#"{
            "authorization_endpoint": "$origin/authorize", "token_endpoint": "$origin/token",
            "userinfo_endpoint": "$origin/userinfo"
        }"#,
    }),
    finds: Finds::Discovery,
    keys: "/jwks.json",
    algorithm: AuthType::RS256,
    key_id: KeyId::Base64Url,
    key: r#"{"use": "sig", "alg": "RS256"}"#,
    encryption_key: None,
    header: r#"{"typ": "at+jwt", "alg": "RS256", "kid": "$kid"}"#,
    claims: r#"{
        "iss": "$iss", "sub": "$sub", "aud": "$aud", "client_id": "web", "iat": "$iat", "exp": "$exp",
        "jti": "$jti", "scope": "openid profile"
    }"#,
    audience: "our-api",
    scope: Scope::Text("scope"),
    lifetime: 3_600,
    settings: |issuer, audience| issuer.audience(audience).types(["at+jwt"]),
};

pub(in crate::testing::issuer) const KEYCLOAK: Shape = Shape {
    name: "Keycloak",
    issuer: "/realms/test",
    document: Some(Document {
        path: "/realms/test/.well-known/openid-configuration",
        members: r#"{
            "authorization_endpoint": "$origin/realms/test/protocol/openid-connect/auth",
            "token_endpoint": "$origin/realms/test/protocol/openid-connect/token",
            "introspection_endpoint": "$origin/realms/test/protocol/openid-connect/token/introspect",
            "userinfo_endpoint": "$origin/realms/test/protocol/openid-connect/userinfo",
            "end_session_endpoint": "$origin/realms/test/protocol/openid-connect/logout",
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "id_token_signing_alg_values_supported": ["PS384", "RS384", "EdDSA", "ES384", "HS256", "RS256"]
        }"#,
    }),
    finds: Finds::Discovery,
    keys: "/realms/test/protocol/openid-connect/certs",
    algorithm: AuthType::RS256,
    key_id: KeyId::Base64Url,
    key: r#"{"alg": "RS256", "use": "sig", "x5c": ["$x5c"], "x5t": "$x5t"}"#,
    encryption_key: Some(r#"{"alg": "RSA-OAEP", "use": "enc", "x5c": ["$x5c"], "x5t": "$x5t"}"#),
    header: r#"{"alg": "RS256", "typ": "JWT", "kid": "$kid"}"#,
    claims: r#"{
        "exp": "$exp", "iat": "$iat", "auth_time": "$iat", "jti": "$jti", "iss": "$iss",
        "aud": ["$aud", "account"], "sub": "$sub", "typ": "Bearer", "azp": "web", "sid": "1c0c", "acr": "1",
        "allowed-origins": ["https://app.example.com"],
        "realm_access": {"roles": ["offline_access", "uma_authorization", "admin"]},
        "resource_access": {"my-api": {"roles": ["reader"]}, "account": {"roles": ["view-profile"]}},
        "scope": "openid profile email", "email_verified": true, "name": "Jane Doe",
        "preferred_username": "jane", "email": "jane@example.com"
    }"#,
    audience: "my-api",
    scope: Scope::Text("scope"),
    lifetime: 300,
    settings: |issuer, audience| {
        issuer
            .audience(audience)
            .require_claim("typ", "Bearer")
            .map_claim("roles", "/realm_access/roles")
            .map_claim("api_roles", "/resource_access/my-api/roles")
    },
};

pub(in crate::testing::issuer) const DUENDE: Shape = Shape {
    name: "Duende IdentityServer",
    issuer: "",
    document: Some(Document {
        path: "/.well-known/openid-configuration",
        members: r#"{
            "authorization_endpoint": "$origin/connect/authorize", "token_endpoint": "$origin/connect/token",
            "userinfo_endpoint": "$origin/connect/userinfo", "end_session_endpoint": "$origin/connect/endsession"
        }"#,
    }),
    finds: Finds::Discovery,
    keys: "/.well-known/openid-configuration/jwks",
    algorithm: AuthType::RS256,
    key_id: KeyId::UpperHex(32),
    key: r#"{"use": "sig", "alg": "RS256"}"#,
    encryption_key: None,
    header: r#"{"alg": "RS256", "kid": "$kid", "typ": "at+jwt"}"#,
    claims: r#"{
        "iss": "$iss", "nbf": "$iat", "iat": "$iat", "exp": "$exp", "aud": "$aud", "scope": ["openid", "profile"],
        "amr": ["pwd"], "client_id": "web", "sub": "$sub", "auth_time": "$iat", "idp": "local", "sid": "s",
        "jti": "$jti"
    }"#,
    audience: "my-api",
    scope: Scope::Array("scope"),
    lifetime: 3_600,
    settings: |issuer, audience| {
        issuer
            .audience(audience)
            .types(["at+jwt"])
            .map_claim("sub", ["sub", "client_id"])
    },
};
