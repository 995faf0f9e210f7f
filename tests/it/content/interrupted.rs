//! Builds that were killed.

use std::fs;
use std::process::Stdio;

use cargo_test_support::prelude::*;
use cargo_test_support::{ProjectBuilder, retry};

use super::{Checkout, both, runs};
use crate::support::package;

/// A program `foo`, and a library `bar` with a macro that says `waiting`, and waits for ever, if it is
/// told to.
fn hanging(p: ProjectBuilder) -> ProjectBuilder {
    p.file(
        "Cargo.toml",
        &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
    )
    .file("src/main.rs", "fn main() { println!(\"{}\", bar::n()); }")
    .file(
        "bar/Cargo.toml",
        &package("bar", "[dependencies]\nmac = { path = '../mac' }"),
    )
    .file("bar/src/lib.rs", BAR_1)
    .file(
        "mac/Cargo.toml",
        &package("mac", "[lib]\nproc-macro = true"),
    )
    .file(
        "mac/src/lib.rs",
        r#"
            use proc_macro::TokenStream;

            #[proc_macro]
            pub fn wait(_: TokenStream) -> TokenStream {
                if let Ok(path) = std::env::var("WAITING") {
                    std::fs::write(path, "").unwrap();
                    loop { std::thread::sleep(std::time::Duration::from_secs(60)); }
                }
                TokenStream::new()
            }
        "#,
    )
}

const BAR_1: &str = "mac::wait!(); pub fn n() -> u32 { 1 }";
const BAR_2: &str = "mac::wait!(); pub fn n() -> u32 { 2 }";

/// Starts a build, and kills Cargo and the compiler when the macro waits.
fn kill_in_the_middle(c: &Checkout) {
    use std::os::unix::process::CommandExt;

    let waiting = c.path("waiting");
    let mut build = c.cargo("build").env("WAITING", &waiting).build_command();
    let mut cargo = build
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    retry(600, || waiting.exists().then_some(()));
    let group = format!("-{}", cargo.id());
    c.runs(&format!("kill -9 -- {group}"));
    cargo.wait().unwrap();
    fs::remove_file(waiting).unwrap();
}

#[cargo_test]
fn a_killed_build_leaves_nothing_that_counts() {
    both(|mode| {
        let c = Checkout::new(mode, hanging);
        c.succeeds("the first build");
        c.edit("bar/src/lib.rs", BAR_2);
        kill_in_the_middle(&c);
        // What it had begun is not what it was before, whatever its sources say.
        c.edit_at("bar/src/lib.rs", BAR_1, super::PAST);
        let content = runs(&["bar lib"]).keeping(&["mac", "foo"]).printing("1");
        let mtime = runs(&["bar lib", "foo bin"]).printing("1");
        c.builds("undone", mode.either(mtime, content));

        c.edit("bar/src/lib.rs", BAR_2);
        kill_in_the_middle(&c);
        c.builds("not undone", runs(&["bar lib", "foo bin"]).printing("2"));
    });
}

#[cargo_test]
fn a_first_build_that_is_killed_leaves_nothing_that_counts() {
    both(|mode| {
        let c = Checkout::new(mode, hanging);
        kill_in_the_middle(&c);
        c.edit_in_secret("bar/src/lib.rs", BAR_2);
        c.builds(
            "edited",
            runs(&["bar lib", "foo bin"])
                .keeping(&["mac"])
                .printing("2"),
        );
    });
}
