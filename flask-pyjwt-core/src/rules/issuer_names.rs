//! Names of the issuers that a route accepts.

/// One or several issuers whose tokens a route accepts, for [`RequireToken::issuer`](crate::RequireToken::issuer).
///
/// It is made from a string, an array or a `Vec`. Each text is an issuer's name, the text of a template, or a name that
/// was given with [`Issuer::named`](crate::Issuer::named).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerNames(Vec<String>);

impl IssuerNames {
    /// The names. An empty list becomes one empty name, which matches no issuer.
    pub(super) fn into_names(self) -> Vec<String> {
        if self.0.is_empty() {
            return vec![String::new()];
        }
        self.0
    }
}

impl From<&str> for IssuerNames {
    fn from(issuer: &str) -> Self {
        Self(vec![issuer.to_owned()])
    }
}

impl From<String> for IssuerNames {
    fn from(issuer: String) -> Self {
        Self(vec![issuer])
    }
}

impl From<&String> for IssuerNames {
    fn from(issuer: &String) -> Self {
        Self(vec![issuer.clone()])
    }
}

impl<T: Into<String>, const N: usize> From<[T; N]> for IssuerNames {
    fn from(issuers: [T; N]) -> Self {
        Self(issuers.map(Into::into).into())
    }
}

impl<T: Into<String>> From<Vec<T>> for IssuerNames {
    fn from(issuers: Vec<T>) -> Self {
        Self(issuers.into_iter().map(Into::into).collect())
    }
}

impl<T: AsRef<str>> From<&[T]> for IssuerNames {
    fn from(issuers: &[T]) -> Self {
        Self(issuers.iter().map(|it| it.as_ref().to_owned()).collect())
    }
}
