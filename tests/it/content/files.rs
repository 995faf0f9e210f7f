//! What can be where a file was: nothing, a link, a folder. And files that are no sources of the package.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use cargo_test_support::ProjectBuilder;
use cargo_test_support::prelude::*;

use super::{
    AFTER_PAST, BEFORE_PAST, Checkout, OWN_1, OWN_2, PAST, fails, fresh, library_and_program, runs,
    scenario, set_time, time,
};
use crate::support::package;

#[cargo_test]
fn a_missing_file_is_missed() {
    let missing = || fails("E0583").because("foo", "the file `src/own.rs` is missing");
    scenario(library_and_program)
        .change("remove a module", |c| c.remove("src/own.rs"))
        .both(missing())
        .change("bring it back", |c| c.bring_in("src/own.rs", OWN_1, PAST))
        .both(runs(&["foo bin"]).printing("1 1"))
        .play();
}

/// Puts a symbolic link in the place of a file.
fn link(c: &Checkout, name: &str, to: &str) {
    c.remove(name);
    symlink(to, c.path(name)).unwrap();
}

#[cargo_test]
fn a_link_is_what_it_leads_to() {
    scenario(library_and_program)
        .change("replace a file by a link to the same content", |c| {
            c.edit_at("elsewhere/one.rs", OWN_1, BEFORE_PAST);
            c.edit_at("elsewhere/two.rs", OWN_2, BEFORE_PAST);
            link(c, "src/own.rs", "../elsewhere/one.rs");
        })
        .both(fresh().printing("1 1"))
        .change("turn the link", |c| {
            link(c, "src/own.rs", "../elsewhere/two.rs")
        })
        .mtime(fresh().printing("1 1"))
        .content(
            runs(&["foo bin"])
                .because("foo", "content of `src/own.rs` changed")
                .printing("2 1"),
        )
        .change("edit what it leads to", |c| {
            c.edit_in_secret("elsewhere/two.rs", OWN_1)
        })
        .mtime(fresh().printing("1 1"))
        .content(runs(&["foo bin"]).printing("1 1"))
        .change("lead it nowhere", |c| {
            link(c, "src/own.rs", "../elsewhere/three.rs")
        })
        .both(fails("E0583").because("foo", "the file `src/own.rs` is missing"))
        .play();
}

#[cargo_test]
fn a_link_to_another_folder_is_noticed() {
    let files = |p| {
        library_and_program(p)
            .file(
                "src/main.rs",
                "#[path = \"gen/own.rs\"]\nmod own;\nfn main() { println!(\"{}\", own::N); }",
            )
            .file("one/own.rs", OWN_1)
            .file("two/own.rs", OWN_2)
            .symlink_dir("one", "src/gen")
    };
    scenario(files)
        .change("turn the link to a folder", |c| {
            link(c, "src/gen", "../two")
        })
        .mtime(fresh().printing("1"))
        .content(runs(&["foo bin"]).printing("2"))
        .change("turn it back", |c| link(c, "src/gen", "../one"))
        .mtime(fresh().printing("1"))
        .content(runs(&["foo bin"]).printing("1"))
        .play();
}

#[cargo_test]
fn a_folder_is_no_file() {
    scenario(library_and_program)
        .change("replace a file by a folder", |c| {
            c.remove("src/own.rs");
            fs::create_dir(c.path("src/own.rs")).unwrap();
            set_time(&c.path("src/own.rs"), time(PAST));
        })
        .mtime(fresh().printing("1 1"))
        .content(fails("couldn't read"))
        .change("replace it by the file", |c| {
            c.remove("src/own.rs");
            c.bring_in("src/own.rs", OWN_1, PAST);
        })
        .mtime(fresh().printing("1 1"))
        .content(runs(&["foo bin"]).printing("1 1"))
        .play();
}

/// A program that prints a file from outside of its package, and one with a name that is not simple.
fn collector(p: ProjectBuilder) -> ProjectBuilder {
    p.file("Cargo.toml", &package("foo", ""))
        .file(
            "src/main.rs",
            r##"
                fn main() {
                    let strange = include_str!("a {strange} näme/with #1 'n'.txt");
                    let outside = include_str!("../../outside.txt");
                    println!("{strange} {outside} {}", include_bytes!("empty").len());
                }
            "##,
        )
        .file("src/a {strange} näme/with #1 'n'.txt", "1")
        .file("src/empty", "")
        .file("../outside.txt", "1")
}

