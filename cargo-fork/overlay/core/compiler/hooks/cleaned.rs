//! Packages that were cleaned: `cargo clean -p` is how people get rid of a bad result. So the next build of
//! such a package asks no hook, and what it makes takes the place of what hooks have.
//!
//! They are listed in `.hooks/cleaned` in the build directory, a line each, until they are built. Cleaning everything
//! lists nothing: the folder goes, and all is restored.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use cargo_util::paths;

use super::config;
use crate::core::compiler::Unit;
use crate::core::{PackageId, Workspace};
use crate::util::errors::CargoResult;

/// The packages that were cleaned, and not built since.
pub(super) struct Cleaned {
    file: PathBuf,
    listed: BTreeSet<String>,
    /// Those of them that this build has asked nobody for.
    met: RefCell<BTreeSet<String>>,
}

impl Cleaned {
    /// Reads the list of a workspace. One that cannot be read is empty.
    pub(super) fn load(ws: &Workspace<'_>) -> Cleaned {
        let file = ws.build_dir().into_path_unlocked().join(".hooks/cleaned");
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        Cleaned {
            file,
            listed: text.lines().map(str::to_owned).collect(),
            met: RefCell::default(),
        }
    }

    /// Returns whether the package of a unit was cleaned.
    pub(super) fn contains(&self, unit: &Unit) -> bool {
        if self.listed.is_empty() {
            return false;
        }
        let package = unit.pkg.package_id().to_string();
        let is_listed = self.listed.contains(&package);
        if is_listed {
            self.met.borrow_mut().insert(package);
        }
        is_listed
    }

    /// Forgets what was built, after a build that succeeded.
    pub(super) fn forget(&self) -> CargoResult<()> {
        let met = self.met.borrow();
        if met.is_empty() {
            return Ok(());
        }
        self.write(self.listed.difference(&met))
    }

    fn write<'a>(&self, packages: impl Iterator<Item = &'a String>) -> CargoResult<()> {
        let text: String = packages.map(|package| format!("{package}\n")).collect();
        if text.is_empty() {
            return paths::remove_file(&self.file);
        }
        paths::create_dir_all(self.file.parent().unwrap_or(&self.file))?;
        paths::write(&self.file, text)
    }
}

/// Takes note that packages are cleaned, if there are hooks.
pub fn clean(ws: &Workspace<'_>, packages: &[PackageId], dry_run: bool) -> CargoResult<()> {
    if dry_run || config::load(ws.gctx(), 1, false)?.is_none() {
        return Ok(());
    }
    let mut cleaned = Cleaned::load(ws);
    let packages = packages.iter().map(PackageId::to_string);
    cleaned.listed.extend(packages);
    cleaned.write(cleaned.listed.iter())
}
