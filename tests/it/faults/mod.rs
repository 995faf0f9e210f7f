//! A broken hook can cost time, never correctness: one warning that names the hook, the unit and the
//! cause, and a build that is as good as without.

mod answers;
mod interrupted;
mod processes;
mod required;
mod results;
mod stores;

use cargo_test_support::{Project, project};

use crate::support::{Counts, Hook, Hooked, Text, assert_one_warning, package, prints};

/// A program `foo` that prints 3, and a library `bar` for it.
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

/// Fills the store of a good hook, and wipes.
fn filled() -> Project {
    let p = library_and_program();
    Hook::new().setting("timeout = '120s'");
    p.hooked("build").counts(0, 2).run();
    p.wipe();
    p
}

/// Builds with a hook that is bad for one unit. The build succeeds with one warning, its program is
/// right, and the next build is fresh.
#[track_caller]
fn assert_survives(p: &Project, unit: &str, counts: (usize, usize), cause: &str) {
    let errors = p.hooked("build").counts(counts.0, counts.1).run().errors();
    assert_one_warning(&errors, "test-hook", unit, cause);
    assert_eq!(prints(&p.bin("foo")), "3");
    let errors = p.hooked("build").fresh().run().errors();
    assert!(
        !errors.contains("hook"),
        "a fresh build needs no hook: {errors}"
    );
}
