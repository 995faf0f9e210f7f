//! Every command, and what profiles and targets change about it.

use cargo_test_support::prelude::*;
use cargo_test_support::{Project, basic_manifest, paths, project, rustc_host};

use crate::support::{
    Counts, Hook, Hooked, checkouts, cycle, hooked_in, package, prints, workspace,
};

/// A library `bar`, and a program `foo` that prints 3.
fn library_and_program() -> Project {
    project()
        .file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
        )
        .file("src/main.rs", r#"fn main() { println!("{}", bar::n()); }"#)
        .file("bar/Cargo.toml", &package("bar", ""))
        .file("bar/src/lib.rs", "pub fn n() -> u32 { 3 }")
        .build()
}

#[cargo_test]
fn check_restores_metadata() {
    let p = library_and_program();
    let hook = Hook::new();
    cycle(&hook, "check").of(&p, 2);
    p.hooked("build").counts(0, 2).run();
    let log = hook.take_log();
    assert_eq!(log.asked(), ["bar lib", "foo bin"], "a check is no build");
}

#[cargo_test]
fn release_restores() {
    let p = library_and_program();
    let hook = Hook::new();
    cycle(&hook, "build --release").of(&p, 2);
    assert_eq!(prints(&p.release_bin("foo")), "3");
}

#[cargo_test]
fn profiles_with_overrides_restore() {
    let p = project()
        .file(
            "Cargo.toml",
            &package(
                "foo",
                "[dependencies]\nbar = { path = 'bar' }\n\n\
                 [profile.dev]\npanic = 'abort'\nstrip = true\n\n\
                 [profile.dev.package.bar]\nopt-level = 2\ndebug = 1\n\n\
                 [profile.thin]\ninherits = 'release'\nlto = 'thin'\ncodegen-units = 1",
            ),
        )
        .file("src/main.rs", r#"fn main() { println!("{}", bar::n()); }"#)
        .file("bar/Cargo.toml", &basic_manifest("bar", "0.1.0"))
        .file("bar/src/lib.rs", "pub fn n() -> u32 { 3 }")
        .build();
    let hook = Hook::new();
    cycle(&hook, "build").of(&p, 2);
    p.wipe();
    cycle(&hook, "build --profile thin").of(&p, 2);
    assert_eq!(prints(&p.build_dir().join("thin/foo")), "3");
}

#[cargo_test]
fn a_named_target_restores() {
    let p = library_and_program();
    let hook = Hook::new();
    let line = format!("build --target {}", rustc_host());
    cycle(&hook, &line).of(&p, 2);
    assert_eq!(prints(&p.target_bin(rustc_host(), "foo")), "3");
}

#[cargo_test]
fn run_restores_and_runs() {
    let p = library_and_program();
    let hook = Hook::new();
    for (restored, compiled) in [(0, 2), (2, 0)] {
        p.hooked("run")
            .counts(restored, compiled)
            .with_stdout_data("3\n")
            .run();
        let log = hook.take_log();
        assert_eq!(
            log.told().len(),
            compiled,
            "settled before the program runs"
        );
        p.wipe();
    }
}

#[cargo_test]
fn test_restores_and_tests() {
    let p = project()
        .file("Cargo.toml", &package("foo", ""))
        .file("src/lib.rs", "#[test] fn passes() {}")
        .build();
    let hook = Hook::new();
    for (restored, compiled) in [(0, 1), (1, 0)] {
        p.hooked("test --lib")
            .counts(restored, compiled)
            .with_stdout_contains("test passes ... ok")
            .run();
        let log = hook.take_log();
        assert_eq!(log.asked(), ["foo lib test"]);
        p.wipe();
    }
}

#[cargo_test]
fn rustc_restores() {
    let p = library_and_program();
    let hook = Hook::new();
    cycle(&hook, "rustc --bin foo -- -C overflow-checks=off").of(&p, 2);
    p.hooked("build").counts(0, 1).run();
}

#[cargo_test]
fn install_restores() {
    let (one, two) = checkouts(|p| {
        p.file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
        )
        .file("src/main.rs", r#"fn main() { println!("{}", bar::n()); }"#)
        .file("bar/Cargo.toml", &package("bar", ""))
        .file("bar/src/lib.rs", "pub fn n() -> u32 { 3 }")
    });
    let _hook = Hook::new();
    for (p, restored, compiled) in [(one, 0, 2), (two, 2, 0)] {
        let root = paths::root().join(format!("installed-{restored}"));
        let line = format!("install --debug --path . --root {}", root.display());
        p.hooked(&line).counts(restored, compiled).run();
        assert_eq!(prints(&root.join("bin/foo")), "3");
    }
}

#[cargo_test]
fn clippy_restores() {
    if !has_clippy() {
        eprintln!("skipped: there is no cargo-clippy");
        return;
    }
    let (one, two) = checkouts(|p| {
        p.file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
        )
        .file(
            "src/main.rs",
            "fn main() { let n = bar::n(); if n == n { return; } }",
        )
        .file("bar/Cargo.toml", &package("bar", ""))
        .file("bar/src/lib.rs", "pub fn n() -> u32 { 3 }")
    });
    let lints = "[..]equal expressions as operands to `==`";
    let hook = Hook::new();
    one.hooked("clippy -- -W clippy::eq_op")
        .with_stderr_contains(lints)
        .counts(0, 2)
        .run();
    two.hooked("clippy -- -W clippy::eq_op")
        .with_stderr_contains(lints)
        .counts(2, 0)
        .run();
    two.hooked("clippy -- -W clippy::eq_op")
        .with_stderr_contains(lints)
        .fresh()
        .run();

    // Its configuration counts, and so do its arguments; not for `bar`, which is no member.
    two.change_file("clippy.toml", "msrv = \"1.80\"\n");
    two.wipe();
    two.hooked("clippy -- -W clippy::eq_op").counts(1, 1).run();
    two.wipe();
    hook.take_log();
    two.hooked("clippy -- -W clippy::eq_op -W clippy::print_stdout")
        .run();
    assert!(hook.take_log().told().contains(&"foo bin check".to_owned()));
}

fn has_clippy() -> bool {
    let clippy = std::process::Command::new("cargo-clippy")
        .arg("--version")
        .output();
    clippy.is_ok_and(|output| output.status.success())
}

#[cargo_test]
fn fix_asks_nobody() {
    let p = project()
        .file("Cargo.toml", &package("foo", ""))
        .file("src/lib.rs", "pub fn n() -> u32 { let mut n = 3; n }")
        .build();
    let hook = Hook::new();
    p.hooked("fix --allow-no-vcs").run();
    let log = hook.take_log();
    assert_eq!(log.asked(), [""; 0]);
    assert_eq!(log.told(), [""; 0]);
    assert!(p.read_file("src/lib.rs").contains("let n"), "fixed");
}

#[cargo_test]
fn a_part_of_a_workspace_restores() {
    let p = project()
        .file("Cargo.toml", &workspace(&["a", "b"]))
        .file("a/Cargo.toml", &package("a", ""))
        .file("a/src/main.rs", "fn main() {}")
        .file("b/Cargo.toml", &package("b", ""))
        .file("b/src/main.rs", r#"fn main() { println!("b"); }"#)
        .build();
    let hook = Hook::new();
    cycle(&hook, "build --workspace").cold(&p, 2);
    p.wipe();
    cycle(&hook, "build -p b").warm(&p, 1);
    p.wipe();
    hooked_in(&p.root().join("b"), "build").counts(1, 0).run();
    assert_eq!(prints(&p.bin("b")), "b");
}
