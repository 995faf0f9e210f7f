//! What a procedural macro may read without telling anybody.
//!
//! A macro runs inside the compiler and can read any file and variable; the compiler reports only what
//! it was told of. Most macros cannot: their library does not even contain the functions. So a library
//! is judged by its symbols, since the standard library is linked into it and what is not used is
//! dropped. What every macro has (measured with an empty one, rustc 1.95: the panic machinery asks for
//! the current folder and executable, reads `/proc` and aborts) says nothing.
//!
//! What this does not see: C code in the library, and `extern "C"` calls of the platform's functions.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use memchr::memmem;
use object::{Object as _, ObjectSymbol as _};

use crate::env::Environment;
use crate::roots::Roots;

/// What a macro library may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Powers {
    /// It may read environment variables that it knows by name.
    pub reads_env: bool,
    /// It may list all environment variables.
    pub lists_env: bool,
    /// It may look at files, or start programs that do.
    pub reads_files: bool,
    /// It may use the network.
    pub uses_network: bool,
    /// It may start programs.
    pub starts_programs: bool,
    /// It asks for the time.
    pub asks_clock: bool,
}

impl Powers {
    /// The powers of a library about which nothing is known.
    const ALL_LOCAL: Powers = Powers {
        reads_env: true,
        lists_env: true,
        reads_files: true,
        uses_network: false,
        starts_programs: true,
        asks_clock: false,
    };

    /// Returns whether the macro can read what it was not given.
    pub fn is_impure(self) -> bool {
        self.reads_env || self.reads_files || self.uses_network
    }

    fn and(self, other: Powers) -> Powers {
        Powers {
            reads_env: self.reads_env || other.reads_env,
            lists_env: self.lists_env || other.lists_env,
            reads_files: self.reads_files || other.reads_files,
            uses_network: self.uses_network || other.uses_network,
            starts_programs: self.starts_programs || other.starts_programs,
            asks_clock: self.asks_clock || other.asks_clock,
        }
    }
}

/// Judges the symbols of a library; a library without symbols may do anything.
fn judge<'a>(symbols: impl Iterator<Item = &'a str>) -> Powers {
    let mut seen = false;
    let mut powers = Powers::default();
    for symbol in symbols {
        seen |= symbol.contains("3std");
        // Both manglings write a path as lengths and names.
        let uses = |module: &str, harmless: &[&str]| {
            symbol.match_indices(module).any(|(at, _)| {
                let rest = &symbol[at + module.len()..];
                !harmless.iter().any(|name| rest.starts_with(name))
            })
        };
        powers.reads_env |= uses("3std3env", &["11current_dir", "11current_exe"]);
        powers.lists_env |= symbol.contains("3std3env4vars") || symbol.contains("3std3env7vars_os");
        powers.reads_files |= uses(
            "3std2fs",
            &["24buffer_capacity_required", "RNtB5_4FileNtNtB7_2io4Read"],
        );
        powers.reads_files |= ASKING.iter().any(|method| uses_path(symbol, method));
        powers.starts_programs |= uses("3std7process", &["5abort", "4exit"]);
        powers.uses_network |= symbol.contains("3std3net");
        powers.asks_clock |= symbol.contains("10SystemTime3now");
    }
    if !seen {
        return Powers::ALL_LOCAL;
    }
    powers.reads_files |= powers.starts_programs;
    powers.reads_env |= powers.starts_programs;
    // Starting a program lists the variables that it inherits, whoever reads them.
    powers.lists_env &= !powers.starts_programs;
    powers
}

/// Methods of `Path` that look at the file system.
const ASKING: &[&str] = &[
    "6exists",
    "7is_file",
    "6is_dir",
    "10is_symlink",
    "10try_exists",
    "8read_dir",
    "9read_link",
    "8metadata",
    "16symlink_metadata",
    "12canonicalize",
];

fn uses_path(symbol: &str, method: &str) -> bool {
    symbol.contains("3std4path") && symbol.contains(&format!("4Path{method}"))
}

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
    known: Mutex<HashMap<std::path::PathBuf, Arc<Judged>>>,
}

/// The variables that macros may read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables {
    /// Their values.
    pub values: BTreeMap<String, String>,
    /// What binds a unit to a path of this machine, if one of them is such a path.
    pub bound_by: Option<String>,
}

struct Judged {
    powers: Powers,
    /// The content, if its powers make it worth searching.
    content: Option<Vec<u8>>,
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
            let judged = self.judged(library)?;
            let Some(content) = judged
                .content
                .as_deref()
                .filter(|_| judged.powers.reads_env)
            else {
                continue;
            };
            for (name, value) in env.places(roots) {
                if mentions(content, name) {
                    let library = library.file_name().unwrap_or_default().to_string_lossy();
                    let by = || format!("the macros of `{library}` may use `{name}`");
                    out.bound_by.get_or_insert_with(by);
                    out.values.insert(name.to_owned(), value.to_owned());
                }
            }
            for (name, value) in inherited(content, judged.powers, env, roots) {
                out.values.entry(name).or_insert(value);
            }
        }
        Ok(out)
    }

    fn judged(&self, library: &Path) -> io::Result<Arc<Judged>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(judged) = known.get(library) {
            return Ok(judged.clone());
        }
        let content = std::fs::read(library)?;
        let powers = powers_of(&content);
        let content = powers.is_impure().then_some(content);
        let judged = Arc::new(Judged { powers, content });
        known.insert(library.to_path_buf(), judged.clone());
        Ok(judged)
    }
}

/// Returns the variables that a program inherits and may read, by its texts and powers, with their values
/// without paths of this machine.
pub(crate) fn inherited(
    content: &[u8],
    powers: Powers,
    env: &Environment,
    roots: &Roots,
) -> BTreeMap<String, String> {
    let may_read = |name: &str| {
        let is_noise = LISTED_NOISE.iter().any(|prefix| name.starts_with(prefix));
        let is_listed = powers.lists_env && !is_noise;
        powers.reads_env && !NOISE.contains(&name) && (is_listed || mentions(content, name))
    };
    let inherited = env.inherited.iter();
    inherited
        .filter(|(name, _)| !env.command.contains_key(*name) && may_read(name))
        .map(|(name, value)| (name.clone(), roots.normalise(value)))
        .collect()
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
pub fn judge_library(library: &Path) -> io::Result<(Powers, bool)> {
    let content = std::fs::read(library)?;
    let powers = powers_of(&content);
    let knows = powers.lists_env || PLACES.iter().any(|name| mentions(&content, name));
    Ok((powers, powers.reads_env && knows))
}

/// Returns what a library or program may do, by its symbols.
pub(crate) fn powers_of(content: &[u8]) -> Powers {
    match object::File::parse(content) {
        Ok(file) => {
            let mut powers = judge(file.symbols().filter_map(|symbol| symbol.name().ok()));
            // Without symbols of its own, those that it takes from the platform tell of the network.
            let mut taken = file.dynamic_symbols().filter_map(|it| it.name().ok());
            powers.uses_network |= powers == Powers::ALL_LOCAL
                && taken.any(|name| matches!(name, "connect" | "getaddrinfo" | "socket"));
            powers
        }
        Err(_) => Powers::ALL_LOCAL,
    }
}

/// Returns whether `content` has `name` anywhere: texts lie in a library without anything between them.
fn mentions(content: &[u8], name: &str) -> bool {
    name.len() >= MIN_NAME && memmem::find(content, name.as_bytes()).is_some()
}

#[cfg(test)]
mod tests;
