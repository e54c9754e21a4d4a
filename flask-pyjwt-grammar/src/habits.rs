//! Options of other libraries, written by habit, and what they are called here.
//!
//! As claims they would refuse every token. Names that issuers do use for claims (`roles`,
//! `permissions`, `groups`, `aud`, `iss`, `typ`) are not among them.

/// What to write in place of a name that is plainly meant as an option.
pub(crate) struct Habit {
    /// The option that is meant, if there is one.
    pub(crate) option: Option<&'static str>,
    /// What to do.
    pub(crate) advice: &'static str,
}

/// What whoever writes this name wants, if it is no claim's.
pub(crate) fn habit(name: &str) -> Option<Habit> {
    let (option, advice) = match name {
        "locations" | "token_location" | "token_locations" | "jwt_location" | "jwt_locations" => (
            Some("location"),
            "write `location = [\"header\", \"cookies\"]`",
        ),
        "cookies" => (Some("location"), "write `location = \"cookies\"`"),
        "websocket" | "websockets" => (Some("location"), "write `location = \"websocket\"`"),
        "cookie"
        | "cookie_key"
        | "access_cookie_name"
        | "auth_cookie_name"
        | "refresh_cookie_name" => (
            Some("cookie_name"),
            "write `location = \"cookies\", cookie_name = \"…\"`",
        ),
        "header" | "headers" | "header_type" | "auth_header" => (
            Some("header_name"),
            "write `location = \"header\"`, and `header_name = \"…\"` unless it is `Authorization`",
        ),
        "query" | "query_string" | "query_string_name" | "query_param" | "query_parameter"
        | "param_name" | "parameter_name" => (
            Some("query_name"),
            "write `location = \"query\", query_name = \"…\"`",
        ),
        "token" | "jwt_type" | "token_kind" | "token_use" => (
            Some("token_type"),
            "write `token_type = \"auth\"` or `token_type = \"refresh\"`",
        ),
        "refresh" | "refresh_token" | "refresh_only" | "refresh_required" | "require_refresh"
        | "is_refresh" => (Some("token_type"), "write `token_type = \"refresh\"`"),
        "fresh_only" | "fresh_required" | "require_fresh" | "required_fresh" | "needs_fresh"
        | "is_fresh" | "fresh_token" | "fresh_jwt" => (Some("fresh"), "write `fresh = true`"),
        "maxage" | "max_auth_age" | "auth_max_age" | "max_token_age" | "fresh_within" => {
            (Some("max_age"), "write `max_age = …`, in seconds")
        }
        "acr_values" | "acr_value" | "required_acr" | "require_acr" | "acr_required" => (
            Some("acr"),
            "write `acr = \"…\"` or `acr = any(\"…\", \"…\")`",
        ),
        "required" | "optional_auth" | "is_optional" | "auth_optional" | "auth_required"
        | "login_required" | "allow_anonymous" => (
            Some("optional"),
            "a token is required unless you write `optional`",
        ),
        "dpop" | "dpop_bound" | "require_dpop" | "dpop_required" | "require_bound" | "is_bound"
        | "mtls" | "require_mtls" | "sender_constrained" => (
            Some("bound"),
            "write `bound` for a token that is bound to a key or certificate of the client",
        ),
        "scopes" | "scopes_required" | "scope_required" | "required_scope" | "required_scopes"
        | "require_scope" | "require_scopes" | "has_scope" | "has_scopes" => (
            Some("scope"),
            "write `scope = contains(\"…\")`, `all(\"…\", \"…\")`, `any(\"…\", \"…\")` or `{\"admin\": true}`",
        ),
        "all_scopes" | "scopes_all" => (Some("scope"), "write `scope = all(\"…\", \"…\")`"),
        "any_scope" | "any_scopes" | "scopes_any" | "has_any_scope" => {
            (Some("scope"), "write `scope = any(\"…\", \"…\")`")
        }
        "csrf_protect" | "csrf_protection" | "csrf_check" | "csrf_required" | "csrf_exempt"
        | "no_csrf" | "check_csrf" | "skip_csrf" | "skip_csrf_check" | "use_csrf" => (
            Some("csrf"),
            "a CSRF proof is required unless you write `csrf = false`",
        ),
        "issuers" | "trusted_issuers" => {
            (Some("issuer"), "write `issuer = \"…\"`, or a list of them")
        }
        "overrides" | "override_claims" => {
            (Some("override"), "write `override = {\"admin\": true}`")
        }
        "audience" | "audiences" => (
            None,
            "the audience is the manager's: `Config::audience`; to compare the claim write \
             `aud = \"…\"`",
        ),
        "subject" => (None, "the subject is the claim `sub`"),
        "claims" | "claim" | "additional_claims" | "required_claims" | "claims_required"
        | "require_claims" => (None, "name the claims themselves: `role = \"editor\"`"),
        "algorithm" | "algorithms" | "leeway" | "verify_leeway" => (
            None,
            "that is the manager's, the same for all routes: see `Config`",
        ),
        "verify"
        | "skip_revocation_check"
        | "skip_revocation"
        | "skip_verification"
        | "skip_type_check"
        | "allow_expired"
        | "ignore_expiration"
        | "ignore_exp" => (None, "a token is always verified in full: leave it out"),
        _ => return habit_of_a_pattern(name),
    };
    Some(Habit { option, advice })
}

