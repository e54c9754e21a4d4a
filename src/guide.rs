#![doc = concat!(
    include_str!("../docs/guide/links.md"),
    "\n",
    include_str!("../docs/guide/introduction.md")
)]

// A page links to another as `[Sessions][sessions]`. At its end stands `[sessions]: sessions.md`, for code hosts and
// for the book. Here the definitions of links.md come first, and the first one counts. `tests/it/guide` compares them.
macro_rules! page {
    ($path:literal) => {
        concat!(
            include_str!("../docs/guide/links.md"),
            "\n",
            include_str!(concat!("../docs/guide/", $path))
        )
    };
}

#[doc = page!("quickstart.md")]
pub mod quickstart {}
#[doc = page!("configuration.md")]
pub mod configuration {}
#[doc = page!("guarding.md")]
pub mod guarding {}
#[doc = page!("reading.md")]
pub mod reading {}
#[doc = page!("users.md")]
pub mod users {}
#[doc = page!("minting.md")]
pub mod minting {}
#[doc = page!("sessions.md")]
pub mod sessions {}
#[doc = page!("operating_sessions.md")]
pub mod operating_sessions {}
#[doc = page!("stores.md")]
pub mod stores {}
#[doc = page!("browsers.md")]
pub mod browsers {}
#[doc = page!("bound_tokens.md")]
pub mod bound_tokens {}
#[doc = page!("keys.md")]
pub mod keys {}
#[doc = page!("issuers.md")]
pub mod issuers {
    #[doc = page!("issuers/keycloak.md")]
    pub mod keycloak {}
    #[doc = page!("issuers/entra.md")]
    pub mod entra {}
    #[doc = page!("issuers/auth0_okta.md")]
    pub mod auth0_okta {}
    #[doc = page!("issuers/google.md")]
    pub mod google {}
    #[doc = page!("issuers/amazon.md")]
    pub mod amazon {}
    #[doc = page!("issuers/apple_supabase_shopify.md")]
    pub mod apple_supabase_shopify {}
    #[doc = page!("issuers/self_hosted.md")]
    pub mod self_hosted {}
    #[doc = page!("issuers/workloads.md")]
    pub mod workloads {}
    #[doc = page!("issuers/custom.md")]
    pub mod custom {}
}
#[doc = page!("oauth.md")]
pub mod oauth {}
#[doc = page!("testing.md")]
pub mod testing {}
#[doc = page!("openapi.md")]
pub mod openapi {}
#[doc = page!("answers.md")]
pub mod answers {}
#[doc = page!("security.md")]
pub mod security {}
#[doc = page!("from_flask.md")]
pub mod from_flask {}
#[doc = page!("from_other_crates.md")]
pub mod from_other_crates {}
#[doc = page!("operating.md")]
pub mod operating {}
#[doc = page!("command_line.md")]
pub mod command_line {}
