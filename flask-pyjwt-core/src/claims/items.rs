//! Claims that are lists of words, such as the scopes of OAuth (RFC 6749, section 3.3).

use crate::json::{Json, Kind};

/// Whether a claim contains an item: a word of a space-separated string, or an element of an array.
/// Items are compared exactly.
pub(super) fn has_item(claim: Json<'_>, item: &str) -> bool {
    match claim.kind() {
        Kind::Array => claim.items().any(|element| element.is_str(item)),
        Kind::String | Kind::EscapedString => claim
            .as_str()
            .is_some_and(|text| !item.is_empty() && text.split(' ').any(|word| word == item)),
        _ => false,
    }
}

/// Whether a claim contains all of these items, or any of them. An empty list is never satisfied.
pub(super) fn has_items(claim: Option<Json<'_>>, items: &[String], is_any: bool) -> bool {
    let has = |item: &String| claim.is_some_and(|claim| has_item(claim, item));
    !items.is_empty()
        && (if is_any {
            items.iter().any(has)
        } else {
            items.iter().all(has)
        })
}

/// The missing items, in the form of the `scope` attribute of a challenge (RFC 6750, section 3). Of
/// alternatives, only the first is named. Items that are not valid scope tokens are left out.
pub(crate) fn missing(claim: Option<Json<'_>>, items: &[String], is_any: bool) -> String {
    let lacking = items
        .iter()
        .filter(|item| !claim.is_some_and(|claim| has_item(claim, item)))
        .take(if is_any { 1 } else { usize::MAX })
        .filter(|item| is_scope_token(item))
        .map(String::as_str);
    lacking.collect::<Vec<_>>().join(" ")
}

/// `scope-token` of RFC 6749, section 3.3: no quotes, backslashes or spaces.
pub(crate) fn is_scope_token(item: &str) -> bool {
    !item.is_empty()
        && item
            .bytes()
            .all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    #[test]
    fn threat_27_items_are_whole_words_or_whole_elements() {
        for (claim, item, expected) in [
            (r#""read write""#, "read", true),
            (r#""read write""#, "write", true),
            (r#""read  write ""#, "write", true),
            (r#""re\u0061d""#, "read", true),
            (r#""readonly""#, "read", false),
            (r#""nonadmin""#, "admin", false),
            (r#""admin:read""#, "admin", false),
            (r#""READ""#, "read", false),
            (r#""read,write""#, "read", false),
            ("\"read\\twrite\"", "read", false),
            ("\"read\\nwrite\"", "read", false),
            ("\"read\u{a0}write\"", "read", false),
            (r#""read write""#, "read write", false),
            (r#""read write""#, "", false),
            (r#""""#, "", false),
            (r#"["read","write"]"#, "write", true),
            (r#"["read write"]"#, "read write", true),
            (r#"["read write"]"#, "read", false),
            (r#"[["read"]]"#, "read", false),
            ("[1,true,null]", "1", false),
            (r#"{"read":true}"#, "read", false),
            ("true", "true", false),
            ("1", "1", false),
            ("null", "null", false),
        ] {
            let document = Document::object(format!(r#"{{"it":{claim}}}"#)).expect("valid JSON");
            let claim_of = document.root().member("it").expect("it is there");
            assert_eq!(has_item(claim_of, item), expected, "{claim} {item}");
        }
    }

    #[test]
    fn all_items_any_item_and_the_missing_ones() {
        let document = Document::object(r#"{"it":"a b"}"#.to_owned()).expect("valid JSON");
        let claim = document.root().member("it");
        for (items, all, any, missing_of_all, missing_of_any) in [
            (&["a"][..], true, true, "", ""),
            (&["a", "b"], true, true, "", ""),
            (&["a", "c", "d"], false, true, "c d", "c"),
            (&["c", "d"], false, false, "c d", "c"),
            (&[], false, false, "", ""),
            (
                &["x\"y", "z\\", "e f", "\r\n", "é", "ok"],
                false,
                false,
                "ok",
                "",
            ),
        ] {
            let items: Vec<_> = items.iter().map(|item| (*item).to_owned()).collect();
            assert_eq!(has_items(claim, &items, false), all, "{items:?}");
            assert_eq!(has_items(claim, &items, true), any, "{items:?}");
            assert!(!has_items(None, &items, false) && !has_items(None, &items, true));
            assert_eq!(missing(claim, &items, false), missing_of_all, "{items:?}");
            assert_eq!(missing(claim, &items, true), missing_of_any, "{items:?}");
        }
    }
}
