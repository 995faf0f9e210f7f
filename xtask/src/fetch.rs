//! Obtains upstream's source: Cargo downloads it, and nothing is used before it was compared with the pin.
//!
//! Because Cargo itself does the download, mirrors, proxies, vendoring and source replacement work as they do
//! for every other package. What is used is the `.crate` file, not Cargo's unpacked copy, which may have been edited.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::directory;
use crate::pin::Pin;
use crate::process;
use crate::repo::{self, Repo};
use crate::tree::{self, Tree, sha256};

/// Upstream's source, compared with the pin.
pub(crate) enum Source {
    /// The content of the `.crate` file.
    Crate(Vec<u8>),
    /// What a directory source holds.
    Directory(Tree),
}

/// Returns upstream's source, downloaded if need be, without unpacking it.
pub(crate) fn verified(repo: &Repo, pin: &Pin) -> Result<Source> {
    if let Some(bytes) = cached(&repo::cargo_home()?, pin)? {
        return Ok(Source::Crate(bytes));
    }
    if let Some(folder) = vendored(repo, pin)? {
        return Ok(Source::Directory(directory::read(&folder, pin)?));
    }
    download(repo, pin)?;
    let bytes = cached(&repo::cargo_home()?, pin)?;
    let bytes = bytes.with_context(|| {
        format!(
            "failed to find `{}.crate` below `{}`, though Cargo has fetched it\n\
             help: a `local-registry` source is not supported; use `cargo vendor` or a registry",
            pin.folder_name(),
            repo::cargo_home()
                .unwrap_or_default()
                .join("registry/cache")
                .display()
        )
    })?;
    Ok(Source::Crate(bytes))
}

/// Returns upstream's files, and leaves a copy of them under `target/upstream/` to read.
pub(crate) fn upstream(repo: &Repo, pin: &Pin) -> Result<Tree> {
    unpacked(repo, pin, verified(repo, pin)?)
}

/// The same, for a source that was obtained already.
pub(crate) fn unpacked(repo: &Repo, pin: &Pin, source: Source) -> Result<Tree> {
    let tree = source.unpack(pin)?;
    tree::sync(&tree, &repo.upstream_folder(pin), &[])?;
    Ok(tree)
}

impl Source {
    /// Returns the files of the package.
    pub(crate) fn unpack(self, pin: &Pin) -> Result<Tree> {
        match self {
            Source::Crate(bytes) => unpack(&bytes, pin)
                .with_context(|| format!("failed to unpack `{}.crate`", pin.folder_name())),
            Source::Directory(tree) => Ok(tree),
        }
    }
}

/// Looks for the `.crate` file in Cargo's caches, of which there is one per registry.
fn cached(cargo_home: &Path, pin: &Pin) -> Result<Option<Vec<u8>>> {
    let caches = cargo_home.join("registry/cache");
    if !caches.is_dir() {
        return Ok(None);
    }
    let mut wrong = None;
    for (registry, _) in tree::list(&caches)? {
        let file = caches
            .join(registry)
            .join(format!("{}.crate", pin.folder_name()));
        if !file.is_file() {
            continue;
        }
        let bytes =
            fs::read(&file).with_context(|| format!("failed to read `{}`", file.display()))?;
        let sum = sha256(&bytes);
        if sum == pin.sha256 {
            return Ok(Some(bytes));
        }
        wrong = Some((file, sum));
    }
    match wrong {
        None => Ok(None),
        Some((file, sum)) => bail!(
            "`{}` differs from the pin: sha256 {sum}, expected {}\n\
             help: delete this file and try again; if that does not help, compare `cargo-fork/upstream.toml` with crates.io",
            file.display(),
            pin.sha256
        ),
    }
}

/// Returns the package's folder, if Cargo takes it from a directory source.
fn vendored(repo: &Repo, pin: &Pin) -> Result<Option<PathBuf>> {
    let dependency = format!("{} = \"={}\"", pin.name, pin.version);
    let folder = scratch_package(repo, "locate", &dependency)?;
    let mut cargo = repo.cargo();
    cargo
        .current_dir(folder)
        .args(["metadata", "--format-version=1", "--offline", "--quiet"]);
    let output = process::output(&mut cargo)?;
    if !output.status.success() {
        return Ok(None);
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout)
        .context("failed to parse the output of `cargo metadata`")?;
    let mut packages = metadata.packages.into_iter();
    let package = packages.find(|it| it.name == pin.name && it.version == pin.version);
    let folder = package.and_then(|it| it.manifest_path.parent().map(Path::to_path_buf));
    Ok(folder.filter(|it| it.join(directory::CHECKSUM_FILE).is_file()))
}

/// Lets Cargo download the one package. Of its commands, `info` is the one that stops there.
///
/// `--registry crates-io` does not go around a replacement of it; without that option `info` refuses one.
fn download(repo: &Repo, pin: &Pin) -> Result<()> {
    let spec = format!("{}@{}", pin.name, pin.version);
    eprintln!("[fetch] {spec}");
    let folder = scratch_package(repo, "download", "")?;
    let mut cargo = repo.cargo();
    cargo
        .current_dir(folder)
        .args(["info", "--quiet", "--registry=crates-io", &spec]);
    let output = process::output(&mut cargo)?;
    process::check(&cargo, &output).with_context(|| {
        format!(
            "failed to fetch `{spec}`: it is not in Cargo's cache, and Cargo could not download it\n\
             help: run this once with a network (your registry and proxy settings are used), or vendor the package"
        )
    })
}

/// Writes a package to run Cargo in: a workspace of its own, so that Cargo looks at nothing else.
fn scratch_package(repo: &Repo, name: &str, dependency: &str) -> Result<PathBuf> {
    let folder = repo.join("target/upstream").join(name);
    let manifest = format!(
        "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[lib]\npath = \"lib.rs\"\n\n\
         [dependencies]\n{dependency}\n\n[workspace]\n"
    );
    tree::write_if_different(&folder.join("Cargo.toml"), manifest.as_bytes())?;
    tree::write_if_different(&folder.join("lib.rs"), b"")?;
    Ok(folder)
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    manifest_path: PathBuf,
}

fn unpack(bytes: &[u8], pin: &Pin) -> Result<Tree> {
    let prefix = format!("{}/", pin.folder_name());
    let mut tree = Tree::new();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
    for entry in archive.entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path =
            String::from_utf8(entry.path_bytes().into_owned()).context("failed to read a path")?;
        let Some(path) = path.strip_prefix(&prefix).filter(|it| is_plain(it)) else {
            bail!("`{path}` does not lie below `{prefix}`");
        };
        let path = path.to_string();
        let mut content = Vec::new();
        entry
            .read_to_end(&mut content)
            .with_context(|| format!("failed to read `{path}`"))?;
        tree.insert(path, content);
    }
    Ok(tree)
}

fn is_plain(path: &str) -> bool {
    path.split('/')
        .all(|it| !it.is_empty() && it != "." && it != "..")
}
