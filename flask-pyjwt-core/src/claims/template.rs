//! Templates for the names of many issuers: `https://login.example/{tenant}/v2.0`.

use crate::error::Problem;

/// The maximum length of a placeholder's value, in bytes.
const LONGEST: usize = 255;

/// A name with placeholders. A placeholder stands for one or more letters, digits, `-` and `_`, and
/// ends at the first other character. A text can therefore match in one way only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    text: String,
    /// The text before the first placeholder.
    prefix: String,
    /// The placeholders, each with the text that follows it.
    parts: Vec<(String, String)>,
}

impl Template {
    /// Parses a template.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let mut pieces = text.split('{');
        let prefix = pieces.next().unwrap_or_default();
        if prefix.contains('}') {
            return Err(Problem::new("has a `}` without a `{`"));
        }
        let mut parts = Vec::<(String, String)>::new();
        for piece in pieces {
            let (name, literal) = piece.split_once('}').ok_or("has a `{` without a `}`")?;
            if name.is_empty() || !name.bytes().all(is_placeholder_byte) {
                return Err(Problem::new(
                    "has a placeholder whose name is not made of letters, digits, `-` and `_`",
                ));
            }
            if literal.contains('}') {
                return Err(Problem::new("has a `}` without a `{`"));
            }
            if parts.iter().any(|(known, _)| known == name) {
                return Err(Problem::new("has the same placeholder twice"));
            }
            parts.push((name.to_owned(), literal.to_owned()));
        }
        let Some(((_, last), others)) = parts.split_last() else {
            return Err(Problem::new(
                "has no placeholder: use `Issuer::new` for a plain name",
            ));
        };
        let ends_placeholder = |literal: &str| {
            let first = literal.bytes().next();
            first.is_some_and(|byte| !is_placeholder_byte(byte))
        };
        let is_clear = others.iter().all(|(_, literal)| ends_placeholder(literal))
            && (last.is_empty() || ends_placeholder(last));
        if !is_clear {
            return Err(Problem::new(
                "has a placeholder that is followed by a letter, a digit, `-`, `_` or another placeholder, \
                 so its end is ambiguous",
            ));
        }
        if prefix.is_empty() {
            return Err(Problem::new(
                "begins with a placeholder, so every text would match",
            ));
        }
        Ok(Self {
            text: text.to_owned(),
            prefix: prefix.to_owned(),
            parts,
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether both templates match the same texts.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        let literals = |it: &Self| {
            it.parts
                .iter()
                .map(|(_, text)| text.clone())
                .collect::<Vec<_>>()
        };
        self.prefix == other.prefix && literals(self) == literals(other)
    }

    /// Whether the template has a placeholder with this name.
    pub(crate) fn has(&self, placeholder: &str) -> bool {
        self.parts.iter().any(|(name, _)| name == placeholder)
    }

    pub(crate) fn matches(&self, issuer: &str) -> bool {
        self.walk(issuer, |_, _| {})
    }

    /// The value of a placeholder in an issuer name that matches.
    pub(crate) fn value<'a>(&self, issuer: &'a str, placeholder: &str) -> Option<&'a str> {
        let mut found = None;
        let matches = self.walk(issuer, |name, value| {
            if name == placeholder {
                found = Some(value);
            }
        });
        found.filter(|_| matches)
    }

    fn walk<'a>(&self, issuer: &'a str, mut see: impl FnMut(&str, &'a str)) -> bool {
        let Some(mut rest) = issuer.strip_prefix(&*self.prefix) else {
            return false;
        };
        for (name, literal) in &self.parts {
            let end = rest.bytes().position(|byte| !is_placeholder_byte(byte));
            let (value, after) = rest.split_at(end.unwrap_or(rest.len()));
            if value.is_empty() || value.len() > LONGEST {
                return false;
            }
            see(name, value);
            let Some(after) = after.strip_prefix(&**literal) else {
                return false;
            };
            rest = after;
        }
        rest.is_empty()
    }
}

fn is_placeholder_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRA: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
    const SHOP: &str = "https://{shop}.myshopify.com/admin";

    fn shop(name: &str) -> String {
        format!("https://{name}.myshopify.com/admin")
    }

    #[test]
    fn an_issuer_name_matches_in_one_way() {
        const END: &str = "https://sso.example/realms/{realm}";
        const TWO: &str = "https://{a}.example/{b}";
        let longest = "a".repeat(255);
        for (template, issuer, placeholder, expected) in [
            (
                ENTRA,
                "https://login.microsoftonline.com/72f9-8b/v2.0",
                "tenantid",
                Some("72f9-8b"),
            ),
            (SHOP, &shop("my-shop"), "shop", Some("my-shop")),
            (SHOP, &shop(&longest), "shop", Some(&longest)),
            (END, "https://sso.example/realms/one", "realm", Some("one")),
            (TWO, "https://x.example/y", "a", Some("x")),
            (TWO, "https://x.example/y", "b", Some("y")),
            (TWO, "https://x.example/y", "c", None),
        ] {
            let template = Template::parse(template).expect(template);
            assert_eq!(template.value(issuer, placeholder), expected, "{issuer}");
            assert!(template.matches(issuer), "{issuer}");
        }
    }

    #[test]
    fn look_alikes_do_not_match() {
        let long = shop(&"a".repeat(256));
        for issuer in [
            "https://login.microsoftonline.com/{tenantid}/v2.0",
            "https://login.microsoftonline.com//v2.0",
            "https://login.microsoftonline.com/a/b/v2.0",
            "https://login.microsoftonline.com/a/v2.0/",
            "https://login.microsoftonline.com/a%2Fb/v2.0",
            "https://LOGIN.microsoftonline.com/a/v2.0",
            "http://login.microsoftonline.com/a/v2.0",
            " https://login.microsoftonline.com/a/v2.0",
            "https://a.b.myshopify.com/admin",
            "https://evil.example/.myshopify.com/admin",
            "https://evil.example#.myshopify.com/admin",
            "https://user@.myshopify.com/admin",
            "https://sh\u{f6}p.myshopify.com/admin",
            "https://shop\u{0}.myshopify.com/admin",
            "https://shop.myshopify.com.evil.example/admin",
            "https://shop.myshopify.com/admin ",
            &long,
            "",
        ] {
            for (template, placeholder) in [(ENTRA, "tenantid"), (SHOP, "shop")] {
                let template = Template::parse(template).expect(template);
                assert!(!template.matches(issuer), "{issuer}");
                assert_eq!(template.value(issuer, placeholder), None, "{issuer}");
            }
        }
    }

    #[test]
    fn templates_with_different_placeholder_names_are_the_same() {
        let parse = |text| Template::parse(text).expect("a template");
        let first = parse("https://{a}.example/{b}");
        assert!(first.is_same_as(&parse("https://{x}.example/{y}")));
        assert!(!first.is_same_as(&parse("https://{a}.example/{b}/")));
        assert!(!first.is_same_as(&parse("https://{a}.example/b")));
    }

    #[test]
    fn an_ambiguous_template_is_refused() {
        for text in [
            "",
            "https://a.example",
            "{issuer}",
            "{scheme}://a.example",
            "https://{a}{b}.example",
            "https://{a}-{b}.example",
            "https://{a}x.example",
            "https://{a}.{a}",
            "https://{}.example",
            "https://{a b}.example",
            "https://{a.example",
            "https://a}.example",
            "https://{a}}.example",
            "https://{{a}}.example",
        ] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
