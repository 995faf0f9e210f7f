//! Build scripts that declare nothing: the whole package counts.

use std::fs;

use cargo_test_support::ProjectBuilder;
use cargo_test_support::prelude::*;

use super::{AFTER_PAST, PAST, fresh, runs, scenario};
use crate::support::package;

const SCRIPT: &str = "foo run-custom-build";

/// A program that prints `n.txt` with the number of its text files, as its build script says, which
/// declares nothing.
fn silent(p: ProjectBuilder) -> ProjectBuilder {
    p.file("Cargo.toml", &package("foo", ""))
        .file(
            "build.rs",
            r#"
                fn main() {
                    let n = std::fs::read_to_string("n.txt").unwrap();
                    let entries = std::fs::read_dir("texts").unwrap();
                    println!("cargo::rustc-env=N={n} {}", entries.count());
                }
            "#,
        )
        .file(
            "src/main.rs",
            "fn main() { println!(\"{}\", env!(\"N\")); }",
        )
        .file("n.txt", "1")
        .file("texts/a.txt", "1")
        .file("README.md", "Read me.")
}

#[cargo_test]
fn a_package_counts_by_content() {
    scenario(silent)
        .first(runs(&["foo custom-build", SCRIPT, "foo bin"]).printing("1 1"))
        .change("touch a file that nobody reads", |c| c.touch("README.md"))
        .mtime(
            runs(&[SCRIPT, "foo bin"])
                .because("foo", "the precalculated components changed")
                .printing("1 1"),
        )
        .content(fresh())
        .change("touch every file", |c| c.touch_all())
        .mtime(runs(&["foo custom-build", SCRIPT, "foo bin"]))
        .content(fresh())
        .change("age every file", |c| c.age())
        .mtime(runs(&[SCRIPT, "foo bin"]))
        .content(fresh())
        .change("edit the newest file", |c| {
            c.edit_at("n.txt", "2", AFTER_PAST)
        })
        .mtime(runs(&[SCRIPT, "foo bin"]).printing("2 1"))
        .content(
            runs(&[SCRIPT, "foo bin"])
                .because("foo", "content of `n.txt` changed")
                .printing("2 1"),
        )
        .change("edit another file", |c| {
            c.edit_at("README.md", "Do not read me.", PAST);
        })
        .mtime(fresh())
        // It says the same, so that is all.
        .content(runs(&[SCRIPT, "foo bin"]).because("foo", "content of `README.md` changed"))
        .change("edit in secret", |c| c.edit_in_secret("n.txt", "3"))
        .mtime(fresh().printing("2 1"))
        .content(runs(&[SCRIPT, "foo bin"]).printing("3 1"))
        .play();
}

#[cargo_test]
fn an_edit_that_is_undone_runs_nothing() {
    scenario(silent)
        .change("edit and undo", |c| {
            c.edit("n.txt", "2");
            c.edit("n.txt", "1");
        })
        .mtime(runs(&[SCRIPT, "foo bin"]))
        .content(fresh())
        .play();
}

#[cargo_test]
fn the_list_of_a_package_counts() {
    let changed = |printed: &str| {
        runs(&[SCRIPT, "foo bin"])
            .because("foo", "the list of files in the package changed")
            .printing(printed)
    };
    scenario(silent)
        .change("add a file", |c| c.edit_at("texts/b.txt", "1", PAST))
        .mtime(fresh().printing("1 1"))
        .content(changed("1 2"))
        .change("rename a file", |c| c.rename("README.md", "texts/c.md"))
        .mtime(fresh().printing("1 1"))
        .content(changed("1 3"))
        .change("remove files", |c| {
            c.remove("texts/b.txt");
            c.remove("texts/c.md");
        })
        .mtime(fresh().printing("1 1"))
        .content(changed("1 1"))
        .change("add and remove a file", |c| {
            c.edit("texts/d.txt", "1");
            c.remove("texts/d.txt");
        })
        .both(fresh().printing("1 1"))
        .play();
}

