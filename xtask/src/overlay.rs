//! The overlay: our modules that are compiled inside Cargo, in `cargo-fork/overlay/`.
//!
//! Invariant: an overlay file is new. What upstream has is edited by a patch, never replaced.

use std::path::Path;

use anyhow::{Result, bail};

use crate::tree::{self, Tree};

/// Reads the overlay; paths are relative to it.
pub(crate) fn read(folder: &Path) -> Result<Tree> {
    tree::read(folder, &is_ours)
}

/// Tells whether a file is part of the overlay, rather than something that an editor left there.
pub(crate) fn is_ours(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    !name.starts_with('.') && !name.ends_with('~')
}

/// Adds the overlay to upstream's files.
pub(crate) fn lay(overlay: Tree, root: &str, upstream: &mut Tree) -> Result<()> {
    for (path, bytes) in overlay {
        let place = format!("{root}/{path}");
        if upstream.contains_key(&place) {
            bail!(
                "overlay file `{path}` would replace `{place}` of upstream\n\
                 help: give it another name, or edit upstream's file with `cargo xtask patch edit`"
            );
        }
        upstream.insert(place, bytes);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[&str]) -> Tree {
        paths
            .iter()
            .map(|it| (it.to_string(), Vec::new()))
            .collect()
    }

    #[test]
    fn adds_files_and_replaces_none() {
        let mut upstream = tree(&["src/lib.rs"]);
        lay(tree(&["hooks/mod.rs"]), "src", &mut upstream).unwrap();
        assert_eq!(upstream, tree(&["src/hooks/mod.rs", "src/lib.rs"]));
        let error = lay(tree(&["lib.rs"]), "src", &mut upstream)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("overlay file `lib.rs` would replace `src/lib.rs` of upstream"),
            "{error}"
        );
    }

    #[test]
    fn leaves_out_what_editors_leave() {
        assert!(is_ours("a.b/c.rs"));
        assert!(!is_ours("a/.c.rs.swp"));
        assert!(!is_ours("a/c.rs~"));
    }
}
