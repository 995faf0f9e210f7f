//! Inputs and outputs.

use super::*;

fn package() -> Package {
    let package = Package::new();
    assert_eq!(package.built(package.facts()), None);
    package
}

#[test]
fn nothing_changed() {
    package().is_unchanged();
}

#[test]
fn a_touched_file_is_read_once() {
    let package = package();
    package.date("ws/a/src/lib.rs", SystemTime::now());
    std::thread::sleep(std::time::Duration::from_millis(30));
    let first = package.record();
    package.is_unchanged();
    let second = package.record();
    assert_ne!(first, second, "the record is refreshed");
    assert!(package.is_settled());
    package.is_unchanged();
    assert_eq!(package.record(), second);
}

#[test]
fn an_edit_is_noticed_whatever_its_time() {
    let long_ago = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(900_000_000);
    for time in [
        long_ago,
        SystemTime::now() + std::time::Duration::from_secs(1_000),
    ] {
        for content in ["// bar", "// something longer"] {
            let package = package();
            package.write("ws/a/src/foo.rs", content);
            package.date("ws/a/src/foo.rs", time);
            package.is_changed("content of `a/src/foo.rs` changed");
        }
    }
}

#[cfg(unix)]
#[test]
fn an_edit_that_keeps_size_and_time_is_noticed() {
    let package = package();
    package.write("ws/a/src/foo.rs", "// bar");
    package.age("ws/a/src/foo.rs");
    package.is_changed("content of `a/src/foo.rs` changed");
}

/// Whoever edits a file twice within a tick of the clock leaves the times of the first edit.
#[test]
fn a_young_file_is_read_again() {
    let package = Package::new();
    package.write("ws/a/src/foo.rs", "// foo");
    let (build, unit) = (package.build(), package.unit());
    // In the same tick of the clock.
    let clock = Clock::of(&Stat::of(&package.path("ws/a/src/foo.rs")).unwrap());
    let before = build.look(&unit, clock, Some(&package.path("ws/a")), []);
    build.finish(&unit, &before, package.facts()).unwrap();
    assert!(!package.is_settled());
    // As if the second edit had left metadata alone.
    package.edit_record(|record| {
        let mut inputs = record.inputs.iter_mut();
        let foo = inputs.find(|input| input.path == "p:src/foo.rs").unwrap();
        foo.digest = Digest::of(b"// bar");
    });
    package.is_changed("content of `a/src/foo.rs` changed");
}

#[test]
fn a_file_that_is_dated_in_the_future_settles_in_time() {
    let package = Package::new();
    let future = SystemTime::now() + std::time::Duration::from_secs(1_000);
    package.date("ws/a/src/foo.rs", future);
    assert_eq!(package.built(package.facts()), None);
    package.is_unchanged();
    assert!(!package.is_settled());
    // Found as it was long after it was first seen.
    package.edit_record(|record| *record.made.as_mut().unwrap() -= 3_000_000_000);
    package.is_unchanged();
    assert!(package.is_settled());
}

#[test]
fn what_is_gone_or_became_a_folder_is_noticed() {
    let package = package();
    package.remove("ws/a/src/foo.rs");
    package.is_changed("the file `a/src/foo.rs` is missing");
    fs::create_dir(package.path("ws/a/src/foo.rs")).unwrap();
    assert!(matches!(package.judged(), Verdict::Changed(_)));
}

#[cfg(unix)]
#[test]
fn a_link_counts_as_what_it_leads_to() {
    let package = package();
    package.write("ws/other.rs", "// foo");
    package.remove("ws/a/src/foo.rs");
    std::os::unix::fs::symlink("../../other.rs", package.path("ws/a/src/foo.rs")).unwrap();
    package.is_unchanged();
    package.write("ws/other.rs", "// bar");
    package.is_changed("content of `a/src/foo.rs` changed");
}

#[test]
fn a_module_that_becomes_ambiguous_is_noticed() {
    let package = package();
    package.write("ws/a/src/foo/mod.rs", "");
    package.is_changed("the file `a/src/foo/mod.rs` is new");
    package.remove("ws/a/src/foo/mod.rs");
    package.is_unchanged();
}

#[test]
fn an_output_that_was_edited_is_noticed() {
    let package = package();
    package.write(RLIB, "Library");
    package.is_changed("content of the output `liba.rlib` changed");
    package.write(RLIB, "library");
    package.is_unchanged();
    package.remove(RLIB);
    package.is_changed("the output `liba.rlib` is missing");
}

#[test]
fn a_program_must_only_exist() {
    let package = Package::program();
    package.built(package.facts());
    package.write(RLIB, "stripped");
    package.is_unchanged();
    package.remove(RLIB);
    package.is_changed("the output `liba.rlib` is missing");
}

#[test]
fn an_edit_while_it_is_built_makes_a_unit_unstable() {
    let package = Package::new();
    let edited = package.built_while(package.facts(), || {
        package.write("ws/a/src/foo.rs", "// bar");
    });
    assert_eq!(edited, Some(package.path("ws/a/src/foo.rs")));
    package.is_changed("`a/src/foo.rs` changed while it was built");
    assert_eq!(package.built(package.facts()), None);
    package.is_unchanged();
}

#[test]
fn a_script_that_writes_its_own_input_settles() {
    let package = Package::new();
    let build = || {
        package.built_while(package.facts(), || {
            package.write("ws/a/src/foo.rs", "// generated");
        })
    };
    assert!(build().is_some());
    assert_eq!(build(), None, "the same was written again");
    package.is_unchanged();
}

#[test]
fn what_the_compiler_reports_is_believed() {
    let package = Package::new();
    let mut facts = package.facts();
    facts.files[1].1 = Some(Digest::of(b"// foo"));
    assert_eq!(package.built(facts.clone()), None);
    package.is_unchanged();
    facts.files[1].1 = Some(Digest::of(b"// something else, before it was edited"));
    assert_eq!(package.built(facts), Some(package.path("ws/a/src/foo.rs")));
}
