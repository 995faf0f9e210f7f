//! What cannot be put in another place: it is not kept, and the script runs in every checkout.

use std::fs;

use cargo_test_support::prelude::*;
use cargo_test_support::{Execs, Project, ProjectBuilder};

use super::{assert_builds, assert_builds_with, assert_said, out_dir};
use crate::support::{checkouts, package, shipped_cache, workspace};

/// Two checkouts of a program in a workspace that prints what its script says, and of a library of which
/// that knows nothing.
fn with(script: &str) -> (Project, Project) {
    checkouts(|p: ProjectBuilder| {
        p.file("Cargo.toml", &workspace(&["foo", "bar"]))
            .file("bar/Cargo.toml", &package("bar", ""))
            .file("bar/src/lib.rs", "")
            .file("shared/there.txt", "")
            .file("foo/Cargo.toml", &package("foo", ""))
            .file("foo/build.rs", script)
            .file("foo/in.txt", "1")
            .file(
                "foo/src/main.rs",
                "fn main() { println!(\"{}\", env!(\"RESULT\")); }",
            )
    })
}

#[cargo_test]
fn what_an_earlier_run_left_behind_is_not_kept() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = with(
        r#"
            fn main() {
                println!("cargo::rerun-if-changed=in.txt");
                let out = std::env::var("OUT_DIR").unwrap();
                let n = std::fs::read_to_string("in.txt").unwrap();
                std::fs::write(format!("{out}/{n}.txt"), "").unwrap();
                let files = std::fs::read_dir(out).unwrap().count();
                println!("cargo::rustc-env=RESULT={n} of {files}");
            }
        "#,
    );
    assert_builds(&one, (0, 3, 1), "1 of 1");
    one.change_file("foo/in.txt", "2");
    let said = assert_builds(&one, (0, 1, 1), "2 of 2");
    assert_said(&said, "Unshared", "out-dir-not-empty");

    two.change_file("foo/in.txt", "2");
    let said = assert_builds(&two, (2, 1, 1), "2 of 1");
    assert_said(&said, "Missed", "");
    assert!(!said.contains("Unshared"), "{said}");
    // Where a result is restored, nothing is left of the earlier run.
    one.change_file("foo/in.txt", "1");
    assert_builds(&one, (2, 0, 0), "1 of 1");
    let left = fs::read_dir(out_dir(&one, "foo")).unwrap().count();
    assert_eq!(left, 1);
    one.change_file("foo/in.txt", "2");
    assert_builds(&one, (2, 0, 0), "2 of 1");
}

/// Two checkouts are built. Neither keeps what the script did, for this reason; `done` holds in both.
#[track_caller]
fn assert_not_kept(act: &str, reason: &str, done: impl Fn(&Project) -> bool) {
    if !shipped_cache("") {
        return;
    }
    let script = r#"
        fn main() {
            println!("cargo::rerun-if-changed=build.rs");
            println!("cargo::rustc-env=RESULT=3");
            let out = std::env::var("OUT_DIR").unwrap();
            let _ = &out;
            ACT
        }
    "#;
    let (one, two) = with(&script.replace("ACT", act));
    let said = assert_builds(&one, (0, 3, 1), "3");
    assert_said(&said, "Unshared", reason);
    assert!(done(&one));
    let said = assert_builds(&two, (3, 0, 1), "3");
    assert_said(&said, "Unshared", reason);
    assert!(done(&two));
}

#[cargo_test(ignore_windows = "links need privileges")]
fn an_absolute_link_is_not_kept() {
    assert_not_kept(
        "std::os::unix::fs::symlink(std::env::current_dir().unwrap(), out + \"/link\").unwrap();",
        "unmovable-output (`",
        |p| fs::read_link(out_dir(p, "foo").join("link")).unwrap() == p.root().join("foo"),
    );
}

#[cargo_test(ignore_windows = "links need privileges")]
fn a_link_that_leads_outside_is_not_kept() {
    assert_not_kept(
        "std::os::unix::fs::symlink(\"../output\", out + \"/link\").unwrap();",
        "unmovable-output (`",
        |p| out_dir(p, "foo").join("link").is_file(),
    );
}

