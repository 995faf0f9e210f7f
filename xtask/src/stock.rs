//! Upstream's Cargo without anything of ours, built as the fork is: what the fork is measured against.
//!
//! ```text
//! target/stock/Cargo.toml, Cargo.lock   a workspace around the package, with upstream's own lock file
//! target/stock/cargo-VERSION            the package, as pristine as `target/upstream/`, which is never written to
//! target/stock/PROFILE/bin              `cargo`
//! ```

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::build;
use crate::compile::{self, Profile};
use crate::fetch;
use crate::lock::LOCK;
use crate::pin::{Pin, Rustc};
use crate::repo::Repo;
use crate::stamp::{self, Stamp};
use crate::tree::{self, Tree};

/// Brings upstream's Cargo up to date, and returns its program.
pub(crate) fn build(repo: &Repo, profile: Profile) -> Result<PathBuf> {
    let pin = Pin::load(&repo.pin_file())?;
    let rustc = Rustc::detect()?;
    pin.check_rustc(&rustc)?;
    let _lock = repo.lock()?;
    let source = fetch::verified(repo, &pin)?;
    let inputs = stamp::inputs(repo, stamp::STOCK, &pin, &rustc)?;
    let folder = repo.stock_folder().join(profile.name());
    let program = folder.join("bin").join(format!("cargo{EXE_SUFFIX}"));
    if Stamp::load(&folder).is_some_and(|it| it.is_fresh(&inputs, profile, &folder)) {
        eprintln!("[fresh] {}", folder.display());
        return Ok(program);
    }
    let workspace = repo.stock_folder();
    lay_out(fetch::unpacked(repo, &pin, source)?, &pin, &workspace)?;
    let name = pin.folder_name();
    eprintln!("[build] {name} as upstream has it ({})", profile.name());
    let compiled = compile::stock(repo, &pin, profile, &workspace)?;
    Stamp::remove(&folder)?;
    build::place(compiled.program("cargo")?, &folder.join("bin"), "cargo")?;
    Stamp::save(inputs, profile, &folder)?;
    Ok(program)
}

/// Writes the package into a workspace of its own.
///
/// Cargo tells packages apart by where they lie in their workspace. As the root of one, like the fork, this
/// package would have the fork's names in the shared build directory, and each would make the other's build
/// script run again.
fn lay_out(mut upstream: Tree, pin: &Pin, workspace: &Path) -> Result<()> {
    let missing = |file: &str| format!("`{}` has no `{file}`", pin.folder_name());
    let lock = upstream.remove(LOCK).with_context(|| missing(LOCK))?;
    let manifest = upstream.get("Cargo.toml");
    let manifest = workspace_manifest(manifest.with_context(|| missing("Cargo.toml"))?, pin)?;
    tree::sync(&upstream, &workspace.join(pin.folder_name()), &[])?;
    tree::write_if_different(&workspace.join(LOCK), &lock)?;
    tree::write_if_different(&workspace.join("Cargo.toml"), manifest.as_bytes())?;
    Ok(())
}

#[derive(Deserialize)]
struct Manifest {
    package: Package,
    profile: Option<toml::Table>,
}

#[derive(Deserialize)]
struct Package {
    edition: Option<String>,
    resolver: Option<String>,
}

impl Package {
    /// The resolver that the package has as the root of a workspace.
    fn resolver(&self) -> &str {
        match (self.resolver.as_deref(), self.edition.as_deref()) {
            (Some(resolver), _) => resolver,
            (None, None | Some("2015" | "2018")) => "1",
            (None, Some("2021")) => "2",
            (None, Some(_)) => "3",
        }
    }
}

/// Returns the manifest of the workspace, which decides what the package's own does where that is the root.
fn workspace_manifest(package: &[u8], pin: &Pin) -> Result<String> {
    let member = pin.folder_name();
    let context = || format!("failed to parse `Cargo.toml` of `{member}`");
    let manifest: Manifest = toml::from_slice(package).with_context(context)?;
    let mut text = format!(
        "[workspace]\nresolver = \"{}\"\nmembers = [\"{member}\"]\n",
        manifest.package.resolver()
    );
    if let Some(profile) = manifest.profile {
        let table = toml::Table::from_iter([("profile".to_string(), profile.into())]);
        text += &format!("\n{}", toml::to_string(&table).with_context(context)?);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin() -> Pin {
        toml::from_str(
            "name = 'cargo'\nversion = '1.0.0'\nsha256 = ''\noverlay-root = ''\nrust-version = ''",
        )
        .unwrap()
    }

    fn manifest(more: &str) -> Vec<u8> {
        format!("[package]\nname = 'cargo'\nedition = '2021'\n{more}").into_bytes()
    }

    #[test]
    fn the_workspace_has_resolver_and_profiles_of_the_package() {
        let plain = workspace_manifest(&manifest(""), &pin()).unwrap();
        let expected = "[workspace]\nresolver = \"2\"\nmembers = [\"cargo-1.0.0\"]\n";
        assert_eq!(plain, expected);
        let text = manifest("[profile.release]\nlto = true\n");
        let text = workspace_manifest(&text, &pin()).unwrap();
        let profile = "\n[profile.release]\nlto = true\n";
        assert_eq!(text, format!("{expected}{profile}"));
    }

    #[test]
    fn the_lock_file_moves_to_the_workspace() {
        let temporary = tempfile::tempdir().unwrap();
        let upstream = Tree::from([
            ("Cargo.toml".to_string(), manifest("")),
            (LOCK.to_string(), b"version = 4\n".to_vec()),
            ("src/lib.rs".to_string(), Vec::new()),
        ]);
        lay_out(upstream, &pin(), temporary.path()).unwrap();
        let files = tree::read(temporary.path(), &|_| true).unwrap();
        let names: Vec<_> = files.keys().map(String::as_str).collect();
        let expected = [
            "Cargo.lock",
            "Cargo.toml",
            "cargo-1.0.0/Cargo.toml",
            "cargo-1.0.0/src/lib.rs",
        ];
        assert_eq!(names, expected);
    }
}
