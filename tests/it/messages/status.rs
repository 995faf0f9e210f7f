//! Status lines: quiet by default, told with `-v`, counted in the last line.

use cargo_test_support::prelude::*;
use cargo_test_support::{Project, project, str};

use crate::support::{Counts, Hook, Hooked, Text, package};

fn library_and_program() -> Project {
    project()
        .file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
        )
        .file("src/main.rs", "fn main() { println!(\"{}\", bar::n()); }")
        .file("bar/Cargo.toml", &package("bar", ""))
        .file("bar/src/lib.rs", "pub fn n() -> u32 { 3 }")
        .build()
}

#[cargo_test]
fn restored_units_are_as_quiet_as_fresh_ones() {
    let p = library_and_program();
    let _hook = Hook::new();
    p.hooked("build")
        .with_stderr_data(str![[r#"
[LOCKING] 1 package to latest [..]compatible version
[COMPILING] bar v0.1.0 ([ROOT]/foo/bar)
[COMPILING] foo v0.1.0 ([ROOT]/foo)
[FINISHED] `dev` profile [unoptimized + debuginfo] target(s) in [ELAPSED]s (0 restored, 2 compiled)

"#]])
        .run();
    p.wipe();
    p.hooked("build")
        .with_stderr_data(str![[r#"
[FINISHED] `dev` profile [unoptimized + debuginfo] target(s) in [ELAPSED]s (2 restored, 0 compiled)

"#]])
        .run();
    p.hooked("build")
        .with_stderr_data(str![[r#"
[FINISHED] `dev` profile [unoptimized + debuginfo] target(s) in [ELAPSED]s

"#]])
        .run();
}

#[cargo_test]
fn verbose_tells_what_was_restored_and_why_the_rest_was_not() {
    let p = library_and_program();
    let _hook = Hook::new();
    p.hooked("build").counts(0, 2).run();
    p.wipe();
    p.change_file(
        "src/main.rs",
        "fn main() { println!(\"{}\", bar::n() + 1); }",
    );
    p.hooked("build -v")
        .with_stderr_data(str![[r#"
    Restored bar v0.1.0 ([ROOT]/foo/bar) (test-hook)
      Missed foo v0.1.0 (bin "foo"): missing
[COMPILING] foo v0.1.0 ([ROOT]/foo)
[RUNNING] `rustc --crate-name foo [..]`
[FINISHED] `dev` profile [unoptimized + debuginfo] target(s) in [ELAPSED]s (1 restored, 1 compiled)

"#]])
        .run();
    p.hooked("build -v")
        .with_stderr_data(str![[r#"
[FRESH] bar v0.1.0 ([ROOT]/foo/bar)
[FRESH] foo v0.1.0 ([ROOT]/foo)
[FINISHED] `dev` profile [unoptimized + debuginfo] target(s) in [ELAPSED]s

"#]])
        .run();
}

#[cargo_test]
fn a_package_is_restored_once_however_many_units_it_has() {
    let p = project()
        .file("Cargo.toml", &package("foo", ""))
        .file("src/lib.rs", "")
        .file("src/main.rs", "fn main() {}")
        .file("src/bin/other.rs", "fn main() {}")
        .build();
    let _hook = Hook::new();
    p.hooked("build").counts(0, 3).run();
    p.wipe();
    p.hooked("build -v")
        .with_stderr_data(str![[r#"
    Restored foo v0.1.0 ([ROOT]/foo) (test-hook)
[FINISHED] `dev` profile [unoptimized + debuginfo] target(s) in [ELAPSED]s (3 restored, 0 compiled)

"#]])
        .run();
}

#[cargo_test]
fn an_input_that_differs_is_named() {
    let p = project()
        .file("Cargo.toml", &package("foo", ""))
        .file(
            "src/main.rs",
            "fn main() { println!(\"{:?}\", option_env!(\"COLOUR\")); }",
        )
        .build();
    let _hook = Hook::new();
    p.hooked("build").counts(0, 1).run();
    p.wipe();
    p.hooked("build -v")
        .env("COLOUR", "red")
        .with_stderr_contains(
            "[..]Missed foo v0.1.0 (bin \"foo\"): input-differs \
             (environment variable `COLOUR` differs)",
        )
        .run();
}

#[cargo_test]
fn quiet_is_quiet() {
    let p = library_and_program();
    let _hook = Hook::new();
    for _ in 0..3 {
        p.hooked("build -q")
            .with_stderr_data("")
            .with_stdout_data("")
            .run();
        p.wipe();
    }
}

#[cargo_test]
fn a_failed_build_says_so_and_counts_nothing() {
    let p = library_and_program();
    let _hook = Hook::new();
    p.change_file("src/main.rs", "fn main() { broken }");
    let run = p
        .hooked("build")
        .with_status(101)
        .with_stderr_contains("[ERROR] [..]")
        .run();
    assert!(!run.errors().contains("restored"), "{}", run.errors());
}

#[cargo_test]
fn timings_show_restored_units() {
    let p = library_and_program();
    let _hook = Hook::new();
    for (restored, compiled) in [(0, 2), (2, 0)] {
        p.wipe();
        p.hooked("build --timings").counts(restored, compiled).run();
        let report = p.read_file("target/cargo-timings/cargo-timing.html");
        assert!(report.contains("\"bar\""), "the report names every unit");
    }
}
