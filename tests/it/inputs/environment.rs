//! Variables: of the process, of the configuration, and of Cargo.

use cargo_test_support::prelude::*;
use cargo_test_support::{Execs, Project, paths, project};

use super::assert_builds;
use super::macros::a_macro;
use crate::support::{Counts, Hook, Hooked, checkouts, package, prints, workspace};

fn that_prints(expression: &str) -> Project {
    project()
        .file("Cargo.toml", &package("foo", ""))
        .file(
            "src/main.rs",
            &format!("fn main() {{ println!(\"{{}}\", {expression}); }}"),
        )
        .build()
}

#[cargo_test]
fn a_changed_variable_is_compiled() {
    let p = that_prints("env!(\"COLOUR\")");
    let _hook = Hook::new();
    for (colour, counts) in [
        ("red", (0, 1)),
        ("red", (1, 0)),
        ("blue", (0, 1)),
        ("red", (1, 0)),
        ("blue", (1, 0)),
    ] {
        let set = |execs: &mut Execs| {
            execs.env("COLOUR", colour);
        };
        assert_builds(&p, set, counts, colour);
    }
}

#[cargo_test]
fn setting_and_unsetting_a_variable_is_compiled() {
    let p = that_prints("option_env!(\"COLOUR\").unwrap_or(\"none\")");
    let _hook = Hook::new();
    for (colour, counts) in [
        (None, (0, 1)),
        (Some("red"), (0, 1)),
        (None, (1, 0)),
        (Some("blue"), (0, 1)),
        (Some("red"), (1, 0)),
        (Some(""), (0, 1)),
    ] {
        let set = |execs: &mut Execs| {
            if let Some(colour) = colour {
                execs.env("COLOUR", colour);
            }
        };
        assert_builds(&p, set, counts, colour.unwrap_or("none"));
    }
}

/// Writes a table `[env]` into the configuration of the home, which is no file of the package.
fn configure(line: &str) {
    std::fs::create_dir_all(paths::cargo_home()).unwrap();
    std::fs::write(
        paths::cargo_home().join("config.toml"),
        format!("[env]\n{line}\n"),
    )
    .unwrap();
}

#[cargo_test]
fn a_variable_of_the_configuration_is_compiled() {
    let p = that_prints("option_env!(\"COLOUR\").unwrap_or(\"none\")");
    let _hook = Hook::new();
    for (colour, counts) in [
        ("red", (0, 1)),
        ("red", (1, 0)),
        ("blue", (0, 1)),
        ("red", (1, 0)),
    ] {
        configure(&format!("COLOUR = '{colour}'"));
        assert_builds(&p, |_| {}, counts, colour);
    }
}

#[cargo_test]
fn a_variable_of_the_configuration_comes_before_that_of_the_process() {
    let p = that_prints("option_env!(\"COLOUR\").unwrap_or(\"none\")");
    let _hook = Hook::new();
    let green = |execs: &mut Execs| {
        execs.env("COLOUR", "green");
    };
    assert_builds(&p, green, (0, 1), "green");
    configure("COLOUR = { value = 'red', force = true }");
    assert_builds(&p, green, (0, 1), "red");
    configure("COLOUR = 'red'");
    assert_builds(&p, green, (1, 0), "green");
}

#[cargo_test]
fn a_variable_of_cargo_counts() {
    let p = that_prints("env!(\"CARGO_PKG_DESCRIPTION\")");
    let _hook = Hook::new();
    for (text, counts) in [("one", (0, 1)), ("two", (0, 1)), ("one", (1, 0))] {
        let with =
            package("foo", "").replace("edition", &format!("description = \"{text}\"\nedition"));
        p.change_file("Cargo.toml", &with);
        assert_builds(&p, |_| {}, counts, text);
    }
}

#[cargo_test]
fn a_variable_that_nobody_reads_does_not_count() {
    let p = that_prints("1");
    let _hook = Hook::new();
    for (colour, counts) in [("red", (0, 1)), ("blue", (1, 0))] {
        let set = |execs: &mut Execs| {
            execs.env("COLOUR", colour).env("CI", colour);
        };
        assert_builds(&p, set, counts, "1");
    }
}

#[cargo_test]
fn an_inherited_version_that_a_macro_reads_counts() {
    let manifest = |version: &str, more: &str| {
        let workspace = workspace(&["mac", "foo"]);
        format!("{workspace}\n{more}\n[workspace.package]\nversion = \"{version}\"\n")
    };
    let needs = "[dependencies]\nmac = { path = '../mac' }";
    let inherits = package("foo", needs).replace("version = \"0.1.0\"", "version.workspace = true");
    let reads = "let version = std::env::var(\"CARGO_PKG_VERSION\").unwrap();
                 format!(\"{version:?}\").parse().unwrap()";
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &manifest("0.1.0", ""))
            .file(
                "mac/Cargo.toml",
                &package("mac", "[lib]\nproc-macro = true"),
            )
            .file("mac/src/lib.rs", &a_macro(reads))
            .file("foo/Cargo.toml", &inherits)
            .file(
                "foo/src/main.rs",
                "fn main() { println!(\"{}\", mac::n!()); }",
            )
    });
    let _hook = Hook::new();
    assert_builds(&one, |_| {}, (0, 2), "0.1.0");
    assert_builds(&two, |_| {}, (2, 0), "0.1.0");
    for (version, counts) in [("0.2.0", (1, 1)), ("0.1.0", (2, 0)), ("0.2.0", (2, 0))] {
        two.change_file("Cargo.toml", &manifest(version, ""));
        assert_builds(&two, |_| {}, counts, version);
    }
    // Without wiping, too; and what else is in the manifest does not matter.
    two.change_file("Cargo.toml", &manifest("0.3.0", ""));
    two.hooked("build").counts(0, 1).run();
    assert_eq!(prints(&two.bin("foo")), "0.3.0");
    one.change_file("Cargo.toml", &manifest("0.3.0", "# A comment."));
    assert_builds(&one, |_| {}, (2, 0), "0.3.0");
}
