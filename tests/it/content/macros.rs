//! Procedural macros that read what no list names.

use cargo_test_support::ProjectBuilder;
use cargo_test_support::prelude::*;

use super::{PAST, fresh, runs, scenario};
use crate::support::{package, workspace};

/// A program that prints what a macro with this body returns.
fn with_macro(body: &str) -> impl Fn(ProjectBuilder) -> ProjectBuilder + 'static {
    let mac = format!(
        "use proc_macro::TokenStream;

        #[proc_macro]
        pub fn n(_: TokenStream) -> TokenStream {{
            {body}
        }}"
    );
    move |p| {
        p.file("Cargo.toml", &workspace(&["mac", "foo"]))
            .file(
                "mac/Cargo.toml",
                &package("mac", "[lib]\nproc-macro = true"),
            )
            .file("mac/src/lib.rs", &mac)
            .file(
                "foo/Cargo.toml",
                &package("foo", "[dependencies]\nmac = { path = '../mac' }"),
            )
            .file(
                "foo/src/main.rs",
                "fn main() { println!(\"{}\", mac::n!()); }",
            )
            .file("foo/texts/a.txt", "1")
    }
}

const COUNTS_TEXTS: &str = r#"
    let dir = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/texts";
    std::fs::read_dir(dir).unwrap().count().to_string().parse().unwrap()
"#;

const READS_A_TEXT: &str = r#"
    let dir = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    std::fs::read_to_string(dir + "/texts/a.txt").unwrap().parse().unwrap()
"#;

#[cargo_test]
fn what_a_macro_finds_by_itself_is_not_seen() {
    // As little as by upstream: only `proc_macro::tracked_path` or a build script could tell of it.
    scenario(with_macro(COUNTS_TEXTS))
        .change("add a file to a folder that a macro lists", |c| {
            c.edit("foo/texts/b.txt", "1")
        })
        .both(fresh().printing("1"))
        .change("touch every file", |c| c.touch_all())
        .mtime(runs(&["mac proc-macro", "foo bin"]).printing("2"))
        .content(fresh().printing("1"))
        .change("edit the program", |c| {
            c.edit(
                "foo/src/main.rs",
                "fn main() { println!(\"{}\", mac::n!() + 1); }",
            );
        })
        .both(runs(&["foo bin"]).printing("3"))
        .play();
    scenario(with_macro(READS_A_TEXT))
        .change("edit a file that a macro reads", |c| {
            c.edit("foo/texts/a.txt", "2")
        })
        .both(fresh().printing("1"))
        .play();
}

#[cargo_test]
fn what_a_macro_finds_by_itself_is_seen_if_a_script_tells_of_it() {
    let files = |p| {
        with_macro(COUNTS_TEXTS)(p).file(
            "foo/build.rs",
            "fn main() { println!(\"cargo::rerun-if-changed=texts\"); }",
        )
    };
    let units = ["foo run-custom-build", "foo bin"];
    scenario(files)
        .change("add a file", |c| c.edit("foo/texts/b.txt", "1"))
        .both(runs(&units).printing("2"))
        .change("remove it in secret", |c| {
            c.remove("foo/texts/b.txt");
            c.age();
        })
        .mtime(fresh().printing("2"))
        .content(
            runs(&units)
                .because("foo", "the list of files in `foo/texts` changed")
                .printing("1"),
        )
        .change("touch every file", |c| c.touch_all())
        .mtime(runs(&[
            "mac proc-macro",
            "foo custom-build",
            units[0],
            units[1],
        ]))
        .content(fresh())
        .play();
}

#[cargo_test]
fn a_macro_that_reads_nothing_sees_nothing() {
    scenario(with_macro("\"3\".parse().unwrap()"))
        .change("add and edit files that it does not read", |c| {
            c.edit("foo/texts/b.txt", "1");
            c.edit_at("foo/texts/a.txt", "2", PAST);
        })
        .both(fresh().printing("3"))
        .play();
}

#[cargo_test]
fn what_a_macro_includes_is_an_input() {
    // The usual trick of macros that read files, so that Cargo knows of them.
    let body = r#"
        let dir = std::env::var("CARGO_MANIFEST_DIR").unwrap();
        let path = dir + "/texts/a.txt";
        let n = std::fs::read_to_string(&path).unwrap();
        format!("{{ const _: &str = include_str!({path:?}); {n} }}").parse().unwrap()
    "#;
    scenario(with_macro(body))
        .change("touch it", |c| c.touch("foo/texts/a.txt"))
        .mtime(runs(&["foo bin"]))
        .content(fresh())
        .change("bring in an older one", |c| {
            c.bring_in("foo/texts/a.txt", "2", PAST)
        })
        .mtime(fresh().printing("1"))
        .content(
            runs(&["foo bin"])
                .because("foo", "content of `foo/texts/a.txt` changed")
                .printing("2"),
        )
        .play();
}
