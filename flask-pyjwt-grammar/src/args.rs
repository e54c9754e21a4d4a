//! The arguments of the attribute.

mod acr;
mod issuers;
mod literals;

use proc_macro2::{Span, TokenStream};
use syn::{
    LitStr, Path, Token,
    parse::{ParseStream, Parser as _},
    token::{Brace, Bracket},
};

use self::literals::{seconds, text_of, truth};
use crate::{
    claim::{self, Expected},
    errors::{Errors, given_twice},
    habits::habit,
    names::{POSITIONAL, WORDS, is_option, is_token, one_of},
    nearest::nearest,
    value::{Key, Value, string},
};

/// `#[require_token("auth", "cookies", cookie_name = "c", sub = "id", scope = {"admin": true})]`
#[derive(Default)]
#[expect(
    missing_debug_implementations,
    reason = "syn's literals have none without its feature `extra-traits`"
)]
pub struct Args {
    /// The type of the token: `auth` or `refresh`.
    pub token_type: Option<String>,
    /// Where the token is, in the order in which it was written.
    pub locations: Vec<LitStr>,
    /// The name of the cookie.
    pub cookie_name: Option<String>,
    /// The name of the header.
    pub header_name: Option<String>,
    /// The name of the parameter.
    pub query_name: Option<String>,
    /// The issuers that the route accepts.
    pub issuers: Option<Vec<String>>,
    /// The claims, in the order in which they were written.
    pub claims: Vec<(Key, Expected)>,
    /// The scope. It is never one of the variants that name a variable.
    pub scope: Option<Expected>,
    /// The claims that make the others unnecessary: at least one.
    pub override_claims: Option<Vec<(Key, Value)>>,
    /// Whether the token of the login itself is required.
    pub fresh: bool,
    /// Whether `csrf = false` was written.
    pub no_csrf: bool,
    /// The accepted values of the claim `acr`.
    pub acr: Option<Vec<String>>,
    /// How long ago the login may be, in seconds.
    pub max_age: Option<u32>,
    /// The name of the package, if it is not `flask_pyjwt`.
    pub renamed: Option<Path>,
    /// Every option that was named, well or badly, and where.
    given: Vec<(String, Span)>,
    /// The options that other names were meant for.
    meant: Vec<&'static str>,
    positional: usize,
    named: bool,
}

