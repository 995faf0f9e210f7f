//! [`Mentions`]: which libraries mention a variable.
//!
//! A macro of another crate can use a variable in its caller's name, and the compiler reports it as the
//! caller's. The text of such a macro is in the library that exports it: one that does not mention the
//! variable uses it nowhere else.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use memchr::memmem;

use crate::env_use;
use crate::files::Stat;

/// Libraries of which it is known that their macros only name files: those in
/// [`env_use`](crate::env_use) that are used by others.
const EXPORTERS: &[&str] = &["slint", "tonic"];

/// Remembers what was looked for in this build.
#[derive(Debug, Default)]
pub struct Mentions {
    known: Mutex<HashMap<(PathBuf, String), Looked>>,
}

/// A library as it was when it was looked at, and whether it mentions the variable.
type Looked = (Option<Stat>, bool);

impl Mentions {
    /// Returns whether a variable that holds a path was used only to name files: everywhere in the
    /// `sources` of a unit, and by no macro of the `libraries` that it can reach.
    pub fn names_only_files(
        &self,
        name: &str,
        sources: &[PathBuf],
        libraries: impl IntoIterator<Item = PathBuf>,
    ) -> bool {
        // What cannot be read as text can be included only as data, and uses nothing.
        let texts = || -> Vec<String> {
            let texts = sources.iter().map(std::fs::read_to_string);
            texts.filter_map(Result::ok).collect()
        };
        !name.starts_with("CARGO_BIN_EXE_")
            && env_use::only_names_files(name, texts().iter().map(String::as_str))
            && !self.any(libraries, name)
    }

    /// Returns whether one of the libraries mentions the variable `name`. One that cannot be read does.
    fn any(&self, libraries: impl IntoIterator<Item = PathBuf>, name: &str) -> bool {
        let mut libraries = libraries.into_iter();
        libraries.any(|library| {
            let metadata = library.with_extension("rmeta");
            let is_metadata =
                library.extension().is_some_and(|it| it == "rlib") && metadata.exists();
            self.one(if is_metadata { metadata } else { library }, name)
        })
    }

    fn one(&self, library: PathBuf, name: &str) -> bool {
        if is_exporter(&library) {
            return false;
        }
        let stat = Stat::of(&library).ok();
        let key = (library, name.to_owned());
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((then, mentions)) = known().get(&key)
            && stat.is_some()
            && *then == stat
        {
            return *mentions;
        }
        let content = std::fs::read(&key.0);
        let mentions = content.map_or(true, |it| memmem::find(&it, name.as_bytes()).is_some());
        known().insert(key, (stat, mentions));
        mentions
    }
}

fn is_exporter(library: &Path) -> bool {
    let name = library.file_name().and_then(|name| name.to_str());
    let name = name.and_then(|name| name.strip_prefix("lib"));
    name.and_then(|name| name.split_once(['-', '.']))
        .is_some_and(|(name, _)| EXPORTERS.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_metadata() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for (name, content) in [
            ("liba-1.rlib", "OUT_DIR at run time"),
            ("liba-1.rmeta", "nothing"),
            ("libb-1.so", "..OUT_DIR.."),
            ("libc-1.rlib", "..OUT_DIR.."),
            ("libtonic-1.rmeta", "OUT_DIR"),
        ] {
            std::fs::write(path(name), content).unwrap();
        }
        let mentions = Mentions::default();
        let any = |name: &str| mentions.any([path(name)], "OUT_DIR");
        assert!(!any("liba-1.rlib"));
        assert!(any("libb-1.so"));
        assert!(any("libc-1.rlib"));
        assert!(any("gone-1.rmeta"));
        assert!(!any("libtonic-1.rmeta"));
        std::fs::write(path("liba-1.rmeta"), "now it has OUT_DIR").unwrap();
        assert!(any("liba-1.rlib"));
    }
}