#[cargo_test]
fn a_file_outside_the_package_is_an_input() {
    scenario(collector)
        .before(|c| set_time(&c.path("../outside.txt"), time(PAST)))
        .change("touch it", |c| c.touch("../outside.txt"))
        .mtime(runs(&["foo bin"]).printing("1 1 0"))
        .content(fresh().printing("1 1 0"))
        .change("edit it", |c| c.edit("../outside.txt", "2"))
        .mtime(runs(&["foo bin"]).printing("1 2 0"))
        .content(
            runs(&["foo bin"])
                .because("foo", "content of `src/../../outside.txt` changed")
                .printing("1 2 0"),
        )
        .change("bring in an older one", |c| {
            c.bring_in("../outside.txt", "3", BEFORE_PAST);
        })
        .mtime(fresh().printing("1 2 0"))
        .content(runs(&["foo bin"]).printing("1 3 0"))
        .change("remove it", |c| c.remove("../outside.txt"))
        .both(fails("couldn't read").because("foo", "the file `src/../../outside.txt` is missing"))
        .play();
}

#[cargo_test]
fn a_file_with_a_strange_name_is_an_input() {
    let name = "src/a {strange} näme/with #1 'n'.txt";
    scenario(collector)
        .change("touch it", move |c| c.touch(name))
        .mtime(runs(&["foo bin"]))
        .content(fresh())
        .change("edit it", move |c| c.edit_in_secret(name, "2"))
        .mtime(fresh().printing("1 1 0"))
        .content(
            runs(&["foo bin"])
                .because(
                    "foo",
                    "content of `src/a {strange} näme/with #1 'n'.txt` changed",
                )
                .printing("2 1 0"),
        )
        .play();
}

#[cargo_test]
fn an_empty_file_is_an_input() {
    scenario(collector)
        .change("fill it", |c| c.edit_at("src/empty", "filled", PAST))
        .mtime(fresh().printing("1 1 0"))
        .content(
            runs(&["foo bin"])
                .because("foo", "content of `src/empty` changed")
                .printing("1 1 6"),
        )
        .change("empty it", |c| c.edit_at("src/empty", "", PAST))
        .mtime(fresh().printing("1 1 0"))
        .content(runs(&["foo bin"]).printing("1 1 0"))
        .play();
}

#[cargo_test]
fn a_file_of_several_units_is_an_input_of_each() {
    let files = |p| {
        library_and_program(p)
            .file("bar/src/lib.rs", "include!(\"../../shared.rs\");")
            .file(
                "src/own.rs",
                "include!(\"../shared.rs\"); pub const N: fn() -> u32 = n;",
            )
            .file(
                "src/main.rs",
                "mod own;\nfn main() { println!(\"{} {}\", (own::N)(), bar::n()); }",
            )
            .file("shared.rs", "pub fn n() -> u32 { 1 }")
    };
    scenario(files)
        .change("touch it", |c| c.touch("shared.rs"))
        .mtime(runs(&["bar lib", "foo bin"]))
        .content(fresh())
        .change("edit it", |c| {
            c.edit_in_secret("shared.rs", "pub fn n() -> u32 { 2 }")
        })
        .mtime(fresh().printing("1 1"))
        .content(
            runs(&["bar lib", "foo bin"])
                .because("bar", "content of `bar/src/../../shared.rs` changed")
                .printing("2 2"),
        )
        .play();
}

#[cargo_test]
fn a_file_that_nothing_reads_is_no_input() {
    scenario(library_and_program)
        .change("add files", |c| {
            c.edit("src/unused.rs", "not rust");
            c.edit("src/own/deeper.rs", "not rust");
            c.edit("README.md", "Read me.");
            c.edit("bar/notes.txt", "1");
        })
        .both(fresh())
        .change("edit them", |c| {
            c.edit("src/unused.rs", "still not rust");
            c.edit("bar/notes.txt", "2");
        })
        .both(fresh())
        .change("remove them", |c| {
            c.remove("src/unused.rs");
            c.remove("src/own");
            c.remove("bar/notes.txt");
        })
        .both(fresh())
        .play();
}

