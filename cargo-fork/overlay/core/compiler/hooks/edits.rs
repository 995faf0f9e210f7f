//! Whether somebody is editing: then a unit is built that nobody else has built, and asking for it is in vain.
//!
//! A build directory knows the commit at which it was built last, in `.hooks/commit`. While the checkout
//! stays there, what is dirty was edited; when it moves (`git pull`, `git switch`), others may have built
//! what it moved to.

use std::path::PathBuf;

use cargo_hooks_engine::run;
use cargo_util::paths;

use crate::core::Workspace;
use crate::util::errors::CargoResult;

/// The commit that is checked out, and the one that was built last.
pub(super) struct Edits {
    file: PathBuf,
    commit: Option<String>,
    built: Option<String>,
}

impl Edits {
    /// Looks at the repository and the build directory of a workspace.
    pub(super) fn load(ws: &Workspace<'_>) -> Edits {
        let file = ws.build_dir().into_path_unlocked().join(".hooks/commit");
        Edits {
            commit: run::commit(ws.root_manifest()),
            built: std::fs::read_to_string(&file).ok(),
            file,
        }
    }

    /// Returns whether the checkout is where it was when it was built last. Without a repository nobody knows.
    pub(super) fn is_same_commit(&self) -> bool {
        self.commit.is_some() && self.commit == self.built
    }

    /// Takes note of what was built.
    pub(super) fn built(&self) -> CargoResult<()> {
        match &self.commit {
            Some(commit) if !self.is_same_commit() => {
                paths::create_dir_all(self.file.parent().unwrap_or(&self.file))?;
                paths::write(&self.file, commit)
            }
            _ => Ok(()),
        }
    }
}
