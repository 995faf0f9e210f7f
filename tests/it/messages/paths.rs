//! Paths in diagnostics: those of the present checkout, whatever names the compiler was given.

use std::path::Path;

use cargo_test_support::prelude::*;
use cargo_test_support::{Project, ProjectBuilder, registry};
use serde_json::Value;

use crate::support::{Counts, Hook, Hooked, Text, checkouts, package};

/// A program with warnings in a file of its own, in a file of a build script, and in a neighbour's.
fn with_warnings_everywhere(p: ProjectBuilder) -> ProjectBuilder {
    p.file(
        "Cargo.toml",
        &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
    )
    .file(
        "build.rs",
        r#"
                fn main() {
                    let out = std::env::var("OUT_DIR").unwrap();
                    std::fs::write(format!("{out}/made.rs"), "fn made_but_dead() {}\n").unwrap();
                }
            "#,
    )
    .file(
        "src/main.rs",
        r#"
                include!(concat!(env!("OUT_DIR"), "/made.rs"));
                fn own_but_dead() {}
                fn main() { println!("{}", bar::n()); }
            "#,
    )
    .file("bar/Cargo.toml", &package("bar", ""))
    .file("bar/src/lib.rs", "pub fn n() -> u32 { let unused = 1; 3 }")
}

/// Returns the paths that human-readable diagnostics point to.
fn pointed_at(errors: &str) -> Vec<String> {
    let arrows = errors
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("--> "));
    let path = |arrow: &str| arrow.rsplitn(3, ':').last().unwrap().to_owned();
    let mut out: Vec<String> = arrows.map(path).collect();
    out.sort();
    out
}

#[track_caller]
fn assert_real(p: &Project, errors: &str) {
    assert!(!errors.contains("/cargo/"), "a made-up path: {errors}");
    let paths = pointed_at(errors);
    assert!(paths.len() >= 3, "{paths:?} in {errors}");
    for path in paths {
        assert!(
            p.root().join(&path).is_file(),
            "`{path}` does not exist: {errors}"
        );
        assert!(!Path::new(&path).is_absolute() || Path::new(&path).starts_with(p.root()));
    }
}

#[cargo_test]
fn paths_of_warnings_are_those_of_this_checkout() {
    let (one, two) = checkouts(with_warnings_everywhere);
    let _hook = Hook::new();
    let compiled = one.hooked("build").counts_with_runs(0, 3, 1).run().errors();
    assert_real(&one, &compiled);
    let restored = two.hooked("build").counts(4, 0).run().errors();
    assert_real(&two, &restored);
    let fresh = two.hooked("build").fresh().run().errors();
    assert_eq!(pointed_at(&fresh), pointed_at(&restored));
}

#[cargo_test]
fn paths_of_warnings_are_those_that_hooks_off_would_show() {
    let (one, _) = checkouts(with_warnings_everywhere);
    let _hook = Hook::new();
    let plain = one
        .hooked("build")
        .env("CARGO_HOOKS_ENABLED", "false")
        .run()
        .errors();
    one.wipe();
    let hooked = one.hooked("build").counts_with_runs(0, 3, 1).run().errors();
    // The names of build scripts' folders hold a hash.
    let without_hash = |errors: &str| -> Vec<String> {
        let strip = |path: String| match path.split_once("/build/foo-") {
            Some((before, after)) => format!("{before}/build/foo{}", &after[16..]),
            None => path,
        };
        pointed_at(errors).into_iter().map(strip).collect()
    };
    assert_eq!(without_hash(&hooked), without_hash(&plain));
}

#[cargo_test]
fn paths_in_json_are_those_of_this_checkout() {
    let (one, two) = checkouts(with_warnings_everywhere);
    let _hook = Hook::new();
    one.hooked("build").counts_with_runs(0, 3, 1).run();
    let output = two
        .hooked("build --message-format=json")
        .counts(4, 0)
        .run()
        .output();
    assert!(!output.contains("/cargo/"), "{output}");
    let mut seen = 0;
    for line in output.lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        for span in message["message"]["spans"].as_array().into_iter().flatten() {
            let path = span["file_name"].as_str().unwrap();
            assert!(two.root().join(path).is_file(), "`{path}` does not exist");
            seen += 1;
        }
    }
    assert_eq!(seen, 3);
}

#[cargo_test]
fn an_error_points_into_the_registry() {
    registry::Package::new("bar", "1.0.0")
        .file("src/lib.rs", "pub fn n() -> u32 { 3 }")
        .publish();
    let (one, _) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", "[dependencies]\nbar = '1.0'"))
            .file("src/main.rs", "fn main() { println!(\"{}\", bar::n(1)); }")
    });
    let _hook = Hook::new();
    for _ in 0..2 {
        let errors = one
            .hooked("build")
            .with_status(101)
            .with_stderr_contains("error[E0061]: [..]")
            .run();
        let paths = pointed_at(&errors.errors());
        let definition = paths
            .iter()
            .find(|path| path.contains("bar-1.0.0"))
            .unwrap();
        assert!(
            Path::new(definition).is_file(),
            "`{definition}` does not exist"
        );
        one.wipe();
    }
}

#[cargo_test]
fn a_panic_of_a_restored_program_names_its_source() {
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("src/main.rs", "fn main() { panic!(\"no luck\") }")
    });
    let _hook = Hook::new();
    for (p, restored, compiled) in [(one, 0, 1), (two, 1, 0)] {
        p.hooked("build").counts(restored, compiled).run();
        let panic = "[..]panicked at src/main.rs:1:13:";
        p.process(p.bin("foo"))
            .with_status(101)
            .with_stderr_contains(panic)
            .run();
    }
}