/// `roles_required`, `required_permissions`, `has_any_role`, `verify_exp`, `validate_aud`.
fn habit_of_a_pattern(name: &str) -> Option<Habit> {
    const WHO: [&str; 8] = [
        "role",
        "roles",
        "permission",
        "permissions",
        "group",
        "groups",
        "authority",
        "authorities",
    ];
    const WHAT: [&str; 12] = [
        "type",
        "exp",
        "expiration",
        "nbf",
        "iat",
        "iss",
        "issuer",
        "aud",
        "audience",
        "sub",
        "signature",
        "jti",
    ];
    let before = |prefixes: &[&'static str], words: &[&str]| {
        prefixes.iter().any(|prefix| {
            name.strip_prefix(prefix)
                .is_some_and(|word| words.contains(&word))
        })
    };
    let after = ["_required", "_accepted", "_allowed"]
        .into_iter()
        .any(|suffix| {
            name.strip_suffix(suffix)
                .is_some_and(|word| WHO.contains(&word))
        });
    let prefixes = [
        "required_",
        "require_",
        "requires_",
        "has_",
        "has_any_",
        "has_all_",
        "any_",
        "all_",
        "allowed_",
    ];
    let advice = if after || before(&prefixes, &WHO) {
        "write the claim that has them: `roles = all(\"…\", \"…\")` or `roles = any(\"…\", \"…\")`"
    } else if before(&["verify_", "validate_"], &WHAT) {
        "a token is always verified in full: leave it out"
    } else {
        return None;
    };
    Some(Habit {
        option: None,
        advice,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_issuers_use_for_claims_are_claims() {
        for name in [
            "role",
            "roles",
            "perms",
            "permission",
            "permissions",
            "group",
            "groups",
            "team",
            "org",
            "tenant",
            "level",
            "active",
            "admin",
            "email",
            "email_verified",
            "name",
            "username",
            "user_id",
            "uid",
            "client_id",
            "azp",
            "aud",
            "iss",
            "jti",
            "typ",
            "type",
            "kind",
            "acr",
            "amr",
            "auth_time",
            "sid",
            "scp",
            "score",
            "realm_access",
            "entitlements",
            "identity",
            "verified",
            "mfa_required",
            "allowed_hosts",
            "anonymous",
            "place",
            "source",
            "path",
        ] {
            assert!(habit(name).is_none(), "{name}");
        }
    }

    #[test]
    fn options_of_neighbours_are_known() {
        for (name, option) in [
            ("refresh", Some("token_type")),
            ("locations", Some("location")),
            ("fresh_only", Some("fresh")),
            ("verify_type", None),
            ("skip_revocation_check", None),
            ("roles_required", None),
            ("roles_accepted", None),
            ("required_permissions", None),
            ("has_any_role", None),
            ("scopes", Some("scope")),
            ("required", Some("optional")),
            ("verify_exp", None),
            ("validate_aud", None),
        ] {
            let habit = habit(name).unwrap_or_else(|| panic!("{name} would be a claim"));
            assert_eq!(habit.option, option, "{name}");
        }
    }
}
