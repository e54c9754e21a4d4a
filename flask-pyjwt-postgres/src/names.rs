//! The names of the tables.

use crate::problem::Problem;

/// The longest prefix. PostgreSQL cuts names after 63 bytes, and the longest name that is made from
/// it has to stay different from the others.
const LONGEST_PREFIX: usize = 32;
const LONGEST_SCHEMA: usize = 63;

/// The tables, as they are written in SQL: quoted, and with their schema if one is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    schema: Option<String>,
    prefix: String,
    pub(crate) sessions: String,
    pub(crate) tokens: String,
    pub(crate) subjects: String,
    pub(crate) versions: String,
}

impl Names {
    /// # Errors
    ///
    /// If a name has other characters than lower-case letters, digits and underscores, or is too
    /// long. Such names need no escaping anywhere.
    pub(crate) fn new(schema: Option<&str>, prefix: &str) -> Result<Self, Problem> {
        check("table_prefix", prefix, LONGEST_PREFIX)?;
        if let Some(schema) = schema {
            check("schema", schema, LONGEST_SCHEMA)?;
            if schema.starts_with("pg_") {
                return Err(Problem::configuration(
                    "`schema` begins with `pg_`, which PostgreSQL reserves",
                ));
            }
        }
        let table = |name: &str| match schema {
            Some(schema) => format!("\"{schema}\".\"{prefix}{name}\""),
            None => format!("\"{prefix}{name}\""),
        };
        Ok(Self {
            schema: schema.map(str::to_owned),
            prefix: prefix.to_owned(),
            sessions: table("sessions"),
            tokens: table("tokens"),
            subjects: table("subjects"),
            versions: table("versions"),
        })
    }

    pub(crate) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The name of a function, as it is written in SQL.
    pub(crate) fn function(&self, name: &str) -> String {
        let name = self.index(name);
        match &self.schema {
            Some(schema) => format!("\"{schema}\".{name}"),
            None => name,
        }
    }

    /// A name with the prefix, without quotes.
    pub(crate) fn plain(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The name of an index or a trigger. It is in the schema of its table.
    pub(crate) fn index(&self, name: &str) -> String {
        format!("\"{}{name}\"", self.prefix)
    }

    /// What distinguishes these tables from those of another store in the same database.
    pub(crate) fn identity(&self) -> &str {
        &self.sessions
    }
}

fn check(setting: &str, name: &str, longest: usize) -> Result<(), Problem> {
    let is_first = |first: char| first.is_ascii_lowercase() || first == '_';
    let is_plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_';
    if name.len() <= longest && name.starts_with(is_first) && name.chars().all(is_plain) {
        return Ok(());
    }
    Err(Problem::configuration(format!(
        "`{setting}` must be 1 to {longest} lower-case letters, digits and underscores, and must not begin with a \
         digit"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_are_quoted() {
        let names = Names::new(Some("auth"), "shop_").expect("plain names");
        assert_eq!(names.sessions, "\"auth\".\"shop_sessions\"");
        let names = Names::new(None, "_x1").expect("plain names");
        assert_eq!(names.tokens, "\"_x1tokens\"");
    }

    #[test]
    fn odd_names_are_refused() {
        let long = "a".repeat(64);
        for odd in [
            "", "A", "1a", "a b", "a\"b", "a.b", "a'b", "a;b", "a\0", "ä", "a-b", "a$", "\u{212a}",
            &*long,
        ] {
            assert!(Names::new(None, odd).is_err(), "{odd}");
            assert!(Names::new(Some(odd), "a").is_err(), "{odd}");
        }
        assert!(Names::new(Some("pg_catalog"), "a").is_err());
        assert!(Names::new(None, &long[..33]).is_err());
        assert!(Names::new(None, &long[..32]).is_ok());
    }
}