impl Args {
    /// Reads as much as can be read, and reports the rest.
    pub fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let all = |input: ParseStream<'_>| {
            errors.comma_separated(input, |input| args.argument(input));
            Ok(())
        };
        if let Err(error) = all.parse2(tokens) {
            errors.push(error);
        }
        args.check_named(errors, "cookies", "cookie_name", false);
        args.check_named(errors, "header", "header_name", false);
        args.check_named(errors, "query", "query_name", true);
        args
    }

    /// Whether a request without credentials passes.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.is_given("optional")
    }

    /// Whether the token has to be bound to a key or a certificate of the client.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.is_given("bound")
    }

    fn argument(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        if input.peek(LitStr) && !input.peek2(Token![=]) && !input.peek2(Token![:]) {
            return self.positional(&string(input)?);
        }
        let key: Key = input.parse()?;
        if !key.quoted && !input.peek(Token![=]) && !input.peek(Token![:]) {
            return self.word(&key);
        }
        self.named = true;
        if input.peek(Token![:]) {
            return Err(input.error(format!("outside braces write `{} = …`", shown(&key))));
        }
        input.parse::<Token![=]>()?;
        if !key.quoted {
            self.refuse_habit(&key)?;
        }
        if key.quoted || !is_option(&key)? {
            return self.claim(key, input.parse()?);
        }
        let twice = self.give(&key.name, key.span);
        self.option(&key, input)?;
        twice
    }

    /// `"refresh"`, `"cookies"`: in the order of Python's parameters.
    fn positional(&mut self, text: &LitStr) -> syn::Result<()> {
        let position = self.positional;
        self.positional += 1;
        let Some((name, _)) = POSITIONAL.get(position) else {
            return Err(syn::Error::new(
                text.span(),
                "only the token's type and its location can be given without a name; is this a \
                 `cookie_name = \"…\"`?",
            ));
        };
        if self.named {
            return Err(syn::Error::new(
                text.span(),
                format!(
                    "a string without a name stands before all named arguments; write `{name} = \"…\"`"
                ),
            ));
        }
        self.give(name, text.span())?;
        if position == 0 {
            self.set_token_type(text)
        } else {
            self.add_location(text.clone())
        }
    }

    /// `optional` or `bound`, the words that stand alone.
    fn word(&mut self, word: &Key) -> syn::Result<()> {
        let name = word.name.as_str();
        if WORDS.contains(&name) {
            return self.give(name, word.span);
        }
        if name == "fresh" {
            return Err(syn::Error::new(word.span, "write `fresh = true`"));
        }
        let mut texts = POSITIONAL
            .into_iter()
            .flat_map(|(_, texts)| texts.iter().copied());
        let text = texts.clone().find(|text| *text == name);
        let message = if let Some(text) = text.or_else(|| nearest(name, texts.by_ref())) {
            format!("write it as a string: `\"{text}\"`")
        } else if let Some(known) = nearest(name, WORDS) {
            format!("unknown word `{name}`; did you mean `{known}`?")
        } else if let Some(habit) = habit(name) {
            format!("`{name}` is not an option: {}", habit.advice)
        } else {
            format!("expected `{name} = …`")
        };
        Err(syn::Error::new(word.span, message))
    }

    /// Refuses the options of other libraries.
    fn refuse_habit(&mut self, key: &Key) -> syn::Result<()> {
        let Some(habit) = habit(&key.name) else {
            return Ok(());
        };
        // What goes with the option that is meant is not wrong as well.
        if let Some(option) = habit.option {
            self.meant.push(option);
        }
        let name = &key.name;
        let message = format!(
            "`{name}` is not an option: {}; for a claim of this name write `\"{name}\" = …`",
            habit.advice
        );
        Err(syn::Error::new(key.span, message))
    }

    fn claim(&mut self, key: Key, expected: Expected) -> syn::Result<()> {
        if let Some((first, _)) = self.claims.iter().find(|(first, _)| first.name == key.name) {
            return Err(given_twice(&key.name, key.span, first.span));
        }
        self.claims.push((key, expected));
        Ok(())
    }

    /// Whether an option of this name was written.
    #[must_use]
    pub fn is_given(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| given == name)
    }

    fn give(&mut self, name: &str, span: Span) -> syn::Result<()> {
        if let Some((_, first)) = self.given.iter().find(|(given, _)| given == name) {
            return Err(given_twice(name, span, *first));
        }
        self.given.push((name.to_owned(), span));
        Ok(())
    }

    fn option(&mut self, key: &Key, input: ParseStream<'_>) -> syn::Result<()> {
        match key.name.as_str() {
            "token_type" => self.set_token_type(&text_of(key, input)?),
            "location" if input.peek(Bracket) => self.set_locations(key, input),
            "location" => self.add_location(text_of(key, input)?),
            "cookie_name" => {
                let name = text_of(key, input)?;
                self.cookie_name = Some(name.value());
                if is_token(&name.value()) {
                    return Ok(());
                }
                Err(syn::Error::new(
                    name.span(),
                    "a cookie's name has at least one character, all of them letters, digits or \
                     among !#$%&'*+-.^_`|~ (RFC 6265)",
                ))
            }
            "header_name" => {
                let name = text_of(key, input)?;
                self.header_name = Some(name.value());
                if !is_token(&name.value()) {
                    return Err(syn::Error::new(
                        name.span(),
                        "a header's name has at least one character, all of them letters, digits or \
                         among !#$%&'*+-.^_`|~ (RFC 9110)",
                    ));
                }
                if name.value().eq_ignore_ascii_case("cookie") {
                    return Err(syn::Error::new(
                        name.span(),
                        "for a token in a cookie write `location = \"cookies\"`",
                    ));
                }
                Ok(())
            }
            "issuer" => {
                self.issuers = Some(issuers::parse(key, input)?);
                Ok(())
            }
            "acr" => {
                self.acr = Some(acr::parse(key, input)?);
                Ok(())
            }
            "query_name" => {
                let name = text_of(key, input)?;
                self.query_name = Some(name.value());
                if is_token(&name.value()) && !name.value().contains(['&', '+', '%', '#']) {
                    return Ok(());
                }
                Err(syn::Error::new(
                    name.span(),
                    "a parameter's name has at least one character, all of them letters, digits or \
                     among !$'*-.^_`|~",
                ))
            }
            "csrf" => {
                self.no_csrf = !truth(key, input)?;
                Ok(())
            }
            "scope" => {
                self.scope = Some(claim::scope(input)?);
                Ok(())
            }
            "override" => self.set_override(input),
            "fresh" => {
                self.fresh = truth(key, input)?;
                Ok(())
            }
            "max_age" => {
                self.max_age = Some(seconds(key, input)?);
                Ok(())
            }
            "crate" if input.peek(LitStr) => {
                Err(input.error("`crate` takes a path without quotes: `crate = name`"))
            }
            "crate" => {
                self.renamed = Some(input.call(Path::parse_mod_style)?);
                Ok(())
            }
            _ => Err(syn::Error::new(
                key.span,
                format!(
                    "write `{0}` alone; for a claim of this name `\"{0}\" = …`",
                    key.name
                ),
            )),
        }
    }

    fn set_token_type(&mut self, text: &LitStr) -> syn::Result<()> {
        one_of("a token's type", POSITIONAL[0].1, text)?;
        self.token_type = Some(text.value());
        Ok(())
    }

    fn add_location(&mut self, text: LitStr) -> syn::Result<()> {
        one_of("a token's location", POSITIONAL[1].1, &text)?;
        if let Some(first) = self
            .locations
            .iter()
            .find(|first| first.value() == text.value())
        {
            return Err(given_twice(&text.value(), text.span(), first.span()));
        }
        self.locations.push(text);
        Ok(())
    }

    fn set_locations(&mut self, key: &Key, input: ParseStream<'_>) -> syn::Result<()> {
        let content;
        syn::bracketed!(content in input);
        let mut errors = Errors::default();
        if content.is_empty() {
            errors.at(key.span, "a token has at least one location");
        }
        errors.comma_separated(&content, |input| self.add_location(text_of(key, input)?));
        errors.finish()
    }

    fn set_override(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let place = input.span();
        if !input.peek(Brace) {
            return Err(input.error("`override` takes claims in braces: `{\"admin\": true}`"));
        }
        match input.parse()? {
            Value::Object(members) if !members.is_empty() => {
                self.override_claims = Some(members);
                Ok(())
            }
            _ => Err(syn::Error::new(
                place,
                "an empty `override` would let every token pass; name a claim or leave it out",
            )),
        }
    }

    /// A name goes with its location, and where there is no usual name, the other way round.
    fn check_named(&self, errors: &mut Errors, location: &str, option: &str, is_required: bool) {
        let given = |name| self.given.iter().find(|(given, _)| given == name);
        let place = self.locations.iter().find(|own| own.value() == location);
        match (place, given(option)) {
            (Some(place), None) if is_required && !self.meant.contains(&option) => {
                errors.at(
                    place.span(),
                    format!("the location \"{location}\" needs a `{option} = \"…\"`"),
                );
            }
            // A location that was given badly may well have been meant to be this one.
            (None, Some((_, place)))
                if !self.meant.contains(&"location")
                    && (given("location").is_none() || !self.locations.is_empty()) =>
            {
                errors.at(
                    *place,
                    format!(
                        "`{option}` goes with the location \"{location}\": `location = \"{location}\"`"
                    ),
                );
            }
            _ => {}
        }
    }
}

fn shown(key: &Key) -> String {
    if key.quoted {
        format!("\"{}\"", key.name)
    } else {
        key.name.clone()
    }
}
