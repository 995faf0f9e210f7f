//! One store, several builds.

use std::process::Stdio;

use cargo_test_support::ProjectBuilder;
use cargo_test_support::prelude::*;

use crate::support::{Counts, Hook, Hooked, checkouts, package, prints};

fn a_chain(mut p: ProjectBuilder) -> ProjectBuilder {
    p = p
        .file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nm0 = { path = 'm0' }"),
        )
        .file("src/main.rs", "fn main() { println!(\"{}\", m0::n()); }")
        .file("m4/Cargo.toml", &package("m4", ""))
        .file("m4/src/lib.rs", "pub fn n() -> u32 { 4 }");
    for n in 0..4 {
        let next = n + 1;
        let needs = format!("[dependencies]\nm{next} = {{ path = '../m{next}' }}");
        p = p
            .file(
                format!("m{n}/Cargo.toml"),
                &package(&format!("m{n}"), &needs),
            )
            .file(format!("m{n}/src/lib.rs"), &format!("pub use m{next}::n;"));
    }
    p
}

#[cargo_test]
fn two_builds_at_once_share_a_store() {
    let (one, two) = checkouts(a_chain);
    let _hook = Hook::new();
    let children: Vec<_> = [&one, &two]
        .into_iter()
        .map(|p| {
            let mut build = p.hooked("build").build_command();
            build
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{errors}");
        assert!(!errors.contains("warning:"), "{errors}");
    }
    for p in [&one, &two] {
        assert_eq!(prints(&p.bin("foo")), "4");
        p.hooked("build").fresh().run();
        p.wipe();
        p.hooked("build").counts(6, 0).run();
        assert_eq!(prints(&p.bin("foo")), "4");
    }
}

#[cargo_test]
fn a_hook_for_one_request_at_a_time_is_started_again_and_again() {
    let (one, two) = checkouts(a_chain);
    let hook = Hook::new().flag("capabilities", "before-build,after-build");
    one.hooked("build").counts(0, 6).run();
    let log = hook.take_log();
    assert_eq!(log.count("begin"), 0, "there is no session to begin");
    assert_eq!(log.told().len(), 6);
    two.hooked("build").counts(6, 0).run();
    assert_eq!(hook.take_log().asked().len(), 6);
    assert_eq!(prints(&two.bin("foo")), "4");
    two.hooked("build").fresh().run();
}

#[cargo_test]
fn a_hook_that_does_one_thing_at_a_time_serves_all() {
    let (one, two) = checkouts(a_chain);
    let hook = Hook::new().flag("capabilities", "before-build,after-build,session");
    one.hooked("build").counts(0, 6).run();
    two.hooked("build").counts(6, 0).run();
    assert_eq!(prints(&two.bin("foo")), "4");
    let log = hook.take_log();
    assert_eq!(
        log.count("begin"),
        log.count("start"),
        "each process has a session"
    );
    assert_eq!(log.count("end"), log.count("start"));
}
