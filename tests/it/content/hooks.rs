//! With a hook: content decides by default, and what is not sure is not told.

use cargo_test_support::ProjectBuilder;
use cargo_test_support::prelude::*;

use super::{BAR_1, BAR_2, Checkout, Mode, OWN_2, fresh, library_and_program, runs, succeeds};
use crate::support::{Counts, Hook, Hooked, checkouts, package, prints};

/// Returns a checkout in which the configuration decides alone.
fn checkout(files: impl Fn(ProjectBuilder) -> ProjectBuilder) -> Checkout {
    Checkout::new(Mode::Mtime, files)
}

/// Returns the configuration of a good hook with more after it.
fn configure(hook: &Hook, more: &str) {
    let command = hook.command();
    Hook::configure(&format!(
        "{more}\n[hooks]\nbefore-build = {command}\nafter-build = {command}\n"
    ));
}

#[cargo_test]
fn content_is_the_default() {
    let hook = Hook::new();
    let c = checkout(library_and_program);
    c.succeeds("the first build");
    hook.take_log();
    c.touch_all();
    c.builds("touched", fresh().keeping(&["bar", "foo"]));
    assert_eq!(hook.take_log().count("start"), 0, "nobody is asked");
    c.edit_in_secret("src/own.rs", OWN_2);
    c.builds("edited in secret", runs(&["foo bin"]).printing("2 1"));
    assert_eq!(hook.take_log().asked(), ["foo bin"]);
}

#[cargo_test]
fn an_explicit_mtime_is_respected() {
    let hook = Hook::new();
    for by_file in [true, false] {
        let c = checkout(library_and_program);
        if by_file {
            configure(&hook, "[build]\nfingerprint = 'mtime'");
        } else {
            configure(&hook, "");
            c.set("CARGO_BUILD_FINGERPRINT", "mtime");
        }
        hook.forget_everything();
        c.succeeds("the first build");
        hook.take_log();
        c.edit_in_secret("src/own.rs", OWN_2);
        c.builds_nothing("edited in secret");
        c.touch_all();
        c.succeeds("touched");
        assert_eq!(hook.take_log().asked(), ["bar lib", "foo bin"]);
    }
}

#[cargo_test]
fn a_hook_that_is_off_changes_no_default() {
    let hook = Hook::new().setting("enabled = false");
    let c = checkout(library_and_program);
    c.succeeds("the first build");
    c.edit_in_secret("src/own.rs", OWN_2);
    c.builds_nothing("edited in secret");
    c.touch_all();
    c.builds("touched", runs(&["bar lib", "foo bin"]));
    assert_eq!(hook.take_log().count("start"), 0);
}

#[cargo_test]
fn restored_units_are_watched_by_content() {
    let _hook = Hook::new();
    let c = checkout(with_build_script);
    c.succeeds("the first build");
    c.remove("target");
    c.build()
        .assert("restored", &fresh().saying("(3 restored, 0 compiled)"));
    c.builds_nothing("the build after it");
    c.touch_all();
    c.builds_nothing("touched");
    c.clone_anew();
    c.builds_nothing("cloned anew");
    c.edit_in_secret("src/own.rs", OWN_2);
    let edited = runs(&["foo bin"]).because("foo", "content of `src/own.rs` changed");
    c.builds("edited in secret", edited.printing("2 1"));
    c.edit_in_secret("n.txt", "2");
    c.builds(
        "edited what a script reads",
        runs(&["foo run-custom-build", "foo bin"]).printing("2 2"),
    );
}

/// A program that prints its own number, and that which its build script has read.
fn with_build_script(p: ProjectBuilder) -> ProjectBuilder {
    p.file("Cargo.toml", &package("foo", ""))
        .file(
            "build.rs",
            r#"
                fn main() {
                    println!("cargo::rerun-if-changed=n.txt");
                    println!("cargo::rustc-env=N={}", std::fs::read_to_string("n.txt").unwrap());
                }
            "#,
        )
        .file(
            "src/main.rs",
            "mod own;\nfn main() { println!(\"{} {}\", own::N, env!(\"N\")); }",
        )
        .file("src/own.rs", super::OWN_1)
        .file("n.txt", "1")
}

#[cargo_test]
fn a_kept_unit_is_asked_for_by_nobody() {
    let hook = Hook::new();
    let c = checkout(library_and_program);
    c.succeeds("the first build");
    hook.take_log();
    std::fs::remove_file(c.only("target/debug/deps/libbar-*.rlib")).unwrap();
    let restored = succeeds()
        .keeping(&["foo"])
        .saying("(1 restored, 0 compiled)")
        .printing("1 1");
    c.builds("restored from below", restored);
    let log = hook.take_log();
    assert_eq!(log.asked(), ["bar lib"]);
    assert_eq!(log.told(), [""; 0]);
}

#[cargo_test]
fn a_library_that_comes_out_the_same_keeps_what_is_above() {
    let hook = Hook::new();
    let c = checkout(library_and_program);
    c.succeeds("the first build");
    hook.take_log();
    hook.forget_everything();
    std::fs::remove_file(c.only("target/debug/deps/libbar-*.rlib")).unwrap();
    let built = runs(&["bar lib"])
        .keeping(&["foo"])
        .saying("(0 restored, 1 compiled)");
    c.builds("built from below", built.printing("1 1"));
    let log = hook.take_log();
    assert_eq!(log.asked(), ["bar lib"]);
    assert_eq!(log.told(), ["bar lib"]);
}

