//! What a script declares, and what it does not: a change of either runs it in another checkout.

use std::fs;

use cargo_test_support::prelude::*;
use cargo_test_support::{Execs, Project, ProjectBuilder, paths};

use super::{assert_builds, assert_builds_once, assert_builds_with, assert_said};
use crate::support::{Hooked, checkouts, package, shipped_cache, workspace};

/// Two checkouts of a program that prints what its script finds in a file, in a folder and in a variable,
/// which it declares, below `place`.
fn that_declare(place: &str) -> (Project, Project) {
    let script = r#"
        use std::{env, fs, path::Path};

        fn main() {
            println!("cargo::rerun-if-changed=PLACE/in.txt");
            println!("cargo::rerun-if-changed=PLACE/dir");
            println!("cargo::rerun-if-env-changed=COLOUR");
            let text = fs::read_to_string("PLACE/in.txt").unwrap();
            let mut found = Vec::new();
            list(Path::new("PLACE/dir"), &mut found);
            found.sort();
            let colour = env::var("COLOUR").unwrap_or("none".into());
            println!("cargo::rustc-env=RESULT={text} {} {colour}", found.join(","));
        }

        fn list(dir: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    list(&path, found);
                } else {
                    let name = path.file_name().unwrap().to_str().unwrap();
                    found.push(format!("{name}:{}", fs::read_to_string(&path).unwrap()));
                }
            }
        }
    "#;
    let at = |name: &str| format!("{place}/{name}");
    checkouts(|p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("build.rs", &script.replace("PLACE", place))
            .file(
                "src/main.rs",
                "fn main() { println!(\"{}\", env!(\"RESULT\")); }",
            )
            .file(at("in.txt"), "in")
            .file(at("dir/a"), "1")
            .file(at("dir/deep/b"), "2")
    })
}

#[track_caller]
fn assert_declared_inputs_count(place: &str) {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = that_declare(place);
    let write = |name: &str, text: &str| {
        fs::write(two.root().join(place).join(name), text).unwrap();
    };
    let dir = two.root().join(place).join("dir");
    let builds = |numbers, printed: &str| {
        two.wipe();
        assert_builds(&two, numbers, printed)
    };
    assert_builds(&one, (0, 2, 1), "in a:1,b:2 none");
    builds((3, 0, 0), "in a:1,b:2 none");

    write("in.txt", "out");
    let said = builds((1, 1, 1), "out a:1,b:2 none");
    assert_said(&said, "Missed", "");
    write("in.txt", "in");
    builds((3, 0, 0), "in a:1,b:2 none");

    write("dir/deep/b", "3");
    builds((1, 1, 1), "in a:1,b:3 none");
    write("dir/deep/b", "2");
    write("dir/c", "3");
    builds((1, 1, 1), "in a:1,b:2,c:3 none");
    fs::remove_file(dir.join("c")).unwrap();
    fs::rename(dir.join("a"), dir.join("e")).unwrap();
    builds((1, 1, 1), "in b:2,e:1 none");
    fs::rename(dir.join("e"), dir.join("a")).unwrap();
    builds((3, 0, 0), "in a:1,b:2 none");

    for (colour, numbers) in [
        (Some("red"), (1, 1, 1)),
        (None, (3, 0, 0)),
        (Some("blue"), (1, 1, 1)),
        (Some("red"), (3, 0, 0)),
        (Some(""), (1, 1, 1)),
    ] {
        two.wipe();
        let set = |execs: &mut Execs| {
            colour.map(|colour| execs.env("COLOUR", colour));
        };
        let printed = format!("in a:1,b:2 {}", colour.unwrap_or("none"));
        assert_builds_with(&two, set, numbers, printed.trim());
    }
    // The other checkout did not see any of this.
    one.wipe();
    assert_builds(&one, (3, 0, 0), "in a:1,b:2 none");
}

#[cargo_test]
fn declared_inputs_in_the_package_count() {
    assert_declared_inputs_count("data");
}

#[cargo_test]
fn declared_inputs_outside_of_the_workspace_count() {
    assert_declared_inputs_count("../data");
}

#[cargo_test]
fn a_script_that_declares_a_missing_file_runs_everywhere() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file(
                "build.rs",
                r#"
                    fn main() {
                        println!("cargo::rerun-if-changed=../missing.txt");
                        let text = std::fs::read_to_string("../missing.txt");
                        println!("cargo::rustc-env=RESULT={}", text.unwrap_or("none".into()));
                    }
                "#,
            )
            .file(
                "src/main.rs",
                "fn main() { println!(\"{}\", env!(\"RESULT\")); }",
            )
    });
    let said = assert_builds_once(&one, |_| {}, (0, 2, 1), "none");
    assert_said(&said, "Unshared", "input-missing (`");
    let said = assert_builds_once(&two, |_| {}, (2, 0, 1), "none");
    assert_said(&said, "Missed", "missing");
    fs::write(two.root().join("../missing.txt"), "there").unwrap();
    two.wipe();
    assert_builds(&two, (1, 1, 1), "there");
    // What was kept of that does not fit where the file is missing.
    one.wipe();
    assert_builds_once(&one, |_| {}, (2, 0, 1), "none");
}

/// A package with a library, and a script that reads a file of the package.
fn that_read(declaration: &str) -> (Project, Project) {
    let script = r#"
        fn main() {
            DECLARATION
            println!("cargo::rustc-env=RESULT={}", std::fs::read_to_string("n.txt").unwrap());
        }
    "#;
    checkouts(|p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("build.rs", &script.replace("DECLARATION", declaration))
            .file(
                "src/lib.rs",
                "pub fn n() -> &'static str { env!(\"RESULT\") }",
            )
            .file("src/main.rs", "fn main() { println!(\"{}\", foo::n()); }")
            .file("n.txt", "1")
            .file("README.md", "Foo.")
    })
}

