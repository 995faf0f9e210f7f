//! Reads a package from a directory source, as `cargo vendor` writes it.
//!
//! Such a package has no `.crate` file; its `.cargo-checksum.json` holds the sum that the file had, and one per file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::pin::Pin;
use crate::tree::{Tree, sha256};

/// The name of the file with the sums.
pub(crate) const CHECKSUM_FILE: &str = ".cargo-checksum.json";

#[derive(Deserialize)]
struct Checksum {
    package: Option<String>,
    files: BTreeMap<String, String>,
}

/// Reads the files that are listed, each checked against its sum.
pub(crate) fn read(folder: &Path, pin: &Pin) -> Result<Tree> {
    let list = folder.join(CHECKSUM_FILE);
    let text = fs::read_to_string(&list)
        .with_context(|| format!("failed to read `{}`", list.display()))?;
    let sums: Checksum = serde_json::from_str(&text)
        .with_context(|| format!("failed to parse `{}`", list.display()))?;
    let package = sums.package.as_deref().unwrap_or("(none)");
    if package != pin.sha256 {
        bail!(
            "`{}` differs from the pin: package sum {package}, expected {}{HELP}",
            list.display(),
            pin.sha256
        );
    }
    let mut tree = Tree::new();
    for (path, expected) in sums.files {
        let file = folder.join(&path);
        let bytes =
            fs::read(&file).with_context(|| format!("failed to read `{}`", file.display()))?;
        let sum = sha256(&bytes);
        if sum != expected {
            bail!(
                "`{}` differs from what was vendored: sha256 {sum}, expected {expected}{HELP}",
                file.display()
            );
        }
        tree.insert(path, bytes);
    }
    Ok(tree)
}

const HELP: &str = "\nhelp: run `cargo vendor` again";
