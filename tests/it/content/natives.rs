//! Early cut-off, and what a build script leaves that no list names: native libraries, what a macro reads.

use cargo_test_support::ProjectBuilder;
use cargo_test_support::prelude::*;

use super::{Checkout, runs, scenario};
use crate::support::{package, workspace};

const SCRIPT: &str = "bar run-custom-build";

/// A package `bar` whose build script makes a static library of `VALUE`, and a program that prints it.
/// `place` is where, as an expression of the script; `kind` is how it is linked.
fn with_native_library(
    place: &str,
    kind: &str,
) -> impl Fn(ProjectBuilder) -> ProjectBuilder + 'static {
    let script = format!(
        r#"
            use std::process::Command;

            fn main() {{
                println!("cargo::rerun-if-env-changed=VALUE");
                let value = std::env::var("VALUE").unwrap_or("1".to_owned());
                let out = std::env::var("OUT_DIR").unwrap();
                let place = {place};
                std::fs::create_dir_all(&place).unwrap();
                std::fs::write(out.clone() + "/n.c", format!("int n() {{{{ return {{value}}; }}}}"))
                    .unwrap();
                let run = |program: &str, args: &[&str]| {{
                    let status = Command::new(program).args(args).current_dir(&out).status();
                    assert!(status.unwrap().success());
                }};
                let library = place.clone() + "/libn.a";
                run("cc", &["-c", "n.c", "-o", "n.o"]);
                run("ar", &["rcsD", &library, "n.o"]);
                println!("cargo::rustc-link-search=native={{place}}");
                println!("cargo::rustc-link-lib={kind}=n");
            }}
        "#
    );
    move |p| {
        p.file("Cargo.toml", &workspace(&["bar", "foo"]))
            .file("bar/Cargo.toml", &package("bar", ""))
            .file("bar/build.rs", &script)
            .file(
                "bar/src/lib.rs",
                "unsafe extern \"C\" { safe fn n() -> i32; }\npub fn safe() -> i32 { n() }",
            )
            .file(
                "foo/Cargo.toml",
                &package("foo", "[dependencies]\nbar = { path = '../bar' }"),
            )
            .file(
                "foo/src/main.rs",
                "fn main() { println!(\"{}\", bar::safe()); }",
            )
    }
}

/// Plays with a static library: a new one must reach the program, and the same must not build it.
fn play(place: &str, kind: &str) {
    if !super::has("cc") || !super::has("ar") {
        return;
    }
    scenario(with_native_library(place, kind))
        .first(runs(&["bar custom-build", SCRIPT, "bar lib", "foo bin"]).printing("1"))
        .change("make another library", |c| {
            c.set("VALUE", "2");
            let units = c.build().units().to_vec();
            assert!(
                units.contains(&"foo bin".to_owned()),
                "linked again: {units:?}"
            );
        })
        .both(super::fresh().printing("2"))
        .play();
}

#[cargo_test]
fn a_static_library_in_a_library_is_linked_again() {
    play("out.clone()", "static");
}

#[cargo_test]
fn a_static_library_beside_a_library_is_linked_again() {
    play("out.clone()", "static:-bundle");
}

#[cargo_test]
fn a_static_library_of_no_certain_kind_is_linked_again() {
    // rustc finds the archive, and may bundle it or not.
    play("out.clone() + \"/deeper\"", "static:+whole-archive,-bundle");
}

#[cargo_test]
fn a_static_library_outside_of_the_output_directory_is_linked_again() {
    play(ELSEWHERE, "static");
}

#[cargo_test]
fn a_static_library_outside_of_everything_is_linked_again() {
    play(ELSEWHERE, "static:-bundle");
}

#[cargo_test]
fn an_object_beside_the_sources_is_linked_again() {
    if !super::has("cc") {
        return;
    }
    // It is named relative to the folder where rustc runs, in words that look like no path.
    let script = r#"
        use std::process::Command;

        fn main() {
            println!("cargo::rerun-if-env-changed=VALUE");
            let value = std::env::var("VALUE").unwrap_or("1".to_owned());
            let out = std::env::var("OUT_DIR").unwrap();
            let source = std::env::temp_dir().join(format!("hooked-tests-{}.c", std::process::id()));
            std::fs::write(&source, format!("int n() {{ return {value}; }}")).unwrap();
            let status = Command::new("cc").arg("-c").arg(&source).args(["-o", "n.o"]).status();
            assert!(status.unwrap().success());
            std::fs::remove_file(source).unwrap();
            println!("cargo::rustc-link-arg-bins=n.o");
            let _ = out;
        }
    "#;
    let files = move |p: ProjectBuilder| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("build.rs", script)
            .file(
                "src/main.rs",
                "unsafe extern \"C\" { safe fn n() -> i32; }\nfn main() { println!(\"{}\", n()); }",
            )
    };
    scenario(files)
        .first(runs(&["foo custom-build", "foo run-custom-build", "foo bin"]).printing("1"))
        .change("make another object", |c| c.set("VALUE", "2"))
        .both(runs(&["foo run-custom-build", "foo bin"]).printing("2"))
        .play();
}

