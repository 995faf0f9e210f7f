//! Where Cargo keeps what a compiler said about itself: with hooks in one place for all build directories, so that
//! a new one need not ask again.
//!
//! Cargo itself knows answers by the compiler and the whole question. What it does not know, and what may differ
//! between folders, is what files hold that arguments name (`@file`): then each build directory has its own.

use std::path::{Path, PathBuf};

use cargo_hooks_engine::answers;

use super::config;
use crate::util::GlobalContext;

/// A variable that tells compilers where target specifications lie: which one a name means is up to the folder.
const TARGETS: &str = "RUST_TARGET_PATH";

/// Returns the file to use instead of `own`, that of the build directory, if there is one.
pub fn place(
    gctx: &GlobalContext,
    rustc: &Path,
    is_wrapped: bool,
    own: Option<PathBuf>,
) -> Option<PathBuf> {
    let own = own?;
    let names_files = || may_name_files(gctx) || gctx.get_env_os(TARGETS).is_some();
    if is_wrapped || !config::is_on(gctx) || names_files() {
        return Some(own);
    }
    let memory = gctx.home().as_path_unlocked().join(super::MEMORY);
    let place = cargo_util::paths::resolve_executable(rustc)
        .ok()
        .and_then(|rustc| answers::place(&memory, &rustc, gctx.env()));
    Some(place.unwrap_or(own))
}

/// Returns whether flags that the user set may name files with more of them.
fn may_name_files(gctx: &GlobalContext) -> bool {
    let of_environment = gctx
        .env()
        .any(|(name, value)| name.ends_with("FLAGS") && value.contains('@'));
    let tables = ["build", "host", "profile", "target"];
    of_environment
        || gctx.values().is_ok_and(|values| {
            let mut tables = tables.iter().filter_map(|it| values.get(*it));
            tables.any(|table| format!("{table:?}").contains('@'))
        })
}
