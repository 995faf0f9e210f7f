//! Cargo inside Cargo: a build script or a macro starts another one, with the same hook. Both end, and share.

use std::time::Duration;

use cargo_test_support::prelude::*;
use cargo_test_support::{Execs, Project, ProjectBuilder};

use crate::support::{
    Hook, Hooked, cached, checkouts, package, prints, run_within, shipped_cache, workspace,
};

/// How long a build may take that might wait for itself.
const LIMIT: Duration = Duration::from_secs(300);

/// Builds another package, and says what its program prints.
const BUILDS: &str = r#"
    use std::{env, process::Command};

    fn main() {
        println!("cargo::rerun-if-changed=inner");
        let target = format!("{}/inner", env::var("OUT_DIR").unwrap());
        let status = Command::new(env::var("CARGO").unwrap())
            .args(["build", "--manifest-path", "inner/Cargo.toml", "--target-dir", &target])
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .status();
        assert!(status.unwrap().success());
        let output = Command::new(format!("{target}/debug/inner")).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        println!("cargo::rustc-env=RESULT={}", said.trim());
    }
"#;

fn number(n: u32) -> String {
    format!("pub fn n() -> u32 {{ {n} }}")
}

/// A program whose script builds another one, with a library of its own.
fn with_script(p: ProjectBuilder) -> ProjectBuilder {
    let needs = "[workspace]\n[dependencies]\nbar = { path = 'bar' }";
    p.file(
        "Cargo.toml",
        &package("foo", "[workspace]\nexclude = ['inner']"),
    )
    .file("build.rs", BUILDS)
    .file(
        "src/main.rs",
        "fn main() { println!(\"{}\", env!(\"RESULT\")); }",
    )
    .file("inner/Cargo.toml", &package("inner", needs))
    .file(
        "inner/src/main.rs",
        "fn main() { println!(\"{}\", bar::n()); }",
    )
    .file("inner/bar/Cargo.toml", &package("bar", ""))
    .file("inner/bar/src/lib.rs", &number(1))
}

/// Runs to the end, in time, and returns what was said.
#[track_caller]
fn ends(execs: Execs) -> String {
    let (status, said) = run_within(LIMIT, execs);
    assert_eq!(status, Some(0), "{said}");
    said
}

#[cargo_test]
fn a_script_that_builds_shares_what_it_builds() {
    let (one, two) = checkouts(with_script);
    let hook = Hook::new();
    ends(one.hooked("build"));
    assert_eq!(prints(&one.bin("foo")), "1");
    let told = hook.take_log().told();
    for unit in ["bar lib", "foo bin", "foo custom-build", "inner bin"] {
        assert!(told.contains(&unit.to_owned()), "{unit}: {told:?}");
    }
    // Whether its script runs here or not, nothing is compiled twice.
    let said = ends(two.hooked("build"));
    assert_eq!(prints(&two.bin("foo")), "1");
    assert!(said.contains(", 0 compiled"), "{said}");
    let told = hook.take_log().told();
    for unit in ["bar lib", "foo bin", "foo custom-build", "inner bin"] {
        assert!(!told.contains(&unit.to_owned()), "{unit}: {told:?}");
    }

    // What it builds counts.
    two.change_file("inner/bar/src/lib.rs", &number(2));
    for _ in 0..2 {
        ends(two.hooked("build"));
        assert_eq!(prints(&two.bin("foo")), "2");
        two.wipe();
    }
    one.wipe();
    ends(one.hooked("build"));
    assert_eq!(prints(&one.bin("foo")), "1");
}

#[cargo_test]
fn a_script_that_builds_shares_by_the_shipped_cache() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = checkouts(with_script);
    ends(cached(&one, "build"));
    assert_eq!(prints(&one.bin("foo")), "1");
    let said = ends(cached(&two, "build"));
    assert_eq!(prints(&two.bin("foo")), "1");
    assert!(said.contains(", 0 compiled"), "{said}");
    two.change_file("inner/bar/src/lib.rs", &number(2));
    two.wipe();
    ends(cached(&two, "build"));
    assert_eq!(prints(&two.bin("foo")), "2");
}

/// A program with the number of its own version, of which a macro asks `cargo metadata`, as macros for
/// databases do.
fn with_macro() -> (Project, Project) {
    let asks = r#"
        extern crate proc_macro;

        #[proc_macro]
        pub fn version(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
            let var = |name: &str| std::env::var(name).unwrap();
            let output = std::process::Command::new(var("CARGO"))
                .args(["metadata", "--no-deps", "--format-version=1"])
                .current_dir(var("CARGO_MANIFEST_DIR"))
                .output()
                .unwrap();
            assert!(output.status.success());
            let said = String::from_utf8(output.stdout).unwrap();
            let (_, rest) = said.split_once("\"name\":\"foo\",\"version\":\"").unwrap();
            let (version, _) = rest.split_once('"').unwrap();
            format!("{version:?}").parse().unwrap()
        }
    "#;
    checkouts(|p| {
        p.file("Cargo.toml", &workspace(&["mac", "foo"]))
            .file(
                "mac/Cargo.toml",
                &package("mac", "[lib]\nproc-macro = true"),
            )
            .file("mac/src/lib.rs", asks)
            .file("foo/Cargo.toml", &with_version("0.1.0"))
            .file(
                "foo/src/main.rs",
                "fn main() { println!(\"{}\", mac::version!()); }",
            )
    })
}

fn with_version(version: &str) -> String {
    let needs = "[dependencies]\nmac = { path = '../mac' }";
    package("foo", needs).replace("0.1.0", version)
}

#[cargo_test]
fn a_macro_that_asks_cargo_shares() {
    let (one, two) = with_macro();
    let hook = Hook::new();
    for p in [&one, &two] {
        ends(p.hooked("build"));
        assert_eq!(prints(&p.bin("foo")), "0.1.0");
    }
    // It knows where the package lies: in its own checkout the result serves.
    hook.take_log();
    two.wipe();
    let said = ends(two.hooked("build"));
    assert!(said.contains("(2 restored, 0 compiled)"), "{said}");
    two.change_file("foo/Cargo.toml", &with_version("0.2.0"));
    for p in [&two, &one] {
        p.wipe();
        ends(p.hooked("build"));
    }
    assert_eq!(prints(&two.bin("foo")), "0.2.0");
    assert_eq!(prints(&one.bin("foo")), "0.1.0");
}
