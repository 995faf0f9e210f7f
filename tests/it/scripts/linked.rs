//! What a script leaves for another one: `DEP_A_INCLUDE` names a place, and its content counts.

use cargo_test_support::prelude::*;
use cargo_test_support::{Execs, Project, ProjectBuilder};

use super::{assert_builds_with, out_dir};
use crate::support::{Hooked, checkouts, has, package, shipped_cache, workspace};

/// Writes a header with a number that nobody else knows of.
const A: &str = r##"
    fn main() {
        println!("cargo::rerun-if-changed=build.rs");
        println!("cargo::rerun-if-env-changed=KNOB");
        let out = std::env::var("OUT_DIR").unwrap();
        let knob = std::env::var("KNOB").unwrap();
        std::fs::create_dir_all(format!("{out}/include")).unwrap();
        std::fs::write(format!("{out}/include/a.h"), format!("#define A {knob}\n")).unwrap();
        println!("cargo::metadata=include={out}/include");
    }
"##;

/// Hands on where the header is.
const MIDDLE: &str = r#"
    fn main() {
        println!("cargo::rerun-if-changed=build.rs");
        println!("cargo::metadata=include={}", std::env::var("DEP_A_INCLUDE").unwrap());
    }
"#;

/// Compiles C with the header.
const B: &str = r#"
    use std::{env, process::Command};

    fn main() {
        println!("cargo::rerun-if-changed=b.c");
        let out = env::var("OUT_DIR").unwrap();
        let include = env::var("DEP_FROM_INCLUDE").unwrap();
        let run = |program: &str, args: &[&str]| {
            let status = Command::new(program).args(args).status();
            assert!(status.is_ok_and(|it| it.success()));
        };
        let object = format!("{out}/b.o");
        run("cc", &["-I", &include, "-c", "b.c", "-o", &object]);
        run("ar", &["rcsD", &format!("{out}/libb.a"), &object]);
        println!("cargo::rustc-link-search=native={out}");
        println!("cargo::rustc-link-lib=static=b");
    }
"#;

fn sys(name: &str, needs: &str) -> String {
    let needs = match needs {
        "" => String::new(),
        needs => format!("[dependencies]\n{needs} = {{ path = '../{needs}' }}\n"),
    };
    package(&format!("{name}-sys"), &needs)
        .replace("edition", &format!("links = \"{name}\"\nedition"))
}

/// Two checkouts of a program that prints the number that arrives, through `middle-sys` or without.
fn chain(through_middle: bool) -> (Project, Project) {
    let (members, from): (&[&str], _) = if through_middle {
        (&["a-sys", "middle-sys", "b-sys", "foo"], "middle")
    } else {
        (&["a-sys", "b-sys", "foo"], "a")
    };
    checkouts(|p: ProjectBuilder| {
        let p = p
            .file("Cargo.toml", &workspace(members))
            .file("a-sys/Cargo.toml", &sys("a", ""))
            .file("a-sys/build.rs", A)
            .file("a-sys/src/lib.rs", "")
            .file("b-sys/Cargo.toml", &sys("b", &format!("{from}-sys")))
            .file("b-sys/build.rs", &B.replace("FROM", &from.to_uppercase()))
            .file("b-sys/b.c", "#include \"a.h\"\nint b(void) { return A; }\n")
            .file(
                "b-sys/src/lib.rs",
                "unsafe extern \"C\" { fn b() -> i32; }\npub fn n() -> i32 { unsafe { b() } }",
            )
            .file(
                "foo/Cargo.toml",
                &package("foo", "[dependencies]\nb-sys = { path = '../b-sys' }"),
            )
            .file(
                "foo/src/main.rs",
                "fn main() { println!(\"{}\", b_sys::n()); }",
            );
        if through_middle {
            p.file("middle-sys/Cargo.toml", &sys("middle", "a-sys"))
                .file("middle-sys/build.rs", MIDDLE)
                .file("middle-sys/src/lib.rs", "")
        } else {
            p
        }
    })
}

#[track_caller]
fn assert_the_header_counts(through_middle: bool) {
    if !shipped_cache("") || !has("cc") || !has("ar") {
        return;
    }
    let (one, two) = chain(through_middle);
    // Of each package with a script: the script, its run, and the library.
    let scripts = if through_middle { 3 } else { 2 };
    let all = 3 * scripts + 1;
    let knob = |value: &'static str| {
        move |execs: &mut Execs| {
            execs.env("KNOB", value);
        }
    };
    assert_builds_with(&one, knob("1"), (0, 2 * scripts + 1, scripts), "1");
    assert_builds_with(&two, knob("1"), (all, 0, 0), "1");

    // The library with the archive in it and the program are compiled.
    two.wipe();
    assert_builds_with(&two, knob("2"), (all - scripts - 2, 2, scripts), "2");
    for value in ["1", "2", "1"] {
        two.wipe();
        assert_builds_with(&two, knob(value), (all, 0, 0), value);
    }
    // Without wiping: the folders hold what an earlier run had left, and are replaced.
    assert_builds_with(&two, knob("2"), (2 * scripts + 1, 0, 0), "2");
    let header = out_dir(&two, "a-sys").join("include/a.h");
    assert_eq!(std::fs::read_to_string(header).unwrap(), "#define A 2\n");
}

#[cargo_test]
fn a_header_of_another_package_counts() {
    assert_the_header_counts(false);
}

#[cargo_test]
fn a_header_counts_through_a_package_between() {
    assert_the_header_counts(true);
}