/// A file that only the linker reads, as the configuration says, and that a build script declares.
#[cargo_test]
fn what_a_script_declares_for_the_linker_is_linked_again() {
    if !super::has("cc") {
        return;
    }
    let compile = |c: &Checkout, value: u32| {
        c.edit("n.c", &format!("int n() {{ return {value}; }}"));
        c.runs("cc -c n.c -o n.o");
    };
    let files = |p: ProjectBuilder| {
        p.file("Cargo.toml", &package("foo", ""))
            .file(
                ".cargo/config.toml",
                "[target.'cfg(all())']\nrustflags = ['-C', 'link-arg=n.o']",
            )
            .file(
                "build.rs",
                "fn main() { println!(\"cargo::rerun-if-changed=n.o\"); }",
            )
            .file(
                "src/main.rs",
                "unsafe extern \"C\" { safe fn n() -> i32; }\nfn main() { println!(\"{}\", n()); }",
            )
            .file("n.c", "int n() { return 1; }")
            .file("n.o", "")
    };
    scenario(files)
        .before(move |c| compile(c, 1))
        .first(super::succeeds().printing("1"))
        .change("make another object", move |c| compile(c, 2))
        .both(runs(&["foo run-custom-build", "foo bin"]).printing("2"))
        .play();
}

const ELSEWHERE: &str = "std::env::var(\"CARGO_MANIFEST_DIR\").unwrap() + \"/../../native\"";

#[cargo_test]
fn a_search_path_elsewhere_is_not_seen_through() {
    let script = r#"
        fn main() {
            println!("cargo::rerun-if-env-changed=VALUE");
            println!("cargo::rustc-link-search=native=/usr/lib");
        }
    "#;
    let files = move |p: ProjectBuilder| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("build.rs", script)
            .file("src/main.rs", "fn main() { println!(\"1\"); }")
    };
    scenario(files)
        .change("set a variable", |c| c.set("VALUE", "2"))
        .both(runs(&["foo run-custom-build", "foo bin"]).printing("1"))
        .play();
}

/// A program that prints what a macro reads in the output directory of its build script, which says the
/// same for every `VALUE`.
fn with_reading_macro(p: ProjectBuilder) -> ProjectBuilder {
    p.file("Cargo.toml", &workspace(&["mac", "foo"]))
        .file(
            "mac/Cargo.toml",
            &package("mac", "[lib]\nproc-macro = true"),
        )
        .file(
            "mac/src/lib.rs",
            r#"
                use proc_macro::TokenStream;

                #[proc_macro]
                pub fn n(_: TokenStream) -> TokenStream {
                    let dir = std::env::var("OUT_DIR").unwrap();
                    std::fs::read_to_string(dir + "/n.txt").unwrap().parse().unwrap()
                }
            "#,
        )
        .file(
            "foo/Cargo.toml",
            &package("foo", "[dependencies]\nmac = { path = '../mac' }"),
        )
        .file(
            "foo/build.rs",
            r#"
                fn main() {
                    println!("cargo::rerun-if-env-changed=VALUE");
                    let out = std::env::var("OUT_DIR").unwrap();
                    let value = std::env::var("VALUE").unwrap_or("1".to_owned());
                    std::fs::write(out + "/n.txt", value).unwrap();
                }
            "#,
        )
        .file(
            "foo/src/main.rs",
            "fn main() { println!(\"{}\", mac::n!()); }",
        )
}

#[cargo_test]
fn what_a_macro_reads_in_the_output_directory_is_read_again() {
    scenario(with_reading_macro)
        .change("set a variable", |c| c.set("VALUE", "2"))
        .both(runs(&["foo run-custom-build", "foo bin"]).printing("2"))
        .play();
}

#[cargo_test]
fn a_macro_that_is_built_again_to_the_same_builds_nothing() {
    let library = |c: &Checkout| c.only("target/debug/deps/libmac-*.so");
    scenario(with_reading_macro)
        .change("remove its library", move |c| {
            std::fs::remove_file(library(c)).unwrap();
        })
        .mtime(runs(&["mac proc-macro", "foo bin"]))
        .content(runs(&["mac proc-macro"]).keeping(&["foo"]))
        .change("edit it", |c| {
            c.edit(
                "mac/src/lib.rs",
                &c.read("mac/src/lib.rs").replace("/n.txt", "/./n.txt"),
            );
        })
        .both(runs(&["mac proc-macro", "foo bin"]).printing("1"))
        .play();
}
