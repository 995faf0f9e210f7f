//! The table of environment variables that belong to a unit's key.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::roots::Roots;

/// Variables that Cargo sets for the compiler and that say nothing about the result: where Cargo is,
/// how many jobs run, where libraries of the compiler lie, and which package was asked for.
/// What is not in this list enters by value, so that a newer Cargo's variables can only miss.
const LEFT_OUT: &[&str] = &[
    "CARGO",
    "CARGO_MAKEFLAGS",
    "CARGO_PRIMARY_PACKAGE",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "LD_LIBRARY_PATH",
    "MAKEFLAGS",
    "MFLAGS",
    "NUM_JOBS",
];

/// Variables of Cargo's own environment that compilers, drivers and linkers read.
const READ_BY_TOOLS: &[&str] = &[
    "CCC_OVERRIDE_OPTIONS",
    "COMPILER_PATH",
    "GCC_EXEC_PREFIX",
    "IPHONEOS_DEPLOYMENT_TARGET",
    "LDEMULATION",
    "LD_RUN_PATH",
    "LIB",
    "LIBRARY_PATH",
    "MACOSX_DEPLOYMENT_TARGET",
    "NIX_CFLAGS_COMPILE",
    "NIX_CFLAGS_LINK",
    "NIX_LDFLAGS",
    "RUSTC_BOOTSTRAP",
    "RUST_TARGET_PATH",
    "SDKROOT",
    "SOURCE_DATE_EPOCH",
    "TVOS_DEPLOYMENT_TARGET",
    "WATCHOS_DEPLOYMENT_TARGET",
    "ZERO_AR_DATE",
];

/// Beginnings of names of variables that linkers and their wrappers read.
const FAMILIES_OF_TOOLS: &[&str] = &["MOLD_", "NIX_CFLAGS_", "NIX_LDFLAGS_", "WILD_"];

/// Returns whether compilers, drivers or linkers read a variable of Cargo's own environment.
pub(crate) fn is_read_by_tools(name: &str) -> bool {
    let is_family = |it: &&str| name.starts_with(it);
    READ_BY_TOOLS.contains(&name) || FAMILIES_OF_TOOLS.iter().any(is_family)
}

/// Variables that only clippy reads.
const READ_BY_CLIPPY: &[&str] = &["CLIPPY_ARGS", "CLIPPY_CONF_DIR"];

/// The environment of one compiler process.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// What Cargo sets (or, with `None`, removes) for this process.
    pub command: BTreeMap<String, Option<String>>,
    /// What the process inherits.
    pub inherited: Arc<BTreeMap<String, String>>,
}

impl Environment {
    /// Returns the value that the process sees.
    pub fn get(&self, name: &str) -> Option<&str> {
        match self.command.get(name) {
            Some(value) => value.as_deref(),
            None => self.inherited.get(name).map(String::as_str),
        }
    }

    /// Returns every variable that the process sees, with its value.
    pub fn seen(&self) -> impl Iterator<Item = (&str, &str)> {
        let set = self.command.iter();
        let set = set.filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)));
        let inherited = self.inherited.iter();
        let inherited = inherited.filter(|(name, _)| !self.command.contains_key(*name));
        set.chain(inherited.map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// Returns the folders in which build scripts left files for this process.
    pub fn out_dirs(&self) -> impl Iterator<Item = &Path> {
        let set = self
            .command
            .iter()
            .filter(|(name, _)| *name == "OUT_DIR" || name.ends_with("_OUT_DIR"));
        set.filter_map(|(_, value)| value.as_deref().map(Path::new))
    }

    /// Returns the variables that Cargo sets to paths of this machine, but for those that say nothing
    /// about the result.
    pub fn places<'a>(&'a self, roots: &'a Roots) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.command.iter().filter_map(|(name, value)| {
            let value = value.as_deref()?;
            let counts = !LEFT_OUT.contains(&name.as_str()) && roots.occurs_in(value);
            counts.then_some((name.as_str(), value))
        })
    }

    /// Returns the lines that enter the key: what Cargo sets, normalised, and what tools read, of which
    /// clippy may be one.
    pub fn lines(&self, roots: &Roots, is_clippy: bool) -> Vec<String> {
        let set = self
            .command
            .iter()
            .filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()))
            .map(|(name, value)| line(name, value.as_deref(), roots));
        let clippy: &[&str] = if is_clippy { READ_BY_CLIPPY } else { &[] };
        let read = READ_BY_TOOLS
            .iter()
            .chain(clippy)
            .filter(|name| !self.command.contains_key(**name))
            .filter_map(|name| Some(line(name, Some(self.inherited.get(*name)?), roots)));
        let is_family = |name: &str| FAMILIES_OF_TOOLS.iter().any(|it| name.starts_with(it));
        let is_read = |name: &String| {
            is_family(name)
                && !self.command.contains_key(name)
                && !READ_BY_TOOLS.contains(&name.as_str())
        };
        let families = self.inherited.iter().filter(|(name, _)| is_read(name));
        let families = families.map(|(name, value)| line(name, Some(value), roots));
        set.chain(read).chain(families).collect()
    }
}

fn line(name: &str, value: Option<&str>, roots: &Roots) -> String {
    match value {
        Some(value) => format!("{name}={}", roots.normalise(value)),
        None => format!("{name} removed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(command: &[(&str, &str)], inherited: &[(&str, &str)]) -> Environment {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Environment {
            command: command
                .iter()
                .map(owned)
                .map(|(n, v)| (n, Some(v)))
                .collect(),
            inherited: Arc::new(inherited.iter().map(owned).collect()),
        }
    }

    fn lines(command: &[(&str, &str)], inherited: &[(&str, &str)]) -> Vec<String> {
        let mut roots = Roots::default();
        roots.add("workspace", Path::new("/nowhere/ws"));
        environment(command, inherited).lines(&roots, false)
    }

    #[test]
    fn what_cargo_sets_enters_without_paths() {
        assert_eq!(
            lines(
                &[
                    ("CARGO", "/x/cargo"),
                    ("CARGO_MANIFEST_DIR", "/nowhere/ws/a"),
                    ("CARGO_PKG_VERSION", "1.0.0"),
                    ("LD_LIBRARY_PATH", "/nowhere/ws/target"),
                    ("NEW_VARIABLE", "1"),
                ],
                &[("HOME", "/home/x"), ("TERM", "xterm"), ("SDKROOT", "/sdk")],
            ),
            [
                "CARGO_MANIFEST_DIR={workspace}/a",
                "CARGO_PKG_VERSION=1.0.0",
                "NEW_VARIABLE=1",
                "SDKROOT=/sdk",
            ]
        );
    }

    #[test]
    fn only_clippy_reads_its_variables() {
        let environment = environment(&[], &[("CLIPPY_ARGS", "-Dwarnings")]);
        assert_eq!(
            environment.lines(&Roots::default(), true),
            ["CLIPPY_ARGS=-Dwarnings"]
        );
        assert!(environment.lines(&Roots::default(), false).is_empty());
    }

    #[test]
    fn the_command_comes_before_the_process() {
        let environment = environment(&[("A", "1")], &[("A", "2"), ("B", "3")]);
        assert_eq!(environment.get("A"), Some("1"));
        assert_eq!(environment.get("B"), Some("3"));
        assert_eq!(environment.get("C"), None);
    }
}
