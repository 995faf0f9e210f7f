//! A folder's files, held in memory, and the way back to disk.
//!
//! Invariant: writing a tree touches only what differs, so that the time stamps of unchanged files survive.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Contents by path; paths are relative and use `/`.
pub(crate) type Tree = BTreeMap<String, Vec<u8>>;

/// Returns the hexadecimal SHA-256 of some bytes.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads every file below a folder that `wanted` accepts; it is asked about files and folders alike, by path.
pub(crate) fn read(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Tree> {
    let mut tree = Tree::new();
    read_into(&mut tree, folder, "", wanted)?;
    Ok(tree)
}

fn read_into(
    tree: &mut Tree,
    folder: &Path,
    prefix: &str,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<()> {
    for (name, is_folder) in list(folder)? {
        let path = format!("{prefix}{name}");
        if !wanted(&path) {
            continue;
        }
        if is_folder {
            read_into(tree, &folder.join(&name), &format!("{path}/"), wanted)?;
        } else {
            let file = folder.join(&name);
            let bytes =
                fs::read(&file).with_context(|| format!("failed to read `{}`", file.display()))?;
            tree.insert(path, bytes);
        }
    }
    Ok(())
}

/// Makes a folder hold exactly this tree, and returns how many files were written or removed.
///
/// The top-level names in `keep` are left alone. Symbolic links are removed, never followed.
pub(crate) fn sync(tree: &Tree, folder: &Path, keep: &[&str]) -> Result<usize> {
    fs::create_dir_all(folder)
        .with_context(|| format!("failed to create `{}`", folder.display()))?;
    let mut changes = remove_others(tree, folder, "", keep)?;
    for (path, bytes) in tree {
        changes += usize::from(write_if_different(&folder.join(path), bytes)?);
    }
    Ok(changes)
}

/// Writes a file unless it holds these bytes already, and says whether it wrote.
pub(crate) fn write_if_different(file: &Path, bytes: &[u8]) -> Result<bool> {
    if fs::read(file).is_ok_and(|present| present == bytes) {
        return Ok(false);
    }
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent)
            .with_context(|| format!("failed to create `{}`", parent.display()))?;
    }
    fs::write(file, bytes).with_context(|| format!("failed to write `{}`", file.display()))?;
    Ok(true)
}

fn remove_others(tree: &Tree, folder: &Path, prefix: &str, keep: &[&str]) -> Result<usize> {
    let mut removed = 0;
    for (name, is_folder) in list(folder)? {
        let path = format!("{prefix}{name}");
        if prefix.is_empty() && keep.contains(&name.as_str()) {
            continue;
        }
        let place = folder.join(&name);
        if is_folder && !place.is_symlink() {
            let inside = format!("{path}/");
            removed += remove_others(tree, &place, &inside, &[])?;
            if !tree
                .range(inside.clone()..)
                .next()
                .is_some_and(|(next, _)| next.starts_with(&inside))
            {
                fs::remove_dir(&place)
                    .with_context(|| format!("failed to remove `{}`", place.display()))?;
            }
        } else if place.is_symlink() || !tree.contains_key(&path) {
            fs::remove_file(&place)
                .with_context(|| format!("failed to remove `{}`", place.display()))?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Returns the names in a folder, sorted, and which of them are folders (also through a link).
pub(crate) fn list(folder: &Path) -> Result<Vec<(String, bool)>> {
    let mut names = Vec::new();
    let entries = fs::read_dir(folder)
        .with_context(|| format!("failed to read folder `{}`", folder.display()))?;
    for entry in entries {
        let entry =
            entry.with_context(|| format!("failed to read folder `{}`", folder.display()))?;
        let name = entry.file_name().into_string().map_err(|name| {
            anyhow::format_err!(
                "failed to read `{}`: not UTF-8",
                folder.join(name).display()
            )
        })?;
        names.push((name, entry.path().is_dir()));
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        files
            .iter()
            .map(|(path, text)| (path.to_string(), text.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn sync_writes_only_what_differs() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path();
        let first = tree(&[("a/b.rs", "1"), ("a/c.rs", "2"), ("d/e/f.rs", "3")]);
        assert_eq!(sync(&first, folder, &[]).unwrap(), 3);
        assert_eq!(sync(&first, folder, &[]).unwrap(), 0);
        let before = fs::metadata(folder.join("a/b.rs"))
            .unwrap()
            .modified()
            .unwrap();
        let second = tree(&[("a/b.rs", "1"), ("a/c.rs", "changed")]);
        assert_eq!(sync(&second, folder, &[]).unwrap(), 2);
        assert!(!folder.join("d").exists());
        let after = fs::metadata(folder.join("a/b.rs"))
            .unwrap()
            .modified()
            .unwrap();
        assert_eq!(before, after);
        assert_eq!(read(folder, &|_| true).unwrap(), second);
    }

    #[cfg(unix)]
    #[test]
    fn sync_removes_links_without_following_them() {
        let temporary = tempfile::tempdir().unwrap();
        let outside = temporary.path().join("outside");
        sync(&tree(&[("precious", "1")]), &outside, &[]).unwrap();
        let folder = temporary.path().join("folder");
        fs::create_dir_all(folder.join("target")).unwrap();
        std::os::unix::fs::symlink(&outside, folder.join("link")).unwrap();
        sync(&tree(&[("link/precious", "2")]), &folder, &["target"]).unwrap();
        assert_eq!(fs::read_to_string(outside.join("precious")).unwrap(), "1");
        assert_eq!(
            fs::read_to_string(folder.join("link/precious")).unwrap(),
            "2"
        );
        assert!(folder.join("target").exists());
    }
}
