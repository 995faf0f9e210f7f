//! The cache that is shipped with the fork.

use cargo_test_support::{Execs, Project, paths};

use super::{Hook, Hooked, cargo};

/// Configures the shipped cache, with more lines in the table; false, and a reason, if it is not beside the
/// fork.
pub(crate) fn shipped_cache(lines: &str) -> bool {
    let file = format!("cargo-hook-local-cache{}", std::env::consts::EXE_SUFFIX);
    if !cargo().with_file_name(&file).is_file() {
        eprintln!("skipped: there is no `{file}` beside the fork's cargo");
        return false;
    }
    Hook::configure(&format!("[hooks]\n{SHIPPED}{lines}\n"));
    true
}

/// The lines of the table `[hooks]` that name the shipped cache.
pub(crate) const SHIPPED: &str =
    "before-build = 'cargo:local-cache'\nafter-build = 'cargo:local-cache'\n";

/// Runs the fork's `cargo` in a project, with the test's own cache.
pub(crate) fn cached(p: &Project, line: &str) -> Execs {
    let mut execs = p.hooked(line);
    execs.env("CARGO_LOCAL_CACHE_DIR", paths::root().join("cache"));
    execs
}
