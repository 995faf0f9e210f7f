//! Edits while a build script runs.

use std::fs;

use cargo_test_support::ProjectBuilder;
use cargo_test_support::prelude::*;

use super::{EDITS, edit_meanwhile, stop};
use crate::content::{fresh, runs, scenario, succeeds};
use crate::support::package;

/// A program that prints `n.txt`, as its build script says, which edits it when it has read it.
fn with_script(declares: &str) -> impl Fn(ProjectBuilder) -> ProjectBuilder + 'static {
    let script = format!(
        "{EDITS}
        fn main() {{
            {declares}
            let path = if std::path::Path::new(\"assets/n.txt\").exists() {{ \"assets/n.txt\" }} else {{ \"n.txt\" }};
            println!(\"cargo::rustc-env=N={{}}\", std::fs::read_to_string(path).unwrap());
            edit_now();
        }}"
    );
    move |p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("build.rs", &script)
            .file(
                "src/main.rs",
                "fn main() { println!(\"{}\", env!(\"N\")); }",
            )
    }
}

/// Edits before and meanwhile, and compares.
fn play_with_script(declares: &str, name: &'static str) {
    let declares = declares.to_owned();
    let script = "foo run-custom-build";
    scenario(move |p| with_script(&declares)(p).file(name, "1"))
        .change("edit before and meanwhile", move |c| {
            c.edit(name, "2");
            c.set("SECRET", "yes");
            edit_meanwhile(c, name, "3");
        })
        .mtime(runs(&[script, "foo bin"]).printing("2").restless())
        .content(
            runs(&[script, "foo bin"])
                .unstable("foo", &format!("`{name}` changed while it was built"))
                .printing("2")
                .restless(),
        )
        .change("only build", stop)
        .mtime(fresh().printing("2"))
        .content(
            runs(&[script, "foo bin"])
                .because("foo", &format!("`{name}` changed while it was built"))
                .printing("3"),
        )
        .change("edit again", move |c| c.edit(name, "4"))
        .both(runs(&[script, "foo bin"]).printing("4"))
        .play();
}

#[cargo_test]
fn an_edit_of_a_declared_file_while_a_script_runs_is_noticed() {
    play_with_script("println!(\"cargo::rerun-if-changed=n.txt\");", "n.txt");
}

#[cargo_test]
fn an_edit_in_a_declared_folder_while_a_script_runs_is_noticed() {
    play_with_script(
        "println!(\"cargo::rerun-if-changed=assets\");",
        "assets/n.txt",
    );
}

#[cargo_test]
fn an_edit_in_the_package_of_a_silent_script_while_it_runs_is_noticed() {
    play_with_script("", "n.txt");
}

#[cargo_test]
fn an_edit_of_a_declared_file_while_a_script_runs_for_the_first_time_is_noticed() {
    let declares = "println!(\"cargo::rerun-if-changed=n.txt\");";
    let all = ["foo custom-build", "foo run-custom-build", "foo bin"];
    scenario(move |p| with_script(declares)(p).file("n.txt", "1"))
        .before(|c| {
            c.set("SECRET", "yes");
            edit_meanwhile(c, "n.txt", "2");
        })
        .first_either(
            runs(&all).printing("1").restless(),
            runs(&all)
                .unstable("foo", "`n.txt` changed while it was built")
                .printing("1")
                .restless(),
        )
        .change("only build", stop)
        .mtime(fresh().printing("1"))
        .content(
            runs(&all[1..])
                .because("foo", "`n.txt` changed while it was built")
                .printing("2"),
        )
        .play();
}

#[cargo_test]
fn a_file_that_a_script_adds_to_its_folder_is_noticed() {
    // The script tells the list, and then adds a file to it.
    let script = r#"
        fn main() {
            println!("cargo::rerun-if-changed=assets");
            println!("cargo::rustc-env=N={}", std::fs::read_dir("assets").unwrap().count());
            if let Ok(name) = std::env::var("ADD") {
                std::fs::write(name, "1").unwrap();
            }
        }
    "#;
    let files = move |p| {
        with_script("")(p)
            .file("build.rs", script)
            .file("assets/a.txt", "1")
    };
    let units = ["foo run-custom-build", "foo bin"];
    scenario(files)
        .change("add a file before and meanwhile", |c| {
            c.edit("assets/b.txt", "1");
            c.set("ADD", "assets/c.txt");
        })
        .both(succeeds().printing("2").restless())
        .change("only build", |c| {
            c.unset("ADD");
            fs::metadata(c.path("assets/c.txt")).unwrap();
        })
        // It was added in the tick of the clock in which the script was started, or in another.
        .mtime(succeeds())
        .content(runs(&units).printing("3"))
        .play();
}