/// A program that prints what its build script has generated: 1, or what `VALUE` says.
fn with_generated_file(p: ProjectBuilder) -> ProjectBuilder {
    p.file("Cargo.toml", &package("foo", ""))
        .file(
            "build.rs",
            r#"
                fn main() {
                    println!("cargo::rerun-if-env-changed=VALUE");
                    let value = std::env::var("VALUE").unwrap_or("1".to_owned());
                    let out = std::env::var("OUT_DIR").unwrap();
                    std::fs::write(out + "/gen.rs", format!("const N: u32 = {value};")).unwrap();
                }
            "#,
        )
        .file(
            "src/main.rs",
            r#"
                include!(concat!(env!("OUT_DIR"), "/gen.rs"));
                fn main() { println!("{N}"); }
            "#,
        )
}

#[cargo_test]
fn a_generated_file_is_an_input() {
    let generated = |c: &Checkout| c.only("target/debug/build/foo-*/out/gen.rs");
    scenario(with_generated_file)
        .change("touch it", move |c| c.touch(generated(c).to_str().unwrap()))
        .mtime(runs(&["foo bin"]))
        .content(fresh())
        .change("edit it", move |c| {
            edit_at(&generated(c), "const N: u32 = 2;", AFTER_PAST);
        })
        .mtime(fresh().printing("1"))
        .content(
            runs(&["foo bin"])
                .because(
                    "foo",
                    "content of `target/debug/build/foo-[HASH]/out/gen.rs` changed",
                )
                .printing("2"),
        )
        .change("generate another", |c| c.set("VALUE", "3"))
        .both(runs(&["foo run-custom-build", "foo bin"]).printing("3"))
        .play();
}

fn edit_at(path: &Path, text: &str, seconds: u64) {
    fs::write(path, text).unwrap();
    set_time(path, time(seconds));
}

#[cargo_test]
fn a_variable_is_an_input_as_ever() {
    let files = |p| {
        library_and_program(p).file(
            "src/main.rs",
            "fn main() { println!(\"{}\", option_env!(\"COLOUR\").unwrap_or(\"none\")); }",
        )
    };
    scenario(files)
        .first(runs(&["bar lib", "foo bin"]).printing("none"))
        .change("set it", |c| c.set("COLOUR", "red"))
        .both(
            runs(&["foo bin"])
                .because("foo", "the environment variable COLOUR changed")
                .printing("red"),
        )
        .change("set another", |c| c.set("SHADE", "dark"))
        .both(fresh())
        .change("unset it", |c| c.unset("COLOUR"))
        .both(runs(&["foo bin"]).printing("none"))
        .change("set it in a file", |c| {
            c.edit(".cargo/config.toml", "[env]\nCOLOUR = 'green'\n");
        })
        .both(runs(&["foo bin"]).printing("green"))
        .play();
}

#[cargo_test]
fn a_field_of_the_manifest_is_an_input_as_ever() {
    let files = |p| {
        library_and_program(p).file(
            "src/main.rs",
            "fn main() { println!(\"{}\", env!(\"CARGO_PKG_DESCRIPTION\")); }",
        )
    };
    let describe = |c: &Checkout, text: &str| {
        let described = format!("edition = \"2024\"\ndescription = \"{text}\"");
        c.edit(
            "Cargo.toml",
            &c.read("Cargo.toml")
                .replace("edition = \"2024\"", &described),
        );
    };
    scenario(files)
        .first(runs(&["bar lib", "foo bin"]).printing(""))
        .change("describe it", move |c| describe(c, "new"))
        .both(
            runs(&["foo bin"])
                .because(
                    "foo",
                    "the environment variable CARGO_PKG_DESCRIPTION changed",
                )
                .printing("new"),
        )
        .change("describe another", |c| {
            c.edit(
                "bar/Cargo.toml",
                &format!(
                    "{}description = 'other'\n",
                    package("bar", "").trim_end().to_owned() + "\n"
                ),
            );
        })
        .both(fresh())
        .play();
}
