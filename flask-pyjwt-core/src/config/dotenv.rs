//! The text of a `.env` file → its bindings, exactly as python-dotenv 0.21 reads them.
//!
//! One file serves a Flask and an actix fleet, so every oddity of that reader is kept: quotes that span
//! lines, a last escaped quote that closes after all, keys without a value, lines that are skipped because
//! they make no sense. The functions below are its regular expressions, written out; each takes linear time.
//!
//! `Flask_PyJWT` pins 0.21. A later python-dotenv (1.2.4) differs in three ways, which are not followed here: it drops
//! a byte order mark (`environment` does so before it calls this), lets a backslash escape any character between quotes (`"\\"` ends there), and takes
//! `key= # text` for an empty value.

use std::{borrow::Cow, collections::HashMap};

/// What the process has under a name.
type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// All values of one file together may grow to this many bytes by `${NAME}`: forty lines that double each
/// other would fill any memory. From there on, a value with a name in it counts as not set.
const EXPANDED_LIMIT: usize = 16 << 20;

/// Reads the bindings of `text`, in the order in which their keys first appear; the last value of a key wins.
///
/// `${NAME}` and `${NAME:-default}` are replaced in every value, quoted or not: by what `environment` has
/// under that name, else by what the file has above. A key without `=` has no value.
pub(crate) fn parse(text: &str, environment: Environment<'_>) -> Vec<(String, Option<String>)> {
    let text = universal_newlines(text);
    let mut bindings = Bindings::default();
    let mut budget = Some(EXPANDED_LIMIT);
    let mut reader = Reader { rest: &text };
    while !reader.rest.is_empty() {
        match reader.binding() {
            Ok(Some((key, value))) => {
                let value = value.and_then(|it| bindings.expand(&it, environment, &mut budget));
                bindings.set(key, value);
            }
            Ok(None) => {}
            Err(Unreadable) => reader.line(),
        }
    }
    bindings.entries
}

/// What opening a file as text does in Python: `\r\n` and `\r` are `\n`, between quotes too.
fn universal_newlines(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n").into()
    } else {
        text.into()
    }
}

/// `\s` of a Python pattern, which counts four separators as blank that Unicode does not.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

fn is_blank(c: char) -> bool {
    c != '\n' && is_space(c)
}

/// A dict: a key keeps the place where it was first set.
#[derive(Default)]
struct Bindings<'a> {
    entries: Vec<(String, Option<String>)>,
    places: HashMap<&'a str, usize>,
}

impl<'a> Bindings<'a> {
    fn set(&mut self, key: &'a str, value: Option<String>) {
        let place = *self.places.entry(key).or_insert(self.entries.len());
        match self.entries.get_mut(place) {
            Some(entry) => entry.1 = value,
            None => self.entries.push((key.to_owned(), value)),
        }
    }

    fn get(&self, key: &str) -> Option<&Option<String>> {
        Some(&self.entries.get(*self.places.get(key)?)?.1)
    }

    /// The value with its `${NAME}` and `${NAME:-default}` replaced; nothing once `budget` is used up.
    fn expand(
        &self,
        value: &str,
        environment: Environment<'_>,
        budget: &mut Option<usize>,
    ) -> Option<String> {
        let mut rest = value;
        let mut expanded = String::new();
        while let Some((before, name, default, after)) = variable(rest) {
            let replacement = match (environment(name), self.get(name)) {
                (Some(outside), _) => Cow::Owned(outside),
                // The file's own key, even when it has no value: the default is for unknown names.
                (None, Some(own)) => own.as_deref().unwrap_or_default().into(),
                (None, None) => default.into(),
            };
            *budget = budget.and_then(|left| left.checked_sub(before.len() + replacement.len()));
            budget.as_ref()?;
            expanded.push_str(before);
            expanded.push_str(&replacement);
            rest = after;
        }
        expanded.push_str(rest);
        Some(expanded)
    }
}

