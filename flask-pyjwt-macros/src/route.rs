//! The paths that the route attributes below `#[require_token]` show.

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, LitStr, Meta, parse::ParseStream};

/// actix-web's attributes that carry a path.
pub(crate) const WITH_PATH: [&str; 11] = [
    "connect", "delete", "get", "head", "options", "patch", "post", "put", "query", "route",
    "trace",
];

/// One path, and the names of its variables.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// The pattern as written.
    pub(crate) path: String,
    /// Its variables in order.
    pub(crate) variables: Vec<String>,
}

/// Where a name is a variable, among several paths.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// In every path.
    Everywhere,
    /// Not in this path, though in another.
    NotIn(&'a Route),
    /// In no path.
    Nowhere,
}

/// All paths of a handler, as far as every one of them is known.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Routes(Vec<Route>);

impl Routes {
    /// The paths in these attributes; `None` where there is none or one cannot be read.
    ///
    /// One unreadable path hides all: what is a variable there is not known, and only the running
    /// service can tell. A malformed path is left to actix-web, which explains it better.
    pub(crate) fn visible(attrs: &[Attribute]) -> Option<Self> {
        let mut routes = Vec::new();
        for attr in attrs {
            let name = attr.path().segments.last()?.ident.to_string();
            match &attr.meta {
                Meta::List(list) if WITH_PATH.contains(&name.as_str()) => {
                    let path = list.parse_args_with(leading_path).ok()?;
                    routes.push(Route::parse(path.value())?);
                }
                Meta::List(list) if name == "cfg_attr" && names_route(list.tokens.clone()) => {
                    return None;
                }
                _ => {}
            }
        }
        (!routes.is_empty()).then_some(Self(routes))
    }

    /// Looks for a variable in every path.
    pub(crate) fn find(&self, name: &str) -> Found<'_> {
        let lacking = self.0.iter().find(|route| !route.has(name));
        match lacking {
            None => Found::Everywhere,
            Some(lacking) if self.0.iter().any(|route| route.has(name)) => Found::NotIn(lacking),
            Some(_) => Found::Nowhere,
        }
    }

    /// The variables of all paths.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .flat_map(|route| &route.variables)
            .map(String::as_str)
    }

    /// The paths, for a message.
    pub(crate) fn describe(&self) -> String {
        let paths = self.0.iter().map(|route| format!("`{}`", route.path));
        paths.collect::<Vec<_>>().join(" or ")
    }
}

impl Route {
    /// Reads a pattern of actix-router: `{name}`, `{name:regex}`, `{name}*`.
    fn parse(path: String) -> Option<Self> {
        let mut variables = Vec::new();
        let mut rest = path.as_str();
        while let Some((_, variable)) = rest.split_once('{') {
            let close = closing_brace(variable)?;
            let (name, regex) = variable[..close]
                .split_once(':')
                .unwrap_or((&variable[..close], ""));
            // Groups with a name are variables too, but finding them takes a parser of regexes.
            if name.is_empty() || regex.contains("(?P<") || regex.contains("(?<") {
                return None;
            }
            variables.push(name.to_owned());
            rest = &variable[close + 1..];
        }
        Some(Self { path, variables })
    }

    fn has(&self, name: &str) -> bool {
        self.variables.iter().any(|variable| variable == name)
    }
}

/// Where the brace is closed that was opened before this text; a regex has braces of its own.
fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 1_usize;
    text.char_indices().find_map(|(at, character)| {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(at)
    })
}

/// Whether each brace is closed, and no variable is without a name.
fn is_well_formed(path: &str) -> bool {
    let mut rest = path;
    while let Some((_, variable)) = rest.split_once('{') {
        match closing_brace(variable) {
            Some(close) if !variable[..close].is_empty() => rest = &variable[close + 1..],
            _ => return false,
        }
    }
    true
}

fn leading_path(input: ParseStream<'_>) -> syn::Result<LitStr> {
    let path = input.parse()?;
    input.parse::<TokenStream>()?;
    Ok(path)
}

/// Whether one of these is surely a route attribute of actix-web, which makes a type with the handler's name: not another
/// attribute of such a name, and not only under a condition.
pub(crate) fn makes_a_type(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| match &attr.meta {
        Meta::List(list) => {
            let name = list.path.segments.last().map(|last| last.ident.to_string());
            let name = name.filter(|name| WITH_PATH.contains(&name.as_str()));
            let path = list.parse_args_with(leading_path);
            let (Some(name), Ok(path)) = (name, path.map(|path| path.value())) else {
                return false;
            };
            // Attributes of other packages have these names, too.
            let is_ambiguous = ["connect", "query", "trace"].contains(&name.as_str());
            // actix-web refuses a malformed path, and makes nothing.
            is_well_formed(&path) && (path.starts_with('/') || !is_ambiguous)
        }
        _ => false,
    })
}

