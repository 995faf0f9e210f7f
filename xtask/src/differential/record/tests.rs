//! Lines of Cargo, and what is understood of them.

use super::*;

fn names() -> Names {
    Names::new(Path::new("/x/checkout"), Path::new("/x/home"))
}

fn record(stderr: &[&str], stdout: &[&str]) -> Record {
    let mut record = Record::default();
    for line in stderr {
        record.note(line, SystemTime::UNIX_EPOCH, &names());
    }
    for line in stdout {
        record.add(line, &names()).unwrap();
    }
    record.finish();
    record
}

const RUNNING: &str = "     Running `rustc --crate-name foo_bar --edition=2024 src/main.rs --test \
    --cfg 'feature=\"a b\"' -C metadata=0123456789abcdef -C extra-filename=-fedcba9876543210 --out-dir x`";

#[test]
fn a_command_of_the_compiler_is_a_unit() {
    let record = record(
        &[RUNNING, "     Running `/x/build/foo-1/build-script-build`"],
        &[],
    );
    let unit = &record.units["0123456789abcdef"];
    assert_eq!(record.units.len(), 1);
    assert_eq!((unit.crate_name.as_str(), unit.is_test), ("foo_bar", true));
    assert_eq!(record.tokens["fedcba9876543210"], "0123456789abcdef");
}

#[test]
fn a_unit_gets_its_name_from_a_message() {
    let artifact = |test: bool, file: &str| {
        format!(
            r#"{{"reason":"compiler-artifact","package_id":"path+file:///x/checkout/foo#0.1.0",
            "target":{{"name":"foo-bar","kind":["bin"]}},"profile":{{"test":{test}}},"filenames":["{file}"]}}"#
        )
    };
    let plain = artifact(false, "/x/checkout/target/debug/foo-bar");
    assert_eq!(
        record(&[RUNNING], &[&plain]).units["0123456789abcdef"].label,
        "foo_bar"
    );
    let test = artifact(
        true,
        "/x/checkout/target/debug/deps/foo_bar-fedcba9876543210",
    );
    let record = record(&[RUNNING], &[&test]);
    let unit = &record.units["0123456789abcdef"];
    assert_eq!(unit.label, "foo v0.1.0 (bin \"foo-bar\")");
    assert!(!record.is_restored["debug/deps/foo_bar-fedcba9876543210"]);
}

#[test]
fn reasons_belong_to_units() {
    let record = record(
        &[
            "      Missed serde v1.0.0 (build script): missing (no result for this key)",
            "      Missed foo v0.1.0 (/x/checkout/foo) (lib): unknown (why): so",
            "    Unshared foo v0.1.0 (/x/checkout/foo) (bin \"a\"): holds-path (`/x/checkout/b`)",
        ],
        &[],
    );
    let missed: Vec<_> = record
        .missed
        .iter()
        .map(|(label, reasons)| (label.as_str(), reasons.len()))
        .collect();
    assert_eq!(
        missed,
        [("foo v0.1.0 (lib)", 1), ("serde v1.0.0 (build script)", 1)]
    );
    assert!(record.missed["foo v0.1.0 (lib)"].contains("unknown (why): so"));
    assert!(
        record
            .unshared
            .contains("foo v0.1.0 (bin \"a\"): holds-path (`./b`)")
    );
}

#[test]
fn runs_of_one_build_script_have_one_name() {
    let script = |hash: &str| {
        format!(
            r#"{{"reason":"build-script-executed","package_id":"registry+https://x#libz-sys@1.1.0",
            "out_dir":"/x/checkout/target/debug/build/libz-sys-{hash}/out"}}"#
        )
    };
    let record = record(
        &[],
        &[&script("0000000000000000"), &script("1111111111111111")],
    );
    assert_eq!(
        record.tokens["0000000000000000"],
        record.tokens["1111111111111111"]
    );
}

#[test]
fn warnings_name_no_place_of_this_machine() {
    let message = r#"{"reason":"compiler-message","package_id":"path+file:///x/checkout#foo@0.1.0",
        "target":{"name":"foo","kind":["lib"]},"message":{"message":"m",
        "rendered":"at /x/checkout/target/debug/build/a-fedcba9876543210/out/a.rs"}}"#;
    let record = record(&[RUNNING, "warning: at /x/checkout/Cargo.toml"], &[message]);
    let expected = [
        "foo v0.1.0 (lib)\nat /cargo/build-dir/debug/build/a-0123456789abcdef/out/a.rs",
        "warning: at ./Cargo.toml",
    ];
    assert_eq!(record.warnings, expected);
}