/// The first `${NAME}` or `${NAME:-default}`: what stands before it, its name, default, and what follows.
fn variable(text: &str) -> Option<(&str, &str, &str, &str)> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find("${")?;
        let opened = &text[start + 2..];
        let (name, tail) = opened.split_at(opened.find(['}', ':'])?);
        if let Some(after) = tail.strip_prefix('}') {
            return Some((&text[..start], name, "", after));
        }
        if let Some(tail) = tail.strip_prefix(":-") {
            let (default, after) = tail.split_once('}')?;
            return Some((&text[..start], name, default, after));
        }
        // Whatever opens before this colon ends at it as well.
        from = start + 2 + name.len();
    }
}

/// A line that is no binding: the rest of it is skipped.
struct Unreadable;

/// A key and, after `=`, its value before `${NAME}` is replaced.
type Binding<'a> = (&'a str, Option<Cow<'a, str>>);

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// The next binding; nothing for a comment and at the end.
    fn binding(&mut self) -> Result<Option<Binding<'a>>, Unreadable> {
        self.take_while(is_space);
        if self.rest.is_empty() {
            return Ok(None);
        }
        if let Some(exported) = self.rest.strip_prefix("export")
            && exported.starts_with(is_blank)
        {
            self.rest = exported;
            self.take_while(is_blank);
        }
        let key = self.key()?;
        self.take_while(is_blank);
        let mut value = None;
        if let Some(assigned) = self.rest.strip_prefix('=') {
            self.rest = assigned;
            self.take_while(is_blank);
            value = Some(self.value()?);
        }
        self.take_while(is_blank);
        if !self.rest.starts_with('#') && !self.rest.starts_with('\n') && !self.rest.is_empty() {
            return Err(Unreadable);
        }
        self.line();
        Ok(key.map(|key| (key, value)))
    }

    /// `'quoted'` or `plain`; nothing before a comment.
    fn key(&mut self) -> Result<Option<&'a str>, Unreadable> {
        if self.rest.starts_with('#') {
            return Ok(None);
        }
        let key = if let Some(quoted) = self.rest.strip_prefix('\'') {
            let (key, after) = quoted.split_once('\'').ok_or(Unreadable)?;
            if !key.is_empty() {
                self.rest = after;
            }
            key
        } else {
            self.take_while(|c| c != '=' && c != '#' && !is_space(c))
        };
        if key.is_empty() {
            Err(Unreadable)
        } else {
            Ok(Some(key))
        }
    }

    fn value(&mut self) -> Result<Cow<'a, str>, Unreadable> {
        match self.rest.chars().next() {
            Some('\'') => Ok(unescape(self.quoted('\'')?, single_quoted)),
            Some('"') => Ok(unescape(self.quoted('"')?, double_quoted)),
            _ => {
                let line = self.take_while(|c| c != '\n');
                let comment = line
                    .match_indices('#')
                    .find(|&(at, _)| line[..at].ends_with(is_space))
                    .map_or(line.len(), |(at, _)| at);
                Ok(line[..comment].trim_end_matches(is_space).into())
            }
        }
    }

    /// Up to the first quote that no backslash precedes. Where there is none in the whole file, the last
    /// quote that one precedes: a backtracking pattern takes that backslash as content.
    fn quoted(&mut self, quote: char) -> Result<&'a str, Unreadable> {
        let content = &self.rest[1..];
        let mut end = None;
        for (at, _) in content.match_indices(quote) {
            end = Some(at);
            if !content[..at].ends_with('\\') {
                break;
            }
        }
        let end = end.ok_or(Unreadable)?;
        self.rest = &content[end + 1..];
        Ok(&content[..end])
    }

    /// Skips to the next line.
    fn line(&mut self) {
        self.take_while(|c| c != '\n');
        self.rest = self.rest.strip_prefix('\n').unwrap_or(self.rest);
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }
}

/// Replaces `\c` by what `escapes` has for `c`; a backslash before anything else stays.
fn unescape(raw: &str, escapes: fn(char) -> Option<char>) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return raw.into();
    }
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        let special = chars.peek().filter(|_| c == '\\').and_then(|&c| escapes(c));
        if special.is_some() {
            chars.next();
        }
        text.push(special.unwrap_or(c));
    }
    text.into()
}

