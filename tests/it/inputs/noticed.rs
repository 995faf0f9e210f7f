//! What was restored is watched: a later change makes it dirty, as if it had been compiled here.

use cargo_test_support::ProjectBuilder;
use cargo_test_support::prelude::*;

use crate::support::{Counts, Hook, Hooked, checkouts, package, prints};

fn curious(p: ProjectBuilder) -> ProjectBuilder {
    p.file("Cargo.toml", &package("foo", ""))
        .file(
            "build.rs",
            r#"
                fn main() {
                    println!("cargo::rerun-if-changed=made-of.txt");
                    let out = std::env::var("OUT_DIR").unwrap();
                    std::fs::copy("made-of.txt", format!("{out}/made.txt")).unwrap();
                }
            "#,
        )
        .file(
            "src/main.rs",
            r#"
                mod own;
                fn main() {
                    let made = include_str!(concat!(env!("OUT_DIR"), "/made.txt"));
                    let variable = option_env!("COLOUR").unwrap_or("none");
                    let outside = include_str!("../../outside.txt");
                    println!("{} {made} {variable} {outside}", own::N);
                }
            "#,
        )
        .file("src/own.rs", "pub const N: u32 = 1;")
        .file("made-of.txt", "1")
        .file("../outside.txt", "1")
}

#[cargo_test]
fn changes_after_restoring_are_noticed() {
    let (one, two) = checkouts(curious);
    let _hook = Hook::new();
    one.hooked("build").counts_with_runs(0, 2, 1).run();
    two.hooked("build").counts(3, 0).run();
    assert_eq!(prints(&two.bin("foo")), "1 1 none 1");

    two.change_file("src/own.rs", "pub const N: u32 = 2;");
    two.hooked("build").run();
    assert_eq!(prints(&two.bin("foo")), "2 1 none 1");
    two.change_file("src/own.rs", "pub const N: u32 = 1;");
    two.hooked("build").counts(1, 0).run();
    assert_eq!(prints(&two.bin("foo")), "1 1 none 1");

    two.change_file("made-of.txt", "2");
    two.hooked("build").counts_with_runs(0, 1, 1).run();
    assert_eq!(prints(&two.bin("foo")), "1 2 none 1");
    two.change_file("made-of.txt", "1");
    two.hooked("build").counts(2, 0).run();

    two.change_file("../outside.txt", "2");
    two.hooked("build").run();
    assert_eq!(prints(&two.bin("foo")), "1 1 none 2");
    two.change_file("../outside.txt", "1");
    two.hooked("build").counts(1, 0).run();

    two.hooked("build").env("COLOUR", "red").run();
    assert_eq!(prints(&two.bin("foo")), "1 1 red 1");
    two.hooked("build").counts(1, 0).run();
    assert_eq!(prints(&two.bin("foo")), "1 1 none 1");
    two.hooked("build").fresh().run();
}

#[cargo_test]
fn names_with_spaces_and_braces_are_noticed_too() {
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file(
                "src/main.rs",
                r#"
                #[path = "a {workspace} name/with #1.rs"]
                mod own;
                fn main() { println!("{}", own::N); }
            "#,
            )
            .file("src/a {workspace} name/with #1.rs", "pub const N: u32 = 1;")
    });
    let _hook = Hook::new();
    one.hooked("build").counts(0, 1).run();
    two.hooked("build").counts(1, 0).run();
    two.hooked("build").fresh().run();
    two.change_file("src/a {workspace} name/with #1.rs", "pub const N: u32 = 2;");
    two.hooked("build").counts(0, 1).run();
    assert_eq!(prints(&two.bin("foo")), "2");
}
