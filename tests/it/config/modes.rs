//! Modes: to ask, or to build everything and replace what is stored.

use std::path::{Path, PathBuf};

use cargo_test_support::paths;
use cargo_test_support::prelude::*;
use hooked_tests::Fault;

use super::program;
use crate::support::{Counts, Hook, Hooked, Text, prints};

#[cargo_test]
fn refresh_asks_nobody_and_tells_all() {
    let p = program();
    let hook = Hook::new();
    p.hooked("build").counts(0, 1).run();
    hook.take_log();
    p.wipe();
    p.hooked("build -v")
        .env("CARGO_HOOKS_MODE", "refresh")
        .counts(0, 1)
        .with_stderr_contains("      Missed foo v0.1.0 (bin \"foo\"): refresh")
        .run();
    let log = hook.take_log();
    assert_eq!((log.asked().len(), log.told().len()), (0, 1));
    p.hooked("build")
        .env("CARGO_HOOKS_MODE", "refresh")
        .fresh()
        .run();
    p.wipe();
    p.hooked("build").counts(1, 0).run();
}

#[cargo_test]
fn refresh_replaces_a_bad_result() {
    let p = program();
    Hook::new();
    p.hooked("build").counts(0, 1).run();
    // Something happens to the store.
    for file in files_below(&paths::root().join("store")) {
        std::fs::write(file, "no program at all").unwrap();
    }
    p.wipe();
    let errors = p.hooked("build").counts(0, 1).run().errors();
    assert!(
        errors.contains("warning: hook `test-hook` failed for `foo v0.1.0"),
        "{errors}"
    );
    p.wipe();
    p.hooked("build")
        .env("CARGO_HOOKS_MODE", "refresh")
        .counts(0, 1)
        .run();
    p.wipe();
    let errors = p.hooked("build").counts(1, 0).run().errors();
    assert!(!errors.contains("warning:"), "{errors}");
    assert_eq!(prints(&p.bin("foo")), "3");
}

/// Returns the files of the store but for its entries.
fn files_below(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files_below(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.file_name().is_some_and(|name| name != "entry.json"))
        .collect()
}

#[cargo_test]
fn a_hook_that_would_fail_is_not_asked_to_refresh() {
    let p = program();
    let hook = Hook::new()
        .fault(Fault::Errs)
        .setting("mode = 'refresh'\nrequired = true");
    p.hooked("build").counts(0, 1).run();
    assert_eq!(hook.take_log().told(), ["foo bin"]);
}
