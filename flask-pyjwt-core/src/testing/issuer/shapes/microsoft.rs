//! Microsoft's providers.

use crate::{
    AuthType, ExpectedClaim,
    testing::issuer::shape::{Document, Finds, KeyId, Scope, Shape},
};

/// The tenant of [`ENTRA`] and [`ENTRA_V1`].
macro_rules! tenant {
    () => {
        "3f2a6b1c-8d4e-4f70-9a1b-2c3d4e5f6071"
    };
}

pub(in crate::testing::issuer) const ENTRA: Shape = Shape {
    name: "Microsoft Entra ID",
    issuer: concat!("/", tenant!(), "/v2.0"),
    document: Some(Document {
        path: concat!("/", tenant!(), "/v2.0/.well-known/openid-configuration"),
        members: concat!(
            r#"{"authorization_endpoint": "$origin/"#,
            tenant!(),
            r#"/oauth2/v2.0/authorize", "token_endpoint": "$origin/"#,
            tenant!(),
            r#"/oauth2/v2.0/token", "subject_types_supported": ["pairwise"],
                "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
                "tenant_region_scope": "EU", "cloud_instance_name": "microsoftonline.com"}"#
        ),
    }),
    finds: Finds::Discovery,
    keys: concat!("/", tenant!(), "/discovery/v2.0/keys"),
    algorithm: AuthType::RS256,
    key_id: KeyId::Thumbprint,
    // Without `alg`.
    key: r#"{"use": "sig", "x5t": "$x5t", "x5c": ["$x5c"], "issuer": "$iss"}"#,
    encryption_key: None,
    header: r#"{"typ": "JWT", "alg": "RS256", "kid": "$kid"}"#,
    claims: concat!(
        r#"{"aud": "$aud", "iss": "$iss", "iat": "$iat", "nbf": "$iat", "exp": "$exp", "aio": "AVQAq/8T",
            "azp": "9d1b9c3e-2c1d-4c55-8f0e-000000000001", "azpacr": "0", "name": "Jane Doe", "oid": "$sub",
            "preferred_username": "jane@example.com", "rh": "0.ARoA", "scp": "access_as_user",
            "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ", "tid": ""#,
        tenant!(),
        r#"", "uti": "$jti", "ver": "2.0"}"#
    ),
    audience: "CLIENT-ID-OF-THE-API",
    scope: Scope::Text("scp"),
    lifetime: 4_500,
    settings: |issuer, audience| {
        issuer
            .audience(audience)
            .map_claim("scope", "scp")
            .map_claim("sub", "oid")
            .require_claim("ver", "2.0")
            .require_claim("tid", tenant!())
            .require_claim("azp", ExpectedClaim::Present)
            .require_any_claim(["scp", "roles"])
    },
};

pub(in crate::testing::issuer) const ENTRA_V1: Shape = Shape {
    name: "Microsoft Entra ID, tokens of version 1",
    issuer: concat!("/", tenant!(), "/"),
    document: Some(Document {
        path: concat!("/", tenant!(), "/.well-known/openid-configuration"),
        members: concat!(
            r#"{"authorization_endpoint": "$origin/"#,
            tenant!(),
            r#"/oauth2/authorize", "token_endpoint": "$origin/"#,
            tenant!(),
            r#"/oauth2/token", "subject_types_supported": ["pairwise"]}"#
        ),
    }),
    finds: Finds::Discovery,
    keys: concat!("/", tenant!(), "/discovery/keys"),
    algorithm: AuthType::RS256,
    key_id: KeyId::Thumbprint,
    key: r#"{"use": "sig", "x5t": "$x5t", "x5c": ["$x5c"]}"#,
    encryption_key: None,
    header: r#"{"typ": "JWT", "alg": "RS256", "x5t": "$x5t", "kid": "$kid"}"#,
    claims: concat!(
        r#"{"aud": "$aud", "iss": "$iss", "iat": "$iat", "nbf": "$iat", "exp": "$exp", "acr": "1", "amr": ["pwd"],
            "appid": "9d1b9c3e-2c1d-4c55-8f0e-000000000001", "appidacr": "0", "name": "Jane Doe", "oid": "$sub",
            "scp": "user_impersonation", "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ", "tid": ""#,
        tenant!(),
        r#"", "unique_name": "jane@example.com", "upn": "jane@example.com", "uti": "$jti", "ver": "1.0"}"#
    ),
    audience: "api://CLIENT-ID-OF-THE-API",
    scope: Scope::Text("scp"),
    lifetime: 4_500,
    settings: |issuer, audience| {
        issuer
            .audience(audience)
            .map_claim("scope", "scp")
            .map_claim("sub", "oid")
            .require_claim("ver", "1.0")
            .require_claim("tid", tenant!())
            .require_claim("appid", ExpectedClaim::Present)
            .require_any_claim(["scp", "roles"])
    },
};

pub(in crate::testing::issuer) const ADFS: Shape = Shape {
    name: "AD FS",
    issuer: "/adfs/services/trust",
    // Its `issuer` is that of ID tokens.
    document: Some(Document {
        path: "/adfs/.well-known/openid-configuration",
        members: r#"{
            "issuer": "$origin/adfs", "access_token_issuer": "$iss",
            "authorization_endpoint": "$origin/adfs/oauth2/authorize/",
            "token_endpoint": "$origin/adfs/oauth2/token/", "userinfo_endpoint": "$origin/adfs/userinfo"
        }"#,
    }),
    finds: Finds::KeySet,
    keys: "/adfs/discovery/keys",
    algorithm: AuthType::RS256,
    key_id: KeyId::Thumbprint,
    key: r#"{"use": "sig", "alg": "RS256", "x5t": "$x5t", "x5c": ["$x5c"]}"#,
    encryption_key: None,
    // Without `kid`.
    header: r#"{"typ": "JWT", "alg": "RS256", "x5t": "$x5t"}"#,
    claims: r#"{
        "aud": "$aud", "iss": "$iss", "iat": "$iat", "exp": "$exp", "apptype": "Confidential", "appid": "web",
        "authmethod": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
        "auth_time": "2027-01-15T07:59:40.733Z", "ver": "1.0", "scp": "openid", "sub": "$sub"
    }"#,
    audience: "microsoft:identityserver:CLIENT-ID-OF-THE-API",
    scope: Scope::Text("scp"),
    lifetime: 3_600,
    settings: |issuer, audience| {
        issuer
            .audience(audience)
            .map_claim("scope", "scp")
            .map_claim("sub", ["sub", "upn"])
            .require_claim("appid", ExpectedClaim::Present)
    },
};
