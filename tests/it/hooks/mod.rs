//! The reference hooks: each keeps to the protocol, and does in a build what it is for.

mod conformance;
mod stack;
mod written_elsewhere;

use std::path::PathBuf;

use cargo_test_support::Project;

use crate::support::{Hook, cargo, checkouts, package};

/// Returns a program that is shipped beside the fork; `None`, and a reason, if it is not there.
fn shipped(name: &str) -> Option<PathBuf> {
    let program = cargo().with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if program.is_file() {
        return Some(program);
    }
    eprintln!("skipped: there is no `{name}` beside the fork's cargo");
    None
}

/// Returns a hook that needs an interpreter; `None`, and a reason, if that is not installed.
fn script(file: &str, interpreter: &str) -> Option<PathBuf> {
    let is_there = std::process::Command::new(interpreter)
        .arg("--version")
        .output()
        .is_ok_and(|it| it.status.success());
    if !is_there {
        eprintln!("skipped: `{interpreter}` is not installed");
        return None;
    }
    Some(
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(file),
    )
}

/// Configures a command for both sides.
fn configure(words: &[&str]) {
    Hook::configure(&format!(
        "[hooks]\nbefore-build = {words:?}\nafter-build = {words:?}\n"
    ));
}

/// Two checkouts of a program, a library, a macro, and a build script that generates code in a folder.
fn two_projects() -> (Project, Project) {
    checkouts(|p| {
        let manifest = "[dependencies]\nbar = { path = 'bar' }\nmac = { path = 'mac' }\n\
            [workspace]\nmembers = ['bar', 'mac']";
        let bar = package("bar", "").replace("[package]", "[package]\nbuild = 'build.rs'");
        p.file("Cargo.toml", &package("foo", manifest))
            .file("src/main.rs", "mac::main!();")
            .file("bar/Cargo.toml", &bar)
            .file(
                "bar/build.rs",
                r#"fn main() {
                    let out = std::env::var("OUT_DIR").unwrap();
                    std::fs::create_dir_all(format!("{out}/gen/deep")).unwrap();
                    std::fs::write(format!("{out}/gen/deep/n.rs"), "pub fn n() -> u32 { 3 }").unwrap();
                    println!("cargo::rerun-if-changed=build.rs");
                }"#,
            )
            .file(
                "bar/src/lib.rs",
                r#"include!(concat!(env!("OUT_DIR"), "/gen/deep/n.rs"));"#,
            )
            .file("mac/Cargo.toml", &package("mac", "[lib]\nproc-macro = true"))
            .file(
                "mac/src/lib.rs",
                r#"#[proc_macro] pub fn main(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
                    "fn main() { println!(\"{}\", bar::n()); }".parse().unwrap()
                }"#,
            )
    })
}

/// How many units of the projects are compiled; one more, a build script, runs.
const UNITS: usize = 4;
