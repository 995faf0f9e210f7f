//! The series on disk: `cargo-fork/patches/series` lists one file name per line, in order.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::patch::Patch;
use crate::tree::{self, Tree, sha256};

const LIST: &str = "series";

/// The patches, in the order in which they are applied.
#[derive(Debug, Default)]
pub(crate) struct Series {
    patches: Vec<Patch>,
}

impl Series {
    /// Makes a series; two patches must not want the same file name.
    pub(crate) fn new(patches: Vec<Patch>) -> Result<Series> {
        let mut names = BTreeSet::new();
        for patch in &patches {
            ensure!(
                names.insert(patch.file_name()),
                "two patches are called `{}`; change a subject",
                patch.file_name()
            );
        }
        Ok(Series { patches })
    }

    /// Reads the series and every patch in it.
    pub(crate) fn load(folder: &Path) -> Result<Series> {
        let mut patches = Vec::new();
        for name in listed(folder)? {
            let file = folder.join(&name);
            let text = fs::read_to_string(&file)
                .with_context(|| format!("failed to read `{}`", file.display()))?;
            let patch = Patch::parse(&text)
                .with_context(|| format!("failed to parse `{}`", file.display()))?;
            if patch.file_name() != name {
                bail!("patch `{name}` has the subject of `{}`", patch.file_name());
            }
            patches.push(patch);
        }
        Series::new(patches)
    }

    /// Writes the series, and removes patches that are not in it.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let mut files: Tree = self
            .patches
            .iter()
            .map(|it| (it.file_name(), it.to_string().into_bytes()))
            .collect();
        let list: String = self
            .patches
            .iter()
            .map(|it| it.file_name() + "\n")
            .collect();
        files.insert(LIST.to_string(), list.into_bytes());
        for name in present(folder)?
            .into_iter()
            .filter(|it| !files.contains_key(it))
        {
            let file = folder.join(name);
            fs::remove_file(&file)
                .with_context(|| format!("failed to remove `{}`", file.display()))?;
        }
        for (name, bytes) in files {
            tree::write_if_different(&folder.join(name), &bytes)?;
        }
        Ok(())
    }

    /// Applies the whole series.
    pub(crate) fn apply(&self, tree: &mut Tree) -> Result<()> {
        for patch in &self.patches {
            eprintln!("[apply] {}", patch.file_name());
            patch.apply(tree).with_context(|| {
                format!(
                    "failed to apply patch `{}`\n\
                     help: run `cargo xtask patch edit`, redo the patch there, then run `cargo xtask patch save`",
                    patch.file_name()
                )
            })?;
        }
        Ok(())
    }

    /// The series as it is after its first patches.
    pub(crate) fn first(mut self, count: usize) -> Series {
        self.patches.truncate(count);
        self
    }

    /// The patches, in order.
    pub(crate) fn patches(&self) -> &[Patch] {
        &self.patches
    }
}

/// Returns the file names in the list.
pub(crate) fn listed(folder: &Path) -> Result<Vec<String>> {
    let file = folder.join(LIST);
    let text = fs::read_to_string(&file)
        .with_context(|| format!("failed to read `{}`", file.display()))?;
    Ok(text
        .lines()
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .map(String::from)
        .collect())
}

/// Returns the names of the `.patch` files that are there.
pub(crate) fn present(folder: &Path) -> Result<Vec<String>> {
    let names = tree::list(folder)?.into_iter().map(|(name, _)| name);
    Ok(names.filter(|it| it.ends_with(".patch")).collect())
}

/// Returns a digest of everything in the folder, to notice changes made behind our back.
pub(crate) fn digest(folder: &Path) -> Result<String> {
    let files = tree::read(folder, &|path| path == LIST || path.ends_with(".patch"))?;
    let lines: String = files
        .iter()
        .map(|(path, bytes)| format!("{} {path}\n", sha256(bytes)))
        .collect();
    Ok(sha256(lines.as_bytes()))
}
