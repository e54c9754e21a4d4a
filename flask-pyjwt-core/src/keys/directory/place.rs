//! Where the folder is, and whether that may be shown.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// The path of the folder.
#[derive(Clone)]
pub(crate) struct Place {
    path: PathBuf,
    is_shown: bool,
}

impl Place {
    /// A folder that code names.
    pub(crate) fn in_code(path: PathBuf) -> Self {
        Self {
            path,
            is_shown: true,
        }
    }

    /// A folder that a variable names. Its value is not shown, since it may be a secret in the wrong place.
    pub(crate) fn in_variable(path: String) -> Self {
        Self {
            path: path.into(),
            is_shown: false,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The path for errors.
    pub(super) fn shown(&self) -> Option<PathBuf> {
        self.is_shown.then(|| self.path.clone())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shown() {
            Some(path) => path.fmt(f),
            None => f.write_str("(named by a variable)"),
        }
    }
}
