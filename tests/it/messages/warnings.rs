//! Warnings of restored units, and errors, which nobody keeps.

use cargo_test_support::prelude::*;
use cargo_test_support::{
    Execs, Project, ProjectBuilder, execs, paths, process, project, registry,
};

use crate::support::{Counts, Hook, Hooked, Text, package, prints};

/// A library and a program with warnings in each.
fn with_warnings() -> Project {
    project()
        .file("Cargo.toml", &package("foo", ""))
        .file(
            "src/lib.rs",
            "pub fn n() -> u32 { let unused = 1; 3 }\nfn dead() {}\n",
        )
        .file(
            "src/main.rs",
            "fn main() { let x = foo::n(); println!(\"{x}\"); let y = 2; }",
        )
        .build()
}

/// Returns what a build says but for its last line, sorted: units are restored in any order.
fn said(p: &Project, line: &str) -> Vec<String> {
    let errors = p.hooked(line).run().errors();
    let mut blocks: Vec<String> = errors.split("\n\n").map(without_status).collect();
    blocks.sort();
    blocks
}

fn without_status(block: &str) -> String {
    let is_status = |line: &&str| {
        ["   Compiling ", "    Checking ", "    Finished "]
            .iter()
            .any(|verb| line.starts_with(verb))
    };
    let lines: Vec<&str> = block.lines().filter(|line| !is_status(line)).collect();
    lines.join("\n")
}

/// Builds cold, warm and fresh; all must say the same.
#[track_caller]
fn assert_says_the_same(p: &Project, line: &str) -> Vec<String> {
    let compiled = said(p, line);
    p.wipe();
    let restored = said(p, line);
    let fresh = said(p, line);
    assert_eq!(
        restored, fresh,
        "a restored unit says what a fresh one says"
    );
    assert_eq!(restored, compiled, "and what the compiler said");
    restored
}

#[cargo_test]
fn warnings_of_restored_units_are_those_of_fresh_ones() {
    let p = with_warnings();
    let hook = Hook::new();
    let said = assert_says_the_same(&p, "build");
    assert!(
        said.iter()
            .any(|block| block.contains("unused variable: `unused`")),
        "{said:#?}"
    );
    assert!(
        said.iter()
            .any(|block| block.contains("`foo` (lib) generated 2 warnings"))
    );
    assert_eq!(hook.take_log().told(), ["foo bin", "foo lib"]);
}

#[cargo_test]
fn warnings_of_harnesses_are_not_repeated() {
    let p = with_warnings();
    let _hook = Hook::new();
    let p_line = "check --all-targets -j1";
    let count = |said: &[String]| {
        said.iter()
            .filter(|b| b.contains("variable: `unused`"))
            .count()
    };
    p.hooked(p_line).counts(0, 4).run();
    p.wipe();
    let restored = said(&p, p_line);
    assert_eq!(count(&restored), 1, "{restored:#?}");
}

#[cargo_test]
fn warnings_of_dependencies_are_not_shown() {
    registry::Package::new("bar", "1.0.0")
        .file("src/lib.rs", "pub fn n() -> u32 { let unused = 1; 3 }")
        .publish();
    let p = project()
        .file("Cargo.toml", &package("foo", "[dependencies]\nbar = '1.0'"))
        .file("src/main.rs", "fn main() { println!(\"{}\", bar::n()); }")
        .build();
    let _hook = Hook::new();
    for (restored, compiled) in [(0, 2), (2, 0)] {
        p.wipe();
        let run = p.hooked("build").counts(restored, compiled).run();
        assert!(!run.errors().contains("warning:"), "{}", run.errors());
    }
}