fn single_quoted(c: char) -> Option<char> {
    matches!(c, '\\' | '\'').then_some(c)
}

fn double_quoted(c: char) -> Option<char> {
    Some(match c {
        '\\' | '\'' | '"' => c,
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn read(text: &str) -> Vec<(String, Option<String>)> {
        parse(text, &|name| (name == "OUT").then(|| "out".to_owned()))
    }

    #[track_caller]
    fn reads(text: &str, expected: &[(&str, Option<&str>)]) {
        let found = read(text);
        let found = found.iter().map(|(k, v)| (k.as_str(), v.as_deref()));
        assert!(
            found.clone().eq(expected.iter().copied()),
            "{text:?} gave {:?}",
            read(text)
        );
    }

    #[test]
    fn one_binding_reads_as_python_dotenv_reads_it() {
        for (text, value) in [
            ("k=v", "v"),
            ("  export \t k \t=\t v w \t# comment", "v w"),
            ("'k'=v", "v"),
            ("k=", ""),
            ("k= #v", "#v"),
            ("k=v#w", "v#w"),
            ("k=v\u{1c}# comment", "v"),
            ("k=v\u{2003}", "v"),
            ("k=a\\nb'\"", "a\\nb'\""),
            ("k='a\\n\\'\\\\b'", "a\\n'\\b"),
            (r#"k="a\n\r\t\"\'\\\x\$""#, "a\n\r\t\"'\\\\x\\$"),
            ("k='a # b' # c", "a # b"),
            ("k=\"a\r\nb\rc\"\r\n", "a\nb\nc"),
            // The only closing quote is an escaped one.
            (r#"k="a\""#, "a\\"),
            (r#"k="a\"b\" # c"#, "a\"b\\"),
            (r#"k="a\\""#, "a\\"),
            ("k=${OUT}|$OUT|${OUT:-no}|'${OUT}'", "out|$OUT|out|'out'"),
            (
                "k='${NO}|${NO:-a:b ${c}}|${NO:c}|${'",
                "|a:b ${c}|${NO:c}|${",
            ),
            ("k=${a${OUT:x}${OUT}", "${a${OUT:x}out"),
        ] {
            reads(text, &[("k", Some(value))]);
        }
    }

    #[test]
    fn what_makes_no_sense_is_skipped_to_the_end_of_its_line() {
        for text in "=v|a b|'a|''=v|a='b|a='b' c|export =v|#|".split('|') {
            reads(&format!("{text}\nk=v"), &[("k", Some("v"))]);
        }
        reads("k = 'v'w\n\nk#=v", &[("k", None)]);
        reads(
            "\u{feff}k=v\nexport",
            &[("\u{feff}k", Some("v")), ("export", None)],
        );
    }

    #[test]
    fn names_refer_to_the_lines_above_and_the_environment_wins() {
        let text = "a=${b:-1}\nb=2\nb\na=${a}${b:-3}\nb=4\nOUT=in\nc=${OUT}${b}";
        let [a, b, c] = [("a", Some("1")), ("b", Some("4")), ("c", Some("out4"))];
        reads(text, &[a, b, ("OUT", Some("in")), c]);
    }

    #[test]
    fn hostile_files_cost_neither_memory_nor_time() {
        let doubling = (1..80).fold("k0=xxxxxxxx".to_owned(), |text, n| {
            format!("{text}\nk{n}=${{k{0}}}${{k{0}}}", n - 1)
        });
        let bindings = read(&doubling);
        assert_eq!(bindings[3].1, Some("x".repeat(64)));
        assert_eq!(bindings[79].1, None);
        for part in [
            "${",
            "${a:",
            "a=\"\\\"\n",
            "a='\\'\n",
            "'a\n",
            "a= #\"",
            " \n",
            "a=${a}b\n",
        ] {
            read(&part.repeat((1 << 18) / part.len()));
            read(&format!("a={}", part.repeat((1 << 18) / part.len())));
        }
    }
}
