//! Off means upstream: without a hook nothing is said, asked or done that stock Cargo would not.

use cargo_test_support::prelude::*;
use cargo_test_support::{Project, execs, process, project, str};

use crate::support::{Counts, Hook, Hooked, Text, artifacts, assert_same, cargo, package, prints};

fn library_and_program() -> Project {
    project()
        .file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
        )
        .file(
            "src/main.rs",
            "fn main() { println!(\"{}\", bar::n()); let unused = 1; }",
        )
        .file("bar/Cargo.toml", &package("bar", ""))
        .file("bar/src/lib.rs", "pub fn n() -> u32 { 3 }")
        .build()
}

#[cargo_test]
fn says_what_stock_cargo_says() {
    let p = library_and_program();
    p.hooked("build -v")
        .with_stderr_data(str![[r#"
[LOCKING] 1 package to latest [..]compatible version
[COMPILING] bar v0.1.0 ([ROOT]/foo/bar)
[RUNNING] `rustc --crate-name bar --edition=2024 bar/src/lib.rs [..]-L dependency=[ROOT]/foo/target/debug/deps`
[COMPILING] foo v0.1.0 ([ROOT]/foo)
[RUNNING] `rustc --crate-name foo --edition=2024 src/main.rs [..]--extern bar=[ROOT]/foo/target/debug/deps/libbar-[HASH].rlib`
[WARNING] unused variable: `unused`
...
[WARNING] `foo` (bin "foo") generated 1 warning (run `cargo fix --bin "foo" -p foo` to apply 1 suggestion)
[FINISHED] `dev` profile [unoptimized + debuginfo] target(s) in [ELAPSED]s

"#]])
        .run();
    p.hooked("build -v")
        .with_stderr_data(str![[r#"
[FRESH] bar v0.1.0 ([ROOT]/foo/bar)
[FRESH] foo v0.1.0 ([ROOT]/foo)
[WARNING] unused variable: `unused`
...
[WARNING] `foo` (bin "foo") generated 1 warning (run `cargo fix --bin "foo" -p foo` to apply 1 suggestion)
[FINISHED] `dev` profile [unoptimized + debuginfo] target(s) in [ELAPSED]s

"#]])
        .run();
}

#[cargo_test]
fn messages_have_no_field_of_ours() {
    let p = library_and_program();
    for _ in 0..2 {
        let output = p.hooked("build --message-format=json").run().output();
        assert!(output.contains("\"fresh\":"), "{output}");
        assert!(!output.contains("restored"), "{output}");
    }
}

#[cargo_test]
fn compiles_with_no_flag_of_ours() {
    let p = library_and_program();
    let errors = p.hooked("build -v").run().errors();
    assert!(!errors.contains("--remap-path-prefix"), "{errors}");
    assert!(!errors.contains("Missed"), "{errors}");
}

#[cargo_test]
fn leaves_no_note_of_ours() {
    let p = library_and_program();
    p.hooked("build").fresh().run();
    let home = cargo_test_support::paths::cargo_home();
    assert!(!home.join(".hooks").exists(), "nothing is kept at home");
}

#[cargo_test]
fn lists_of_all_crates_are_written_with_and_without_a_hook() {
    let p = library_and_program();
    let build = |with: bool| {
        let mut build = p.hooked("build -Zsbom");
        build
            .env("CARGO_BUILD_SBOM", with.to_string())
            .masquerade_as_nightly_cargo(&["sbom"])
            .run();
        let list = p.bin("foo").with_extension("cargo-sbom.json");
        let list = std::fs::read_to_string(list).ok();
        p.wipe();
        list
    };
    assert!(build(false).is_none());
    let off = build(true).expect("a list is written");
    assert!(off.contains("/foo/bar#0.1.0"), "{off}");
    let _hook = Hook::new();
    for _ in 0..2 {
        assert_eq!(build(true).as_ref(), Some(&off));
    }
}

#[cargo_test]
fn on_and_off_live_side_by_side() {
    let p = library_and_program();
    let hook = Hook::new();
    let off = |p: &Project| {
        let mut build = p.hooked("build");
        build.env("CARGO_HOOKS_ENABLED", "false");
        build
    };
    p.hooked("build").counts(0, 2).run();
    assert_eq!(prints(&p.bin("foo")), "3");
    off(&p)
        .fresh()
        .with_stderr_contains("[COMPILING] foo [..]")
        .run();
    assert_eq!(prints(&p.bin("foo")), "3");
    hook.take_log();
    for _ in 0..2 {
        p.hooked("build")
            .fresh()
            .with_stderr_does_not_contain("[COMPILING] [..]")
            .run();
        off(&p)
            .fresh()
            .with_stderr_does_not_contain("[COMPILING] [..]")
            .run();
    }
    assert_eq!(hook.take_log().count("start"), 0);
}

#[cargo_test]
fn on_without_other_names_takes_over_what_off_has_built() {
    let p = library_and_program();
    p.hooked("build").fresh().run();
    let plain = artifacts(&p.build_dir());
    let hook = Hook::new().setting("remap = false");
    p.hooked("build")
        .fresh()
        .with_stderr_does_not_contain("[COMPILING] [..]")
        .run();
    assert_eq!(hook.take_log().count("start"), 0);
    p.wipe();
    p.hooked("build").counts(0, 2).run();
    assert_same(&plain, &artifacts(&p.build_dir()));
}

#[cargo_test]
fn the_version_keeps_its_form() {
    let version = |line: &str| {
        let mut process = process(cargo());
        process.arg_line(line);
        execs().with_process_builder(process).run().output()
    };
    let short = version("--version");
    // cargo 1.97.0 (0123456789 2026-01-01), and whatever tells the fork, on one line.
    let words: Vec<&str> = short.split_whitespace().collect();
    assert_eq!(words[0], "cargo");
    let numbers: Vec<&str> = words[1].split(['.', '-']).take(3).collect();
    assert!(
        numbers.iter().all(|number| number.parse::<u32>().is_ok()),
        "{short}"
    );
    assert_eq!(short.lines().count(), 1);
    let long = version("-Vv");
    for field in ["release: ", "host: "] {
        assert!(long.lines().any(|line| line.starts_with(field)), "{long}");
    }
    assert!(
        short.contains("hooked") || long.contains("hooked"),
        "tells the fork: {short}{long}"
    );
}

#[cargo_test]
fn stock_cargo_reads_our_configuration_in_silence() {
    let p = library_and_program();
    let _hook = Hook::new();
    let mut process = process("cargo");
    process.cwd(p.root()).arg("build");
    let errors = execs().with_process_builder(process).run().errors();
    assert!(!errors.contains("hooks"), "{errors}");
}
