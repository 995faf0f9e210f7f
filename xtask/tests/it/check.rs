//! `check` runs every step, names those that failed, and sees warnings in the patched Cargo.

use crate::world::{PACKAGE, World};

/// A repository whose fork compiles `overlay` as module `hooks`.
fn world(overlay: &str) -> World {
    let world = World::new();
    world.write("rustfmt.toml", "");
    world.write("xtask/src/main.rs", "//! Nothing.\n");
    world.passes(&["patch", "edit"]);
    let edited = format!("target/patch-edit/{PACKAGE}/src/main.rs");
    world.write(
        &edited,
        &world
            .read(&edited)
            .replace("mod version;", "mod hooks;\nmod version;"),
    );
    world.git(&[
        "commit",
        "-aqm",
        "main: add hooks\n\nIt is compiled in.\n\nUpstream-Status: Pending",
    ]);
    world.passes(&["patch", "save"]);
    world.write("cargo-fork/overlay/hooks.rs", overlay);
    world
}

#[test]
fn good_sources_pass_every_step() {
    let outcome = world("//! Hooks.\n").xtask(&["check"]);
    assert!(outcome.success, "{}", outcome.stderr);
    for step in ["tidy", "format", "clippy", "warnings", "test"] {
        assert!(
            outcome.stdout.contains(&format!("\n{step:<10} ok ")),
            "{step}: {}",
            outcome.stdout
        );
    }
}

#[test]
fn every_failing_step_is_named() {
    let world = world("fn  unused() {}\n");
    let expected = [
        "cargo-fork/overlay/hooks.rs: does not start with a `//!`",
        "function `unused` is never used",
        "the compiler warns about our files in the fork: 1 warnings",
        "error: failed to pass tidy, format, warnings",
    ];
    world.fails(&["check"], &expected);
}
