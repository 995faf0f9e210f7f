//! From the pin to `target/hooked/`, and nothing at all the second time.

use std::fs;
use std::process::Command;
use std::time::SystemTime;

use crate::world::{PACKAGE, World, run};

fn version(world: &World) -> String {
    run(&mut Command::new(
        world.root().join("target/hooked/bin/cargo"),
    ))
    .stdout
}

fn modified(world: &World, path: &str) -> SystemTime {
    fs::metadata(world.root().join(path))
        .unwrap()
        .modified()
        .unwrap()
}

#[test]
fn builds_once_and_is_then_fresh() {
    let world = World::new();
    let said = world.passes(&["build"]);
    assert!(said.contains("[build] cargo-0.98.0 (quick)"), "{said}");
    assert_eq!(
        version(&world),
        "cargo 1.97.0 (hooked 0.1.0, upstream cargo 0.98.0)\n"
    );
    for name in ["cargo-hook-local-cache", "cargo-local-cache"] {
        assert!(
            run(&mut Command::new(
                world.root().join("target/hooked/bin").join(name)
            ))
            .success
        );
    }
    let said = world.passes(&["build"]);
    assert!(
        said.starts_with("[fresh] ") && said.lines().count() == 1,
        "{said}"
    );
    fs::write(world.root().join("target/hooked/bin/cargo"), "broken").unwrap();
    assert!(world.passes(&["build"]).contains("[done]"));
    assert!(version(&world).starts_with("cargo 1.97.0"));
}

#[test]
fn a_fresh_build_still_compares_the_pinned_file() {
    let world = World::new();
    world.passes(&["build"]);
    fs::write(world.crate_file(), "something else").unwrap();
    world.fails(&["build"], &["differs from the pin"]);
}

#[test]
fn each_profile_is_built_and_recorded() {
    let world = World::new();
    world.passes(&["build", "--release"]);
    assert!(world.passes(&["build", "--release"]).contains("[fresh] "));
    assert!(
        world
            .passes(&["build"])
            .contains("[build] cargo-0.98.0 (quick)")
    );
    assert!(
        world
            .read("target/hooked/stamp.json")
            .contains("\"profile\": \"quick\"")
    );
    assert!(
        world
            .root()
            .join("target/fork-build/release/cargo")
            .exists()
    );
}

#[test]
fn overlay_and_patches_are_applied_and_only_changes_are_written() {
    let world = World::new();
    world.passes(&["patch", "edit"]);
    let edited = format!("target/patch-edit/{PACKAGE}/src/main.rs");
    world.write(
        &edited,
        &world
            .read(&edited)
            .replace("mod version;", "mod hooks;\nmod version;"),
    );
    world.git(&["commit", "-aqm", "main: add hooks"]);
    world.passes(&["patch", "save"]);
    world.write("cargo-fork/overlay/hooks.rs", "//! Hooks.\n");
    let said = world.passes(&["build"]);
    assert!(said.contains("[apply] main-add-hooks.patch"), "{said}");
    let untouched = [
        format!("target/fork/{PACKAGE}/src/main.rs"),
        format!("target/fork/{PACKAGE}/src/version.rs"),
    ];
    let before = untouched.clone().map(|it| modified(&world, &it));
    world.write("cargo-fork/overlay/hooks.rs", "//! More hooks.\n");
    world.passes(&["build"]);
    assert_eq!(untouched.map(|it| modified(&world, &it)), before);
    assert_eq!(
        world.read(&format!("target/fork/{PACKAGE}/src/hooks.rs")),
        "//! More hooks.\n"
    );
    fs::remove_file(world.root().join("cargo-fork/overlay/hooks.rs")).unwrap();
    world.fails(
        &["build"],
        &[
            "file not found for module `hooks`",
            "error: failed to build the fork",
        ],
    );
}

#[test]
fn an_overlay_file_replaces_nothing() {
    let world = World::new();
    world.write("cargo-fork/overlay/version.rs", "//! Mine.\n");
    let expected = "overlay file `version.rs` would replace `src/version.rs` of upstream";
    world.fails(&["build"], &[expected, "help: give it another name"]);
    world.fails(
        &["patch", "edit"],
        &["would replace `src/version.rs` of upstream"],
    );
    world.fails(&["tidy"], &[expected]);
}

#[test]
fn a_patch_that_does_not_apply_is_named() {
    let world = World::new();
    world.passes(&["patch", "edit"]);
    let edited = format!("target/patch-edit/{PACKAGE}/src/text.txt");
    world.write(&edited, "one\n2\nthree\nfour\nfive\n");
    world.git(&["commit", "-aqm", "text: two"]);
    world.passes(&["patch", "save"]);
    let file = "cargo-fork/patches/text-two.patch";
    let text = world.read(file);
    let (head, tail) = text.split_once("\nsha256 ").unwrap();
    world.write(
        file,
        &format!("{head}\nsha256 {}{}", "0".repeat(64), &tail[64..]),
    );
    world.fails(
        &["build"],
        &[
            "error: failed to apply patch `text-two.patch`",
            "help: run `cargo xtask patch edit`",
            "`src/text.txt` is not the file it was made for: sha256 ",
        ],
    );
}

#[test]
fn added_packages_are_listed() {
    let world = World::new();
    world.write(
        "engine/Cargo.toml",
        "[package]\nname = \"engine\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    world.write("engine/src/lib.rs", "//! Engine.\n");
    let manifest = "[workspace]\nresolver = \"3\"\nmembers = [\"engine\", \"examples/local-cache\"]\nexclude = [\"target\"]\n";
    world.write("Cargo.toml", manifest);
    world.passes(&["patch", "edit"]);
    let edited = format!("target/patch-edit/{PACKAGE}/Cargo.toml");
    world.write(
        &edited,
        &(world.read(&edited) + "\n[dependencies.engine]\npath = \"../../../engine\"\n"),
    );
    world.git(&["commit", "-aqm", "manifest: depend on the engine"]);
    world.passes(&["patch", "save"]);
    let said = world.passes(&["build"]);
    assert!(said.contains("[lock] added engine 0.1.0"), "{said}");
}

#[test]
fn dependencies_that_cannot_be_had_are_explained() {
    let world = World::new();
    world.passes(&["patch", "edit"]);
    let edited = format!("target/patch-edit/{PACKAGE}/Cargo.toml");
    world.write(
        &edited,
        &(world.read(&edited) + "\n[dependencies]\nserde = \"1\"\n"),
    );
    world.git(&["commit", "-aqm", "manifest: depend on more"]);
    world.passes(&["patch", "save"]);
    world.fails(
        &["build"],
        &[
            "[fetch] dependencies",
            "error: failed to fetch the dependencies of the fork",
            "help: run this once",
        ],
    );
}
