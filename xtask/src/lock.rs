//! Compares the fork's lock file with upstream's.
//!
//! Invariant: the fork is built with exactly the packages that upstream's lock file names. Cargo may add packages that
//! our crates need; it must not move one that was there.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// A lock file's name.
pub(crate) const LOCK: &str = "Cargo.lock";

#[derive(Deserialize)]
struct LockFile {
    #[serde(default)]
    package: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Entry {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

/// Returns the packages that were added to upstream's lock file; fails if one of upstream's is not as it was.
pub(crate) fn added(upstream: &str, fork: &str) -> Result<Vec<String>> {
    let upstream = parse(upstream).context("failed to parse upstream's `Cargo.lock`")?;
    let fork = parse(fork).context("failed to parse the fork's `Cargo.lock`")?;
    let extra: Vec<_> = fork.difference(&upstream).collect();
    let moved: Vec<_> = upstream
        .difference(&fork)
        .map(|it| describe_move(it, &extra))
        .collect();
    if !moved.is_empty() {
        bail!(
            "failed to keep upstream's `Cargo.lock`: {} of its packages moved\n  {}\n\
             help: let `hook-protocol` and `cargo-fork/engine` accept the versions that upstream's lock file holds",
            moved.len(),
            moved.join("\n  ")
        );
    }
    Ok(extra
        .iter()
        .map(|it| format!("{} {}", it.name, it.version))
        .collect())
}

fn parse(text: &str) -> Result<BTreeSet<Entry>> {
    let lock: LockFile = toml::from_str(text)?;
    Ok(lock.package.into_iter().collect())
}

fn describe_move(entry: &Entry, extra: &[&Entry]) -> String {
    let Entry { name, version, .. } = entry;
    let now: Vec<_> = extra.iter().filter(|it| it.name == *name).collect();
    match now.as_slice() {
        [] => format!("{name} {version} is gone"),
        [now] if now.version == *version && now.source == entry.source => {
            format!("{name} {version} has another checksum")
        }
        [now] if now.version == *version => format!("{name} {version} has another source"),
        now => {
            let versions: Vec<_> = now.iter().map(|it| it.version.as_str()).collect();
            format!("{name} {version} became {}", versions.join(" and "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(entries: &[(&str, &str, &str, &str)]) -> String {
        let entry = |(name, version, source, checksum): &(&str, &str, &str, &str)| {
            let mut text = format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
            if !source.is_empty() {
                text += &format!("source = \"{source}\"\nchecksum = \"{checksum}\"\n");
            }
            text + "dependencies = [\n \"x\",\n]\n\n"
        };
        format!(
            "version = 4\n\n{}",
            entries.iter().map(entry).collect::<String>()
        )
    }

    const UPSTREAM: &[(&str, &str, &str, &str)] =
        &[("a", "1.0.0", "reg", "11"), ("cargo", "0.98.0", "", "")];

    fn check(more: &[(&str, &str, &str, &str)]) -> Result<Vec<String>, String> {
        let fork = [&UPSTREAM[1..], more].concat();
        added(&lock(UPSTREAM), &lock(&fork)).map_err(|it| it.to_string())
    }

    #[test]
    fn lists_what_was_added() {
        assert_eq!(check(&UPSTREAM[..1]).unwrap(), [""; 0]);
        let more = [
            UPSTREAM[0],
            ("a", "2.0.0", "reg", "22"),
            ("engine", "0.1.0", "", ""),
        ];
        assert_eq!(check(&more).unwrap(), ["a 2.0.0", "engine 0.1.0"]);
    }

    #[test]
    fn names_what_moved() {
        for (entry, expected) in [
            (("a", "1.0.1", "reg", "11"), "a 1.0.0 became 1.0.1"),
            (("a", "1.0.0", "git", "11"), "a 1.0.0 has another source"),
            (("a", "1.0.0", "reg", "12"), "a 1.0.0 has another checksum"),
            (("b", "1.0.0", "reg", "11"), "a 1.0.0 is gone"),
        ] {
            let error = check(&[entry]).unwrap_err();
            assert!(
                error.contains(&format!("1 of its packages moved\n  {expected}\n")),
                "{error}"
            );
        }
    }

    #[test]
    fn says_which_file_is_broken() {
        let error = added("version = 4", "[[package").unwrap_err().to_string();
        assert_eq!(error, "failed to parse the fork's `Cargo.lock`");
    }
}
