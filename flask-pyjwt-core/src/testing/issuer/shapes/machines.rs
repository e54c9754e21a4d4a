//! Platforms that issue tokens to the jobs that run on them.

use crate::{
    AuthType, ExpectedClaim,
    testing::issuer::shape::{Document, Finds, KeyId, Scope, Shape},
};

pub(in crate::testing::issuer) const GITHUB: Shape = Shape {
    name: "GitHub Actions",
    issuer: "",
    document: Some(Document {
        path: "/.well-known/openid-configuration",
        members: r#"{
            "subject_types_supported": ["public", "pairwise"], "response_types_supported": ["id_token"],
            "scopes_supported": ["openid"]
        }"#,
    }),
    finds: Finds::Discovery,
    keys: "/.well-known/jwks",
    algorithm: AuthType::RS256,
    key_id: KeyId::Uuid,
    key: r#"{"use": "sig", "alg": "RS256", "x5c": ["$x5c"], "x5t": "$x5t"}"#,
    encryption_key: None,
    header: r#"{"typ": "JWT", "alg": "RS256", "x5t": "$x5t", "kid": "$kid"}"#,
    claims: r#"{
        "jti": "$jti", "sub": "$sub", "environment": "prod", "aud": "$aud", "ref": "refs/heads/main",
        "sha": "example-sha", "repository": "ORGANISATION/REPOSITORY", "repository_owner": "ORGANISATION",
        "actor_id": "12", "repository_visibility": "private", "repository_id": "74", "repository_owner_id": "65",
        "run_id": "1", "run_number": "10", "run_attempt": "2", "runner_environment": "github-hosted",
        "actor": "octocat", "workflow": "deploy", "head_ref": "", "base_ref": "", "event_name": "push",
        "ref_type": "branch",
        "job_workflow_ref": "ORGANISATION/REPOSITORY/.github/workflows/deploy.yml@refs/heads/main",
        "iss": "$iss", "nbf": "$iat", "iat": "$iat", "exp": "$exp"
    }"#,
    audience: "our-api",
    scope: Scope::Nowhere,
    lifetime: 300,
    settings: |issuer, audience| {
        issuer
            .audience(audience)
            .require_claim(
                "repository",
                ExpectedClaim::one_of(["ORGANISATION/REPOSITORY"]),
            )
            .require_claim("ref", "refs/heads/main")
    },
};

pub(in crate::testing::issuer) const GITLAB: Shape = Shape {
    name: "GitLab CI/CD",
    issuer: "",
    document: Some(Document {
        path: "/.well-known/openid-configuration",
        members: r#"{
            "authorization_endpoint": "$origin/oauth/authorize", "token_endpoint": "$origin/oauth/token",
            "userinfo_endpoint": "$origin/oauth/userinfo"
        }"#,
    }),
    finds: Finds::Discovery,
    keys: "/oauth/discovery/keys",
    algorithm: AuthType::RS256,
    key_id: KeyId::Base64Url,
    key: r#"{"use": "sig", "alg": "RS256"}"#,
    encryption_key: None,
    header: r#"{"kid": "$kid", "typ": "JWT", "alg": "RS256"}"#,
    claims: r#"{
        "namespace_id": "72", "namespace_path": "GROUP", "project_id": "20", "project_path": "GROUP/PROJECT",
        "user_id": "1", "user_login": "jane", "user_email": "jane@example.com", "pipeline_id": "574",
        "pipeline_source": "push", "job_id": "302", "ref": "main", "ref_type": "branch",
        "ref_path": "refs/heads/main", "ref_protected": "true", "environment": "production", "runner_id": 1,
        "runner_environment": "gitlab-hosted", "sha": "example-sha", "project_visibility": "public",
        "jti": "$jti", "iss": "$iss", "iat": "$iat", "nbf": "$iat", "exp": "$exp", "aud": "$aud", "sub": "$sub"
    }"#,
    audience: "https://our-api.example.com",
    scope: Scope::Nowhere,
    lifetime: 3_600,
    settings: |issuer, audience| {
        issuer
            .audience(audience)
            .require_claim("project_path", ExpectedClaim::one_of(["GROUP/PROJECT"]))
            .require_claim("ref_protected", "true")
    },
};

pub(in crate::testing::issuer) const KUBERNETES: Shape = Shape {
    name: "Kubernetes",
    issuer: "",
    document: Some(Document {
        path: "/.well-known/openid-configuration",
        members: r#"{"response_types_supported": ["id_token"]}"#,
    }),
    finds: Finds::KeySet,
    keys: "/openid/v1/jwks",
    algorithm: AuthType::RS256,
    key_id: KeyId::Base64Url,
    key: r#"{"use": "sig", "alg": "RS256"}"#,
    encryption_key: None,
    header: r#"{"alg": "RS256", "kid": "$kid"}"#,
    claims: r#"{
        "aud": ["$aud"], "exp": "$exp", "iat": "$iat", "iss": "$iss", "jti": "$jti", "nbf": "$iat", "sub": "$sub",
        "kubernetes.io": {
            "namespace": "jobs", "node": {"name": "n", "uid": "u"}, "pod": {"name": "job-1", "uid": "p"},
            "serviceaccount": {"name": "runner", "uid": "s"}, "warnafter": "$exp"
        }
    }"#,
    audience: "our-api",
    scope: Scope::Nowhere,
    lifetime: 3_607,
    settings: |issuer, audience| {
        issuer
            .accept_untyped(true)
            .audience(audience)
            .map_claim("namespace", "/kubernetes.io/namespace")
            .map_claim("service_account", "/kubernetes.io/serviceaccount/name")
            .require_claim("service_account", ExpectedClaim::Present)
    },
};
