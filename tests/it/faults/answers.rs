//! Answers that are none.

use cargo_test_support::prelude::*;
use hooked_tests::Fault;

use super::{assert_survives, filled, library_and_program};
use crate::support::{Counts, Hook, Hooked, Text, assert_one_warning, prints};

/// The hook answers as it should, but for what it says about `foo`.
#[track_caller]
fn assert_survives_answer(fault: Fault, cause: &str) {
    let p = filled();
    let _hook = Hook::new().fault(fault).flag("unit", "foo");
    assert_survives(&p, "`foo v0.1.0 (bin \"foo\")`", (1, 1), cause);
}

#[cargo_test]
fn chatter_between_answers() {
    assert_survives_answer(Fault::Chats, "malformed line");
}

#[cargo_test]
fn half_an_answer() {
    assert_survives_answer(Fault::Malformed, "malformed line");
}

#[cargo_test]
fn an_answer_to_another_request() {
    assert_survives_answer(Fault::UnknownId, "request 4711");
}

#[cargo_test]
fn an_answer_of_another_kind() {
    assert_survives_answer(
        Fault::WrongKind,
        "the answer `done` does not belong to a `before-build`",
    );
}

#[cargo_test]
fn an_error() {
    assert_survives_answer(Fault::Errs, "no luck: out of luck");
}

#[cargo_test]
fn a_hit_without_candidates() {
    assert_survives_answer(Fault::NoCandidates, "hit without candidates");
}

#[cargo_test]
fn errors_about_what_was_built() {
    for (fault, cause) in [
        (Fault::Errs, "no luck: out of luck"),
        (Fault::Malformed, "malformed line"),
        (Fault::UnknownId, "request 4711"),
        (Fault::WrongKind, "does not belong to a `after-build`"),
        (Fault::Exits, "the process ended"),
    ] {
        let p = library_and_program();
        let hook = Hook::new()
            .fault(fault)
            .flag("at", "after-build")
            .flag("unit", "foo");
        hook.forget_everything();
        let errors = p.hooked("build").counts(0, 2).run().errors();
        assert_one_warning(&errors, "test-hook", "`foo v0.1.0 (bin \"foo\")`", cause);
        assert_eq!(prints(&p.bin("foo")), "3");
        p.hooked("build").fresh().run();
    }
}

#[cargo_test]
fn a_warning_comes_once_however_much_fails() {
    let p = filled();
    let _hook = Hook::new().fault(Fault::Errs);
    let errors = p.hooked("build").counts(0, 2).run().errors();
    assert_one_warning(&errors, "test-hook", " v0.1.0", "no luck: out of luck");
}

#[cargo_test]
fn what_a_hook_mutters_is_not_shown() {
    let p = filled();
    let _hook = Hook::new().fault(Fault::Mutters);
    let errors = p.hooked("build").counts(2, 0).run().errors();
    assert!(!errors.contains("mutters"), "{errors}");
}

#[cargo_test]
fn a_relocation_to_nowhere_loses_nothing() {
    let p = library_and_program();
    let _hook = Hook::new()
        .fault(Fault::Relocates)
        .flag("at", "after-build");
    p.hooked("build").counts(0, 2).run();
    assert_eq!(prints(&p.bin("foo")), "3");
    p.hooked("build").fresh().run();
}
