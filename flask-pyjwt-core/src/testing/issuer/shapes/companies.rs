//! Companies that run an identity provider for others.

use crate::{
    AuthType, ExpectedClaim,
    testing::issuer::shape::{Document, Finds, KeyId, Scope, Shape},
};

pub(in crate::testing::issuer) const AUTH0: Shape = Shape {
    name: "Auth0",
    issuer: "/",
    document: Some(Document {
        path: "/.well-known/openid-configuration",
        members: r#"{
            "authorization_endpoint": "$origin/authorize", "token_endpoint": "$origin/oauth/token",
            "userinfo_endpoint": "$origin/userinfo", "revocation_endpoint": "$origin/oauth/revoke",
            "id_token_signing_alg_values_supported": ["HS256", "RS256", "PS256"],
            "request_uri_parameter_supported": false
        }"#,
    }),
    finds: Finds::Discovery,
    keys: "/.well-known/jwks.json",
    algorithm: AuthType::RS256,
    key_id: KeyId::Short(21),
    key: r#"{"use": "sig", "alg": "RS256", "x5c": ["$x5c"], "x5t": "$x5t"}"#,
    encryption_key: None,
    header: r#"{"alg": "RS256", "typ": "JWT", "kid": "$kid"}"#,
    claims: r#"{
        "iss": "$iss", "sub": "$sub", "aud": ["$aud", "$origin/userinfo"], "iat": "$iat", "exp": "$exp",
        "azp": "my_client_id", "scope": "openid profile"
    }"#,
    audience: "https://api.example.com",
    scope: Scope::Text("scope"),
    lifetime: 86_400,
    settings: |issuer, audience| {
        issuer
            .audience(audience)
            .types(["at+jwt", "JWT"])
            .require_claim("nonce", ExpectedClaim::Absent)
    },
};

pub(in crate::testing::issuer) const OKTA: Shape = Shape {
    name: "Okta",
    issuer: "/oauth2/default",
    document: Some(Document {
        path: "/oauth2/default/.well-known/openid-configuration",
        members: r#"{
            "authorization_endpoint": "$origin/oauth2/default/v1/authorize",
            "token_endpoint": "$origin/oauth2/default/v1/token",
            "userinfo_endpoint": "$origin/oauth2/default/v1/userinfo",
            "introspection_endpoint": "$origin/oauth2/default/v1/introspect"
        }"#,
    }),
    finds: Finds::Discovery,
    keys: "/oauth2/default/v1/keys",
    algorithm: AuthType::RS256,
    key_id: KeyId::Base64Url,
    key: r#"{"use": "sig", "alg": "RS256"}"#,
    encryption_key: None,
    header: r#"{"kid": "$kid", "alg": "RS256"}"#,
    claims: r#"{
        "ver": 1, "jti": "$jti", "iss": "$iss", "aud": "$aud", "iat": "$iat", "exp": "$exp", "cid": "CLIENT-ID",
        "uid": "00ujmkLgagxeRrAg20g3", "scp": ["openid", "profile"], "auth_time": "$iat", "sub": "$sub"
    }"#,
    audience: "api://default",
    scope: Scope::Array("scp"),
    lifetime: 3_600,
    settings: |issuer, audience| {
        issuer
            .accept_untyped(true)
            .audience(audience)
            .map_claim("scope", "scp")
            .require_claim("cid", ExpectedClaim::Present)
            .require_claim("scp", ExpectedClaim::Present)
    },
};

pub(in crate::testing::issuer) const COGNITO: Shape = Shape {
    name: "Amazon Cognito",
    issuer: "/eu-west-1_Example",
    document: Some(Document {
        path: "/eu-west-1_Example/.well-known/openid-configuration",
        members: r#"{
            "authorization_endpoint": "$origin/oauth2/authorize", "token_endpoint": "$origin/oauth2/token",
            "userinfo_endpoint": "$origin/oauth2/userInfo", "response_types_supported": ["code", "token"],
            "scopes_supported": ["openid", "email", "phone", "profile"]
        }"#,
    }),
    finds: Finds::Discovery,
    keys: "/eu-west-1_Example/.well-known/jwks.json",
    algorithm: AuthType::RS256,
    key_id: KeyId::Padded,
    key: r#"{"use": "sig", "alg": "RS256"}"#,
    encryption_key: None,
    header: r#"{"kid": "$kid", "alg": "RS256"}"#,
    claims: r#"{
        "sub": "$sub", "device_key": "eu-west-1_d", "cognito:groups": ["admins"], "iss": "$iss", "version": 2,
        "client_id": "$aud", "origin_jti": "o", "event_id": "e", "token_use": "access",
        "scope": "phone openid email", "auth_time": "$iat", "exp": "$exp", "iat": "$iat", "jti": "$jti",
        "username": "$sub"
    }"#,
    audience: "CLIENT-ID",
    scope: Scope::Text("scope"),
    lifetime: 3_600,
    settings: |issuer, audience| {
        issuer
            .accept_untyped(true)
            .map_claim("aud", "client_id")
            .audience(audience)
            .require_claim("token_use", "access")
            .map_claim("groups", "cognito:groups")
    },
};

pub(in crate::testing::issuer) const SUPABASE: Shape = Shape {
    name: "Supabase",
    issuer: "/auth/v1",
    document: Some(Document {
        path: "/auth/v1/.well-known/openid-configuration",
        members: r#"{
            "authorization_endpoint": "$origin/auth/v1/oauth/authorize",
            "token_endpoint": "$origin/auth/v1/oauth/token"
        }"#,
    }),
    finds: Finds::KeySet,
    keys: "/auth/v1/.well-known/jwks.json",
    algorithm: AuthType::ES256,
    key_id: KeyId::Uuid,
    key: r#"{"alg": "ES256", "use": "sig", "key_ops": ["verify"], "ext": true}"#,
    encryption_key: None,
    header: r#"{"alg": "ES256", "kid": "$kid", "typ": "JWT"}"#,
    claims: r#"{
        "iss": "$iss", "sub": "$sub", "aud": "$aud", "iat": "$iat", "exp": "$exp", "email": "jane@example.com",
        "phone": "", "app_metadata": {"provider": "email", "providers": ["email"]}, "user_metadata": {},
        "role": "authenticated", "aal": "aal1", "amr": [{"method": "password", "timestamp": "$iat"}],
        "session_id": "$jti", "is_anonymous": false
    }"#,
    audience: "authenticated",
    scope: Scope::Nowhere,
    lifetime: 3_600,
    settings: |issuer, audience| {
        issuer
            .audience(audience)
            .require_claim("role", "authenticated")
            .require_claim("is_anonymous", false)
    },
};
