//! Files that no list of inputs names: `mod own;` is `own.rs` or `own/mod.rs`, and rustc refuses both.

use cargo_test_support::ProjectBuilder;
use cargo_test_support::prelude::*;

use super::{OWN_1, OWN_2, fails, fresh, library_and_program, runs, scenario, succeeds};
use crate::support::package;

#[cargo_test]
fn a_moved_module_is_compiled() {
    scenario(library_and_program)
        .change("move a module into a folder", |c| {
            c.rename("src/own.rs", "src/own/mod.rs");
            c.age();
        })
        .mtime(
            runs(&["foo bin"])
                .because("foo", "the file `src/own.rs` is missing")
                .printing("1 1"),
        )
        .content(
            runs(&["foo bin"])
                .because("foo", "the file `src/own/mod.rs` is new")
                .printing("1 1"),
        )
        .change("move it back", |c| {
            c.rename("src/own/mod.rs", "src/own.rs");
            c.age();
        })
        .mtime(
            runs(&["foo bin"])
                .because("foo", "the file `src/own/mod.rs` is missing")
                .printing("1 1"),
        )
        .content(
            runs(&["foo bin"])
                .because("foo", "the file `src/own.rs` is new")
                .printing("1 1"),
        )
        .play();
}

#[cargo_test]
fn a_second_file_for_a_module_is_noticed() {
    scenario(library_and_program)
        .change("add a folder for a module", |c| {
            c.edit("src/own/mod.rs", OWN_2)
        })
        // rustc would refuse it, and is not asked.
        .mtime(fresh().printing("1 1"))
        .content(fails("error[E0761]").because("foo", "the file `src/own/mod.rs` is new"))
        .change("remove it", |c| c.remove("src/own"))
        .mtime(fresh().printing("1 1"))
        .content(succeeds().printing("1 1"))
        .change("add a folder for files of the module", |c| {
            c.edit("src/own/deeper.rs", OWN_2);
        })
        .both(fresh().printing("1 1"))
        .play();
}

#[cargo_test]
fn a_second_file_beside_the_folder_of_a_module_is_noticed() {
    scenario(in_folders)
        .first(runs(&["foo bin"]).printing("1 1"))
        .change("add a file for a module", |c| {
            c.edit("src/own.rs", OWN_2);
            c.age();
        })
        .mtime(fresh().printing("1 1"))
        .content(fails("error[E0761]"))
        .change("remove it", |c| c.remove("src/own.rs"))
        .mtime(fresh().printing("1 1"))
        .content(succeeds().printing("1 1"))
        .change("add a file for a module of a module", |c| {
            c.edit("src/own/deep/mod.rs", OWN_2);
        })
        .mtime(fresh().printing("1 1"))
        .content(fails("error[E0761]"))
        .change("remove it too", |c| c.remove("src/own/deep"))
        .mtime(fresh().printing("1 1"))
        .content(succeeds().printing("1 1"))
        .play();
}

/// A program with a module `own` in a folder, and in it a module `deep` in a file.
fn in_folders(p: ProjectBuilder) -> ProjectBuilder {
    p.file("Cargo.toml", &package("foo", ""))
        .file(
            "src/main.rs",
            "mod own;\nfn main() { println!(\"{} {}\", own::N, own::deep::N); }",
        )
        .file("src/own/mod.rs", &format!("pub mod deep;\n{OWN_1}"))
        .file("src/own/deep.rs", OWN_1)
}

#[cargo_test]
fn a_second_file_for_the_root_of_a_crate_is_none() {
    // Only `mod` looks for two files; the root is named, and so is what `#[path]` names.
    let files = |p| {
        library_and_program(p).file(
            "src/main.rs",
            "#[path = \"own.rs\"]\nmod other;\nfn main() { println!(\"{}\", other::N); }",
        )
    };
    scenario(files)
        .change("add files", |c| {
            c.edit("src/main/mod.rs", OWN_2);
            c.edit("src/own/mod.rs", OWN_2);
            c.edit("src/other.rs", OWN_2);
            c.edit("src/other/mod.rs", OWN_2);
        })
        .mtime(fresh().printing("1"))
        // One build too many is no fault; a wrong result would be.
        .content(succeeds().printing("1"))
        .play();
}

#[cargo_test]
fn a_module_that_is_configured_out_is_no_input() {
    let files = |p| {
        library_and_program(p).file(
            "src/main.rs",
            "mod own;\n#[cfg(windows)]\nmod absent;\n\
             fn main() { println!(\"{} {}\", own::N, bar::n()); }",
        )
    };
    scenario(files)
        .change("add its file", |c| c.edit("src/absent.rs", "not rust"))
        .both(fresh())
        .play();
}
