//! What a procedural macro may read without telling anybody.
//!
//! A macro runs inside the compiler and can read any file and variable; the compiler reports only what
//! it was told of. Most macros cannot: their library does not even [contain the functions](crate::program).

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use memchr::memmem;

use crate::env::Environment;
use crate::pieces;
use crate::program::{Powers, Program};
use crate::roots::Roots;

/// Variables that differ between terminals, sessions and users, that no result depends on, and that
/// every library mentions.
const NOISE: &[&str] = &[
    "COLUMNS",
    "HOME",
    "LINES",
    "LOGNAME",
    "OLDPWD",
    "PATH",
    "RUST_BACKTRACE",
    "RUST_LIB_BACKTRACE",
    "SHELL",
    "SHLVL",
    "TERM",
    "TMPDIR",
    "USER",
];

/// Beginnings of names that are noise to a macro that lists all variables. What an outer Cargo left is
/// noise too: this one sets its own.
const LISTED_NOISE: &[&str] = &[
    "CARGO", "DBUS_", "GITHUB_", "RUSTUP_", "SSH_", "VSCODE_", "WINDOW", "XDG_", "_",
];

/// Returns whether no result depends on a variable, though every library mentions it.
pub(crate) fn is_noise(name: &str) -> bool {
    NOISE.contains(&name)
}

/// The shortest name that is searched for: shorter ones are in every library by chance.
const MIN_NAME: usize = 4;

/// Judges libraries, each once per build.
#[derive(Default)]
pub struct Macros {
    known: Mutex<HashMap<PathBuf, Arc<Library>>>,
}

/// The variables that macros may read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables {
    /// Their values.
    pub values: BTreeMap<String, String>,
    /// What binds a unit to a path of this machine, if one of them is such a path.
    pub bound_by: Option<String>,
}

/// The library of a macro.
struct Library {
    path: PathBuf,
    powers: Powers,
    /// The names that were searched for in it, and whether it mentions them.
    mentions: Mutex<HashMap<String, bool>>,
}

impl Library {
    fn new(path: &Path) -> io::Result<Library> {
        Ok(Library {
            path: path.to_path_buf(),
            powers: Program::read(path)?.powers,
            mentions: Mutex::default(),
        })
    }

    /// Returns which of `names` are somewhere in the library: texts lie in it without anything between them.
    /// Too short ones are not searched for.
    fn mentioned<'a>(&self, names: impl Iterator<Item = &'a str>) -> io::Result<Vec<&'a str>> {
        let mut known = self.mentions.lock().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<&str> = names.filter(|name| name.len() >= MIN_NAME).collect();
        let new = names.iter().filter(|name| !known.contains_key(**name));
        let mut new: Vec<(&str, memmem::Finder<'_>)> = new
            .map(|name| (*name, memmem::Finder::new(*name)))
            .collect();
        for (name, _) in &new {
            known.insert((*name).to_owned(), false);
        }
        if let Some(longest) = new.iter().map(|(name, _)| name.len()).max() {
            pieces::any(&self.path, longest - 1, |piece, _| {
                new.retain(|(name, finder)| {
                    let is_here = finder.find(piece).is_some();
                    if is_here {
                        known.insert((*name).to_owned(), true);
                    }
                    !is_here
                });
                new.is_empty()
            })?;
        }
        Ok(names.into_iter().filter(|name| known[*name]).collect())
    }
}

impl Macros {
    /// Returns what the libraries may do together.
    ///
    /// # Errors
    ///
    /// If one cannot be read.
    pub fn powers<'a>(&self, libraries: impl Iterator<Item = &'a Path>) -> io::Result<Powers> {
        let mut powers = Powers::default();
        for library in libraries {
            powers = powers.and(self.judged(library)?.powers);
        }
        Ok(powers)
    }

    /// Returns the variables that the libraries may read: those that the compiler inherits with their
    /// values without paths of this machine. What Cargo sets for the compiler is in the key anyway; but
    /// a macro can compute with a path, so that one that it mentions enters as it is.
    ///
    /// # Errors
    ///
    /// If a library cannot be read.
    pub fn variables<'a>(
        &self,
        libraries: impl Iterator<Item = &'a Path>,
        env: &Environment,
        roots: &Roots,
    ) -> io::Result<Variables> {
        let mut out = Variables::default();
        for library in libraries {
            let library = self.judged(library)?;
            if !library.powers.reads_env {
                continue;
            }
            let places: BTreeMap<&str, &str> = env.places(roots).collect();
            for name in library.mentioned(places.keys().copied())? {
                let library = library.path.file_name().unwrap_or_default();
                let library = library.to_string_lossy();
                let by = || format!("the macros of `{library}` may use `{name}`");
                out.bound_by.get_or_insert_with(by);
                out.values.insert(name.to_owned(), places[name].to_owned());
            }
            let inherited = candidates(env).map(|(name, _)| name.as_str());
            let mentioned = library.mentioned(inherited)?;
            let mentions = |name: &str| mentioned.contains(&name);
            for (name, value) in inherited_by(library.powers, mentions, env, roots) {
                out.values.entry(name).or_insert(value);
            }
        }
        Ok(out)
    }

    fn judged(&self, path: &Path) -> io::Result<Arc<Library>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = known.get(path) {
            return Ok(library.clone());
        }
        let library = Arc::new(Library::new(path)?);
        known.insert(path.to_path_buf(), library.clone());
        Ok(library)
    }
}

/// Returns the inherited variables that a program may be interested in, with their values.
fn candidates(env: &Environment) -> impl Iterator<Item = (&String, &String)> {
    let is_own = |name: &str| !env.command.contains_key(name) && !NOISE.contains(&name);
    env.inherited.iter().filter(move |(name, _)| is_own(name))
}

/// Returns the variables that a program inherits and may read, by the names that it mentions and its powers,
/// with their values without paths of this machine.
pub(crate) fn inherited_by(
    powers: Powers,
    mentions: impl Fn(&str) -> bool,
    env: &Environment,
    roots: &Roots,
) -> BTreeMap<String, String> {
    let may_read = |name: &str| {
        let is_noise = LISTED_NOISE.iter().any(|prefix| name.starts_with(prefix));
        let is_listed = powers.lists_env && !is_noise;
        powers.reads_env && (is_listed || mentions(name))
    };
    candidates(env)
        .filter(|(name, _)| may_read(name))
        .map(|(name, value)| (name.clone(), roots.normalise(value)))
        .collect()
}

/// Returns whether `text` has `name` anywhere.
pub(crate) fn mentions(text: &[u8], name: &str) -> bool {
    name.len() >= MIN_NAME && memmem::find(text, name.as_bytes()).is_some()
}

/// Variables that hold paths of this machine, of those that Cargo sets for a compiler.
const PLACES: &[&str] = &[
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_TARGET_TMPDIR",
    "CARGO_BIN_EXE_",
    "OUT_DIR",
];

/// Returns whether a variable is one of those in which Cargo tells a compiler a path of this machine.
pub(crate) fn is_place(name: &str) -> bool {
    PLACES.contains(&name) || name.starts_with("CARGO_BIN_EXE_")
}

/// Returns what a macro library may do, and whether it may learn where its user's package lies.
///
/// # Errors
///
/// If it cannot be read.
pub fn judge_library(path: &Path) -> io::Result<(Powers, bool)> {
    let library = Library::new(path)?;
    let powers = library.powers;
    let knows = powers.reads_env
        && (powers.lists_env || !library.mentioned(PLACES.iter().copied())?.is_empty());
    Ok((powers, knows))
}

#[cfg(test)]
mod tests;
