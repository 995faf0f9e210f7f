//! Two changes at once: that a dependency came out the same must not hide what else has changed.

use std::fs;

use cargo_test_support::ProjectBuilder;
use cargo_test_support::prelude::*;

use super::{Checkout, OWN_2, PAST, fails, library_and_program, runs, scenario};
use crate::support::package;

/// Lets `bar` be built again, to the same.
fn lose_library(c: &Checkout) {
    let libraries = c.all("target/debug/deps/libbar-*.rlib");
    let metadata = c.all("target/debug/deps/libbar-*.rmeta");
    for file in [libraries, metadata].concat() {
        fs::remove_file(file).unwrap();
    }
}

/// A program that prints a variable, and a library with a build script that looks at another one, and
/// says the same for each of its values.
fn with_variables(p: ProjectBuilder) -> ProjectBuilder {
    library_and_program(p)
        .file(
            "src/main.rs",
            "fn main() { println!(\"{} {}\", option_env!(\"COLOUR\").unwrap_or(\"none\"), bar::n()); }",
        )
        .file(
            "bar/build.rs",
            "fn main() { println!(\"cargo::rerun-if-env-changed=VALUE\"); }",
        )
}

#[cargo_test]
fn a_variable_and_a_dependency() {
    let script = "bar run-custom-build";
    scenario(with_variables)
        .change("set variables of both", |c| {
            c.set("VALUE", "2");
            c.set("COLOUR", "red");
        })
        .mtime(runs(&[script, "bar lib", "foo bin"]).printing("red 1"))
        .content(runs(&[script, "foo bin"]).printing("red 1"))
        .change("set a variable, and lose the library", |c| {
            c.set("COLOUR", "green");
            lose_library(c);
        })
        .both(runs(&["bar lib", "foo bin"]).printing("green 1"))
        .play();
}

#[cargo_test]
fn a_field_of_the_manifest_and_a_dependency() {
    let files = |p| {
        with_variables(p).file(
            "src/main.rs",
            "fn main() { println!(\"{}{}\", env!(\"CARGO_PKG_DESCRIPTION\"), bar::n()); }",
        )
    };
    let script = "bar run-custom-build";
    scenario(files)
        .change(
            "describe the program, and set a variable of the library",
            |c| {
                let described = "edition = \"2024\"\ndescription = \"new\"";
                c.edit(
                    "Cargo.toml",
                    &c.read("Cargo.toml")
                        .replace("edition = \"2024\"", described),
                );
                c.set("VALUE", "2");
            },
        )
        .mtime(runs(&[script, "bar lib", "foo bin"]).printing("new1"))
        .content(runs(&[script, "foo bin"]).printing("new1"))
        .play();
}

#[cargo_test]
fn a_source_and_a_dependency() {
    scenario(library_and_program)
        .change("edit in secret, and lose the library", |c| {
            c.edit_in_secret("src/own.rs", OWN_2);
            lose_library(c);
        })
        .both(runs(&["bar lib", "foo bin"]).printing("2 1"))
        .change("add another file for a module, and lose the library", |c| {
            c.edit("src/own/mod.rs", OWN_2);
            lose_library(c);
        })
        .both(fails("error[E0761]"))
        .play();
}

#[cargo_test]
fn flags_and_a_dependency() {
    scenario(with_variables)
        .change("set flags, and a variable of the library", |c| {
            c.set("RUSTFLAGS", "--cfg other");
            c.set("VALUE", "2");
        })
        .both(runs(&[
            "bar custom-build",
            "bar run-custom-build",
            "bar lib",
            "foo bin",
        ]))
        .play();
}

#[cargo_test]
fn documentation_and_a_dependency() {
    scenario(library_and_program)
        .command("doc --no-deps")
        .change("edit in secret, and lose the library", |c| {
            c.edit_in_secret("src/own.rs", OWN_2);
            lose_library(c);
        })
        .both(runs(&["bar lib", "foo doc"]))
        .change("add a file in the past, and lose the library", |c| {
            c.edit("README.md", "Read me.");
            c.age();
            lose_library(c);
        })
        .both(runs(&["bar lib", "foo doc"]))
        .change("only lose the library", lose_library)
        .mtime(runs(&["bar lib", "foo doc"]))
        .content(runs(&["bar lib"]).keeping(&["foo"]))
        .play();
}

/// A program that prints `n.txt` with the number of files in `assets`, as its build script says, which
/// declares what these lines do.
fn with_script(declares: &str) -> impl Fn(ProjectBuilder) -> ProjectBuilder + 'static {
    let script = format!(
        "fn main() {{
            {declares}
            let n = std::fs::read_to_string(\"n.txt\").unwrap_or(\"none\".to_owned());
            let count = std::fs::read_dir(\"assets\").unwrap().count();
            println!(\"cargo::rustc-env=N={{n}} {{count}}\");
        }}"
    );
    move |p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("build.rs", &script)
            .file(
                "src/main.rs",
                "fn main() { println!(\"{}\", env!(\"N\")); }",
            )
            .file("n.txt", "1")
            .file("assets/a.txt", "1")
    }
}

/// Lets the program of the build script be built again, to the same.
fn lose_script(c: &Checkout) {
    for pattern in ["build_script_build-*", "build-script-build"] {
        for program in c.all(&format!("target/debug/build/foo-*/{pattern}")) {
            fs::remove_file(program).unwrap();
        }
    }
}

/// What a build script reads changes, and its program is built again.
fn play_with_script(declares: &str) {
    let script = ["foo custom-build", "foo run-custom-build"];
    let all = [script[0], script[1], "foo bin"];
    scenario(with_script(declares))
        .change("only lose the program", lose_script)
        .mtime(runs(&all).printing("1 1"))
        .content(runs(&script[..1]).printing("1 1"))
        .change("edit in secret, and lose the program", |c| {
            c.edit_in_secret("n.txt", "2");
            lose_script(c);
        })
        .both(runs(&all).printing("2 1"))
        .change("add a file in the past, and lose the program", |c| {
            c.edit("assets/b.txt", "1");
            c.age();
            lose_script(c);
        })
        .both(runs(&all).printing("2 2"))
        .change("remove a file in the past, and lose the program", |c| {
            c.remove("assets/b.txt");
            c.age();
            lose_script(c);
        })
        .both(runs(&all).printing("2 1"))
        .change("bring in another file, and lose the program", |c| {
            c.bring_in("n.txt", "three", PAST);
            lose_script(c);
        })
        .both(runs(&all).printing("three 1"))
        .change("set a variable, and lose the program", |c| {
            c.set("VALUE", "2");
            lose_script(c);
        })
        .mtime(runs(&all))
        .content(if declares.contains("VALUE") {
            runs(&script)
        } else {
            runs(&script[..1])
        })
        .play();
}

#[cargo_test]
fn what_a_script_declares_and_its_program() {
    play_with_script(
        "println!(\"cargo::rerun-if-changed=n.txt\"); println!(\"cargo::rerun-if-changed=assets\");
        println!(\"cargo::rerun-if-env-changed=VALUE\");",
    );
}

#[cargo_test]
fn the_package_of_a_silent_script_and_its_program() {
    play_with_script("");
}
