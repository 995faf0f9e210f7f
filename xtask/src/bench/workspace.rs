//! The made-up workspace that is measured: many small packages in layers, and nothing from a registry.
//!
//! ```text
//! crates/p00 .. p63     src/lib.rs, src/gN/mod.rs, src/gN/mN.rs, tests/, examples/; some with a build script,
//!                       data files or a program; each depends on packages of the layer below
//! crates/macros0 ..     procedural macros
//! ```
//!
//! Invariant: the same version of this file always makes the same bytes; nothing is random, and nothing is read.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use crate::tree::{self, Tree, sha256};

mod sources;

pub(crate) use sources::generate;

/// The lock file is Cargo's.
const KEPT: &[&str] = &["Cargo.lock"];

/// The generated workspace on disk.
pub(crate) struct Workspace {
    folder: PathBuf,
    tree: Tree,
}

impl Workspace {
    /// Brings a folder up to date, with the times that it has when nobody touches it.
    pub(crate) fn write(folder: &Path) -> Result<Workspace> {
        let tree = generate();
        tree::sync(&tree, folder, KEPT)?;
        let workspace = Workspace {
            folder: folder.to_path_buf(),
            tree,
        };
        workspace.restore_times()?;
        Ok(workspace)
    }

    /// The manifest of the workspace.
    pub(crate) fn manifest(&self) -> PathBuf {
        self.folder.join("Cargo.toml")
    }

    /// How many Rust files there are.
    pub(crate) fn source_files(&self) -> usize {
        self.tree.keys().filter(|it| it.ends_with(".rs")).count()
    }

    /// How many files there are in all.
    pub(crate) fn files(&self) -> usize {
        self.tree.len()
    }

    /// The size of all files.
    pub(crate) fn bytes(&self) -> usize {
        self.tree.values().map(Vec::len).sum()
    }

    /// A digest of all of it.
    pub(crate) fn digest(&self) -> String {
        let line = |(path, bytes): (&String, &Vec<u8>)| format!("{} {path}\n", sha256(bytes));
        sha256(self.tree.iter().map(line).collect::<String>().as_bytes())
    }

    /// Makes every file look as if it had been written now.
    pub(crate) fn touch(&self) -> Result<()> {
        self.set_times(SystemTime::now())
    }

    /// Undoes [`Workspace::touch`], also that of a run that was interrupted.
    pub(crate) fn restore_times(&self) -> Result<()> {
        self.set_times(untouched())
    }

    fn set_times(&self, time: SystemTime) -> Result<()> {
        for path in self.tree.keys() {
            let place = self.folder.join(path);
            let context = || format!("failed to set the time of `{}`", place.display());
            let metadata = fs::metadata(&place).with_context(context)?;
            if metadata.modified().with_context(context)? != time {
                let file = File::options().write(true).open(&place);
                let file = file.with_context(context)?;
                file.set_modified(time).with_context(context)?;
            }
        }
        Ok(())
    }
}

/// The modification time of every file that nobody touched: in 2020, before any build.
fn untouched() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(workspace: &Workspace) -> Vec<SystemTime> {
        let places = workspace.tree.keys().map(|it| workspace.folder.join(it));
        let modified = |it: PathBuf| fs::metadata(it).unwrap().modified().unwrap();
        places.map(modified).collect()
    }

    #[test]
    fn touching_reaches_every_file_and_can_be_undone() {
        let temporary = tempfile::tempdir().unwrap();
        let workspace = Workspace::write(temporary.path()).unwrap();
        assert!(times(&workspace).iter().all(|it| *it == untouched()));
        let before = SystemTime::now() - Duration::from_secs(1);
        workspace.touch().unwrap();
        assert!(times(&workspace).iter().all(|it| *it > before));
        let again = Workspace::write(temporary.path()).unwrap();
        assert!(times(&again).iter().all(|it| *it == untouched()));
        assert_eq!(again.digest(), workspace.digest());
    }
}
