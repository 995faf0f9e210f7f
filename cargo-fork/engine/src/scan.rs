//! The second net under path independence: a search for paths of this machine in outputs.
//!
//! A result that holds the path of a root is *bound* to it. The search finds paths that are written
//! out; what is compressed, escaped or derived from a path it cannot see.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use hook_protocol::wire::Bound;
use memchr::memmem;

use crate::inputs::bound_to;
use crate::pieces;
use crate::roots::Roots;

/// A path shorter than this is too common a sequence of bytes to be searched for: `/src` is in every
/// archive.
pub(crate) const MIN_LENGTH: usize = 8;

/// Returns the roots to which `files` are bound, by name, and the first file of each that holds its path.
///
/// # Errors
///
/// If a file cannot be read.
pub(crate) fn bound<'a>(
    files: impl IntoIterator<Item = &'a Path>,
    roots: &Roots,
) -> io::Result<BTreeMap<String, Bound>> {
    let mut searched: Vec<(&Path, &str, memmem::Finder<'_>)> = roots
        .iter()
        .filter_map(|(path, name)| Some((path, name, path.to_str()?)))
        .filter(|(_, _, text)| text.len() >= MIN_LENGTH)
        .map(|(path, name, text)| (path, name, memmem::Finder::new(text.as_bytes())))
        .collect();
    let mut found = BTreeMap::new();
    for file in files {
        let longest = searched.iter().map(|(.., it)| it.needle().len()).max();
        pieces::any(file, longest.unwrap_or_default(), |piece, is_last| {
            searched.retain(|(path, name, finder)| {
                let is_whole = finder.find_iter(piece).any(|at| {
                    match piece.get(at + finder.needle().len()) {
                        Some(&next) => !continues_a_name(next),
                        // What follows it is in the next piece, in which it is found again.
                        None => is_last,
                    }
                });
                if is_whole {
                    let file = file.file_name().unwrap_or_default().to_string_lossy();
                    let by = format!("`{file}` holds its path");
                    let path = bound_to(path);
                    found.insert((*name).to_owned(), Bound { path, by });
                }
                !is_whole
            });
            searched.is_empty()
        })?;
    }
    Ok(found)
}

/// Returns whether `content` may hold the path of a root.
pub(crate) fn mentions(content: &[u8], roots: &Roots) -> bool {
    let mut texts = roots.iter().filter_map(|(path, _)| path.to_str());
    texts.any(|text| memmem::find(content, text.as_bytes()).is_some())
}

/// Places of a checkout: what may hold the path of one of them is bound if it cannot be searched for.
const CHECKOUT: &[&str] = &["build-dir", "out-dir", "package", "target-dir", "workspace"];

/// Returns the places of the checkout to which a result is bound that may hold any of their paths: none, if
/// these can all be searched for.
pub(crate) fn unsearchable(roots: &Roots) -> BTreeMap<String, Bound> {
    let of_checkout = || roots.iter().filter(|(_, name)| CHECKOUT.contains(name));
    if of_checkout().all(|(path, _)| path.as_os_str().len() >= MIN_LENGTH) {
        return BTreeMap::new();
    }
    let bound = |path: &Path| Bound {
        path: bound_to(path),
        by: "a path is too short to be searched for".to_owned(),
    };
    let bound = of_checkout().map(|(path, name)| (name.to_owned(), bound(path)));
    bound.collect()
}

fn continues_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_path_binds() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("liba.rlib");
        let mut roots = Roots::default();
        roots.add("workspace", Path::new("/nowhere/checkout"));
        roots.add("short", Path::new("/w"));
        for (content, names) in [
            ("\0/nowhere/checkout/src/lib.rs\0", &["workspace"] as &[_]),
            ("\0/nowhere/checkout", &["workspace"]),
            ("\0/nowhere/checkout-2/src\0", &[]),
            ("\0/w/src\0", &[]),
            ("", &[]),
        ] {
            std::fs::write(&file, content).unwrap();
            let found = bound([file.as_path()], &roots).unwrap();
            assert_eq!(found.keys().collect::<Vec<_>>(), names, "{content:?}");
        }
        // Across pieces of a large file.
        for (tail, expected) in [("/src", 1), ("-2", 0), ("", 1)] {
            for before in (1 << 20) - 20..(1 << 20) + 2 {
                let content = format!("{}/nowhere/checkout{tail}", " ".repeat(before));
                std::fs::write(&file, content).unwrap();
                let found = bound([file.as_path()], &roots).unwrap();
                assert_eq!(found.len(), expected, "{before} {tail}");
            }
        }
        assert!(
            unsearchable(&roots).is_empty(),
            "`short` is none of a checkout"
        );
        roots.add("build-dir", Path::new("/b"));
        let bound: Vec<String> = unsearchable(&roots).into_keys().collect();
        assert_eq!(bound, ["build-dir", "workspace"]);
    }
}
