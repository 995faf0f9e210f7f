//! The lock file that a workload starts from: what the lock files of its applications agree on.
//!
//! Without one, a workload would be another one after each release of anything that it depends on. Packages stand in
//! it without their dependencies, which Cargo fills in; of versions that exclude each other, the newest is kept.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::pin::Pin;

#[derive(Deserialize)]
struct LockFile {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

/// The merged lock file.
#[derive(Default)]
pub(crate) struct Seed {
    /// Packages by their name and what is compatible with them.
    packages: BTreeMap<(String, Vec<u64>), Package>,
}

impl Seed {
    /// Adds the packages from a registry that a lock file names.
    pub(crate) fn add(&mut self, lock: &[u8]) -> Result<()> {
        let lock: LockFile = toml::from_slice(lock).context("failed to parse `Cargo.lock`")?;
        for package in lock.package.into_iter().filter(|it| it.source.is_some()) {
            let numbers = numbers(&package.version).with_context(|| {
                format!(
                    "failed to parse version `{}` of `{}`",
                    package.version, package.name
                )
            })?;
            let key = (package.name.clone(), compatible(&numbers));
            let known = self.packages.get(&key);
            if known.is_none_or(|it| numbers > self::numbers(&it.version).unwrap_or_default()) {
                self.packages.insert(key, package);
            }
        }
        Ok(())
    }

    /// Returns the newest version of a package that is locked.
    pub(crate) fn pin(&self, name: &str) -> Result<Pin> {
        let versions = self.packages.iter().filter(|((it, _), _)| it == name);
        let (_, package) = versions
            .max_by_key(|(_, it)| numbers(&it.version))
            .with_context(|| format!("no application uses `{name}`"))?;
        let checksum = package.checksum.as_deref();
        let checksum = checksum.with_context(|| format!("`{name}` has no checksum"))?;
        Ok(Pin::published(name, &package.version, checksum))
    }

    /// Returns the lock file.
    pub(crate) fn text(&self) -> String {
        let mut text = "version = 4\n".to_string();
        for package in self.packages.values() {
            text += "\n[[package]]\n";
            let source = package.source.iter().map(|it| ("source", it));
            let checksum = package.checksum.iter().map(|it| ("checksum", it));
            let named = [("name", &package.name), ("version", &package.version)];
            for (key, value) in named.into_iter().chain(source).chain(checksum) {
                text += &format!("{key} = \"{value}\"\n");
            }
        }
        text
    }
}

/// Returns the numbers of a version; what comes after them has no say here.
fn numbers(version: &str) -> Option<Vec<u64>> {
    let plain = version.split(['-', '+']).next()?;
    plain.split('.').map(|it| it.parse().ok()).collect()
}

/// Returns the part of a version that may not differ between versions that exclude each other.
fn compatible(numbers: &[u64]) -> Vec<u64> {
    let end = numbers
        .iter()
        .position(|it| *it != 0)
        .map_or(numbers.len(), |it| it + 1);
    numbers[..end].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(packages: &[(&str, &str)]) -> Vec<u8> {
        let package = |(name, version): &(&str, &str)| {
            format!(
                "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"registry\"\n\
                 checksum = \"sum-{version}\"\ndependencies = [\"x\"]\n"
            )
        };
        let own = "[[package]]\nname = \"own\"\nversion = \"1.0.0\"\n".to_string();
        let packages: String = packages.iter().map(package).collect();
        ("version = 4\n".to_string() + &own + &packages).into_bytes()
    }

    #[test]
    fn the_newest_of_compatible_versions_is_kept() {
        let mut seed = Seed::default();
        seed.add(&lock(&[
            ("a", "1.9.0"),
            ("b", "0.3.1"),
            ("a", "2.0.0"),
            ("c", "0.0.1"),
        ]))
        .unwrap();
        seed.add(&lock(&[("a", "1.10.0+x"), ("b", "0.2.9"), ("c", "0.0.2")]))
            .unwrap();
        let text = seed.text();
        let expected = ["1.10.0+x", "2.0.0", "0.2.9", "0.3.1", "0.0.1", "0.0.2"];
        let versions = text
            .lines()
            .filter_map(|it| it.strip_prefix("version = \""));
        let versions: Vec<_> = versions.map(|it| it.trim_end_matches('"')).collect();
        assert_eq!(versions, expected);
        assert!(
            !text.contains("own") && !text.contains("dependencies"),
            "{text}"
        );
        assert_eq!(seed.pin("a").unwrap().folder_name(), "a-2.0.0");
        assert_eq!(seed.pin("b").unwrap().sha256, "sum-0.3.1");
        assert!(seed.pin("own").is_err());
    }

    #[test]
    fn the_lock_file_can_be_read_again() {
        let mut seed = Seed::default();
        seed.add(&lock(&[("a", "1.0.0")])).unwrap();
        let mut again = Seed::default();
        again.add(seed.text().as_bytes()).unwrap();
        assert_eq!(again.text(), seed.text());
        assert!(seed.add(b"[[package]]").is_err());
        assert!(seed.add(&lock(&[("a", "one")])).is_err());
    }
}
