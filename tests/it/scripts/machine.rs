//! What a script finds on the machine: tools count by content, variables by value, and noise not at all.

use std::path::{Path, PathBuf};

use cargo_test_support::prelude::*;
use cargo_test_support::{Execs, Project, ProjectBuilder, execs, paths, process};

use super::{assert_builds, assert_builds_with, assert_said};
use crate::support::{Counts, Hooked, cargo, checkouts, has, package, path_with, shipped_cache};

/// Two checkouts of a program that prints what its script says.
fn with(script: &str) -> (Project, Project) {
    checkouts(|p: ProjectBuilder| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("build.rs", script)
            .file(
                "src/main.rs",
                "fn main() { println!(\"{}\", env!(\"RESULT\")); }",
            )
    })
}

/// Writes a program into a folder outside of all checkouts, and returns the folder.
fn tool(place: &str, name: &str, text: &str) -> PathBuf {
    let dir = ProjectBuilder::new(paths::root().join(place))
        .no_manifest()
        .executable(name, &format!("#!/bin/sh\n{text}\n"))
        .build();
    dir.root()
}

#[cargo_test(ignore_windows = "the tool is a shell script")]
fn a_tool_on_the_path_counts_by_content() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = with(
        r#"
            fn main() {
                println!("cargo::rerun-if-changed=build.rs");
                let said = std::process::Command::new("mytool").output();
                let said = said.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned());
                println!("cargo::rustc-env=RESULT={}", said.unwrap_or("none".into()));
            }
        "#,
    );
    let at = |dir: PathBuf| {
        move |execs: &mut Execs| {
            execs.env("PATH", path_with(&dir));
        }
    };
    assert_builds_with(&one, at(tool("bin", "mytool", "echo 1")), (0, 2, 1), "1");
    let same = tool("elsewhere/bin", "mytool", "echo 1");
    assert_builds_with(&two, at(same), (3, 0, 0), "1");
    let other = tool("other", "mytool", "echo 2");
    two.wipe();
    let said = assert_builds_with(&two, at(other), (1, 1, 1), "2");
    assert_said(&said, "Missed", "");
    two.wipe();
    assert_builds(&two, (1, 1, 1), "none");
    // A tool that the script does not name.
    let noise = tool("noise", "yourtool", "echo 3");
    one.wipe();
    assert_builds_with(&one, at(noise), (3, 0, 0), "none");
    // At the old place, but another tool.
    one.wipe();
    assert_builds_with(&one, at(tool("bin", "mytool", "echo 2")), (3, 0, 0), "2");
}

/// Compiles C with what `CC` says, and says what comes out.
const COMPILES: &str = r#"
    use std::{env, process::Command};

    fn main() {
        println!("cargo::rerun-if-changed=build.rs");
        let out = env::var("OUT_DIR").unwrap();
        std::fs::write(format!("{out}/n.c"), "int main(void) { return N; }").unwrap();
        let cc = env::var("CC").unwrap_or("cc".into());
        let mut words = cc.split(' ');
        let status = Command::new(words.next().unwrap())
            .args(words)
            .args(["-DN=3", "n.c", "-o", "n"])
            .current_dir(&out)
            .status();
        assert!(status.is_ok_and(|it| it.success()));
        let code = Command::new(format!("{out}/n")).status().ok().and_then(|it| it.code());
        println!("cargo::rustc-env=RESULT={}", code.unwrap_or(-1));
    }
"#;

#[cargo_test(ignore_windows = "the compiler is a shell script")]
fn another_compiler_counts() {
    if !shipped_cache("") || !has("cc") {
        return;
    }
    let (one, two) = with(COMPILES);
    assert_builds(&one, (0, 2, 1), "3");
    assert_builds(&two, (3, 0, 0), "3");
    let cc = tool("bin", "my-cc", "exec cc \"$@\"").join("my-cc");
    let set = |value: String| {
        move |execs: &mut Execs| {
            execs.env("CC", &value);
        }
    };
    let cc = cc.display().to_string();
    two.wipe();
    let said = assert_builds_with(&two, set(cc.clone()), (2, 0, 1), "3");
    assert_said(&said, "Missed", "");
    one.wipe();
    assert_builds_with(&one, set(cc.clone()), (3, 0, 0), "3");
    // The same name, another program.
    tool("bin", "my-cc", "exec cc \"$@\" -UN -DN=4");
    one.wipe();
    assert_builds_with(&one, set(cc.clone()), (1, 1, 1), "4");
    two.wipe();
    assert_builds_with(&two, set(cc.clone()), (3, 0, 0), "4");
    // The same program, another argument.
    two.wipe();
    assert_builds_with(&two, set(format!("{cc} -O1")), (2, 0, 1), "4");
    two.wipe();
    assert_builds(&two, (3, 0, 0), "3");
}

#[cargo_test]
fn an_undeclared_variable_counts_by_value() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = with(
        r#"
            fn main() {
                println!("cargo::rerun-if-changed=build.rs");
                let knob = std::env::var("MY_KNOB").unwrap_or("none".into());
                println!("cargo::rustc-env=RESULT={knob}");
            }
        "#,
    );
    assert_builds(&one, (0, 2, 1), "none");
    for (knob, numbers) in [
        (None, (3, 0, 0)),
        (Some("1"), (1, 1, 1)),
        (Some("2"), (1, 1, 1)),
        (Some("1"), (3, 0, 0)),
        (None, (3, 0, 0)),
    ] {
        two.wipe();
        let set = |execs: &mut Execs| {
            knob.map(|knob| execs.env("MY_KNOB", knob));
        };
        assert_builds_with(&two, set, numbers, knob.unwrap_or("none"));
    }
}