#[cargo_test]
fn an_unstable_unit_is_not_told() {
    let hook = Hook::new();
    let c = checkout(with_editing_macro);
    c.set("TEXT", "2");
    c.set("EDIT", c.path("src/n.txt"));
    let unstable = "`src/n.txt` changed while it was built";
    let expected = succeeds().unstable("foo", unstable).restless();
    c.builds("edited meanwhile", expected);
    assert_eq!(hook.take_log().told(), ["mac proc-macro"]);
    c.unset("EDIT");
    c.builds(
        "built again",
        runs(&["foo bin"]).because("foo", unstable).printing("2"),
    );
    assert_eq!(hook.take_log().told(), ["foo bin"]);
}

#[cargo_test]
fn what_was_built_on_an_unstable_unit_is_never_that_of_what_was_asked_for() {
    let (one, two) = checkouts(library_and_program);
    let hook = Hook::new();
    let source = one.root().join("bar/src/lib.rs");
    // It is edited after it was asked for, and before it is compiled.
    Hook::new()
        .flag("unit", "bar")
        .flag("edit", source.to_str().unwrap())
        .flag("text", BAR_2);
    one.hooked("build").counts(0, 2).run();
    assert_eq!(prints(&one.bin("foo")), "1 2");
    assert_eq!(
        hook.take_log().told(),
        ["foo bin"],
        "the library is unstable"
    );

    Hook::new();
    two.hooked("build").counts(0, 2).run();
    assert_eq!(
        prints(&two.bin("foo")),
        "1 1",
        "what was edited stays there"
    );
    // What is built on the edited library is that of this content.
    two.change_file("bar/src/lib.rs", BAR_2);
    two.wipe();
    two.hooked("build").counts(1, 1).run();
    assert_eq!(prints(&two.bin("foo")), "1 2");
    for (text, printed) in [(BAR_1, "1 1"), (BAR_2, "1 2")] {
        for p in [&one, &two] {
            p.change_file("bar/src/lib.rs", text);
            p.wipe();
            p.hooked("build").counts(2, 0).run();
            assert_eq!(prints(&p.bin("foo")), printed);
        }
    }
}

/// A program with a macro that edits the file `EDIT`.
fn with_editing_macro(p: ProjectBuilder) -> ProjectBuilder {
    let manifest = package("foo", "[dependencies]\nmac = { path = 'mac' }");
    p.file("Cargo.toml", &manifest)
        .file(
            "mac/Cargo.toml",
            &package("mac", "[lib]\nproc-macro = true"),
        )
        .file(
            "mac/src/lib.rs",
            r#"
                use proc_macro::TokenStream;

                #[proc_macro]
                pub fn edit(_: TokenStream) -> TokenStream {
                    if let Ok(path) = std::env::var("EDIT") {
                        std::fs::write(path, std::env::var("TEXT").unwrap()).unwrap();
                    }
                    TokenStream::new()
                }
            "#,
        )
        .file(
            "src/main.rs",
            "const N: &str = include_str!(\"n.txt\");\nmac::edit!();\nfn main() { println!(\"{N}\"); }",
        )
        .file("src/n.txt", "1")
}

#[cargo_test]
fn a_file_that_is_edited_while_a_hook_answers_is_noticed() {
    // It is edited after Cargo has asked, and before it has an answer.
    let hook = Hook::new();
    let c = checkout(library_and_program);
    c.succeeds("the first build");
    c.remove("target");
    hook.take_log();
    let _hook = Hook::new()
        .flag("unit", "foo")
        .flag("edit", c.path("src/own.rs").to_str().unwrap())
        .flag("text", "pub const N: u32 = 7;");
    c.build().assert("edited while it is asked", &succeeds());
    assert_eq!(
        c.read("src/own.rs"),
        "pub const N: u32 = 7;",
        "the hook has edited"
    );
    let _hook = Hook::new();
    c.succeeds("the build after it");
    assert_eq!(c.prints(), "7 1");
    c.builds_nothing("the build after that");
}

#[cargo_test]
fn a_length_of_a_path_through_a_macro_of_another_package_binds() {
    // The program itself only names a file with the variable, and holds nothing that looks like a path.
    let (one, two) = checkouts(|p| {
        p.file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
        )
        .file(
            "src/main.rs",
            r#"
                const N: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/n.txt"));
                fn main() { println!("{N} {}", bar::here!()); }
            "#,
        )
        .file("n.txt", "1")
        .file("bar/Cargo.toml", &package("bar", ""))
        .file(
            "bar/src/lib.rs",
            "#[macro_export]\nmacro_rules! here { () => { env!(\"CARGO_MANIFEST_DIR\").len() } }",
        )
    });
    let _hook = Hook::new();
    for p in [&one, &two] {
        p.hooked("build").run();
        let length = p.root().display().to_string().len();
        assert_eq!(prints(&p.bin("foo")), format!("1 {length}"));
    }
}

#[cargo_test]
fn a_hook_may_come_and_go() {
    // Without other names for units on and off share a directory.
    let c = checkout(library_and_program);
    c.succeeds("without a hook");
    let hook = Hook::new().setting("remap = false");
    c.builds_nothing("with a hook");
    c.touch_all();
    c.builds_nothing("touched, with a hook");
    assert_eq!(hook.take_log().count("start"), 0);
    Hook::configure("");
    c.builds("touched, without a hook", runs(&["bar lib", "foo bin"]));
    let _hook = Hook::new().setting("remap = false");
    c.builds_nothing("with a hook again");
}
