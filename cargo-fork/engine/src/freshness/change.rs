//! [`Change`]: why a unit is not fresh by content.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Why a unit is not fresh by content. Its text follows the name of the package in Cargo's messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Change {
    /// The content of an input is another.
    Content {
        /// The input.
        path: PathBuf,
    },
    /// An input does not exist any more, or cannot be read.
    Missing {
        /// The input.
        path: PathBuf,
    },
    /// A module exists that would have been read, or refused.
    Appeared {
        /// The module's file.
        path: PathBuf,
    },
    /// Files came, went, or are of another kind.
    Listing {
        /// The folder; empty for the package.
        path: PathBuf,
    },
    /// The content of an output is another.
    Output {
        /// The output.
        path: PathBuf,
    },
    /// An output does not exist.
    NoOutput {
        /// The output.
        path: PathBuf,
    },
    /// A variable of the environment has another value.
    Variable {
        /// Its name.
        name: String,
    },
    /// The unit depends on a path, and that is another now.
    #[serde(rename = "path-moved")]
    Moved {
        /// The path for which it was built.
        from: PathBuf,
    },
    /// An input changed, or may have, while the unit was built.
    Unstable {
        /// The input.
        path: PathBuf,
    },
    /// A build of the unit was begun, and not ended.
    Incomplete,
    /// The record cannot be read.
    Damaged,
}

impl Change {
    /// Returns the change with its paths relative to `root`, where they are below it.
    #[must_use]
    pub fn relative_to(&self, root: &Path) -> Change {
        let mut change = self.clone();
        match &mut change {
            Change::Content { path }
            | Change::Missing { path }
            | Change::Appeared { path }
            | Change::Listing { path }
            | Change::Unstable { path } => {
                if let Ok(relative) = path.strip_prefix(root) {
                    *path = relative.to_path_buf();
                }
            }
            _ => {}
        }
        change
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |path: &Path| path.file_name().unwrap_or_default().display().to_string();
        match self {
            Change::Content { path } => write!(f, "content of `{}` changed", path.display()),
            Change::Missing { path } => write!(f, "the file `{}` is missing", path.display()),
            Change::Appeared { path } => write!(f, "the file `{}` is new", path.display()),
            Change::Listing { path } if path.as_os_str().is_empty() => {
                f.write_str("the list of files in the package changed")
            }
            Change::Listing { path } => {
                write!(f, "the list of files in `{}` changed", path.display())
            }
            Change::Output { path } => write!(f, "content of the output `{}` changed", name(path)),
            Change::NoOutput { path } => write!(f, "the output `{}` is missing", name(path)),
            Change::Variable { name } => write!(f, "the environment variable `{name}` changed"),
            Change::Moved { from } => {
                write!(f, "path-moved: it was built for `{}`", from.display())
            }
            Change::Unstable { path } => {
                write!(f, "`{}` changed while it was built", path.display())
            }
            Change::Incomplete => f.write_str("an earlier build of it was not completed"),
            Change::Damaged => f.write_str("the record of its inputs is damaged"),
        }
    }
}
