//! [`Mentions`]: which libraries mention a variable.
//!
//! A macro of another crate can use a variable in its caller's name, and the compiler reports it as the
//! caller's. The text of such a macro is in the library that exports it: one that does not mention the
//! variable uses it nowhere else.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::depinfo;
use crate::env_use;
use crate::files::Stat;
use crate::pieces;

/// Remembers what was looked for in this build.
#[derive(Debug)]
pub struct Mentions {
    /// Where the compiler runs: the folder to which it names the files of members.
    cwd: PathBuf,
    known: Mutex<HashMap<(PathBuf, String), Looked>>,
}

/// A library as it was when it was looked at, and whether it mentions the variable.
type Looked = (Option<Stat>, bool);

impl Mentions {
    /// Knows nothing yet. `cwd` is the folder in which the compiler runs for members of the workspace.
    pub fn new(cwd: PathBuf) -> Mentions {
        Mentions {
            cwd,
            known: Mutex::default(),
        }
    }

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
    pub(crate) fn any(&self, libraries: impl IntoIterator<Item = PathBuf>, name: &str) -> bool {
        let mut libraries = libraries.into_iter();
        libraries.any(|library| {
            let metadata = library.with_extension("rmeta");
            let is_metadata =
                library.extension().is_some_and(|it| it == "rlib") && metadata.exists();
            self.one(if is_metadata { metadata } else { library }, name)
        })
    }

    fn one(&self, library: PathBuf, name: &str) -> bool {
        let stat = Stat::of(&library).ok();
        let key = (library, name.to_owned());
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((then, mentions)) = known().get(&key)
            && stat.is_some()
            && *then == stat
        {
            return *mentions;
        }
        // What cannot be read may.
        let mentions = pieces::contain(&key.0, name.as_bytes()).unwrap_or(true)
            && !self.includes_only(&key.0, name);
        known().insert(key, (stat, mentions));
        mentions
    }

    /// Returns whether the sources of a library use the variable, and only to name files. So do the macros
    /// that they hold.
    fn includes_only(&self, library: &Path, name: &str) -> bool {
        let stem = library.file_stem().and_then(|stem| stem.to_str());
        let Some(stem) = stem.and_then(|stem| stem.strip_prefix("lib")) else {
            return false;
        };
        let info = std::fs::read_to_string(library.with_file_name(format!("{stem}.d")));
        let Some(info) = info.ok().and_then(|text| depinfo::parse(&text)) else {
            return false;
        };
        let sources = info.files.iter().map(|file| self.cwd.join(file));
        let texts: Option<Vec<String>> = sources
            .filter(|path| path.extension().is_some_and(|it| it == "rs"))
            .map(|path| std::fs::read_to_string(path).ok())
            .collect();
        let is_known = |text: &Vec<String>| !text.is_empty() && self.cwd.is_absolute();
        texts
            .filter(is_known)
            .is_some_and(|texts| env_use::only_names_files(name, texts.iter().map(String::as_str)))
    }
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
        ] {
            std::fs::write(path(name), content).unwrap();
        }
        let mentions = Mentions::new(dir.path().to_path_buf());
        let any = |name: &str| mentions.any([path(name)], "OUT_DIR");
        assert!(!any("liba-1.rlib"));
        assert!(any("libb-1.so"));
        assert!(any("libc-1.rlib"));
        assert!(any("gone-1.rmeta"));
        std::fs::write(path("liba-1.rmeta"), "now it has OUT_DIR").unwrap();
        assert!(any("liba-1.rlib"));
    }

    #[test]
    fn a_library_that_only_includes_mentions_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &str| std::fs::write(dir.path().join(name), content);
        write("liba-1.rmeta", "..OUT_DIR..").unwrap();
        write("a-1.d", "liba-1.rmeta: lib.rs\n").unwrap();
        let includes =
            r#"macro_rules! m { () => { include!(concat!(env!("OUT_DIR"), "/a.rs")); } }"#;
        // What `include_proto!` is.
        let joined = r#"macro_rules! m { ($name:tt) => {
            include!(concat!(env!("OUT_DIR"), concat!("/", $name, ".rs")));
        } }"#;
        for (source, mentions) in [
            (includes, false),
            (joined, false),
            (
                r#"macro_rules! m { () => { env!("OUT_DIR").len() } }"#,
                true,
            ),
            ("nothing", true),
        ] {
            write("lib.rs", source).unwrap();
            let library = dir.path().join("liba-1.rmeta");
            let any =
                |cwd: &Path| Mentions::new(cwd.to_path_buf()).any([library.clone()], "OUT_DIR");
            assert_eq!(any(dir.path()), mentions, "{source}");
            assert!(any(Path::new("")), "where the source lies is not known");
        }
        std::fs::remove_file(dir.path().join("a-1.d")).unwrap();
        let mentions = Mentions::new(dir.path().to_path_buf());
        assert!(mentions.any([dir.path().join("liba-1.rmeta")], "OUT_DIR"));
    }
}
