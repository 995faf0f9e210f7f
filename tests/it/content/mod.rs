//! Content fingerprints: `build.fingerprint = "content"`, beside what times would do.
//!
//! Every test goes through the same steps twice: once where modification times decide, as in stock Cargo,
//! and once where content decides. Both outcomes are written down, so that each test also says what the
//! difference is. A wrong outcome of times is expected as it is: that is what this mode is for.
//!
//! Nothing waits for a clock. The files of a new checkout are years old, an edit is made now or is given a
//! time, and what has to happen in the middle of a compilation is done by a macro or a build script.

mod checkout;
mod outcome;
mod scenario;

mod commands;
mod cutoff;
mod files;
mod folders;
mod hooks;
mod interrupted;
mod macros;
mod modules;
mod natives;
mod outputs;
mod packages;
mod places;
mod racing;
mod random;
mod records;
mod scripts;
mod settings;
mod times;
mod together;

use cargo_test_support::ProjectBuilder;

use self::checkout::{
    AFTER_PAST, BEFORE_PAST, Checkout, FUTURE, Mode, PAST, both, set_time, set_times, time,
};
use self::outcome::{Built, fails, fresh, runs, succeeds};
use self::scenario::scenario;
use crate::support::{has, package};

/// A program `foo` with a module, and a library `bar` for it. It prints `1 1`.
fn library_and_program(p: ProjectBuilder) -> ProjectBuilder {
    p.file(
        "Cargo.toml",
        &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
    )
    .file(
        "src/main.rs",
        "mod own;\nfn main() { println!(\"{} {}\", own::N, bar::n()); }",
    )
    .file("src/own.rs", OWN_1)
    .file("bar/Cargo.toml", &package("bar", ""))
    .file("bar/src/lib.rs", BAR_1)
}

const OWN_1: &str = "pub const N: u32 = 1;";
const OWN_2: &str = "pub const N: u32 = 2;";
const OWN_3: &str = "pub const N: u32 = 3;";
const BAR_1: &str = "pub fn n() -> u32 { 1 }";
const BAR_2: &str = "pub fn n() -> u32 { 2 }";
