//! Results that are not what they should be: none of them is used.

use std::time::Duration;

use cargo_test_support::prelude::*;
use hooked_tests::Fault;

use super::{assert_survives, filled};
use crate::support::{
    Counts, Hook, Hooked, Text, artifacts, assert_one_warning, assert_same, prints, run_within,
};

/// The hook supplies something wrong for the unit `unit`.
#[track_caller]
fn assert_refuses(fault: Fault, unit: &str, cause: &str) {
    let p = filled();
    let _hook = Hook::new().fault(fault).flag("unit", unit);
    assert_survives(&p, &format!("{unit} v0.1.0"), (1, 1), cause);
    let hidden = p.glob("target/debug/**/.hook-*").count();
    assert_eq!(hidden, 0, "no temporary file stays");
}

#[cargo_test]
fn a_file_that_does_not_exist() {
    assert_refuses(Fault::MissingFile, "foo", "No such file");
}

#[cargo_test]
fn a_folder() {
    assert_refuses(Fault::Directory, "foo", "not an ordinary file");
}

#[cargo_test(ignore_windows = "there are no named pipes in folders")]
fn a_pipe() {
    let p = filled();
    let _hook = Hook::new().fault(Fault::Pipe).flag("unit", "foo");
    let (code, errors) = run_within(Duration::from_secs(20), p.hooked("build"));
    assert_eq!(code, Some(0), "{errors}");
    assert_one_warning(&errors, "test-hook", "foo v0.1.0", "not an ordinary file");
    assert_eq!(prints(&p.bin("foo")), "3");
}

#[cargo_test(ignore_windows = "links need privileges")]
fn a_link_to_itself() {
    assert_refuses(Fault::SymlinkLoop, "foo", "");
}

#[cargo_test]
fn a_relative_path() {
    assert_refuses(Fault::RelativePath, "foo", "not an absolute path");
}

#[cargo_test]
fn a_program_with_a_wrong_digest() {
    assert_refuses(Fault::WrongDigest, "foo", "does not have the digest");
}

#[cargo_test]
fn a_library_with_a_wrong_digest() {
    assert_refuses(Fault::WrongDigest, "bar", "does not have the digest");
}

#[cargo_test]
fn a_truncated_file() {
    assert_refuses(Fault::Truncated, "bar", "bytes, not");
}

#[cargo_test]
fn an_output_that_nobody_expects() {
    assert_refuses(
        Fault::ExtraOutput,
        "bar",
        "the output `extra.txt` is not expected",
    );
}

#[cargo_test]
fn a_file_that_the_entry_does_not_know() {
    assert_refuses(
        Fault::ExtraFile,
        "bar",
        "the file `extra.txt` is not in the entry",
    );
}

#[cargo_test]
fn an_output_outside_the_build_directory() {
    assert_refuses(
        Fault::Escape,
        "foo",
        "the output `../../escaped.txt` is not expected",
    );
    assert!(
        !cargo_test_support::paths::root()
            .join("foo/target/escaped.txt")
            .exists()
    );
}

#[cargo_test]
fn too_few_outputs() {
    assert_refuses(Fault::TooFewOutputs, "bar", "is missing in the entry");
}

#[cargo_test]
fn too_few_files() {
    assert_refuses(Fault::TooFewFiles, "bar", "there is no file for the output");
}

#[cargo_test]
fn the_result_of_another_unit() {
    assert_refuses(
        Fault::OtherUnit,
        "foo",
        "the entry belongs to another question",
    );
}

#[cargo_test]
fn the_result_of_another_unit_in_disguise() {
    assert_refuses(Fault::DisguisedUnit, "foo", "the entry belongs to `bar`");
}

#[cargo_test]
fn the_result_of_another_question() {
    assert_refuses(
        Fault::OtherAction,
        "foo",
        "the entry belongs to another question",
    );
}

#[cargo_test]
fn a_result_for_other_sources_is_no_fault_but_is_not_used() {
    let p = filled();
    let _hook = Hook::new().fault(Fault::OtherSources).flag("unit", "foo");
    let errors = p.hooked("build -v").counts(1, 1).run().errors();
    let source = p.root().join("src/main.rs");
    let differs = format!("input-differs (`{}` differs)", source.display());
    assert!(errors.contains(&differs), "{errors}");
    assert!(!errors.contains("warning:"), "{errors}");
    assert_eq!(prints(&p.bin("foo")), "3");
}

#[cargo_test]
fn a_result_for_other_sources_is_used_if_it_read_the_same() {
    let p = filled();
    let _hook = Hook::new().fault(Fault::OtherKey).flag("unit", "foo");
    let errors = p.hooked("build -v").counts(2, 0).run().errors();
    assert!(!errors.contains("warning:"), "{errors}");
    assert_eq!(prints(&p.bin("foo")), "3");
}

#[cargo_test]
fn an_entry_of_a_later_format() {
    assert_refuses(Fault::OtherFormat, "foo", "unknown format 99");
}

#[cargo_test]
fn something_that_is_no_entry() {
    assert_refuses(Fault::NotAnEntry, "foo", "the entry is not valid");
}

#[cargo_test]
fn an_error_among_the_messages() {
    assert_refuses(
        Fault::ErrorMessage,
        "foo",
        "a message is not one that Cargo would keep",
    );
}

#[cargo_test]
fn an_artifact_among_the_messages() {
    assert_refuses(
        Fault::ArtifactMessage,
        "bar",
        "a message is not one that Cargo would keep",
    );
}

#[cargo_test]
fn what_is_compiled_instead_is_what_would_have_been_restored() {
    let p = filled();
    Hook::new();
    p.hooked("build").run();
    let restored = artifacts(&p.build_dir());
    p.wipe();
    let _hook = Hook::new().fault(Fault::WrongDigest);
    let errors = p.hooked("build").run().errors();
    assert!(errors.contains("warning: hook `test-hook`"), "{errors}");
    assert_same(&restored, &artifacts(&p.build_dir()));
}