/// Whether the name of an attribute with a path is anywhere in here.
pub(crate) fn names_route(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => names_route(group.stream()),
        TokenTree::Ident(ident) => WITH_PATH.iter().any(|name| ident == name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use syn::ItemFn;

    use super::*;

    #[test]
    fn variables_are_read_as_the_router_reads_them() {
        for (path, expected) in [
            ("/", Some(vec![])),
            ("/a}/b", Some(vec![])),
            ("/{id}", Some(vec!["id"])),
            ("/{a}/x/{b}-{c}", Some(vec!["a", "b", "c"])),
            (r"/{id:\d{4}}/{x}", Some(vec!["id", "x"])),
            (r"/{id:[[:digit:]]{2,3}}", Some(vec!["id"])),
            ("/{tail}*", Some(vec!["tail"])),
            ("/{tail:.*}", Some(vec!["tail"])),
            ("/{größe}", Some(vec!["größe"])),
            ("/{", None),
            ("/{id", None),
            ("/{id:{}", None),
            ("/{}", None),
            ("/{:x}", None),
            (r"/{id:(?P<year>\d+)}", None),
            (r"/{id:(?<year>\d+)}", None),
        ] {
            let variables = Route::parse(path.to_owned()).map(|route| route.variables);
            let expected = expected.map(|names| names.into_iter().map(str::to_owned).collect());
            assert_eq!(variables, expected, "{path}");
        }
    }

    #[test]
    fn only_paths_that_are_all_known_are_visible() {
        for (attributes, expected) in [
            ("", None),
            ("#[inline]", None),
            ("#[trace]", None),
            (r#"#[get("/a")]"#, Some(1)),
            (r#"#[actix_web::get("/a", name = "x")]"#, Some(1)),
            (
                r#"#[route("/a", method = "GET", method = "POST")]"#,
                Some(1),
            ),
            (r#"#[routes] #[get("/a")] #[post("/b")]"#, Some(2)),
            (r#"#[cfg(unix)] #[get("/a")]"#, Some(1)),
            (r#"#[cfg_attr(unix, inline)] #[get("/a")]"#, Some(1)),
            (r#"#[cfg_attr(unix, get("/a"))]"#, None),
            (
                r#"#[get("/a")] #[cfg_attr(unix, actix_web::post("/b"))]"#,
                None,
            ),
            (r#"#[get("/a")] #[get(PATH)]"#, None),
            (r#"#[get("/a")] #[post("/{")]"#, None),
        ] {
            let handler: ItemFn = syn::parse_str(&format!("{attributes} fn f() {{}}"))
                .unwrap_or_else(|error| panic!("{attributes}: {error}"));
            let routes = Routes::visible(&handler.attrs).map(|routes| routes.0.len());
            assert_eq!(routes, expected, "{attributes}");
        }
    }

    #[test]
    fn only_a_route_attribute_with_a_path_makes_a_type() {
        for (attributes, expected) in [
            ("", false),
            ("#[trace]", false),
            (r#"#[trace(name = "x")]"#, false),
            (r#"#[get("/a")]"#, true),
            (r#"#[actix_web::get("/{id:(?P<x>a)}")]"#, true),
            (r#"#[trace("/a")]"#, true),
            (r#"#[trace("database")]"#, false),
            (r#"#[get("/{")]"#, false),
            (r#"#[get("/{}")]"#, false),
            (r#"#[routes] #[get("/a")] #[post("/b")]"#, true),
            (r#"#[cfg_attr(unix, get("/a"))]"#, false),
        ] {
            let handler: ItemFn = syn::parse_str(&format!("{attributes} fn f() {{}}"))
                .unwrap_or_else(|error| panic!("{attributes}: {error}"));
            assert_eq!(makes_a_type(&handler.attrs), expected, "{attributes}");
        }
    }

    #[test]
    fn a_variable_of_one_path_is_missing_from_the_other() {
        let routes = ["/{a}/{b}", "/{a}"].map(|path| Route::parse(path.to_owned()));
        let routes = Routes(routes.into_iter().flatten().collect());
        assert_eq!(routes.find("a"), Found::Everywhere);
        assert_eq!(routes.find("b"), Found::NotIn(&routes.0[1]));
        assert_eq!(routes.find("c"), Found::Nowhere);
        assert_eq!(routes.describe(), "`/{a}/{b}` or `/{a}`");
    }
}
