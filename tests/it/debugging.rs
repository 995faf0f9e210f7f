//! What is left of places in what is shared: nothing, and yet debuggers and messages find the sources.

use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_test_support::registry::Package;
use cargo_test_support::{ProjectBuilder, cargo_test, paths};

use crate::support::{Counts, Hook, Hooked, artifacts, assert_same, has, package};

/// A machine: a home folder, a Cargo home, a checkout and a target directory.
struct Machine {
    home: PathBuf,
    cargo_home: PathBuf,
    checkout: cargo_test_support::Project,
    target: PathBuf,
}

/// A program that tells where it comes from, and panics in a library of the workspace.
fn machine(place: &str, target: &str) -> Machine {
    let root = paths::root().join(place);
    let checkout = ProjectBuilder::new(root.join("checkout"))
        .file(
            "Cargo.toml",
            &package(
                "foo",
                "[workspace]\nmembers = ['bar']\n[dependencies]\nbar = { path = 'bar' }\ndep = '1'",
            ),
        )
        .file(
            "src/main.rs",
            "fn main() {\n    println!(\"{} {} {}\", file!(), bar::place(), dep::place());\n    bar::fail();\n}\n",
        )
        .file("bar/Cargo.toml", &package("bar", ""))
        .file(
            "bar/src/lib.rs",
            "pub fn place() -> &'static str { file!() }\n\npub fn fail() {\n    panic!(\"on purpose\");\n}\n",
        )
        .build();
    let cargo_home = root.join("cargo home");
    copy(&paths::cargo_home(), &cargo_home);
    Machine {
        home: root.join("home"),
        cargo_home,
        target: root.join(target),
        checkout,
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (source, place) = (
            entry.as_ref().unwrap().path(),
            to.join(entry.unwrap().file_name()),
        );
        if source.is_dir() {
            copy(&source, &place);
        } else {
            std::fs::copy(&source, &place).unwrap();
        }
    }
}

impl Machine {
    fn build(&self, restored: usize, compiled: usize) {
        std::fs::create_dir_all(&self.home).unwrap();
        self.checkout
            .hooked("build")
            .env("HOME", &self.home)
            .env("CARGO_HOME", &self.cargo_home)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_INCREMENTAL", "0")
            .counts(restored, compiled)
            .run();
    }

    fn program(&self) -> PathBuf {
        self.target.join("debug/foo")
    }
}

fn machines() -> (Machine, Machine) {
    Package::new("dep", "1.0.0")
        .file("src/lib.rs", "pub fn place() -> &'static str { file!() }")
        .publish();
    (
        machine("alice", "checkout/target"),
        machine("home/bob/at/a/deeper/place", "elsewhere/build"),
    )
}

fn libraries(machine: &Machine) -> std::collections::BTreeMap<String, hook_protocol::Digest> {
    let mut found = artifacts(&machine.target);
    // Lists of sources hold the paths of their checkout.
    found.retain(|name, _| !name.ends_with(".d"));
    found
}

#[cargo_test]
fn what_two_machines_compile_is_the_same() {
    let (alice, bob) = machines();
    // Nothing is restored.
    let _hook = Hook::new().setting("mode = 'refresh'");
    for machine in [&alice, &bob] {
        machine.build(0, 3);
    }
    assert_same(&libraries(&alice), &libraries(&bob));
}

#[cargo_test]
fn what_one_machine_compiles_is_restored_on_another() {
    let (alice, bob) = machines();
    let _hook = Hook::new();
    alice.build(0, 3);
    bob.build(3, 0);
    assert_same(&libraries(&alice), &libraries(&bob));
}

/// Members are named as in their workspace, and everything else below `/cargo`.
#[cargo_test]
fn programs_tell_places_without_the_machine() {
    let (alice, bob) = machines();
    let _hook = Hook::new();
    alice.build(0, 3);
    bob.build(3, 0);
    let output = Command::new(bob.program())
        .env("RUST_BACKTRACE", "1")
        .current_dir(bob.checkout.root())
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let mut places = stdout.split_whitespace();
    assert_eq!(places.next(), Some("src/main.rs"));
    assert_eq!(places.next(), Some("bar/src/lib.rs"));
    let place = places.next().unwrap();
    assert!(place.starts_with("/cargo/registry/"), "{place}");
    assert!(place.ends_with("/dep-1.0.0/src/lib.rs"), "{place}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    for expected in [
        "panicked at bar/src/lib.rs:4:5:\non purpose",
        "at ./bar/src/lib.rs:4:5",
        "at ./src/main.rs:3:5",
    ] {
        assert!(stderr.contains(expected), "{expected}:\n{stderr}");
    }
    for machine in ["alice", "bob"] {
        assert!(!stderr.contains(machine), "{stderr}");
    }
}

/// Sources are found from the root of the workspace, those of dependencies by a substitution.
#[cargo_test]
fn a_debugger_finds_the_sources() {
    if !has("gdb") {
        return;
    }
    let (alice, bob) = machines();
    let _hook = Hook::new();
    alice.build(0, 3);
    bob.build(3, 0);
    let registry = bob.cargo_home.join("registry/src");
    let substitution = format!("set substitute-path /cargo/registry {}", registry.display());
    let lines = [
        &*substitution,
        "break bar::fail",
        "break dep::place",
        "run",
        "list",
        "continue",
        "list",
    ];
    let mut gdb = Command::new("gdb");
    gdb.args(["-nx", "-batch", "-iex", "set debuginfod enabled off"]);
    gdb.args(lines.iter().flat_map(|line| ["-ex", line]));
    let output = gdb
        .arg(bob.program())
        .current_dir(bob.checkout.root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for expected in [
        "bar/src/lib.rs:4",
        "panic!(\"on purpose\");",
        "pub fn place() -> &'static str { file!() }",
    ] {
        assert!(said.contains(expected), "{expected}:\n{said}");
    }
}
