//! Build scripts that declare what they depend on.

use std::fs;
use std::os::unix::fs::symlink;

use cargo_test_support::ProjectBuilder;
use cargo_test_support::prelude::*;

use super::{AFTER_PAST, PAST, fresh, runs, scenario, set_time, time};
use crate::support::package;

const SCRIPT: &str = "foo run-custom-build";

/// A program that prints what its build script found out, with this body, as `n`.
fn with_script(body: &str) -> impl Fn(ProjectBuilder) -> ProjectBuilder + 'static {
    let script = format!(
        "use std::path::Path;

        fn main() {{
            {body}
            println!(\"cargo::rustc-env=N={{n}}\");
        }}

        /// Tells the names of everything in a folder, with the content of files.
        #[allow(dead_code)]
        fn tell(dir: &Path) -> String {{
            let mut told = Vec::new();
            for entry in std::fs::read_dir(dir).unwrap() {{
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                told.push(if path.is_dir() {{
                    format!(\"{{name}}({{}})\", tell(&path))
                }} else {{
                    format!(\"{{name}}:{{}}\", std::fs::read_to_string(&path).unwrap())
                }});
            }}
            told.sort();
            told.join(\" \")
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
            .file("assets/deep/b.txt", "1")
    }
}

const OF_A_FILE: &str = r#"
    println!("cargo::rerun-if-changed=n.txt");
    let n = std::fs::read_to_string("n.txt").unwrap_or("none".to_owned());
"#;

const OF_A_FOLDER: &str = r#"
    println!("cargo::rerun-if-changed=assets");
    let n = tell(Path::new("assets"));
"#;

#[cargo_test]
fn a_declared_file_counts_by_content() {
    scenario(with_script(OF_A_FILE))
        .change("touch every file", |c| c.touch_all())
        .mtime(runs(&["foo custom-build", SCRIPT, "foo bin"]))
        .content(fresh())
        .change("edit and undo", |c| {
            c.edit("n.txt", "2");
            c.edit("n.txt", "1");
        })
        .mtime(runs(&[SCRIPT, "foo bin"]).printing("1"))
        .content(fresh().printing("1"))
        .change("edit it", |c| c.edit("n.txt", "2"))
        .mtime(
            runs(&[SCRIPT, "foo bin"])
                .because("foo", "the file `n.txt` has changed ([..]")
                .printing("2"),
        )
        .content(
            runs(&[SCRIPT, "foo bin"])
                .because("foo", "content of `n.txt` changed")
                .printing("2"),
        )
        .change("edit it in secret", |c| c.edit_in_secret("n.txt", "3"))
        .mtime(fresh().printing("2"))
        .content(runs(&[SCRIPT, "foo bin"]).printing("3"))
        .change("bring in another", |c| c.bring_in("n.txt", "four", PAST))
        .mtime(fresh().printing("2"))
        .content(runs(&[SCRIPT, "foo bin"]).printing("four"))
        .change("edit what is not declared", |c| {
            c.edit("assets/a.txt", "2");
            c.edit("README.md", "Read me.");
        })
        .both(fresh())
        .play();
}

/// Says something else each time, so that its program is always built.
const OF_A_FILE_AND_THE_TIME: &str = r#"
    println!("cargo::rerun-if-changed=n.txt");
    println!("cargo::rustc-env=T={:?}", std::time::SystemTime::now());
    let n = std::fs::read_to_string("n.txt").unwrap_or("none".to_owned());
"#;

const USES_THE_TIME: &str =
    "const _: &str = env!(\"T\"); fn main() { println!(\"{}\", env!(\"N\")); }";

#[cargo_test]
fn a_declared_file_that_is_missing_never_rests() {
    // Nobody can tell a missing file from the same missing file.
    let missing = || {
        runs(&[SCRIPT, "foo bin"])
            .because("foo", "the file `n.txt` is missing")
            .printing("none")
            .restless()
    };
    let files = |p| with_script(OF_A_FILE_AND_THE_TIME)(p).file("src/main.rs", USES_THE_TIME);
    scenario(files)
        .change("remove it", |c| c.remove("n.txt"))
        .both(missing())
        .change("nothing", |_| {})
        .both(missing())
        .change("bring it back", |c| c.bring_in("n.txt", "1", PAST))
        .mtime(fresh().printing("none"))
        .content(runs(&[SCRIPT, "foo bin"]).printing("1"))
        .change("remove it again", |c| c.remove("n.txt"))
        .both(missing())
        .play();
}

#[cargo_test]
fn a_file_that_is_declared_before_it_exists_never_rests() {
    let missing = || {
        runs(&[SCRIPT, "foo bin"])
            .because("foo", "the file `n.txt` is missing")
            .printing("none")
            .restless()
    };
    let files = |p| with_script(OF_A_FILE_AND_THE_TIME)(p).file("src/main.rs", USES_THE_TIME);
    let all = ["foo custom-build", SCRIPT, "foo bin"];
    scenario(files)
        .before(|c| c.remove("n.txt"))
        .first(runs(&all).printing("none").restless())
        .change("nothing", |_| {})
        .both(missing())
        .change("still nothing", |_| {})
        .both(missing())
        .change("add it", |c| c.edit("n.txt", "1"))
        .both(runs(&[SCRIPT, "foo bin"]).printing("1"))
        .play();
}

#[cargo_test]
fn a_script_that_never_rests_builds_nothing_above_it() {
    let all = ["foo custom-build", SCRIPT, "foo bin"];
    scenario(with_script(OF_A_FILE))
        .before(|c| c.remove("n.txt"))
        .first(runs(&all).printing("none").restless())
        .change("nothing", |_| {})
        .mtime(runs(&[SCRIPT, "foo bin"]).printing("none").restless())
        // What it says is the same, and so is its program.
        .content(runs(&[SCRIPT]).printing("none").restless())
        .play();
}

#[cargo_test]
fn a_declared_folder_counts_by_content() {
    scenario(with_script(OF_A_FOLDER))
        .change("touch every file", |c| c.touch_all())
        .mtime(runs(&["foo custom-build", SCRIPT, "foo bin"]))
        .content(fresh().printing("a.txt:1 deep(b.txt:1)"))
        .change("age every file", |c| c.age())
        .both(fresh())
        .change("edit a file", |c| {
            c.edit_at("assets/a.txt", "2", AFTER_PAST)
        })
        .mtime(fresh().printing("a.txt:1 deep(b.txt:1)"))
        .content(
            runs(&[SCRIPT, "foo bin"])
                .because("foo", "content of `assets/a.txt` changed")
                .printing("a.txt:2 deep(b.txt:1)"),
        )
        .change("edit a file in a folder in it", |c| {
            c.edit_in_secret("assets/deep/b.txt", "2");
        })
        .mtime(fresh().printing("a.txt:1 deep(b.txt:1)"))
        .content(
            runs(&[SCRIPT, "foo bin"])
                .because("foo", "content of `assets/deep/b.txt` changed")
                .printing("a.txt:2 deep(b.txt:2)"),
        )
        .change("edit what lies beside it", |c| c.edit("n.txt", "2"))
        .both(fresh())
        .play();
}

#[cargo_test]
fn the_list_of_a_declared_folder_counts() {
    let changed = |printed: &str| {
        runs(&[SCRIPT, "foo bin"])
            .because("foo", "the list of files in `assets` changed")
            .printing(printed)
    };
    scenario(with_script(OF_A_FOLDER))
        .change("add a file", |c| {
            c.edit("assets/c.txt", "1");
            c.age();
        })
        .mtime(fresh())
        .content(changed("a.txt:1 c.txt:1 deep(b.txt:1)"))
        .change("add a file in a folder in it", |c| {
            c.edit("assets/deep/d.txt", "1");
            c.age();
        })
        .mtime(fresh())
        .content(changed("a.txt:1 c.txt:1 deep(b.txt:1 d.txt:1)"))
        .change("add a hidden file", |c| {
            c.edit("assets/.hidden", "1");
            c.age();
        })
        .mtime(fresh())
        .content(changed(".hidden:1 a.txt:1 c.txt:1 deep(b.txt:1 d.txt:1)"))
        .change("remove files", |c| {
            c.remove("assets/.hidden");
            c.remove("assets/c.txt");
            c.age();
        })
        .mtime(fresh())
        .content(changed("a.txt:1 deep(b.txt:1 d.txt:1)"))
        .change("rename a file", |c| {
            c.rename("assets/a.txt", "assets/e.txt");
            c.age();
        })
        .mtime(fresh())
        .content(changed("deep(b.txt:1 d.txt:1) e.txt:1"))
        .change("add an empty folder", |c| {
            fs::create_dir(c.path("assets/empty")).unwrap();
            c.age();
        })
        .mtime(fresh().printing("a.txt:1 deep(b.txt:1)"))
        .content(changed("deep(b.txt:1 d.txt:1) e.txt:1 empty()"))
        .change("add and remove a file", |c| {
            c.edit("assets/f.txt", "1");
            c.remove("assets/f.txt");
        })
        .mtime(runs(&[SCRIPT, "foo bin"]).printing("deep(b.txt:1 d.txt:1) e.txt:1 empty()"))
        .content(fresh())
        .play();
}

#[cargo_test]
fn what_is_ignored_in_a_declared_folder_counts() {
    if !super::has("git") {
        return;
    }
    let files = |p| with_script(OF_A_FOLDER)(p).file(".gitignore", "target\nignored.txt\n");
    scenario(files)
        .before(|c| c.runs("git init -q"))
        .change("add an ignored file", |c| {
            c.edit("assets/ignored.txt", "1");
            c.age();
        })
        .mtime(fresh().printing("a.txt:1 deep(b.txt:1)"))
        .content(
            runs(&[SCRIPT, "foo bin"])
                .because("foo", "the list of files in `assets` changed")
                .printing("a.txt:1 deep(b.txt:1) ignored.txt:1"),
        )
        .change("edit it", |c| c.edit_at("assets/ignored.txt", "2", PAST))
        .mtime(fresh())
        .content(runs(&[SCRIPT, "foo bin"]).printing("a.txt:1 deep(b.txt:1) ignored.txt:2"))
        .play();
}

#[cargo_test]
fn modes_and_links_in_a_declared_folder_count() {
    let body = r#"
        println!("cargo::rerun-if-changed=assets");
        use std::os::unix::fs::PermissionsExt;
        let n = std::fs::metadata("assets/a.txt").unwrap().permissions().mode() & 0o100;
        let link = std::fs::read_to_string("assets/link").unwrap_or("none".to_owned());
        let n = format!("{n} {link}");
    "#;
    scenario(with_script(body))
        .first(runs(&["foo custom-build", SCRIPT, "foo bin"]).printing("0 none"))
        .change("make a file executable", |c| {
            c.runs("chmod u+x assets/a.txt")
        })
        .mtime(fresh().printing("0 none"))
        .content(runs(&[SCRIPT, "foo bin"]).printing("64 none"))
        .change("let nobody else read it", |c| {
            c.runs("chmod go-rwx assets/a.txt")
        })
        .both(fresh())
        .change("add a link", |c| {
            symlink("../n.txt", c.path("assets/link")).unwrap();
        })
        .mtime(runs(&[SCRIPT, "foo bin"]).printing("64 1"))
        .content(
            runs(&[SCRIPT, "foo bin"])
                .because("foo", "the list of files in `assets` changed")
                .printing("64 1"),
        )
        .change("edit what it leads to", |c| c.edit_in_secret("n.txt", "2"))
        .mtime(fresh().printing("64 1"))
        .content(runs(&[SCRIPT, "foo bin"]).printing("64 2"))
        .play();
}

#[cargo_test]
fn a_declared_folder_may_become_a_file_and_vanish() {
    let body = r#"
        println!("cargo::rerun-if-changed=assets");
        let path = Path::new("assets");
        let n = if path.is_dir() { "folder" } else if path.is_file() { "file" } else { "none" };
    "#;
    scenario(with_script(body))
        .first(runs(&["foo custom-build", SCRIPT, "foo bin"]).printing("folder"))
        .change("replace it by a file", |c| {
            c.remove("assets");
            c.edit_at("assets", "1", PAST);
        })
        .mtime(fresh().printing("folder"))
        .content(runs(&[SCRIPT, "foo bin"]).printing("file"))
        .change("remove it", |c| c.remove("assets"))
        .both(
            runs(&[SCRIPT, "foo bin"])
                .because("foo", "the file `assets` is missing")
                .printing("none")
                .restless(),
        )
        .play();
}

#[cargo_test]
fn a_declared_file_may_lie_anywhere() {
    let body = r#"
        println!("cargo::rerun-if-changed=../outside.txt");
        println!("cargo::rerun-if-changed=src");
        println!("cargo::rerun-if-changed=src/main.rs");
        let n = std::fs::read_to_string("../outside.txt").unwrap();
    "#;
    scenario(move |p| with_script(body)(p).file("../outside.txt", "1"))
        .before(|c| set_time(&c.path("../outside.txt"), time(PAST)))
        .change("touch it", |c| c.touch("../outside.txt"))
        .mtime(runs(&[SCRIPT, "foo bin"]))
        .content(fresh())
        .change("edit it", |c| c.edit_in_secret("../outside.txt", "2"))
        .mtime(fresh().printing("1"))
        .content(runs(&[SCRIPT, "foo bin"]).printing("2"))
        .change("edit what is a source as well", |c| {
            c.edit(
                "src/main.rs",
                "fn main() { println!(\"n{}\", env!(\"N\")); }",
            );
        })
        .mtime(runs(&[SCRIPT, "foo bin"]).printing("n2"))
        .content(runs(&[SCRIPT, "foo bin"]).printing("n2"))
        .play();
}

#[cargo_test]
fn a_declared_variable_counts_as_ever() {
    let body = r#"
        println!("cargo::rerun-if-env-changed=VALUE");
        let n = std::env::var("VALUE").unwrap_or("none".to_owned());
    "#;
    scenario(with_script(body))
        .change("touch what is not declared", |c| {
            c.touch("n.txt");
            c.touch("Cargo.toml");
        })
        .both(fresh())
        .change("set it", |c| c.set("VALUE", "2"))
        .both(
            runs(&[SCRIPT, "foo bin"])
                .because("foo", "the env variable VALUE changed")
                .printing("2"),
        )
        .change("set another", |c| c.set("OTHER", "2"))
        .both(fresh())
        .change("unset it", |c| c.unset("VALUE"))
        .both(runs(&[SCRIPT, "foo bin"]).printing("none"))
        .play();
}
