//! What a compiler says of itself is kept once for all build directories, where it is the same in all of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_test_support::prelude::*;
use cargo_test_support::{Execs, Project, paths};

use crate::support::{Hook, Hooked, checkouts, package};

/// The program of the toolchain, and no proxy for it.
fn rustc() -> PathBuf {
    let mut rustc = Command::new("rustc");
    let output = rustc.args(["--print", "sysroot"]).output().unwrap();
    let sysroot = String::from_utf8(output.stdout).unwrap();
    Path::new(sysroot.trim()).join("bin/rustc")
}

fn build(p: &Project) -> Execs {
    let mut execs = p.hooked("build");
    execs.env("RUSTC", rustc());
    execs
}

fn has_own(p: &Project) -> bool {
    p.build_dir().join(".rustc_info.json").exists()
}

/// Returns how many files of answers are in Cargo's home.
fn shared() -> usize {
    let starts = std::fs::read_dir(paths::cargo_home().join(".hooks/compilers"));
    let starts = starts.into_iter().flatten().map(|it| it.unwrap().path());
    starts
        .map(|it| std::fs::read_dir(it).unwrap().count())
        .sum()
}

#[cfg(target_os = "linux")]
#[cargo_test]
fn answers_of_a_toolchain_are_shared() {
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("src/main.rs", "fn main() {}")
            .file("flags", "--cfg\nx\n")
    });
    // Off means upstream.
    build(&one).run();
    assert!(has_own(&one) && shared() == 0);
    one.wipe();

    let _hook = Hook::new();
    for p in [&one, &two] {
        build(p).run();
        assert!(!has_own(p) && shared() == 1);
        p.wipe();
    }
    // What may differ between folders is not, and another question has another place.
    build(&one).env("RUSTFLAGS", "@flags").run();
    assert!(has_own(&one) && shared() == 1);
    one.wipe();
    build(&one).env("RUST_TARGET_PATH", "targets").run();
    assert!(has_own(&one) && shared() == 1);
    build(&two).env("RUSTC_BOOTSTRAP", "1").run();
    assert!(!has_own(&two) && shared() == 2);
}