#[track_caller]
fn assert_files_of_the_package_count(declaration: &str) {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = that_read(declaration);
    assert_builds(&one, (0, 3, 1), "1");
    assert_builds(&two, (4, 0, 0), "1");
    // Nobody knows that it does not matter; but it comes to the same.
    two.change_file("README.md", "More of foo.");
    two.wipe();
    let said = assert_builds(&two, (3, 0, 1), "1");
    assert_said(&said, "Missed", "");
    two.change_file("README.md", "Foo.");
    two.wipe();
    assert_builds(&two, (4, 0, 0), "1");
    two.change_file("n.txt", "2");
    two.wipe();
    assert_builds(&two, (1, 2, 1), "2");
    two.change_file("n.txt", "1");
    two.wipe();
    assert_builds(&two, (4, 0, 0), "1");
}

#[cargo_test]
fn every_file_of_the_package_counts_without_a_declaration() {
    assert_files_of_the_package_count("");
}

#[cargo_test]
fn every_file_of_the_package_counts_with_a_declaration() {
    assert_files_of_the_package_count("println!(\"cargo::rerun-if-changed=n.txt\");");
}

#[cargo_test]
fn a_file_of_another_package_counts_without_a_declaration() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &workspace(&["foo", "bar"]))
            .file("foo/Cargo.toml", &package("foo", ""))
            .file(
                "foo/build.rs",
                r#"
                    fn main() {
                        let n = std::fs::read_to_string("../bar/n.txt").unwrap();
                        println!("cargo::rustc-env=RESULT={n}");
                    }
                "#,
            )
            .file(
                "foo/src/main.rs",
                "fn main() { println!(\"{}\", env!(\"RESULT\")); }",
            )
            .file("bar/Cargo.toml", &package("bar", ""))
            .file("bar/src/lib.rs", "")
            .file("bar/n.txt", "1")
    });
    assert_builds(&one, (0, 3, 1), "1");
    assert_builds(&two, (4, 0, 0), "1");
    // In one checkout nobody would notice, but another one never had the first file.
    two.change_file("bar/n.txt", "2");
    two.wipe();
    assert_builds(&two, (2, 1, 1), "2");
}

#[cargo_test]
fn a_file_of_a_package_that_is_no_member_counts_without_a_declaration() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = checkouts(|p| {
        p.file(
            "Cargo.toml",
            &package("foo", "[workspace]\nexclude = ['bar']"),
        )
        .file(
            "build.rs",
            r#"
                    fn main() {
                        let n = std::fs::read_to_string("bar/n.txt").unwrap();
                        println!("cargo::rustc-env=RESULT={n}");
                    }
                "#,
        )
        .file(
            "src/main.rs",
            "fn main() { println!(\"{}\", env!(\"RESULT\")); }",
        )
        .file("bar/Cargo.toml", &package("bar", ""))
        .file("bar/src/lib.rs", "")
        .file("bar/n.txt", "1")
    });
    assert_builds(&one, (0, 2, 1), "1");
    assert_builds(&two, (3, 0, 0), "1");
    // In one checkout nobody would notice, but another one never had the first file.
    two.change_file("bar/n.txt", "2");
    two.wipe();
    assert_builds(&two, (1, 1, 1), "2");
}

#[cargo_test]
fn a_new_file_of_the_package_counts() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file(
                "build.rs",
                r#"
                    fn main() {
                        let there = std::path::Path::new("extra.txt").exists();
                        println!("cargo::rustc-env=RESULT={there}");
                    }
                "#,
            )
            .file(
                "src/main.rs",
                "fn main() { println!(\"{}\", env!(\"RESULT\")); }",
            )
    });
    assert_builds(&one, (0, 2, 1), "false");
    two.change_file("extra.txt", "");
    assert_builds(&two, (1, 1, 1), "true");
    one.change_file("extra.txt", "");
    one.wipe();
    assert_builds(&one, (3, 0, 0), "true");
}

/// A checkout whose workspace is only a part of it: a file of another part, declared by its absolute path, is
/// that of this checkout.
#[cargo_test]
fn a_file_beside_the_workspace_is_that_of_its_own_checkout() {
    if !shipped_cache("") {
        return;
    }
    let script = r#"
        fn main() {
            let path = std::fs::canonicalize("../data/in.txt").unwrap();
            println!("cargo::rerun-if-changed={}", path.display());
            let text = std::fs::read_to_string(path).unwrap();
            println!("cargo::rustc-env=RESULT={text}");
        }
    "#;
    let checkout = |place: &str, text: &str| {
        let root = paths::root().join(place);
        for (file, content) in [(".git/HEAD", "0123"), ("data/in.txt", text)] {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        ProjectBuilder::new(root.join("rust"))
            .file("Cargo.toml", &package("foo", ""))
            .file("build.rs", script)
            .file(
                "src/main.rs",
                "fn main() { println!(\"{}\", env!(\"RESULT\")); }",
            )
            .build()
    };
    assert_builds(&checkout("one", "mine"), (0, 2, 1), "mine");
    assert_builds(&checkout("a/deeper/two", "mine"), (3, 0, 0), "mine");
    assert_builds(&checkout("three", "other"), (1, 1, 1), "other");
}