/// Reads variables, and starts a program that could read more.
const READS_AND_STARTS: &str = r#"
    fn main() {
        println!("cargo::rerun-if-changed=build.rs");
        let said = std::process::Command::new("sh").args(["-c", "echo 3"]).output();
        let said = said.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned());
        let knob = std::env::var("MY_KNOB").unwrap_or("none".into());
        println!("cargo::rustc-env=RESULT={} {knob}", said.unwrap_or_default());
    }
"#;

/// Builds in an environment of nothing but what is needed to find a toolchain, and these variables.
fn build_with_only(p: &Project, variables: &[(String, String)]) -> Execs {
    let test = process("cargo");
    let path = test.get_env("PATH").unwrap();
    let mut build = process("env");
    build.cwd(p.root()).arg("-i");
    let assign = |name: &str, value: &Path| format!("{name}={}", value.display());
    build
        .arg(assign("PATH", Path::new(&path)))
        .arg(assign("HOME", &paths::home()))
        .arg(assign("CARGO_HOME", &paths::cargo_home()))
        .arg(assign(
            "CARGO_LOCAL_CACHE_DIR",
            &paths::root().join("cache"),
        ))
        // As in every other test: results that are compiled incrementally stay where they are.
        .arg("CARGO_INCREMENTAL=0");
    for name in ["RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
        if let Some(value) = test.get_env(name) {
            build.arg(assign(name, Path::new(&value)));
        }
    }
    build.args(
        &variables
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>(),
    );
    build.arg(cargo()).args(&["build", "-v"]);
    execs().with_process_builder(build)
}

#[cargo_test(ignore_windows = "there is no `env`")]
fn noise_does_not_count() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = with(READS_AND_STARTS);
    build_with_only(&one, &[]).counts_with_runs(0, 2, 1).run();
    let mut noise: Vec<(String, String)> = (0..50)
        .map(|n| (format!("SOME_VARIABLE_{n}"), format!("value {n}")))
        .collect();
    let ordinary = [
        ("CI", "true"),
        ("COLUMNS", "80"),
        ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/user/1000/bus"),
        ("GITHUB_RUN_ID", "1234"),
        ("LANG", "de_DE.UTF-8"),
        ("LC_ALL", "C"),
        ("LOGNAME", "somebody"),
        ("OLDPWD", "/"),
        ("PWD", "/"),
        ("SHELL", "/bin/zsh"),
        ("SHLVL", "3"),
        ("SSH_AUTH_SOCK", "/tmp/agent.1"),
        ("TERM", "xterm-256color"),
        ("TZ", "Asia/Tokyo"),
        ("USER", "somebody"),
        ("XDG_RUNTIME_DIR", "/run/user/1000"),
        ("_", "/usr/bin/env"),
    ];
    noise.extend(ordinary.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let home = paths::root().join("another-home").display().to_string();
    build_with_only(&two, &noise).counts(3, 0).run();
    noise.push(("HOME".to_owned(), home));
    two.wipe();
    build_with_only(&two, &noise).counts(3, 0).run();
    // What the script names is none.
    two.wipe();
    noise.push(("MY_KNOB".to_owned(), "1".to_owned()));
    build_with_only(&two, &noise)
        .counts_with_runs(1, 1, 1)
        .run();
    assert_eq!(crate::support::prints(&two.bin("foo")), "3 1");
    assert_eq!(crate::support::prints(&one.bin("foo")), "3 none");
}

#[cargo_test]
fn what_pkg_config_finds_counts_by_content() {
    if !shipped_cache("") || !has("pkg-config") {
        return;
    }
    let (one, two) = with(
        r#"
            fn main() {
                println!("cargo::rerun-if-changed=build.rs");
                let said = std::process::Command::new("pkg-config")
                    .args(["--modversion", "mylib"])
                    .output()
                    .unwrap();
                let said = String::from_utf8(said.stdout).unwrap();
                println!("cargo::rustc-env=RESULT={}", said.trim());
            }
        "#,
    );
    let folder = paths::root().join("descriptions");
    std::fs::create_dir_all(&folder).unwrap();
    let install = |version: &str| {
        let text = format!("Name: mylib\nDescription: mine\nVersion: {version}\n");
        std::fs::write(folder.join("mylib.pc"), text).unwrap();
    };
    let found = |execs: &mut Execs| {
        execs.env("PKG_CONFIG_PATH", &folder);
    };
    install("1.0");
    assert_builds_with(&one, found, (0, 2, 1), "1.0");
    assert_builds_with(&two, found, (3, 0, 0), "1.0");
    install("2.0");
    two.wipe();
    let said = assert_builds_with(&two, found, (1, 1, 1), "2.0");
    assert_said(&said, "Missed", "");
    one.wipe();
    assert_builds_with(&one, found, (3, 0, 0), "2.0");
    install("1.0");
    one.wipe();
    assert_builds_with(&one, found, (3, 0, 0), "1.0");
}
