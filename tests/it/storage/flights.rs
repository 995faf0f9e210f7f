//! Builds at the same time: of those that need the same unit, one compiles it.

use std::process::Stdio;

use cargo_test_support::prelude::*;
use cargo_test_support::{Project, ProjectBuilder, paths};

use crate::support::{Counts, Hooked, cached, package, prints, shipped_cache};

/// How many units a checkout has.
const UNITS: usize = 5;

fn checkout(place: &str) -> Project {
    let mut p = ProjectBuilder::new(paths::root().join(place))
        .file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nm0 = { path = 'm0' }"),
        )
        .file("src/main.rs", "fn main() { println!(\"{}\", m0::n()); }")
        .file("m3/Cargo.toml", &package("m3", ""))
        .file("m3/src/lib.rs", "pub fn n() -> u32 { 3 }");
    for n in 0..3 {
        let next = n + 1;
        let needs = format!("[dependencies]\nm{next} = {{ path = '../m{next}' }}");
        p = p
            .file(
                format!("m{n}/Cargo.toml"),
                &package(&format!("m{n}"), &needs),
            )
            .file(format!("m{n}/src/lib.rs"), &format!("pub use m{next}::n;"));
    }
    p.build()
}

/// Returns how many units a build says that it has restored and compiled.
fn counted(errors: &str) -> [usize; 2] {
    let (_, counts) = errors.rsplit_once('(').expect("it ends with counts");
    let number = |word: &str| {
        let before = counts.split(word).next().unwrap().trim_end();
        before.rsplit(' ').next().unwrap().parse().unwrap()
    };
    [number("restored"), number("compiled")]
}

fn at_once(count: usize) {
    let projects: Vec<Project> = (0..count)
        .map(|n| checkout(&format!("checkout-{n}")))
        .collect();
    let builds: Vec<_> = projects
        .iter()
        .map(|p| {
            let mut build = cached(p, "build").build_command();
            build
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut compiled = 0;
    for build in builds {
        let output = build.wait_with_output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.success() && !errors.contains("warning:"),
            "{errors}"
        );
        let counts = counted(&errors);
        assert_eq!(counts.iter().sum::<usize>(), UNITS, "{errors}");
        compiled += counts[1];
    }
    assert_eq!(compiled, UNITS, "each unit once, in {count} builds");
    for p in &projects {
        assert_eq!(prints(&p.bin("foo")), "3");
        cached(p, "build").fresh().run();
    }
}

#[cargo_test]
fn two_builds_compile_each_unit_once() {
    if shipped_cache("") {
        at_once(2);
    }
}

#[cargo_test]
fn eight_builds_compile_each_unit_once() {
    if shipped_cache("") {
        at_once(8);
    }
}

/// Who fails to compile a unit leaves it to the others.
#[cargo_test]
fn a_build_that_fails_is_not_waited_for() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = (checkout("one"), checkout("two"));
    one.change_file("m3/src/lib.rs", "pub fn n() -> u32 { missing }");
    let mut failing = cached(&one, "build").build_command();
    let mut failing = failing.stderr(Stdio::null()).spawn().unwrap();
    cached(&two, "build").counts(0, UNITS).run();
    assert!(!failing.wait().unwrap().success());
    two.wipe();
    cached(&two, "build").counts(UNITS, 0).run();
}
