//! The cache that is shipped with the fork.

use cargo_test_support::paths;
use cargo_test_support::prelude::*;

use crate::support::{
    Counts, Hooked, Text, cached, cargo, checkouts, package, path_with, prints, shipped_cache,
};

#[cargo_test]
fn the_shipped_cache_restores() {
    if !shipped_cache("") {
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
    cached(&one, "build").counts(0, 2).run();
    let restored = "    Restored foo v0.1.0 ([ROOT]/a/deeper/place/two) (local-cache)";
    let warning = "[WARNING] unused variable: `unused`";
    cached(&two, "build -v")
        .counts(2, 0)
        .with_stderr_contains(restored)
        .with_stderr_contains(warning)
        .run();
    assert_eq!(prints(&two.bin("foo")), "3");
    cached(&two, "build").fresh().run();

    cached(&two, "local-cache clear")
        .env("PATH", path_with(cargo().parent().unwrap()))
        .run();
    two.wipe();
    cached(&two, "build").counts(0, 2).run();
}

#[cargo_test]
fn the_shipped_cache_survives_what_happens_to_its_folder() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("src/main.rs", "fn main() { println!(\"3\"); }")
    });
    cached(&one, "build").counts(0, 1).run();
    spoil(&paths::root().join("cache"));
    for _ in 0..2 {
        two.wipe();
        cached(&two, "build").run();
        assert_eq!(prints(&two.bin("foo")), "3");
    }
    two.wipe();
    let errors = cached(&two, "build").counts(1, 0).run().errors();
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