#[cargo_test]
fn what_is_not_of_the_package_does_not_count() {
    if !super::has("git") {
        return;
    }
    let files = |p| {
        silent(p)
            .file(
                "Cargo.toml",
                &package("foo", "[workspace]\nexclude = ['nested']"),
            )
            .file(".gitignore", "target\nignored.txt\nignored/\n")
            .file("ignored.txt", "1")
            .file("ignored/a.txt", "1")
            .file("nested/Cargo.toml", &package("nested", ""))
            .file("nested/src/lib.rs", "")
    };
    scenario(files)
        .before(|c| {
            c.runs("git init -q");
            c.runs("git add .");
        })
        .change("edit what git ignores", |c| {
            c.edit("ignored.txt", "2");
            c.edit("ignored/a.txt", "2");
            c.edit("ignored/b.txt", "1");
        })
        .both(fresh())
        .change("edit a nested package", |c| {
            c.edit("nested/src/lib.rs", "pub fn n() {}");
            c.edit("nested/n.txt", "1");
        })
        .both(fresh())
        .change("let git change its own", |c| {
            c.runs("git -c user.name=me -c user.email=me@example.org commit -q -m one");
        })
        .both(fresh())
        .change("leave something in the build directory", |c| {
            c.edit("target/debug/left.txt", "1");
        })
        .both(fresh())
        .change("edit a file that git knows", |c| c.edit("n.txt", "2"))
        .both(runs(&[SCRIPT, "foo bin"]).printing("2 1"))
        .change("add a file that git does not know", |c| {
            c.edit("texts/b.txt", "2")
        })
        .both(runs(&[SCRIPT, "foo bin"]).printing("2 2"))
        .play();
}

#[cargo_test]
fn ten_thousand_files_are_watched() {
    scenario(silent)
        .before(|c| {
            for n in 0..100 {
                let folder = c.path(format!("many/{n}"));
                fs::create_dir_all(&folder).unwrap();
                for m in 0..100 {
                    fs::write(folder.join(format!("{m}.txt")), format!("{n} {m}")).unwrap();
                }
            }
            c.age();
        })
        .change("touch all of them", |c| c.touch_all())
        .mtime(runs(&["foo custom-build", SCRIPT, "foo bin"]))
        .content(fresh())
        .change("age all of them", |c| c.age())
        .mtime(runs(&[SCRIPT, "foo bin"]))
        .content(fresh())
        .change("edit one of them", |c| {
            c.edit_in_secret("many/47/11.txt", "11 47")
        })
        .mtime(fresh())
        .content(runs(&[SCRIPT, "foo bin"]).because("foo", "content of `many/47/11.txt` changed"))
        .change("remove one of them", |c| c.remove("many/8/15.txt"))
        .mtime(fresh())
        .content(
            runs(&[SCRIPT, "foo bin"]).because("foo", "the list of files in the package changed"),
        )
        .play();
}

#[cargo_test]
fn a_package_may_lie_anywhere_in_a_workspace() {
    let files = |p: ProjectBuilder| {
        p.file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nbar = { path = '../bar' }"),
        )
        .file("src/main.rs", "fn main() { println!(\"{}\", bar::N); }")
        .file("../bar/Cargo.toml", &package("bar", ""))
        .file(
            "../bar/build.rs",
            r#"
                fn main() {
                    println!("cargo::rustc-env=N={}", std::fs::read_to_string("n.txt").unwrap());
                }
            "#,
        )
        .file("../bar/src/lib.rs", "pub const N: &str = env!(\"N\");")
        .file("../bar/n.txt", "1")
    };
    let all = ["bar run-custom-build", "bar lib", "foo bin"];
    scenario(files)
        .first(runs(&["bar custom-build", all[0], all[1], all[2]]).printing("1"))
        .change("touch a file", |c| c.touch("../bar/n.txt"))
        .mtime(runs(&all))
        .content(fresh())
        .change("edit it", |c| c.edit_in_secret("../bar/n.txt", "2"))
        .mtime(fresh().printing("1"))
        .content(runs(&all).printing("2"))
        .play();
}
