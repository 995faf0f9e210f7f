//! In which order link-time optimisation takes crates: by the names of their files (`fat_lto` of rustc sorts them).
//!
//! Names begin with the crate's, so that hashes decide only between crates of one name: two versions of a
//! crate, or one that the standard library is made of as well (`memchr`). Upstream's Cargo and the fork have
//! other hashes in the names of files, and where the order differs, functions of a program have other places
//! in it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};

use crate::differential::record::Record;
use crate::pin;
use crate::process;
use crate::tree;

/// The hashes in the names of the standard library's files, by crate.
pub(crate) struct Standard(Vec<(String, String)>);

impl Standard {
    /// Looks at the one that programs for this machine are linked with.
    pub(crate) fn of_rustc() -> Result<Standard> {
        let folder = process::read(pin::rustc_command().args(["--print", "target-libdir"]))?;
        let names = tree::list(Path::new(folder.trim_end()))
            .context("failed to list the standard library")?;
        let parts = |(name, _): (String, bool)| {
            let stem = name.strip_prefix("lib")?.strip_suffix(".rlib")?;
            let (name, hash) = stem.rsplit_once('-')?;
            Some((name.to_string(), hash.to_string()))
        };
        Ok(Standard(names.into_iter().filter_map(parts).collect()))
    }

    /// Tells whether crates of one name come in another order in two builds.
    pub(crate) fn is_reordered(&self, builds: [&Record; 2]) -> bool {
        let [left, right] = builds.map(|it| self.orders(it));
        left != right
    }

    /// Returns what crates of each name are, in the order of their hashes.
    fn orders<'a>(&'a self, record: &'a Record) -> BTreeMap<&'a str, Vec<&'a str>> {
        let mut crates: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
        let standard = self.0.iter().map(|(name, hash)| (name, (hash, "std")));
        let units = record.units.iter();
        let units = units.map(|(id, it)| (&it.crate_name, (&it.file_hash, id.as_str())));
        for (name, (hash, id)) in standard.chain(units) {
            crates.entry(name).or_default().push((hash, id));
        }
        crates.values_mut().for_each(|it| it.sort());
        let ids = |it: Vec<(_, &'a str)>| it.into_iter().map(|(_, id)| id).collect();
        crates
            .into_iter()
            .map(|(name, it)| (name, ids(it)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::differential::record::Unit;

    fn record(units: &[(&str, &str, &str)]) -> Record {
        let unit = |(id, name, hash): &(&str, &str, &str)| {
            let unit = Unit {
                crate_name: name.to_string(),
                file_hash: hash.to_string(),
                is_test: false,
                began: SystemTime::UNIX_EPOCH,
                label: name.to_string(),
            };
            (id.to_string(), unit)
        };
        let mut record = Record::default();
        record.units.extend(units.iter().map(unit));
        record
    }

    #[test]
    fn only_crates_of_one_name_can_change_places() {
        let standard = Standard(vec![("memchr".to_string(), "5".to_string())]);
        let check = |left: &[_], right: &[_], expected: bool| {
            let builds = [&record(left), &record(right)];
            assert_eq!(
                standard.is_reordered(builds),
                expected,
                "{left:?} {right:?}"
            );
        };
        check(
            &[("i", "a", "1"), ("j", "b", "2")],
            &[("i", "a", "4"), ("j", "b", "3")],
            false,
        );
        check(
            &[("i", "a", "1"), ("j", "a", "2")],
            &[("i", "a", "3"), ("j", "a", "4")],
            false,
        );
        check(
            &[("i", "a", "1"), ("j", "a", "2")],
            &[("i", "a", "4"), ("j", "a", "3")],
            true,
        );
        check(&[("i", "memchr", "1")], &[("i", "memchr", "4")], false);
        check(&[("i", "memchr", "1")], &[("i", "memchr", "9")], true);
    }
}
