//! Computes how long a fetched key set is fresh (RFC 9111).

use reqwest::header::{AGE, CACHE_CONTROL, HeaderMap};

/// The lifetime in seconds if the response states none.
const DEFAULT: i64 = 300;
/// The minimum lifetime in seconds.
const MIN: i64 = 60;
/// The maximum lifetime in seconds.
const MAX: i64 = 6 * 3_600;

/// Returns the seconds after which a set is renewed: `max-age` minus `Age`, within bounds.
pub(super) fn lifetime(headers: &HeaderMap) -> i64 {
    let mut max_age = None;
    let directives = headers
        .get_all(CACHE_CONTROL)
        .into_iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','));
    for directive in directives {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return MIN,
            "max-age" => max_age = max_age.or(seconds(value)),
            _ => {}
        }
    }
    let age = headers.get(AGE).and_then(|age| seconds(age.to_str().ok()?));
    let fresh = max_age.map_or(DEFAULT, |max_age| max_age - age.unwrap_or(0));
    fresh.clamp(MIN, MAX)
}

/// Parses a number of seconds. A number that overflows counts as the largest one (RFC 9111, section 1.2.2).
fn seconds(text: &str) -> Option<i64> {
    let digits = text.trim().trim_matches('"');
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(i64::from(i32::MAX)))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn the_lifetime_follows_the_response_within_bounds() {
        for (fields, age, expected) in [
            (&[][..], None, 300),
            (&["max-age=600"], None, 600),
            (&["public, MAX-AGE=600, must-revalidate"], None, 600),
            (&["public", "max-age=\"600\""], None, 600),
            (&["max-age=600"], Some("500"), 100),
            (&["max-age=600"], Some("590"), 60),
            (&["max-age=600"], Some("99999"), 60),
            (&["max-age=600"], Some("x"), 600),
            (&["max-age=0"], None, 60),
            (&["max-age=-5"], None, 300),
            (&["max-age=soon"], None, 300),
            (&["max-age=99999999999999999999"], None, 21_600),
            (&["max-age=31536000, immutable"], None, 21_600),
            (&["no-store"], None, 60),
            (&["max-age=600, no-cache"], None, 60),
            (&["s-maxage=5"], None, 300),
        ] {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(CACHE_CONTROL, HeaderValue::from_static(field));
            }
            if let Some(age) = age {
                headers.insert(AGE, HeaderValue::from_static(age));
            }
            assert_eq!(lifetime(&headers), expected, "{fields:?} {age:?}");
        }
    }
}
