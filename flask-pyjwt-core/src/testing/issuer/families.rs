//! The providers that a test issuer can stand for.

use super::{
    shape::Shape,
    shapes::{
        accounts::{APPLE, FIREBASE, GOOGLE, GOOGLE_SERVICE_ACCOUNT, IDENTITY_AWARE_PROXY},
        companies::{AUTH0, COGNITO, OKTA, SUPABASE},
        machines::{GITHUB, GITLAB, KUBERNETES},
        microsoft::{ADFS, ENTRA, ENTRA_V1},
        open_source::{AUTHENTIK, DEX, HYDRA, RAUTHY, ZITADEL},
        self_hosted::{DUENDE, KEYCLOAK, OIDC},
    },
    test_issuer::TestIssuer,
};

macro_rules! families {
    ($($(#[$documentation:meta])* $name:ident: $shape:ident;)+) => {
        /// The providers. Each constructor starts a server and panics if the system has no free port.
        impl TestIssuer {
            $(
                $(#[$documentation])*
                #[must_use]
                pub fn $name() -> Self {
                    static SHAPE: Shape = $shape;
                    Self::start(&SHAPE)
                }
            )+

            /// Starts one issuer of each family, for the tests of this package.
            #[doc(hidden)]
            #[must_use]
            pub fn all() -> Vec<Self> {
                vec![$(Self::$name()),+]
            }
        }
    };
}

families! {
    /// Starts a provider of plain `OpenID` Connect, with access tokens by RFC 9068 (`at+jwt`).
    oidc: OIDC;
    /// Starts a Keycloak with the realm `test`. Its key set also has a key for encryption.
    keycloak: KEYCLOAK;
    /// Starts a tenant of Microsoft Entra ID with tokens of version 2.0. The subject is in `oid`.
    entra: ENTRA;
    /// Starts a tenant of Microsoft Entra ID with tokens of version 1.0. The subject is in `oid`.
    entra_v1: ENTRA_V1;
    /// Starts an AD FS. Its tokens have `x5t` and no `kid`: rotate it with
    /// [`rotate_and_forget`](Self::rotate_and_forget).
    adfs: ADFS;
    /// Starts a tenant of Auth0. The issuer's name ends with a slash.
    auth0: AUTH0;
    /// Starts an Okta organisation with the authorization server `default`. The scope is in the array `scp`.
    okta: OKTA;
    /// Starts a user pool of Amazon Cognito. Its access tokens have `client_id` and no `aud`.
    cognito: COGNITO;
    /// Starts a project of Supabase, which signs with ES256.
    supabase: SUPABASE;
    /// Starts Google, with ID tokens of users.
    google: GOOGLE;
    /// Starts Google, with ID tokens of service accounts.
    google_service_account: GOOGLE_SERVICE_ACCOUNT;
    /// Starts Google's Identity-Aware Proxy, which signs with ES256 and has no discovery document.
    identity_aware_proxy: IDENTITY_AWARE_PROXY;
    /// Starts a project of Firebase.
    firebase: FIREBASE;
    /// Starts Sign in with Apple.
    apple: APPLE;
    /// Starts the issuer of GitHub Actions, with tokens of jobs.
    github: GITHUB;
    /// Starts a GitLab, with ID tokens of jobs.
    gitlab: GITLAB;
    /// Starts the issuer of a Kubernetes cluster, with tokens of service accounts.
    kubernetes: KUBERNETES;
    /// Starts a Duende `IdentityServer`. Its `scope` is an array.
    duende: DUENDE;
    /// Starts a Zitadel instance.
    zitadel: ZITADEL;
    /// Starts an Authentik with the application `test`.
    authentik: AUTHENTIK;
    /// Starts an Ory Hydra. The scope is in the array `scp`.
    hydra: HYDRA;
    /// Starts a Dex, with ID tokens.
    dex: DEX;
    /// Starts a Rauthy. The issuer's name ends with a slash.
    rauthy: RAUTHY;
}
