//! What lies in a build directory after a build, and in what two of them differ.
//!
//! Upstream's Cargo and the fork give files names with other hashes in them, and those names are in the files, too:
//! in archives, metadata and debug information. To compare, the known hashes of both are replaced by what they
//! stand for, which is as long; and the digest that the linker makes of a whole program (`.note.gnu.build-id`) is
//! blanked. Nothing is left out of a comparison of what the fork built with what it restored.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::differential::native;
use crate::differential::record::{HASH, is_hash_digit};
use crate::tree;
use anyhow::{Context, Result};

/// Hashes in names of files, and what stands for each.
pub(crate) type Tokens = BTreeMap<String, String>;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The compiler's: what a cache restores.
    Artifact,
    /// Left by a build script, which runs in every checkout.
    Script,
}

/// A file below a build directory.
pub(crate) struct File {
    pub(crate) kind: Kind,
    pub(crate) place: PathBuf,
}

/// Returns the files that matter, by path below `target`.
pub(crate) fn files(target: &Path) -> Result<BTreeMap<String, File>> {
    let mut found = BTreeMap::new();
    for (profile, is_folder) in tree::list(target)? {
        if is_folder && !["cargo-timings", "tmp"].contains(&profile.as_str()) {
            walk(&target.join(&profile), &profile, 1, &mut found)?;
        }
    }
    Ok(found)
}

fn walk(folder: &Path, path: &str, depth: usize, found: &mut BTreeMap<String, File>) -> Result<()> {
    for (name, is_folder) in tree::list(folder)? {
        let place = folder.join(&name);
        let path = format!("{path}/{name}");
        if is_folder {
            let is_incremental = depth == 1 && name == "incremental";
            if !(name.starts_with('.') || is_incremental) {
                walk(&place, &path, depth + 1, found)?;
            }
        } else if let Some(kind) = kind(&path) {
            found.insert(path, File { kind, place });
        }
    }
    Ok(())
}

/// Says what a file is; `None` if it is Cargo's own.
fn kind(path: &str) -> Option<Kind> {
    let parts: Vec<&str> = path.split('/').collect();
    let name = parts.last()?;
    if parts.get(1) == Some(&"build") {
        return match parts.get(3)? {
            &"out" => Some(Kind::Script),
            name if name.ends_with(".d") => None,
            name if name.starts_with("build-script-") || name.starts_with("build_script_") => {
                Some(Kind::Artifact)
            }
            _ => None,
        };
    }
    let is_own = name.starts_with('.') || name.ends_with(".d");
    (!is_own).then_some(Kind::Artifact)
}

/// In what two files differ.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The first byte that is not the same.
    offset: usize,
    /// How many bytes each has.
    sizes: [usize; 2],
    /// How many bytes are not the same, where both have any.
    count: usize,
    /// The sections of an object file in which there are such bytes.
    sections: Vec<String>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [left, right] = self.sizes;
        write!(f, "{} bytes from offset {}", self.count, self.offset)?;
        if left != right {
            write!(f, ", {left} bytes long and {right}")?;
        }
        if !self.sections.is_empty() {
            write!(f, ", in {}", self.sections.join(", "))?;
        }
        Ok(())
    }
}

/// Compares files byte by byte.
pub(crate) fn compare(left: &[u8], right: &[u8]) -> Option<Difference> {
    if left == right {
        return None;
    }
    let common = left.len().min(right.len());
    let different = native::differences(left, right);
    Some(Difference {
        offset: different.first().copied().unwrap_or(common),
        sizes: [left.len(), right.len()],
        count: different.len(),
        sections: native::sections(left, &different),
    })
}

/// Reads a file.
pub(crate) fn read(place: &Path) -> Result<Vec<u8>> {
    fs::read(place).with_context(|| format!("failed to read `{}`", place.display()))
}

/// Replaces what depends on the names of files.
pub(crate) fn canonical(mut bytes: Vec<u8>, tokens: &Tokens) -> Vec<u8> {
    replace(&mut bytes, tokens);
    if let Some(note) = native::build_id(&bytes).and_then(|it| bytes.get_mut(it)) {
        note.fill(0);
    }
    bytes
}

/// Replaces known hashes in a path.
pub(crate) fn canonical_path(path: &str, tokens: &Tokens) -> String {
    let mut bytes = path.as_bytes().to_vec();
    replace(&mut bytes, tokens);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn replace(bytes: &mut [u8], tokens: &Tokens) {
    let mut digits = 0;
    let mut at = 0;
    while at < bytes.len() {
        digits = if is_hash_digit(bytes[at]) {
            digits + 1
        } else {
            0
        };
        at += 1;
        if digits < HASH {
            continue;
        }
        let hash = &mut bytes[at - HASH..at];
        let token = std::str::from_utf8(hash).ok().and_then(|it| tokens.get(it));
        if let Some(token) = token {
            hash.copy_from_slice(token.as_bytes());
            digits = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(pairs: &[(&str, &str)]) -> Tokens {
        pairs
            .iter()
            .map(|(hash, token)| (hash.to_string(), token.to_string()))
            .collect()
    }

    #[test]
    fn known_hashes_are_replaced_wherever_they_are() {
        let tokens = tokens(&[
            ("0123456789abcdef", "aaaaaaaaaaaaaaaa"),
            ("1111111111111111", "bbbbbbbbbbbbbbbb"),
        ]);
        let check = |text: &str, expected: &str| {
            let bytes = canonical(text.as_bytes().to_vec(), &tokens);
            assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        };
        check("lib-0123456789abcdef.rlib", "lib-aaaaaaaaaaaaaaaa.rlib");
        check(
            "ff0123456789abcdef1111111111111111",
            "ffaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb",
        );
        check(
            "0123456789abcde 1111111111111112",
            "0123456789abcde 1111111111111112",
        );
        assert_eq!(
            canonical_path("a-1111111111111111/b", &tokens),
            "a-bbbbbbbbbbbbbbbb/b"
        );
    }

    #[test]
    fn files_of_cargo_do_not_count() {
        for (path, expected) in [
            ("debug/rg", Some(Kind::Artifact)),
            ("debug/deps/liba-1.rlib", Some(Kind::Artifact)),
            ("debug/deps/a-1.d", None),
            ("debug/.cargo-lock", None),
            ("debug/build/a-1/output", None),
            ("debug/build/a-1/build_script_build-1", Some(Kind::Artifact)),
            ("debug/build/a-1/build_script_build-1.d", None),
            ("debug/build/a-1/out/lib/x.d", Some(Kind::Script)),
        ] {
            assert_eq!(kind(path), expected, "{path}");
        }
    }

    #[test]
    fn a_difference_is_located() {
        assert_eq!(compare(b"abc", b"abc"), None);
        let difference = compare(b"abcd", b"axcyz").unwrap();
        assert_eq!(
            difference.to_string(),
            "2 bytes from offset 1, 4 bytes long and 5"
        );
    }
}
