//! The floor: a finished build directory is put in place by hard links, as fast as a machine can.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Makes a copy of a folder whose files are further names of the same files.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    let context = || format!("failed to link `{}` to `{}`", from.display(), to.display());
    fs::create_dir(to).with_context(context)?;
    for entry in fs::read_dir(from).with_context(context)? {
        let entry = entry.with_context(context)?;
        let place = to.join(entry.file_name());
        if entry.file_type().with_context(context)?.is_dir() {
            copy(&entry.path(), &place)?;
        } else {
            fs::hard_link(entry.path(), place).with_context(context)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn files_are_the_same_and_folders_are_not() {
        let temporary = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|it| temporary.path().join(it));
        fs::create_dir_all(from.join("a/b")).unwrap();
        fs::write(from.join("a/b/file"), "text").unwrap();
        std::os::unix::fs::symlink("nowhere", from.join("link")).unwrap();
        copy(&from, &to).unwrap();
        let inode = |folder: &Path, path: &str| folder.join(path).symlink_metadata().unwrap().ino();
        assert_eq!(inode(&from, "a/b/file"), inode(&to, "a/b/file"));
        assert_eq!(inode(&from, "link"), inode(&to, "link"));
        assert_ne!(inode(&from, "a/b"), inode(&to, "a/b"));
        assert!(copy(&from, &to).is_err());
    }
}
