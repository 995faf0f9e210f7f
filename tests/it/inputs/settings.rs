//! Settings: flags, features, profiles, editions, lints, salt.

use cargo_test_support::prelude::*;
use cargo_test_support::{Execs, Project, paths, project};

use super::assert_builds;
use crate::support::{Counts, Hook, Hooked, package, prints, workspace};

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
fn flags_count() {
    let p = that_prints("cfg!(loud)");
    let _hook = Hook::new();
    for (flags, printed, counts) in [
        ("", "false", (0, 1)),
        ("--cfg loud", "true", (0, 1)),
        ("", "false", (1, 0)),
        ("--cfg loud", "true", (1, 0)),
    ] {
        let set = |execs: &mut Execs| {
            execs.env("RUSTFLAGS", flags);
        };
        assert_builds(&p, set, counts, printed);
    }
}

#[cargo_test]
fn the_profile_counts() {
    let p = that_prints("cfg!(debug_assertions)");
    let _hook = Hook::new();
    for (value, counts) in [
        ("true", (0, 1)),
        ("false", (0, 1)),
        ("true", (1, 0)),
        ("false", (1, 0)),
    ] {
        let set = |execs: &mut Execs| {
            execs.env("CARGO_PROFILE_DEV_DEBUG_ASSERTIONS", value);
        };
        assert_builds(&p, set, counts, value);
    }
}

#[cargo_test]
fn an_inherited_edition_counts() {
    let p = project()
        .file("Cargo.toml", &inheritable("2021"))
        .file(
            "foo/Cargo.toml",
            "[package]\nname = 'foo'\nedition.workspace = true\n",
        )
        .file(
            "foo/src/main.rs",
            // The type of a boxed slice's iterator depends on the edition.
            r#"
                fn main() {
                    let boxed: Box<[u8]> = Box::new([1]);
                    println!("{}", std::any::type_name_of_val(&boxed.into_iter().next().unwrap()));
                }
            "#,
        )
        .build();
    let _hook = Hook::new();
    for (edition, printed, counts) in [
        ("2021", "&u8", (0, 1)),
        ("2024", "u8", (0, 1)),
        ("2021", "&u8", (1, 0)),
    ] {
        p.change_file("Cargo.toml", &inheritable(edition));
        assert_builds(&p, |_| {}, counts, printed);
    }
}

fn inheritable(edition: &str) -> String {
    format!(
        "{}\n[workspace.package]\nedition = \"{edition}\"\n",
        workspace(&["foo"])
    )
}

#[cargo_test]
fn inherited_lints_count() {
    let lints = |level: &str| {
        format!(
            "{}\n[workspace.lints.rust]\nunused_variables = \"{level}\"\n",
            workspace(&["foo"])
        )
    };
    let p = project()
        .file("Cargo.toml", &lints("allow"))
        .file(
            "foo/Cargo.toml",
            &package("foo", "[lints]\nworkspace = true"),
        )
        .file("foo/src/main.rs", "fn main() { let unused = 1; }")
        .build();
    let _hook = Hook::new();
    let warning = "[WARNING] unused variable: `unused`";
    p.hooked("build")
        .counts(0, 1)
        .with_stderr_does_not_contain(warning)
        .run();
    p.change_file("Cargo.toml", &lints("warn"));
    p.wipe();
    p.hooked("build")
        .counts(0, 1)
        .with_stderr_contains(warning)
        .run();
    p.change_file("Cargo.toml", &lints("deny"));
    p.wipe();
    p.hooked("build")
        .with_status(101)
        .with_stderr_contains("[ERROR] unused variable: `unused`")
        .run();
    p.change_file("Cargo.toml", &lints("allow"));
    p.wipe();
    p.hooked("build")
        .counts(1, 0)
        .with_stderr_does_not_contain(warning)
        .run();
    p.change_file("Cargo.toml", &lints("warn"));
    p.wipe();
    p.hooked("build")
        .counts(1, 0)
        .with_stderr_contains(warning)
        .run();
}

#[cargo_test]
fn salt_counts() {
    let p = that_prints("1");
    let _hook = Hook::new();
    for (salt, counts) in [
        ("", (0, 1)),
        ("a", (0, 1)),
        ("b", (0, 1)),
        ("a", (1, 0)),
        ("", (1, 0)),
    ] {
        let set = |execs: &mut Execs| {
            execs.env("CARGO_HOOKS_SALT", salt);
        };
        assert_builds(&p, set, counts, "1");
    }
}

#[cargo_test]
fn the_version_of_a_package_counts() {
    let p = that_prints("env!(\"CARGO_PKG_VERSION\")");
    let _hook = Hook::new();
    for (version, counts) in [("0.1.0", (0, 1)), ("0.1.1", (0, 1)), ("0.1.0", (1, 0))] {
        p.change_file("Cargo.toml", &package("foo", "").replace("0.1.0", version));
        assert_builds(&p, |_| {}, counts, version);
    }
}

#[cargo_test(ignore_windows = "the linker is a shell script")]
fn the_linker_counts() {
    let p = that_prints("1");
    // Outside the package, of which every file counts.
    let linker = paths::root().join("linker");
    let write = |comment: &str| {
        std::fs::write(&linker, format!("#!/bin/sh\n# {comment}\nexec cc \"$@\"\n")).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&linker, mode).unwrap();
        }
    };
    let set = |execs: &mut Execs| {
        execs.env("RUSTFLAGS", format!("-Clinker={}", linker.display()));
    };
    let _hook = Hook::new();
    for (comment, counts) in [
        ("one", (0, 1)),
        ("one", (1, 0)),
        ("two", (0, 1)),
        ("one", (1, 0)),
    ] {
        write(comment);
        assert_builds(&p, set, counts, "1");
    }
}

#[cargo_test]
fn debug_and_release_are_kept_apart() {
    let p = that_prints("1");
    let _hook = Hook::new();
    p.hooked("build").counts(0, 1).run();
    p.hooked("build --release").counts(0, 1).run();
    p.wipe();
    p.hooked("build --release").counts(1, 0).run();
    assert_eq!(prints(&p.release_bin("foo")), "1");
}