#[cargo_test(ignore_windows = "there are no such files")]
fn a_socket_is_not_kept() {
    assert_not_kept(
        "std::env::set_current_dir(out).unwrap();
         std::os::unix::net::UnixListener::bind(\"socket\").unwrap();",
        "unmovable-output (`",
        |p| out_dir(p, "foo").join("socket").exists(),
    );
}

#[cargo_test]
fn what_is_written_among_the_sources_is_not_kept() {
    assert_not_kept(
        "std::fs::write(\"src/made.rs\", \"\").unwrap();",
        "writes-outside-out-dir (`",
        |p| p.root().join("foo/src/made.rs").is_file(),
    );
}

#[cargo_test]
fn what_is_changed_among_the_sources_is_not_kept() {
    assert_not_kept(
        "let text = std::fs::read_to_string(\"in.txt\").unwrap();
         std::fs::write(\"in.txt\", text + \"2\").unwrap();",
        "input-changed (`",
        |p| fs::read_to_string(p.root().join("foo/in.txt")).unwrap() == "12",
    );
}

#[cargo_test]
fn what_is_written_beside_the_workspaces_manifest_is_not_kept() {
    assert_not_kept(
        "std::fs::write(\"../made.txt\", \"\").unwrap();",
        "writes-outside-out-dir (`",
        |p| p.root().join("made.txt").is_file(),
    );
}

#[cargo_test]
fn what_is_written_beside_the_programs_is_not_kept() {
    assert_not_kept(
        "std::fs::write(out + \"/../../../made.txt\", \"\").unwrap();",
        "writes-outside-out-dir (`",
        |p| p.root().join("target/debug/made.txt").is_file(),
    );
}

#[cargo_test]
fn what_is_written_in_another_package_is_not_kept() {
    assert_not_kept(
        "std::fs::write(\"../bar/src/made.rs\", \"\").unwrap();",
        "writes-outside-out-dir (`",
        |p| p.root().join("bar/src/made.rs").is_file(),
    );
}

#[cargo_test]
fn what_is_written_in_a_folder_of_the_workspace_is_not_kept() {
    assert_not_kept(
        "std::fs::write(\"../shared/made.txt\", \"\").unwrap();",
        "writes-outside-out-dir (`",
        |p| p.root().join("shared/made.txt").is_file(),
    );
}

#[cargo_test]
fn what_is_written_beside_the_folder_is_not_kept() {
    assert_not_kept(
        "std::fs::write(out + \"/../made.txt\", \"\").unwrap();",
        "writes-outside-out-dir (`",
        |p| out_dir(p, "foo").with_file_name("made.txt").is_file(),
    );
}

#[cargo_test]
fn a_module_that_is_written_among_the_sources_is_there_in_each_checkout() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = with(
        r#"
            fn main() {
                println!("cargo::rerun-if-changed=in.txt");
                println!("cargo::rustc-env=RESULT=3");
                let n = std::fs::read_to_string("in.txt").unwrap();
                std::fs::write("src/made.rs", format!("pub const N: u32 = {n};")).unwrap();
            }
        "#,
    );
    for p in [&one, &two] {
        p.change_file(
            "foo/src/main.rs",
            "mod made; fn main() { println!(\"{}\", made::N); }",
        );
    }
    // Whether what is compiled after that is kept does not matter here.
    for (p, n) in [(&one, "1"), (&two, "2")] {
        p.change_file("foo/in.txt", n);
        crate::support::cached(p, "build").run();
        assert_eq!(crate::support::prints(&p.bin("foo")), n);
    }
}

#[cargo_test]
fn what_is_compiled_meanwhile_is_not_what_a_script_wrote() {
    if !shipped_cache("") {
        return;
    }
    // Scripts begin and end at various moments while libraries are compiled, one after the other. Files of
    // such libraries have no hashes in their names.
    let scripts = ["a", "b", "c", "d", "e", "f", "g", "foo"];
    let libraries = ["v", "w", "x", "y", "z"];
    let members = [&scripts[..], &libraries].concat();
    let (one, two) = checkouts(|mut p: ProjectBuilder| {
        p = p.file("Cargo.toml", &workspace(&members));
        for (at, name) in scripts.iter().enumerate() {
            let script = format!(
                "fn main() {{
                    std::thread::sleep(std::time::Duration::from_millis({}));
                    println!(\"cargo::rustc-env=RESULT=3\");
                }}",
                150 * at
            );
            p = p
                .file(format!("{name}/Cargo.toml"), &package(name, ""))
                .file(format!("{name}/build.rs"), &script)
                .file(
                    format!("{name}/src/main.rs"),
                    "fn main() { println!(\"{}\", env!(\"RESULT\")); }",
                );
        }
        for (at, name) in libraries.iter().enumerate() {
            let needs = match at {
                0 => String::new(),
                _ => format!("{0} = {{ path = '../{0}' }}", libraries[at - 1]),
            };
            let rest = format!("[lib]\ncrate-type = ['rlib', 'cdylib']\n[dependencies]\n{needs}");
            p = p
                .file(format!("{name}/Cargo.toml"), &package(name, &rest))
                .file(
                    format!("{name}/src/lib.rs"),
                    "#[unsafe(no_mangle)] pub extern \"C\" fn NAME() {}"
                        .replace("NAME", &format!("of_{name}"))
                        .as_str(),
                );
        }
        p
    });
    let at_once = |execs: &mut Execs| {
        execs.env("CARGO_BUILD_JOBS", "8");
    };
    let said = assert_builds_with(&one, at_once, (0, 21, 8), "3");
    assert!(!said.contains("Unshared"), "{said}");
    assert_builds_with(&two, at_once, (29, 0, 0), "3");
}
