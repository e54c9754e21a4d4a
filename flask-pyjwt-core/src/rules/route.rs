//! The variables of a route, as its handler sees them.

use std::borrow::Cow;

use actix_web::HttpRequest;
use percent_encoding::percent_decode_str;

/// The variables of a path, with their values.
#[derive(Clone, Copy)]
pub(crate) enum RouteVariables<'a> {
    /// As the router found them in a request.
    OfRequest(&'a HttpRequest),
    /// As the handler would see them: names, and decoded values.
    Named(&'a [(String, String)]),
}

/// The value of a route variable for one request.
pub(super) enum Variable<'a> {
    /// There is no variable of this name.
    Unknown,
    /// An enclosing scope has a variable of the same name, so it is ambiguous.
    Twice,
    /// Its value is not UTF-8, and matches nothing.
    NoText,
    Text(Cow<'a, str>),
}

impl<'a> RouteVariables<'a> {
    pub(crate) const fn of(request: &'a HttpRequest) -> Self {
        Self::OfRequest(request)
    }

    /// The value of a variable.
    pub(super) fn get(&self, name: &str) -> Variable<'a> {
        match self {
            Self::OfRequest(request) => of_request(request, name),
            Self::Named(variables) => {
                let mut own = variables.iter().filter(|(variable, _)| variable == name);
                match (own.next(), own.next()) {
                    (None, _) => Variable::Unknown,
                    (Some((_, value)), None) => Variable::Text(Cow::Borrowed(value)),
                    (Some(_), Some(_)) => Variable::Twice,
                }
            }
        }
    }

    /// Whether there is a variable of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Self::OfRequest(request) => request.match_info().iter().any(|(own, _)| own == name),
            Self::Named(variables) => variables.iter().any(|(own, _)| own == name),
        }
    }

    /// A variable whose name is one edit away from this one, which was probably meant.
    pub(super) fn nearest(&self, name: &str) -> Option<&'a str> {
        let is_near = |variable: &&str| is_one_edit_away(variable, name);
        match self {
            Self::OfRequest(request) => {
                let mut names = request.match_info().iter().map(|(name, _)| name);
                names.find(is_near)
            }
            Self::Named(variables) => {
                let mut names = variables.iter().map(|(name, _)| name.as_str());
                names.find(is_near)
            }
        }
    }

    /// All names, for error messages.
    pub(super) fn names(&self) -> Vec<&'a str> {
        match self {
            Self::OfRequest(request) => request.match_info().iter().map(|(name, _)| name).collect(),
            Self::Named(variables) => variables.iter().map(|(name, _)| name.as_str()).collect(),
        }
    }
}

/// The value of a variable of a request, percent-decoded as `web::Path` decodes it.
///
/// The router has decoded everything but `%25`, `%2F` and `%2B` already, and put U+FFFD for what is not UTF-8. Such a
/// segment must not match a token that really says U+FFFD.
fn of_request<'a>(request: &'a HttpRequest, name: &str) -> Variable<'a> {
    let variables = request.match_info().iter();
    let mut own = variables.filter(|(variable, _)| *variable == name);
    let Some((_, value)) = own.next() else {
        return Variable::Unknown;
    };
    if own.next().is_some() {
        return Variable::Twice;
    }
    if value.contains(char::REPLACEMENT_CHARACTER)
        && percent_decode_str(request.uri().path())
            .decode_utf8()
            .is_err()
    {
        return Variable::NoText;
    }
    percent_decode_str(value)
        .decode_utf8()
        .map_or(Variable::NoText, Variable::Text)
}

/// Whether two names differ by one inserted, removed or replaced character, or by two swapped neighbours.
pub(crate) fn is_one_edit_away(a: &str, b: &str) -> bool {
    if a.len().abs_diff(b.len()) > 4 {
        return false;
    }
    let [a, b] = [a, b].map(|name| name.chars().collect::<Vec<_>>());
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let prefix = short.iter().zip(&long).take_while(|(a, b)| a == b).count();
    let (short, long) = (&short[prefix..], &long[prefix..]);
    if short.len() < long.len() {
        return *short == long[1..];
    }
    match (short, long) {
        ([], []) => false,
        ([a, b, short @ ..], [c, d, long @ ..]) if a == d && b == c => short == long,
        _ => short[1..] == long[1..],
    }
}

#[cfg(test)]
mod tests {
    use super::is_one_edit_away;

    #[test]
    fn one_edit() {
        for (a, b, expected) in [
            ("user", "user", false),
            ("user", "users", true),
            ("user", "usr", true),
            ("user", "uzer", true),
            ("user", "usre", true),
            ("user", "suer", true),
            ("user", "resu", false),
            ("user", "us", false),
            ("ab", "ba", true),
            ("a", "b", true),
            ("a", "", true),
            ("", "", false),
            ("é", "e", true),
            ("editor", "id", false),
        ] {
            assert_eq!(is_one_edit_away(a, b), expected, "{a} {b}");
            assert_eq!(is_one_edit_away(b, a), expected, "{b} {a}");
        }
    }
}
