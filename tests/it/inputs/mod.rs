//! What a result depends on: a change is compiled and shows, everything else is restored.

mod bound;
mod environment;
mod facades;
mod irrelevant;
mod macros;
mod noticed;
mod origins;
mod settings;
mod sources;
mod tools;

use cargo_test_support::{Execs, Project};

use crate::support::{Counts, Hooked, prints};

/// Wipes, builds, expects so many units to be restored and compiled, and that the program `foo` prints
/// what it would after an uncached build.
#[track_caller]
fn assert_builds(p: &Project, prepare: impl Fn(&mut Execs), counts: (usize, usize), printed: &str) {
    p.wipe();
    let mut build = p.hooked("build");
    prepare(&mut build);
    build.counts(counts.0, counts.1).run();
    assert_eq!(prints(&p.bin("foo")), printed);
    let mut again = p.hooked("build");
    prepare(&mut again);
    again.fresh().run();
}
