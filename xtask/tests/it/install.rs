//! The fork as a toolchain, with a real rustup on a made-up home, and without rustup.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::world::{World, run};

/// Returns the toolchain that is active, past rustup's proxies.
fn sysroot() -> PathBuf {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    PathBuf::from(
        run(Command::new(rustc).args(["--print", "sysroot"]))
            .stdout
            .trim(),
    )
}

/// Uses that toolchain directly, so that rustup's home can be another one.
fn world() -> World {
    let world = World::new()
        .environment("CARGO", sysroot().join("bin/cargo"))
        .environment("RUSTC", sysroot().join("bin/rustc"));
    let home = world.root().join("rustup-home");
    world.environment("RUSTUP_HOME", home)
}

/// Puts folders on `PATH` in which there is a linker but no rustup.
fn without_rustup(world: World) -> World {
    let bin = world.root().join("bin");
    fs::create_dir_all(&bin).unwrap();
    for folder in std::env::split_paths(&std::env::var_os("PATH").unwrap()) {
        for name in ["as", "cc", "ld"] {
            let (from, to) = (folder.join(name), bin.join(name));
            if from.exists() && !to.exists() {
                std::os::unix::fs::symlink(from, to).unwrap();
            }
        }
    }
    world.environment("PATH", bin)
}

/// Compiles a program with an installed toolchain's own rustc.
fn compiles(toolchain: &Path) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("a.rs"),
        "fn main() { println!(\"hello\") }",
    )
    .unwrap();
    let outcome = run(Command::new(toolchain.join("bin/rustc"))
        .current_dir(folder.path())
        .arg("a.rs"));
    assert!(outcome.success, "{}", outcome.stderr);
    assert_eq!(
        run(&mut Command::new(folder.path().join("a"))).stdout,
        "hello\n"
    );
}

#[test]
fn without_rustup_the_folder_is_named() {
    let world = without_rustup(world());
    let toolchain = world.cargo_home().join("hooked-toolchain");
    let said = world.passes(&["install", "--quick"]);
    assert!(
        said.contains(&format!(
            "put `{}/bin` first on `PATH`",
            toolchain.display()
        )),
        "{said}"
    );
    let cargo = run(Command::new(toolchain.join("bin/cargo")).arg("--version"));
    assert_eq!(
        cargo.stdout,
        "cargo 1.97.0 (hooked 0.1.0, upstream cargo 0.98.0)\n"
    );
    assert!(toolchain.join("bin/cargo-hook-local-cache").exists());
    let subcommand = world.cargo_home().join("bin/cargo-local-cache");
    assert!(run(&mut Command::new(&subcommand)).success);
    compiles(&toolchain);
    world.passes(&["install", "--quick"]);
    let said = world.passes(&["uninstall"]);
    assert!(said.contains("[uninstall] removed "), "{said}");
    assert!(!toolchain.exists() && subcommand.symlink_metadata().is_err());
    assert!(sysroot().join("bin/rustc").exists() && sysroot().join("lib/rustlib").is_dir());
    assert!(
        world
            .passes(&["uninstall"])
            .contains("[uninstall] nothing at ")
    );
}

#[test]
fn a_folder_that_is_not_ours_is_kept() {
    let world = without_rustup(world());
    let toolchain = world.cargo_home().join("hooked-toolchain");
    fs::create_dir_all(&toolchain).unwrap();
    fs::write(toolchain.join("precious"), "").unwrap();
    for command in [&["install", "--quick"][..], &["uninstall"]] {
        world.fails(
            command,
            &[
                "was not made by `cargo xtask install`",
                "help: move it away",
            ],
        );
    }
    assert!(toolchain.join("precious").exists());
}

#[test]
fn rustup_gets_and_loses_the_toolchain() {
    if Command::new("rustup").arg("--version").output().is_err() {
        eprintln!("skipped: rustup is not installed here");
        return;
    }
    let world = world();
    let said = world.passes(&["install", "--quick"]);
    assert!(
        said.contains("`cargo +hooked` is cargo 1.97.0 (hooked 0.1.0, upstream cargo 0.98.0)"),
        "{said}"
    );
    let link = world.root().join("rustup-home/toolchains/hooked");
    assert_eq!(
        fs::read_link(&link).unwrap(),
        world.cargo_home().join("hooked-toolchain")
    );
    world.passes(&["install", "--quick"]);
    assert!(
        world
            .passes(&["uninstall"])
            .contains("`cargo +hooked` is gone")
    );
    assert!(link.symlink_metadata().is_err());
    fs::create_dir_all(link.join("bin")).unwrap();
    world.fails(
        &["install", "--quick"],
        &["rustup has another toolchain called `hooked`"],
    );
    world.fails(
        &["uninstall"],
        &["rustup has another toolchain called `hooked`"],
    );
    assert!(link.join("bin").exists());
}
