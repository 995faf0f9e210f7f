//! Static archives that a script compiles with debug information: C compilers are told names for places,
//! as the `cc` crate hands them on, so that an archive is the same in every checkout.

use std::fs;

use cargo_test_support::prelude::*;
use cargo_test_support::{Execs, Project, ProjectBuilder, paths};

use super::{Numbers, assert_builds_with, out_dir};
use crate::support::{Hooked, checkouts, has, package, shipped_cache};

/// Compiles a file by its absolute path, with a header that it has made, with the flags for this platform.
const COMPILES: &str = r#"
    use std::{env, process::Command};

    fn main() {
        println!("cargo::rerun-if-changed=n.c");
        println!("cargo::rerun-if-env-changed=KNOB");
        let out = env::var("OUT_DIR").unwrap();
        let triple = env::var("TARGET").unwrap().replace('-', "_");
        let flags = env::var(format!("CFLAGS_{triple}")).or(env::var("CFLAGS")).unwrap_or_default();
        std::fs::write(format!("{out}/made.h"), "static int made(void) { return 1; }\n").unwrap();
        let source = format!("{}/n.c", env::var("CARGO_MANIFEST_DIR").unwrap());
        let object = format!("{out}/n.o");
        let run = |program: &str, args: &[&str]| {
            let status = Command::new(program).args(args).status();
            assert!(status.is_ok_and(|it| it.success()));
        };
        let mut args = vec!["-g", "-I", &out, "-c", &source, "-o", &object];
        args.extend(flags.split_whitespace());
        run("cc", &args);
        run("ar", &["rcsD", &format!("{out}/libn.a"), &object]);
        println!("cargo::rustc-link-search=native={out}");
        println!("cargo::rustc-link-lib=static=n");
    }
"#;

/// Two checkouts of a program that prints a number from C.
fn with_archive() -> (Project, Project) {
    checkouts(|p: ProjectBuilder| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("build.rs", COMPILES)
            .file(
                "n.c",
                "#include \"made.h\"\nint n(void) { return made() + 2; }\n",
            )
            .file(
                "src/main.rs",
                r#"
                    unsafe extern "C" { fn n() -> i32; }
                    fn main() { println!("{}", unsafe { n() }); }
                "#,
            )
    })
}

fn archive(p: &Project) -> Vec<u8> {
    fs::read(out_dir(p, "foo").join("libn.a")).unwrap()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[cargo_test(ignore_windows = "the C compiler is another one")]
fn an_archive_with_debug_information_is_the_same_in_every_checkout() {
    if !shipped_cache("") || !has("cc") || !has("ar") {
        return;
    }
    let (one, two) = with_archive();
    let builds = |p: &Project, knob: &str, numbers: Numbers, printed: &str| {
        let set = |execs: &mut Execs| {
            execs.env("KNOB", knob);
        };
        assert_builds_with(p, set, numbers, printed);
    };
    builds(&one, "1", (0, 2, 1), "3");
    // The script must run, and leaves the same: what links that is restored.
    builds(&two, "2", (2, 0, 1), "3");
    let made = archive(&one);
    assert!(holds(&made, ".debug_info"), "there is debug information");
    assert!(
        !holds(&made, paths::root().to_str().unwrap()),
        "without places"
    );
    assert!(made == archive(&two), "the archives are the same");

    // Made anew with nobody asked, and restored.
    two.wipe();
    let refresh = |execs: &mut Execs| {
        execs.env("KNOB", "2").env("CARGO_HOOKS_MODE", "refresh");
    };
    assert_builds_with(&two, refresh, (0, 2, 1), "3");
    assert!(made == archive(&two), "made anew");
    one.wipe();
    builds(&one, "2", (3, 0, 0), "3");
    assert!(made == archive(&one), "restored");

    // Another source is another archive, and another program.
    two.change_file(
        "n.c",
        "#include \"made.h\"\nint n(void) { return made() + 3; }\n",
    );
    two.wipe();
    builds(&two, "2", (1, 1, 1), "4");
    assert!(made != archive(&two));
}

#[cargo_test(ignore_windows = "the C compiler is another one")]
fn an_archive_with_flags_of_the_user_holds_the_places_of_its_checkout() {
    if !shipped_cache("") || !has("cc") || !has("ar") {
        return;
    }
    let (one, two) = with_archive();
    let flags = |execs: &mut Execs| {
        execs.env("CFLAGS", "-O1");
    };
    assert_builds_with(&one, flags, (0, 2, 1), "3");
    assert_builds_with(&two, flags, (1, 1, 1), "3");
    for p in [&one, &two] {
        assert!(holds(&archive(p), p.root().to_str().unwrap()));
        let program = fs::read(p.bin("foo")).unwrap();
        assert!(holds(&program, p.root().to_str().unwrap()));
        // Each serves in its own checkout.
        p.wipe();
        assert_builds_with(p, flags, (3, 0, 0), "3");
        assert!(holds(&archive(p), p.root().to_str().unwrap()));
    }
}
