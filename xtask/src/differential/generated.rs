//! The generated workspace: a program that uses each of many published crates, and members that do what builds do.
//!
//! ```text
//! Cargo.toml, src/           `everything`: prints one line for each crate
//! members/named              a procedural macro
//! members/scripted           a build script that writes a module, sets a variable, and warns
//! members/warned             warnings of the compiler, with a suggestion
//! ```

use crate::differential::dependencies::{DEPENDENCIES, Dependency};
use crate::tree::Tree;

/// How many crates the workspace uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// Those that a short run can afford.
    Small,
    /// All of them.
    Full,
}

/// Returns the files of the workspace, without a lock file.
pub(crate) fn workspace(size: Size) -> Tree {
    let wanted = |it: &&Dependency| size == Size::Full || it.is_small;
    let dependencies: Vec<&Dependency> = DEPENDENCIES.iter().filter(wanted).collect();
    let mut files = Tree::new();
    let mut write = |path: &str, text: String| files.insert(path.to_string(), text.into_bytes());
    write("Cargo.toml", manifest(&dependencies));
    write("src/lib.rs", library(&dependencies));
    for (path, text) in FILES {
        write(path, text.to_string());
    }
    files
}

fn manifest(dependencies: &[&Dependency]) -> String {
    let lines: String = dependencies.iter().map(|it| it.requirement()).collect();
    format!("{MANIFEST}{lines}")
}

fn library(dependencies: &[&Dependency]) -> String {
    let line = |it: &&Dependency| format!("        (\"{}\", {{ {} }}),\n", it.name, it.code);
    let lines: String = dependencies.iter().map(line).collect();
    format!("{LIBRARY}{lines}    ]\n}}\n{LIBRARY_TESTS}")
}

const MANIFEST: &str = r#"[workspace]
resolver = "3"
members = ["members/*"]

[workspace.package]
version = "0.1.0"
edition = "2024"
rust-version = "1.95"

[package]
name = "everything"
version.workspace = true
edition.workspace = true
rust-version.workspace = true

[dependencies]
named = { path = "members/named" }
scripted = { path = "members/scripted" }
warned = { path = "members/warned" }
"#;

const LIBRARY: &str = r#"//! One line for each crate.

use named::Named;

/// Something with a name.
#[derive(Named)]
pub struct Thing;

/// What each crate has to say.
pub fn all() -> Vec<(&'static str, String)> {
    vec![
        ("named", Thing::NAME.to_string()),
        ("scripted", scripted::describe()),
        ("warned", warned::place()),
        ("place", format!("{} {}", file!(), std::panic::Location::caller())),
"#;

const LIBRARY_TESTS: &str = r#"
#[cfg(test)]
mod tests {
    #[test]
    fn everything_says_something() {
        for (name, text) in super::all() {
            assert!(!text.is_empty(), "{name}");
        }
    }

    #[test]
    fn it_is_the_same_twice() {
        assert_eq!(super::all(), super::all());
    }
}
"#;

/// The files that are always there.
const FILES: [(&str, &str); 11] = [
    (
        "src/main.rs",
        r#"fn main() {
    let unused_by_the_program = std::env::args().count();
    for (name, text) in everything::all() {
        println!("{name}: {text}");
    }
}
"#,
    ),
    (
        "tests/together.rs",
        r#"#[test]
fn names_are_told_once() {
    let names: std::collections::BTreeSet<_> = everything::all().into_iter().map(|it| it.0).collect();
    assert_eq!(names.len(), everything::all().len());
}

#[test]
#[ignore = "never run"]
fn ignored() {}
"#,
    ),
    (
        "members/named/Cargo.toml",
        r#"[package]
name = "named"
version.workspace = true
edition.workspace = true

[lib]
proc-macro = true
"#,
    ),
    (
        "members/named/src/lib.rs",
        r#"use proc_macro::{TokenStream, TokenTree};

/// Gives a struct its name.
#[proc_macro_derive(Named)]
pub fn named(input: TokenStream) -> TokenStream {
    let mut words = input.into_iter().filter_map(|it| match it {
        TokenTree::Ident(it) => Some(it.to_string()),
        _ => None,
    });
    let name = words.by_ref().skip_while(|it| it != "struct").nth(1).expect("a name");
    format!("impl {name} {{ pub const NAME: &'static str = {name:?}; }}").parse().expect("Rust")
}
"#,
    ),
    (
        "members/scripted/Cargo.toml",
        r#"[package]
name = "scripted"
version.workspace = true
edition.workspace = true
"#,
    ),
    (
        "members/scripted/build.rs",
        r#"use std::{env, fs, path::Path};

fn main() {
    let folder = env::var("OUT_DIR").expect("set by Cargo");
    let numbers = "pub const NUMBERS: [u32; 3] = [1, 2, 3];\npub fn generated() -> &'static str { file!() }\n";
    fs::write(Path::new(&folder).join("numbers.rs"), numbers).expect("written");
    println!("cargo:rustc-env=SCRIPTED={}", numbers.len());
    println!("cargo:rustc-cfg=scripted");
    println!("cargo:rustc-check-cfg=cfg(scripted)");
    println!("cargo:rerun-if-changed=data.txt");
    println!("cargo:warning=this is deliberate");
}
"#,
    ),
    ("members/scripted/data.txt", "data\n"),
    (
        "members/scripted/src/lib.rs",
        r#"include!(concat!(env!("OUT_DIR"), "/numbers.rs"));

/// Tells what the build script left.
pub fn describe() -> String {
    let data = include_str!("../data.txt").trim();
    let package = env!("CARGO_PKG_VERSION");
    let sum: u32 = NUMBERS.iter().sum();
    let place = generated().rsplit('/').next();
    format!("{sum} {} {} {data} {package} {place:?}", env!("SCRIPTED"), cfg!(scripted))
}
"#,
    ),
    (
        "members/warned/Cargo.toml",
        r#"[package]
name = "warned"
version.workspace = true
edition.workspace = true
"#,
    ),
    (
        "members/warned/src/lib.rs",
        r#"mod inner;

pub use inner::place;

fn never_used() {}
"#,
    ),
    (
        "members/warned/src/inner.rs",
        r#"/// Tells where this is.
pub fn place() -> String {
    let unused = 1;
    let mut needlessly = file!();
    format!("{needlessly}:{}", line!())
}

#[test]
fn the_place_is_relative() {
    let unused_in_the_test = 1;
    assert!(place().starts_with("members"));
}
"#,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_enough_crates() {
        assert!(DEPENDENCIES.len() >= 30);
        let small = DEPENDENCIES.iter().filter(|it| it.is_small).count();
        assert!((6..=10).contains(&small), "{small}");
    }

    #[test]
    fn only_wanted_crates_are_used() {
        let [small, full] = [Size::Small, Size::Full].map(workspace);
        let text = |files: &Tree, path: &str| String::from_utf8(files[path].clone()).unwrap();
        for (path, line) in [("Cargo.toml", "\ntokio = "), ("src/lib.rs", "(\"tokio\", ")] {
            assert!(text(&full, path).contains(line));
            assert!(!text(&small, path).contains(line));
        }
    }

    #[test]
    fn the_manifest_can_be_parsed() {
        let files = workspace(Size::Full);
        let manifest: toml::Table = toml::from_slice(&files["Cargo.toml"]).unwrap();
        let dependencies = manifest["dependencies"].as_table().unwrap();
        assert_eq!(dependencies.len(), DEPENDENCIES.len() + 3);
    }
}
