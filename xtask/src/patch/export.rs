//! `cargo xtask patch export`: the series as mails for `git am`, on top of the upstream release of the same version.
//!
//! ```text
//! 0001, 0002   the two crates, in upstream's `crates/`, with their tests, and manifests for upstream's workspace
//! 0003 ...     the patches with context; a patch that declares a module brings the files of that
//! ```
//!
//! The package of a release has a manifest that Cargo has written; upstream's own is beside it, and it is what is
//! edited here.

use std::fs;

use anyhow::{Context, Result};
use toml::{Table, Value};

use crate::fetch;
use crate::git::{Git, UPSTREAM};
use crate::overlay;
use crate::patch::{Patch, Series, scratch};
use crate::pin::Pin;
use crate::repo::Repo;
use crate::tree::{self, Tree};

const MANIFEST: &str = "Cargo.toml";
const UPSTREAMS_OWN: &str = "Cargo.toml.orig";

/// Our crates: where they lie, where they would lie, and what they are.
const CRATES: [(&str, &str, &str); 2] = [
    (
        "hook-protocol",
        "crates/hook-protocol",
        "hook-protocol: add the protocol between Cargo and build hooks\n\n\
         Wire types, the side that Cargo uses, and an SDK for hooks, with the\n\
         specification as documentation. It knows nothing of Cargo.",
    ),
    (
        "cargo-fork/engine",
        "crates/cargo-hooks-engine",
        "cargo-hooks-engine: add keys, recorded inputs and freshness by content\n\n\
         What hooks need that has no type of Cargo's: it is tested in seconds,\n\
         and does nothing until it is called.",
    ),
];

/// Writes the mails to `target/patch-export`.
pub(crate) fn run(repo: &Repo) -> Result<()> {
    let pin = Pin::load(&repo.pin_file())?;
    let series = Series::load(&repo.patches())?;
    let mut package = fetch::upstream(repo, &pin)?;
    let mut upstream = package.clone();
    if let Some(own) = upstream.remove(UPSTREAMS_OWN) {
        upstream.insert(MANIFEST.to_string(), own);
    }
    let temporary = tempfile::tempdir().context("failed to create a temporary folder")?;
    let git = scratch::create(temporary.path(), &upstream)?;
    for (from, to, message) in CRATES {
        let files = member(repo, from, to)?;
        if !files.is_empty() {
            scratch::commit_files(&git, &files, message)?;
        }
    }
    let modules = overlay::read(&repo.overlay())?;
    for patch in series.patches() {
        let context = || format!("failed to apply patch `{}`", patch.file_name());
        patch.apply(&mut package).with_context(context)?;
        let mut files = Tree::new();
        for path in patch.paths() {
            let edited = match upstream.get(path) {
                Some(own) if path == MANIFEST => with_crates(own)?,
                _ => package[path].clone(),
            };
            files.insert(path.to_string(), edited);
        }
        for folder in declared(patch) {
            let place = |path: &String| format!("{}/{path}", pin.overlay_root);
            let own = modules.iter().filter(|(path, _)| {
                let place = place(path);
                place == format!("{folder}.rs") || place.starts_with(&format!("{folder}/"))
            });
            files.extend(own.map(|(path, bytes)| (place(path), bytes.clone())));
        }
        scratch::commit_files(&git, &files, patch.message())?;
    }
    write(repo, &git)
}

fn write(repo: &Repo, git: &Git) -> Result<()> {
    let folder = repo.join("target/patch-export");
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("failed to remove `{}`", folder.display()))?;
    }
    let output = format!("--output-directory={}", folder.display());
    let range = format!("{UPSTREAM}..HEAD");
    git.read(&[
        "format-patch",
        "--no-signature",
        "--zero-commit",
        "--unified=3",
        &output,
        &range,
    ])?;
    eprintln!("[export] {}", folder.display());
    Ok(())
}

/// Returns the modules that a patch declares, as paths without an ending.
fn declared(patch: &Patch) -> Vec<String> {
    let mut modules = Vec::new();
    for (path, line) in patch.added_by_file() {
        let name = line.trim().strip_suffix(';');
        let name = name.and_then(|it| it.rsplit_once("mod ")).map(|it| it.1);
        let Some(name) = name.filter(|it| it.chars().all(|c| c.is_alphanumeric() || c == '_'))
        else {
            continue;
        };
        let folder = path.strip_suffix("/mod.rs").or(path.strip_suffix(".rs"));
        modules.extend(folder.map(|it| format!("{it}/{name}")));
    }
    modules
}