#[cargo_test]
fn very_verbose_shows_warnings_of_dependencies_as_of_fresh_units() {
    registry::Package::new("bar", "1.0.0")
        .file("src/lib.rs", "pub fn n() -> u32 { let unused = 1; 3 }")
        .publish();
    let stock = std::env::var_os("STOCK_CARGO");
    if stock.is_none() {
        eprintln!("not compared: `STOCK_CARGO` names no stock Cargo");
    }
    let warns = |execs: &mut Execs| {
        let said = execs.run().errors();
        said.contains("unused variable: `unused`")
    };
    // First a build with a hook that knows nothing, then one of what that made.
    for (salt, first, second, expected) in [
        ("a", "build -vv", "build -vv", [true, true]),
        ("b", "build -vv", "build -v", [true, false]),
        ("c", "build", "build -vv", [false, false]),
        ("d", "build", "build", [false, false]),
    ] {
        let _hook = Hook::new().setting(&format!("salt = '{salt}'"));
        let at = |place: &str| {
            ProjectBuilder::new(paths::root().join(format!("{place}-{salt}")))
                .file("Cargo.toml", &package("foo", "[dependencies]\nbar = '1.0'"))
                .file("src/main.rs", "fn main() { println!(\"{}\", bar::n()); }")
                .build()
        };
        let (one, two) = (at("one"), at("two"));
        let compiled = warns(one.hooked(first).counts(0, 2));
        let restored = warns(two.hooked(second).counts(2, 0));
        let fresh = warns(two.hooked(second).fresh());
        assert_eq!([compiled, restored], expected, "`{first}`, `{second}`");
        assert_eq!(
            restored, fresh,
            "a restored unit says what a fresh one says"
        );
        if let Some(stock) = &stock {
            let p = at("stock");
            let by_stock = [first, second].map(|line| {
                let mut build = process(stock);
                build.cwd(p.root()).arg_line(line);
                warns(&mut execs().with_process_builder(build))
            });
            assert_eq!(by_stock, expected, "`{first}`, `{second}` by stock Cargo");
        }
    }
}

#[cargo_test]
fn warnings_are_coloured_as_those_of_fresh_units() {
    let p = with_warnings();
    let _hook = Hook::new();
    p.hooked("build --lib").counts(0, 1).run();
    p.wipe();
    let restored = p.hooked("build --lib --color always").run().errors();
    let fresh = p.hooked("build --lib --color always").run().errors();
    assert!(restored.contains("\u{1b}["), "coloured: {restored}");
    let diagnostics = |text: &str| {
        let end = text.find("Finished").unwrap();
        text[..end].to_owned()
    };
    assert_eq!(diagnostics(&restored), diagnostics(&fresh));
}

#[cargo_test]
fn a_failed_unit_is_not_kept() {
    let p = project()
        .file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
        )
        .file(
            "src/main.rs",
            "#![deny(warnings)]\nfn main() { let unused = bar::n(); }",
        )
        .file("bar/Cargo.toml", &package("bar", ""))
        .file("bar/src/lib.rs", "pub fn n() -> u32 { 3 }")
        .build();
    let hook = Hook::new();
    let error = "[ERROR] unused variable: `unused`";
    p.hooked("build")
        .with_status(101)
        .with_stderr_contains(error)
        .run();
    assert_eq!(
        hook.take_log().told(),
        ["bar lib"],
        "what succeeded is kept all the same"
    );
    p.wipe();
    p.hooked("build -v")
        .with_status(101)
        .with_stderr_contains(error)
        .with_stderr_contains("    Restored bar v0.1.0 ([..]) (test-hook)")
        .run();
    assert_eq!(hook.take_log().told(), [""; 0]);

    // Repaired, it is compiled and kept.
    p.change_file("src/main.rs", "fn main() { println!(\"{}\", bar::n()); }");
    p.hooked("build").run();
    assert_eq!(prints(&p.bin("foo")), "3");
    assert_eq!(hook.take_log().told(), ["foo bin"]);
}

#[cargo_test]
fn an_error_of_a_dependent_of_a_restored_unit_is_shown_once() {
    let p = with_warnings();
    let _hook = Hook::new();
    p.hooked("build --lib").counts(0, 1).run();
    p.wipe();
    p.change_file("tests/broken.rs", "fn main() { foo::n(1); }");
    let errors = p
        .hooked("build --test broken --lib")
        .with_status(101)
        .with_stderr_contains(
            "error[E0061]: this function takes 0 arguments but 1 argument was supplied",
        )
        .run()
        .errors();
    assert!(
        errors.contains("could not compile `foo` (test \"broken\")"),
        "{errors}"
    );
}
