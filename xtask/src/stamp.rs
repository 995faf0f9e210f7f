//! Remembers what a folder of programs was built from, so that building it again costs nothing.
//!
//! The stamp is `stamp.json` in that folder, beside `bin/`. It holds a digest of everything that went in, and size
//! and modification time of every file that came out.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::compile::Profile;
use crate::pin::{Pin, Rustc};
use crate::repo::Repo;
use crate::tree::{self, Tree, sha256};

const FILE: &str = "stamp.json";

/// The folders and files that decide what the fork is. `xtask/src` is one of them: it holds the recipe.
pub(crate) const FORK: &[&str] = &[
    ".cargo/config.toml",
    "Cargo.lock",
    "Cargo.toml",
    "cargo-fork",
    "examples",
    "hook-check",
    "hook-protocol",
    "xtask/src",
];

/// The same for upstream's Cargo, into which nothing of ours goes.
pub(crate) const STOCK: &[&str] = &[".cargo/config.toml", "xtask/src"];

/// The content of the stamp.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// A digest of everything that went in.
    inputs: String,
    /// The name of the profile.
    profile: String,
    /// Size and modification time, in nanoseconds, of each file that came out.
    outputs: BTreeMap<String, (u64, u64)>,
}

impl Stamp {
    /// Reads the stamp; an unreadable one is no stamp.
    pub(crate) fn load(folder: &Path) -> Option<Stamp> {
        serde_json::from_slice(&fs::read(folder.join(FILE)).ok()?).ok()
    }

    /// Tells whether the same inputs were built with the same profile, and nobody touched the outputs.
    pub(crate) fn is_fresh(&self, inputs: &str, profile: Profile, folder: &Path) -> bool {
        self.inputs == inputs
            && self.profile == profile.name()
            && outputs(folder).is_ok_and(|present| present == self.outputs)
    }

    /// Takes the stamp away, before the outputs are touched.
    pub(crate) fn remove(folder: &Path) -> Result<()> {
        let file = folder.join(FILE);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("failed to remove `{}`", file.display()))
            }
            _ => Ok(()),
        }
    }

    /// Writes the stamp of what is there now.
    pub(crate) fn save(inputs: String, profile: Profile, folder: &Path) -> Result<()> {
        let stamp = Stamp {
            inputs,
            profile: profile.name().to_string(),
            outputs: outputs(folder)?,
        };
        let text = serde_json::to_vec_pretty(&stamp).context("failed to write the stamp")?;
        tree::write_if_different(&folder.join(FILE), &text).map(drop)
    }
}

/// Returns a digest of everything that decides what is built. The pinned file itself is compared separately.
pub(crate) fn inputs(repo: &Repo, sources: &[&str], pin: &Pin, rustc: &Rustc) -> Result<String> {
    let mut inputs = Tree::new();
    for source in sources.iter().copied() {
        let place = repo.join(source);
        if place.is_dir() {
            let files = tree::read(&place, &is_source)?;
            inputs.extend(
                files
                    .into_iter()
                    .map(|(path, bytes)| (format!("{source}/{path}"), bytes)),
            );
        } else if place.is_file() {
            let bytes = fs::read(&place)
                .with_context(|| format!("failed to read `{}`", place.display()))?;
            inputs.insert(source.to_string(), bytes);
        }
    }
    inputs.insert("rustc -vV".to_string(), rustc.verbose.clone().into_bytes());
    inputs.insert("pin".to_string(), pin.sha256.clone().into_bytes());
    for name in ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"] {
        inputs.insert(
            name.to_string(),
            env::var_os(name).unwrap_or_default().into_encoded_bytes(),
        );
    }
    let lines: String = inputs
        .iter()
        .map(|(path, bytes)| format!("{} {path}\n", sha256(bytes)))
        .collect();
    Ok(sha256(lines.as_bytes()))
}

fn is_source(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name != "target" && !name.starts_with('.') && !name.ends_with('~')
}

fn outputs(folder: &Path) -> Result<BTreeMap<String, (u64, u64)>> {
    let bin = folder.join("bin");
    let mut outputs = BTreeMap::new();
    for (name, _) in tree::list(&bin)? {
        let file = bin.join(&name);
        let context = || format!("failed to read `{}`", file.display());
        let metadata = fs::metadata(&file).with_context(context)?;
        let modified = metadata
            .modified()
            .with_context(context)?
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        outputs.insert(
            name,
            (
                metadata.len(),
                u64::try_from(modified.as_nanos()).unwrap_or(u64::MAX),
            ),
        );
    }
    Ok(outputs)
}