/// Returns the files of one of our crates, as a member of upstream's workspace; none if it is not there.
fn member(repo: &Repo, from: &str, to: &str) -> Result<Tree> {
    let folder = repo.join(from);
    if !folder.is_dir() {
        return Ok(Tree::new());
    }
    let root = fs::read_to_string(repo.join(MANIFEST)).context("failed to read `Cargo.toml`")?;
    let root: Table = toml::from_str(&root).context("failed to parse `Cargo.toml`")?;
    // Fuzz targets need a tool, and are no member; the RFC is no part of the series.
    let is_left_out = |path: &str| path.starts_with("fuzz") || path == "tests/rfc.rs";
    let files = tree::read(&folder, &|path| !is_left_out(path))?;
    let files = files.into_iter().map(|(path, bytes)| {
        let bytes = match path.as_str() {
            MANIFEST => manifest(&bytes, &root)?.into_bytes(),
            _ => bytes,
        };
        Ok((format!("{to}/{path}"), bytes))
    });
    files.collect()
}

/// Returns a manifest that inherits nothing from our workspace, and names our crates where they would lie.
fn manifest(bytes: &[u8], root: &Table) -> Result<String> {
    let mut manifest: Table = toml::from_slice(bytes).context("failed to parse a manifest")?;
    let workspace = &root["workspace"];
    if let Some(package) = manifest.get_mut("package").and_then(Value::as_table_mut) {
        for (name, value) in package.iter_mut() {
            inherit(value, workspace["package"].get(name));
        }
    }
    // Upstream's workspace has lints of its own.
    manifest.remove("lints");
    resolve(&mut manifest, &workspace["dependencies"]);
    Ok(toml::to_string(&manifest)?)
}

/// Puts what the workspace says in the place of `workspace = true`, in every table of dependencies.
fn resolve(table: &mut Table, dependencies: &Value) {
    for (name, value) in table.iter_mut() {
        let Some(inner) = value.as_table_mut() else {
            continue;
        };
        if !name.ends_with("dependencies") {
            resolve(inner, dependencies);
            continue;
        }
        for (name, dependency) in inner.iter_mut() {
            let optional = dependency.get("optional").cloned();
            inherit(dependency, dependencies.get(name));
            if dependency.get("path").is_some() {
                *dependency = Value::Table(Table::from_iter([(
                    "path".to_string(),
                    Value::String(format!("../{name}")),
                )]));
            }
            if let (Some(optional), Some(version)) = (optional, dependency.as_str()) {
                let version = Value::String(version.to_string());
                let fields = [("version", version), ("optional", optional)];
                let fields = fields.map(|(name, value)| (name.to_string(), value));
                *dependency = Value::Table(Table::from_iter(fields));
            }
        }
    }
}

fn inherit(value: &mut Value, from: Option<&Value>) {
    if value.get("workspace").is_some()
        && let Some(from) = from
    {
        *value = from.clone();
    }
}

/// Adds our crates to the dependencies of upstream's own manifest.
fn with_crates(manifest: &[u8]) -> Result<Vec<u8>> {
    let text = std::str::from_utf8(manifest).context("failed to read upstream's manifest")?;
    let lines: String = CRATES
        .iter()
        .filter_map(|(_, place, _)| Some((place.rsplit('/').next()?, place)))
        .map(|(name, place)| format!("{name} = {{ path = \"{place}\" }}\n"))
        .collect();
    let table = "\n[dependencies]\n";
    let at = text
        .find(table)
        .context("upstream's manifest has no `[dependencies]`")?
        + table.len();
    Ok([&text[..at], &lines, &text[at..]].concat().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_inherit_nothing() {
        let root = "[workspace.package]\nedition = \"2024\"\n[workspace.dependencies]\na = \"1\"\n\
            b = { version = \"2\", features = [\"x\"] }\nours = { path = \"ours\" }\n";
        let member = "[package]\nname = \"m\"\nedition.workspace = true\n[dependencies]\n\
            a = { workspace = true, optional = true }\nb.workspace = true\n\
            [target.'cfg(unix)'.dependencies]\nours.workspace = true\n[lints]\nworkspace = true\n";
        let root: Table = toml::from_str(root).unwrap();
        let made: Table = toml::from_str(&manifest(member.as_bytes(), &root).unwrap()).unwrap();
        let expected = "[package]\nname = \"m\"\nedition = \"2024\"\n\
            [dependencies]\na = { version = \"1\", optional = true }\n\
            b = { version = \"2\", features = [\"x\"] }\n\
            [target.'cfg(unix)'.dependencies]\nours = { path = \"../ours\" }\n";
        assert_eq!(made, toml::from_str::<Table>(expected).unwrap());
    }

    #[test]
    fn upstreams_manifest_gets_two_lines() {
        let made = with_crates(b"[package]\nname = \"cargo\"\n\n[dependencies]\na = 1\n").unwrap();
        let expected = "[package]\nname = \"cargo\"\n\n[dependencies]\n\
            hook-protocol = { path = \"crates/hook-protocol\" }\n\
            cargo-hooks-engine = { path = \"crates/cargo-hooks-engine\" }\na = 1\n";
        assert_eq!(String::from_utf8(made).unwrap(), expected);
    }
}
