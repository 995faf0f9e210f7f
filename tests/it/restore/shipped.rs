//! The cache that is shipped with the fork.

use cargo_test_support::prelude::*;
use cargo_test_support::{Execs, Project, paths};

use crate::support::{Counts, Hook, Hooked, Text, cargo, checkouts, package, path_with, prints};

/// Configures the shipped cache; false, and a reason, if it is not beside the fork.
fn configured() -> bool {
    let file = format!("cargo-hook-local-cache{}", std::env::consts::EXE_SUFFIX);
    if !cargo().with_file_name(&file).is_file() {
        eprintln!("skipped: there is no `{file}` beside the fork's cargo");
        return false;
    }
    let command = "'cargo:local-cache'";
    Hook::configure(&format!(
        "[hooks]\nbefore-build = {command}\nafter-build = {command}\n"
    ));
    true
}

fn hooked(p: &Project, line: &str) -> Execs {
    let mut execs = p.hooked(line);
    execs.env("CARGO_LOCAL_CACHE_DIR", paths::root().join("cache"));
    execs
}

#[cargo_test]
fn the_shipped_cache_restores() {
    if !configured() {
        return;
    }
    let (one, two) = checkouts(|p| {
        p.file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
        )
        .file("src/main.rs", "fn main() { println!(\"{}\", bar::n()); }")
        .file("bar/Cargo.toml", &package("bar", ""))
        .file("bar/src/lib.rs", "pub fn n() -> u32 { let unused = 1; 3 }")
    });
    hooked(&one, "build").counts(0, 2).run();
    let restored = "    Restored foo v0.1.0 ([ROOT]/a/deeper/place/two) (local-cache)";
    let warning = "[WARNING] unused variable: `unused`";
    hooked(&two, "build -v")
        .counts(2, 0)
        .with_stderr_contains(restored)
        .with_stderr_contains(warning)
        .run();
    assert_eq!(prints(&two.bin("foo")), "3");
    hooked(&two, "build").fresh().run();

    hooked(&two, "local-cache clear")
        .env("PATH", path_with(cargo().parent().unwrap()))
        .run();
    two.wipe();
    hooked(&two, "build").counts(0, 2).run();
}

#[cargo_test]
fn the_shipped_cache_survives_what_happens_to_its_folder() {
    if !configured() {
        return;
    }
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("src/main.rs", "fn main() { println!(\"3\"); }")
    });
    hooked(&one, "build").counts(0, 1).run();
    spoil(&paths::root().join("cache"));
    for _ in 0..2 {
        two.wipe();
        hooked(&two, "build").run();
        assert_eq!(prints(&two.bin("foo")), "3");
    }
    two.wipe();
    let errors = hooked(&two, "build").counts(1, 0).run().errors();
    assert!(
        !errors.contains("warning:"),
        "what was spoilt is replaced: {errors}"
    );
}

/// Cuts every file in half.
fn spoil(dir: &std::path::Path) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            spoil(&path);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            let _ = std::fs::remove_file(&path);
            std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        }
    }
}
