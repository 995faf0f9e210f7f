//! The key `build.fingerprint`: who may set it, and what is said about mistakes.

use cargo_test_support::Execs;
use cargo_test_support::prelude::*;

use super::{Built, Checkout, Mode, OWN_2, fresh, library_and_program, runs};
use crate::support::{Hook, Text};

/// Builds twice as `prepare` and `line` say, with an edit in between that only content tells.
fn assert_decides(mode: Mode, line: &str, prepare: impl Fn(&mut Execs)) {
    // Its own variable is not set.
    let c = Checkout::new(Mode::Mtime, library_and_program);
    let build = || {
        let mut execs = c.cargo(line);
        prepare(&mut execs);
        Built::by(execs)
    };
    build().assert_succeeds("the first build");
    c.edit_in_secret("src/own.rs", OWN_2);
    let built = build();
    built.assert(
        "edited in secret",
        &mode.either(fresh(), runs(&["foo bin"])),
    );
    assert!(!built.said().contains("warning"), "{}", built.said());
}

#[cargo_test]
fn by_default_times_decide() {
    assert_decides(Mode::Mtime, "build", |_| {});
}

#[cargo_test]
fn a_variable_decides() {
    for mode in [Mode::Mtime, Mode::Content] {
        assert_decides(mode, "build", |execs| {
            execs.env("CARGO_BUILD_FINGERPRINT", mode.name());
        });
    }
}

#[cargo_test]
fn an_argument_decides() {
    for mode in [Mode::Mtime, Mode::Content] {
        let line = format!("build --config build.fingerprint=\"{}\"", mode.name());
        let line = line.replace('"', "'");
        let (start, argument) = line.rsplit_once(' ').unwrap();
        assert_decides(mode, start.trim_end_matches(" --config"), |execs| {
            execs.args(&["--config", argument]);
        });
    }
}

#[cargo_test]
fn a_file_decides_unless_it_is_overruled() {
    Hook::configure("[build]\nfingerprint = 'content'\n");
    assert_decides(Mode::Content, "build", |_| {});
    assert_decides(Mode::Mtime, "build", |execs| {
        execs.env("CARGO_BUILD_FINGERPRINT", "mtime");
    });
    assert_decides(Mode::Mtime, "build", |execs| {
        execs.args(&["--config", "build.fingerprint='mtime'"]);
    });
}

#[cargo_test]
fn a_wrong_value_is_an_error() {
    for (value, word) in [
        ("'contents'", "contents"),
        ("true", "boolean"),
        ("3", "integer"),
    ] {
        Hook::configure(&format!("[build]\nfingerprint = {value}\n"));
        let c = Checkout::at(Mode::Mtime, &project_root());
        let errors = c
            .cargo("build")
            .with_status(101)
            .with_stderr_contains("[ERROR] [..]")
            .run()
            .errors();
        for word in [word, "build.fingerprint", ".cargo/config.toml"] {
            assert!(errors.contains(word), "`{word}` is not in {errors}");
        }
    }
}

#[cargo_test]
fn a_wrong_value_of_a_variable_is_an_error() {
    let c = Checkout::at(Mode::Mtime, &project_root());
    let errors = c
        .cargo("build")
        .env("CARGO_BUILD_FINGERPRINT", "contents")
        .with_status(101)
        .with_stderr_contains("[ERROR] [..]")
        .run()
        .errors();
    for word in ["contents", "CARGO_BUILD_FINGERPRINT", "mtime", "content"] {
        assert!(errors.contains(word), "`{word}` is not in {errors}");
    }
}

fn project_root() -> std::path::PathBuf {
    library_and_program(cargo_test_support::project())
        .build()
        .root()
}

#[cargo_test]
fn an_unknown_key_beside_it_is_unused_as_ever() {
    Hook::configure("[build]\nfingerprint = 'content'\nfingerprints = 'content'\n");
    let c = Checkout::at(Mode::Mtime, &project_root());
    let errors = c.cargo("build").run().errors();
    let unused = "unused config key `build.fingerprints`";
    assert!(errors.contains(unused), "{errors}");
    assert_eq!(errors.matches("unused config key").count(), 1, "{errors}");
}
