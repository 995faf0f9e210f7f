//! Made-up results of a run: none of them is used, and nothing is written outside of the script's folder.

use cargo_test_support::paths;
use cargo_test_support::prelude::*;
use hooked_tests::Fault;

use super::out_dir;
use crate::support::{Counts, Hook, Hooked, Text, assert_one_warning, checkouts, package, prints};

/// The hook supplies something wrong for the run of a script: it warns once, and the script runs.
#[track_caller]
fn assert_refuses(fault: Fault, cause: &str) {
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file(
                "build.rs",
                r#"
                    fn main() {
                        println!("cargo::rustc-env=RESULT=3");
                        let out = std::env::var("OUT_DIR").unwrap();
                        std::fs::write(format!("{out}/n.txt"), "3").unwrap();
                    }
                "#,
            )
            .file(
                "src/main.rs",
                "fn main() { println!(\"{}\", env!(\"RESULT\")); }",
            )
    });
    Hook::new();
    one.hooked("build").counts_with_runs(0, 2, 1).run();

    let _hook = Hook::new().fault(fault).flag("mode", "run-build-script");
    let errors = two.hooked("build").counts_with_runs(2, 0, 1).run().errors();
    assert_one_warning(&errors, "test-hook", "foo v0.1.0", cause);
    assert_eq!(prints(&two.bin("foo")), "3");
    let names = |dir: &std::path::Path| {
        let entries = std::fs::read_dir(dir).unwrap();
        let mut names: Vec<_> = entries.map(|it| it.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let dir = out_dir(&two, "foo");
    assert_eq!(names(&dir), ["n.txt"]);
    assert_eq!(
        names(dir.parent().unwrap()),
        [
            "invoked.timestamp",
            "out",
            "output",
            "root-output",
            "stderr"
        ]
    );
    let escaped = two.glob("target/**/*escaped*").count();
    assert_eq!(escaped, 0, "nothing is written elsewhere");
    assert!(!paths::root().join("escaped.txt").exists());
    two.hooked("build").fresh().run();
    // The others do not mind.
    Hook::new();
    two.wipe();
    two.hooked("build").counts(3, 0).run();
}

#[cargo_test]
fn a_file_outside_of_the_folder() {
    let cause = "the output `out-dir/../escaped.txt` is not expected";
    assert_refuses(Fault::EscapeFolder, cause);
}

#[cargo_test]
fn a_file_outside_of_the_build_directory() {
    let cause = "the output `../../escaped.txt` is not expected";
    assert_refuses(Fault::Escape, cause);
}

#[cargo_test]
fn a_file_beside_the_folder() {
    assert_refuses(Fault::ExtraOutput, "the output `extra.txt` is not expected");
}

#[cargo_test]
fn a_link_that_leads_outside() {
    assert_refuses(Fault::EscapeLink, "the link `out-dir/link` leads outside");
}

#[cargo_test]
fn a_link_that_leads_outside_from_within_a_link() {
    assert_refuses(Fault::DisguisedLink, "out-dir/link/other");
}

#[cargo_test]
fn nothing_that_the_script_printed() {
    assert_refuses(Fault::TooFewOutputs, "the output `stdout` is missing");
}

#[cargo_test]
fn a_file_that_the_entry_has_and_the_hook_has_not() {
    assert_refuses(Fault::TooFewFiles, "there is no file for the output");
}

#[cargo_test]
fn a_wrong_digest() {
    assert_refuses(Fault::WrongDigest, "does not have the digest");
}

#[cargo_test]
fn a_result_of_another_question() {
    assert_refuses(Fault::OtherAction, "the entry belongs to another question");
}

#[cargo_test]
fn messages_of_a_compiler() {
    assert_refuses(
        Fault::ErrorMessage,
        "a build script has no messages of a compiler",
    );
}
