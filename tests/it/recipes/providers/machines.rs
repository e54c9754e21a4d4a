//! Tokens that platforms issue to the jobs that run on them.

use flask_pyjwt::{ExpectedClaim, Issuer};
use serde_json::json;

use super::{Provider, accepted, provider, recipes, refused, typed, untyped, with};
use crate::recipes::page::normal;
use support::NOW;

pub(super) fn google_services() -> Provider {
    let service = json!({
        "iss": "https://accounts.google.com", "azp": "112010400000000710080", "aud": "https://api.example.com",
        "sub": "112010400000000710080", "email": "svc@project.iam.gserviceaccount.com",
        "email_verified": true,
    });
    provider(
        "Google, service accounts",
        recipes! {
            issuer: Issuer::new("https://accounts.google.com")
                .discovery()
                .audience("https://api.example.com")
                .require_claim("azp", ExpectedClaim::one_of(["112010400000000710080"]));
        },
        vec![
            accepted(
                "machine",
                "112010400000000710080",
                &typed(),
                service.clone(),
            ),
            refused(
                "anybody else's service account",
                &typed(),
                with(&service, json!({"azp": "999", "sub": "999"})),
            ),
            refused(
                "for another service",
                &typed(),
                with(&service, json!({"aud": "https://other"})),
            ),
            refused(
                "without azp",
                &typed(),
                with(&service, json!({"azp": null})),
            ),
        ],
    )
}

pub(super) fn github() -> Provider {
    let header =
        json!({"typ": "JWT", "alg": "RS256", "x5t": "eBZ_cn3sXYAd0ch4THBKHIgOwOE", "kid": ""});
    let job = json!({
        "jti": "e", "sub": "repo:ORGANISATION/REPOSITORY:environment:prod", "environment": "prod",
        "aud": "our-api", "ref": "refs/heads/main", "sha": "s", "repository": "ORGANISATION/REPOSITORY",
        "repository_owner": "ORGANISATION", "actor_id": "12", "repository_visibility": "private",
        "repository_id": "74", "repository_owner_id": "65", "run_id": "1", "run_number": "10",
        "run_attempt": "2", "runner_environment": "github-hosted", "actor": "octocat",
        "workflow": "deploy", "head_ref": "", "base_ref": "", "event_name": "push", "ref_type": "branch",
        "job_workflow_ref": "ORGANISATION/REPOSITORY/.github/workflows/deploy.yml@refs/heads/main",
        "iss": "https://token.actions.githubusercontent.com", "nbf": NOW - 600,
    });
    provider(
        "GitHub Actions",
        recipes! {
            issuer: Issuer::new("https://token.actions.githubusercontent.com")
                .discovery()
                .audience("our-api")
                .require_claim("repository", ExpectedClaim::one_of(["ORGANISATION/REPOSITORY"]))
                .require_claim("ref", "refs/heads/main");
        },
        vec![
            accepted(
                "machine",
                "repo:ORGANISATION/REPOSITORY:environment:prod",
                &header,
                job.clone(),
            ),
            refused(
                "another repository, which asks for our audience",
                &header,
                with(
                    &job,
                    json!({"repository": "ELSE/WHERE", "repository_owner": "ELSE"}),
                ),
            ),
            refused(
                "another branch",
                &header,
                with(&job, json!({"ref": "refs/heads/feature"})),
            ),
            refused(
                "a pull request",
                &header,
                with(&job, json!({"ref": "refs/pull/7/merge"})),
            ),
            refused(
                "the default audience",
                &header,
                with(&job, json!({"aud": "https://github.com/ORGANISATION"})),
            ),
        ],
    )
}

pub(super) fn gitlab() -> Provider {
    let job = json!({
        "namespace_id": "72", "namespace_path": "GROUP", "project_id": "20", "project_path": "GROUP/PROJECT",
        "user_id": "1", "user_login": "jane", "user_email": "jane@example.com", "pipeline_id": "574",
        "pipeline_source": "push", "job_id": "302", "ref": "main", "ref_type": "branch",
        "ref_path": "refs/heads/main", "ref_protected": "true", "environment": "production",
        "runner_id": 1, "runner_environment": "gitlab-hosted", "sha": "s", "project_visibility": "public",
        "jti": "e", "iss": "https://gitlab.com", "nbf": NOW - 15, "aud": "https://our-api.example.com",
        "sub": "project_path:GROUP/PROJECT:ref_type:branch:ref:main",
    });
    provider(
        "GitLab CI/CD",
        recipes! {
            issuer: Issuer::new("https://gitlab.com")
                .discovery()
                .audience("https://our-api.example.com")
                .require_claim("project_path", ExpectedClaim::one_of(["GROUP/PROJECT"]))
                .require_claim("ref_protected", "true");
        },
        vec![
            accepted(
                "machine",
                "project_path:GROUP/PROJECT:ref_type:branch:ref:main",
                &typed(),
                job.clone(),
            ),
            refused(
                "another project, which asks for our audience",
                &typed(),
                with(&job, json!({"project_path": "ELSE/WHERE"})),
            ),
            refused(
                "an unprotected branch",
                &typed(),
                with(&job, json!({"ref_protected": "false"})),
            ),
            refused(
                "for another service",
                &typed(),
                with(&job, json!({"aud": "https://vault"})),
            ),
            refused(
                "ID token of a login by GitLab",
                &typed(),
                json!({
                    "iss": "https://gitlab.com", "sub": "1", "aud": "https://our-api.example.com",
                    "auth_time": NOW - 20, "nickname": "jane",
                }),
            ),
        ],
    )
}

pub(super) fn kubernetes() -> Provider {
    let pod = json!({
        "aud": ["our-api"], "iss": "https://kubernetes.default.svc.cluster.local", "jti": "j",
        "kubernetes.io": {
            "namespace": "jobs", "node": {"name": "n", "uid": "u"}, "pod": {"name": "job-1", "uid": "p"},
            "serviceaccount": {"name": "runner", "uid": "s"}, "warnafter": NOW + 3_600,
        },
        "nbf": NOW - 10, "sub": "system:serviceaccount:jobs:runner",
    });
    provider(
        "Kubernetes",
        recipes! {
            issuer: Issuer::new("https://kubernetes.default.svc.cluster.local")
                .jwks_url("https://kubernetes.default.svc/openid/v1/jwks")
                .accept_untyped(true)
                .audience("our-api")
                .map_claim("namespace", "/kubernetes.io/namespace")
                .map_claim("service_account", "/kubernetes.io/serviceaccount/name")
                .require_claim("service_account", ExpectedClaim::Present);
        },
        vec![
            accepted(
                "machine",
                "system:serviceaccount:jobs:runner",
                &untyped(),
                pod.clone(),
            ),
            refused(
                "the token for the cluster's own API",
                &untyped(),
                with(
                    &pod,
                    json!({"aud": ["https://kubernetes.default.svc.cluster.local"]}),
                ),
            ),
            refused(
                "a token of an old secret, which does not expire",
                &untyped(),
                json!({
                    "iss": "kubernetes/serviceaccount", "kubernetes.io/serviceaccount/namespace": "jobs",
                    "sub": "system:serviceaccount:jobs:runner",
                }),
            ),
            refused(
                "another cluster",
                &untyped(),
                with(&pod, json!({"iss": "https://oidc.other"})),
            ),
        ],
    )
}
