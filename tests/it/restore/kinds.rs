//! Every kind of unit.

use cargo_test_support::prelude::*;
use cargo_test_support::{project, registry};

use crate::support::{
    Counts, Hook, Hooked, artifacts, assert_same, checkouts, cycle, package, prints, workspace,
};

#[cargo_test]
fn restores_a_chain_of_libraries() {
    registry::Package::new("baz", "1.0.0")
        .file("src/lib.rs", "pub fn n() -> u32 { 3 }")
        .publish();
    registry::Package::new("bar", "1.0.0")
        .dep("baz", "1.0")
        .file("src/lib.rs", "pub fn n() -> u32 { baz::n() + 1 }")
        .publish();
    let p = project()
        .file("Cargo.toml", &package("foo", "[dependencies]\nbar = '1.0'"))
        .file("src/main.rs", r#"fn main() { println!("{}", bar::n()); }"#)
        .build();
    let hook = Hook::new();
    cycle(&hook, "build").of(&p, 3);
    assert_eq!(prints(&p.bin("foo")), "4");
}

#[cargo_test]
fn restores_a_workspace_in_a_second_checkout() {
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &workspace(&["a", "b"]))
            .file("a/Cargo.toml", &package("a", ""))
            .file("a/src/lib.rs", "pub fn place() -> &'static str { file!() }")
            .file(
                "b/Cargo.toml",
                &package("b", "[dependencies]\na = { path = '../a' }"),
            )
            .file(
                "b/src/main.rs",
                r#"fn main() { println!("{}", a::place()); }"#,
            )
    });
    let hook = Hook::new();
    cycle(&hook, "build").across(&one, &two, 2);
    assert_eq!(prints(&one.bin("b")), "a/src/lib.rs");
    assert_eq!(prints(&two.bin("b")), "a/src/lib.rs");
}

#[cargo_test]
fn restores_programs_examples_and_harnesses() {
    let p = project()
        .file(
            "Cargo.toml",
            &package("foo", "[[bench]]\nname = 'b'\nharness = false"),
        )
        .file(
            "src/lib.rs",
            "pub fn n() -> u32 { 3 }\n#[test] fn lib_test() {}",
        )
        .file("src/main.rs", r#"fn main() { println!("{}", foo::n()); }"#)
        .file(
            "examples/e.rs",
            r#"fn main() { println!("e{}", foo::n()); }"#,
        )
        .file("tests/t.rs", "#[test] fn t() { assert_eq!(foo::n(), 3); }")
        .file("benches/b.rs", "fn main() {}")
        .build();
    let hook = Hook::new();
    // The library, the program, a harness for each, example, test and benchmark.
    cycle(&hook, "build --all-targets").of(&p, 7);
    assert_eq!(prints(&p.bin("foo")), "3");
    assert_eq!(prints(&p.bin("examples/e")), "e3");
    p.hooked("test")
        .with_stdout_contains("test lib_test ... ok")
        .run();
    assert_eq!(
        hook.take_log().count("start"),
        0,
        "what was restored is tested"
    );
}

#[cargo_test]
fn restores_a_bench_harness() {
    let p = project()
        .file(
            "Cargo.toml",
            &package("foo", "[[bench]]\nname = 'b'\nharness = false"),
        )
        .file("src/lib.rs", "pub fn n() -> u32 { 3 }")
        .file("benches/b.rs", r#"fn main() { println!("{}", foo::n()); }"#)
        .build();
    let hook = Hook::new();
    cycle(&hook, "bench --no-run").of(&p, 3);
    p.hooked("bench --bench b").with_stdout_contains("3").run();
    assert_eq!(
        hook.take_log().count("start"),
        0,
        "what was restored is run"
    );
}

#[cargo_test]
fn restores_dynamic_and_static_libraries() {
    let library = "[lib]\ncrate-type = ['dylib']";
    let p = project()
        .file("Cargo.toml", &workspace(&["c", "dy", "user"]))
        .file(
            "c/Cargo.toml",
            &package("c", "[lib]\ncrate-type = ['cdylib', 'staticlib']"),
        )
        .file(
            "c/src/lib.rs",
            "#[unsafe(no_mangle)] pub extern \"C\" fn n() -> u32 { 3 }",
        )
        .file("dy/Cargo.toml", &package("dy", library))
        .file("dy/src/lib.rs", "pub fn n() -> u32 { 3 }")
        .file(
            "user/Cargo.toml",
            &package("user", "[dependencies]\ndy = { path = '../dy' }"),
        )
        .file(
            "user/src/main.rs",
            r#"fn main() { println!("{}", dy::n()); }"#,
        )
        .build();
    let hook = Hook::new();
    let cycle = cycle(&hook, "build").prepared(|execs| {
        execs.env("RUSTFLAGS", "-C prefer-dynamic");
    });
    cycle.of(&p, 3);
    p.hooked("run")
        .env("RUSTFLAGS", "-C prefer-dynamic")
        .with_stdout_data("3\n")
        .run();
}

#[cargo_test]
fn restores_a_proc_macro_and_its_user() {
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &workspace(&["mac", "user"]))
            .file(
                "mac/Cargo.toml",
                &package("mac", "[lib]\nproc-macro = true"),
            )
            .file("mac/src/lib.rs", MACRO)
            .file(
                "user/Cargo.toml",
                &package("user", "[dependencies]\nmac = { path = '../mac' }"),
            )
            .file(
                "user/src/main.rs",
                r#"fn main() { println!("{}", mac::n!()); }"#,
            )
    });
    let hook = Hook::new();
    cycle(&hook, "build").across(&one, &two, 2);
    assert_eq!(prints(&two.bin("user")), "3");
}

const MACRO: &str = r#"
    extern crate proc_macro;

    #[proc_macro]
    pub fn n(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
        "3".parse().unwrap()
    }
"#;

#[cargo_test]
fn restores_a_library_that_nobody_links() {
    let p = project()
        .file("Cargo.toml", &package("foo", ""))
        .file("src/lib.rs", "pub fn n() -> u32 { 3 }")
        .build();
    let hook = Hook::new();
    cycle(&hook, "build").of(&p, 1);
    assert!(
        p.target_debug_dir().join("libfoo.rlib").is_file(),
        "uplifted"
    );
}

#[cargo_test]
fn restored_programs_are_those_of_an_uncached_build() {
    let p = project()
        .file("Cargo.toml", &workspace(&["mac", "lib", "user"]))
        .file(
            "mac/Cargo.toml",
            &package("mac", "[lib]\nproc-macro = true"),
        )
        .file("mac/src/lib.rs", MACRO)
        .file(
            "lib/Cargo.toml",
            &package("lib", "[lib]\ncrate-type = ['rlib', 'cdylib']"),
        )
        .file("lib/src/lib.rs", "pub fn n() -> u32 { 3 }")
        .file(
            "user/Cargo.toml",
            &package(
                "user",
                "[dependencies]\nmac = { path = '../mac' }\nlib = { path = '../lib' }",
            ),
        )
        .file(
            "user/build.rs",
            "fn main() { println!(\"cargo::rustc-env=N=4\"); }",
        )
        .file(
            "user/src/main.rs",
            r#"fn main() { println!("{} {} {} {}", mac::n!(), lib::n(), env!("N"), file!()); }"#,
        )
        .build();
    // Without other names for its places the fork compiles as it does with hooks off.
    let hook = Hook::new().setting("remap = false");
    let cycle = cycle(&hook, "build").with_runs(1);
    cycle.cold(&p, 4);
    p.wipe();
    cycle.warm(&p, 4);
    let restored = artifacts(&p.build_dir());
    assert_eq!(prints(&p.bin("user")), "3 3 4 user/src/main.rs");
    p.wipe();
    p.hooked("build")
        .env("CARGO_HOOKS_ENABLED", "false")
        .fresh()
        .run();
    assert_same(&restored, &artifacts(&p.build_dir()));
}

#[cargo_test]
fn restores_debug_information_beside_a_program() {
    let p = project()
        .file(
            "Cargo.toml",
            &package("foo", "[profile.dev]\nsplit-debuginfo = 'packed'"),
        )
        .file("src/main.rs", "fn main() {}")
        .build();
    let hook = Hook::new();
    cycle(&hook, "build").of(&p, 1);
    if cfg!(target_os = "linux") {
        assert!(p.target_debug_dir().join("foo.dwp").is_file());
    }
}
