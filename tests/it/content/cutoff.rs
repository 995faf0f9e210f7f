//! Early cut-off: what was built again to the same outputs builds nothing above it.

use std::fs;

use cargo_test_support::ProjectBuilder;
use cargo_test_support::prelude::*;

use super::{
    BAR_1, BAR_2, Checkout, OWN_2, both, fails, fresh, library_and_program, runs, scenario,
    succeeds,
};
use crate::support::{Text, package, workspace};

/// Three packages, each with the one before it: `baz`, `bar` and the program `foo`, which prints 1.
fn chain(p: ProjectBuilder) -> ProjectBuilder {
    p.file("Cargo.toml", &workspace(&["baz", "bar", "foo"]))
        .file("baz/Cargo.toml", &package("baz", ""))
        .file("baz/src/lib.rs", "pub fn n() -> u32 { 1 }")
        .file(
            "bar/Cargo.toml",
            &package("bar", "[dependencies]\nbaz = { path = '../baz' }"),
        )
        .file("bar/src/lib.rs", "pub fn n() -> u32 { baz::n() }")
        .file(
            "foo/Cargo.toml",
            &package("foo", "[dependencies]\nbar = { path = '../bar' }"),
        )
        .file(
            "foo/src/main.rs",
            "fn main() { println!(\"{}\", bar::n()); let unused = 1; }",
        )
}

#[cargo_test]
fn a_library_that_is_built_again_to_the_same_builds_nothing_else() {
    let remove = |c: &Checkout| fs::remove_file(c.only("target/debug/deps/libbaz-*.rlib")).unwrap();
    scenario(chain)
        .change("remove a library", remove)
        .mtime(runs(&["baz lib", "bar lib", "foo bin"]))
        .content(runs(&["baz lib"]).keeping(&["bar", "foo"]).printing("1"))
        .change("remove it again", remove)
        .mtime(runs(&["baz lib", "bar lib", "foo bin"]))
        .content(runs(&["baz lib"]).keeping(&["bar", "foo"]).printing("1"))
        .change("edit it", |c| {
            c.edit("baz/src/lib.rs", "pub fn n() -> u32 { 2 }")
        })
        .both(runs(&["baz lib", "bar lib", "foo bin"]).printing("2"))
        .play();
}

#[cargo_test]
fn a_kept_unit_is_still_watched() {
    scenario(chain)
        .change("build `baz` again", |c| {
            fs::remove_file(c.only("target/debug/deps/libbaz-*.rlib")).unwrap();
            c.succeeds("the build that keeps `foo`");
            c.edit_in_secret("bar/src/lib.rs", "pub fn n() -> u32 { baz::m() }");
            c.edit("baz/src/lib.rs", "pub fn m() -> u32 { 2 }");
        })
        .both(runs(&["baz lib", "bar lib", "foo bin"]).printing("2"))
        .change("build `baz` again, and edit `foo`", |c| {
            fs::remove_file(c.only("target/debug/deps/libbaz-*.rlib")).unwrap();
            c.edit_in_secret(
                "foo/src/main.rs",
                &c.read("foo/src/main.rs").replace("= 1", "= 2"),
            );
        })
        .mtime(runs(&["baz lib", "bar lib", "foo bin"]))
        .content(
            runs(&["baz lib", "foo bin"])
                .because("foo", "content of `foo/src/main.rs` changed")
                .keeping(&["bar"])
                .printing("2"),
        )
        .play();
}

#[cargo_test]
fn what_a_kept_unit_lacks_is_put_back() {
    scenario(chain)
        .change("build `baz` again, and remove the program", |c| {
            fs::remove_file(c.only("target/debug/deps/libbaz-*.rlib")).unwrap();
            c.remove("target/debug/foo");
        })
        .mtime(runs(&["baz lib", "bar lib", "foo bin"]).printing("1"))
        .content(runs(&["baz lib"]).keeping(&["bar", "foo"]).printing("1"))
        .change("build `baz` again, and remove another library", |c| {
            fs::remove_file(c.only("target/debug/deps/libbaz-*.rlib")).unwrap();
            fs::remove_file(c.only("target/debug/deps/libbar-*.rmeta")).unwrap();
        })
        .mtime(runs(&["baz lib", "bar lib", "foo bin"]).printing("1"))
        .content(
            runs(&["baz lib", "bar lib"])
                .keeping(&["foo"])
                .printing("1"),
        )
        .play();
}

#[cargo_test]
fn warnings_of_a_kept_unit_are_shown() {
    scenario(chain)
        .first(runs(&["baz lib", "bar lib", "foo bin"]).saying("unused variable: `unused`"))
        .change("remove a library", |c| {
            fs::remove_file(c.only("target/debug/deps/libbaz-*.rlib")).unwrap();
        })
        .mtime(runs(&["baz lib", "bar lib", "foo bin"]).saying("unused variable: `unused`"))
        .content(
            runs(&["baz lib"])
                .keeping(&["bar", "foo"])
                .saying("unused variable: `unused`")
                .saying("`foo` (bin \"foo\") generated 1 warning"),
        )
        .change("nothing", |_| {})
        .both(fresh().saying("unused variable: `unused`"))
        .play();
}

#[cargo_test]
fn messages_call_a_kept_unit_fresh() {
    both(|mode| {
        let c = Checkout::new(mode, chain);
        c.succeeds("the first build");
        fs::remove_file(c.only("target/debug/deps/libbaz-*.rlib")).unwrap();
        let output = c.cargo("build --message-format=json").run().output();
        let fresh_of = |name: &str| {
            let messages = output.lines().map(|line| {
                serde_json::from_str::<serde_json::Value>(line).expect("messages are JSON")
            });
            let mut artifacts = messages.filter(|message| {
                message["reason"] == "compiler-artifact" && message["target"]["name"] == name
            });
            let artifact = artifacts.next().expect("every unit has a message");
            assert!(artifacts.next().is_none(), "and only one: {output}");
            artifact["fresh"].as_bool().unwrap()
        };
        assert!(!fresh_of("baz"), "{output}");
        assert_eq!(fresh_of("bar"), mode.either(false, true), "{output}");
        assert_eq!(fresh_of("foo"), mode.either(false, true), "{output}");
        let warnings = output.matches("\"unused variable: `unused`\"").count();
        assert_eq!(warnings, 1, "the warning is replayed once: {output}");
    });
}

#[cargo_test]
fn a_failure_between_changes_nothing() {
    scenario(library_and_program)
        .change("break the library", |c| {
            c.edit("bar/src/lib.rs", "pub fn n() -> u32 { x }")
        })
        .both(fails("error[E0425]"))
        .change("undo", |c| c.edit("bar/src/lib.rs", BAR_1))
        .mtime(runs(&["bar lib", "foo bin"]).printing("1 1"))
        .content(runs(&["bar lib"]).keeping(&["foo"]).printing("1 1"))
        .change("break it", |c| {
            c.edit("bar/src/lib.rs", "pub fn n() -> u32 { x }")
        })
        .both(fails("error[E0425]"))
        .change("repair it in another way", |c| {
            c.edit("bar/src/lib.rs", BAR_2)
        })
        .both(runs(&["bar lib", "foo bin"]).printing("1 2"))
        .play();
}

#[cargo_test]
fn a_failure_above_what_was_built_again_is_shown_again() {
    scenario(chain)
        .change("build `baz` again, and break `foo`", |c| {
            fs::remove_file(c.only("target/debug/deps/libbaz-*.rlib")).unwrap();
            c.edit("foo/src/main.rs", "fn main() { x }");
        })
        .both(fails("error[E0425]"))
        .change("nothing", |_| {})
        .both(fails("error[E0425]"))
        .change("repair it", |c| {
            c.edit(
                "foo/src/main.rs",
                "fn main() { println!(\"{}\", bar::n() + 1); }",
            );
        })
        .both(runs(&["foo bin"]).keeping(&["baz", "bar"]).printing("2"))
        .play();
}

/// A library `bar` with a build script that takes `VALUE` and hands it on in some way, and a program that
/// prints what arrives.
fn messenger(hand_on: &str, library: &str) -> impl Fn(ProjectBuilder) -> ProjectBuilder + 'static {
    let script = format!(
        "fn main() {{
            println!(\"cargo::rerun-if-env-changed=VALUE\");
            let value = std::env::var(\"VALUE\").unwrap_or(\"1\".to_owned());
            let out = std::env::var(\"OUT_DIR\").unwrap();
            {hand_on}
            let _ = (value, out);
        }}"
    );
    let library = library.to_owned();
    move |p| {
        p.file("Cargo.toml", &workspace(&["bar", "foo"]))
            .file("bar/Cargo.toml", &package("bar", ""))
            .file("bar/build.rs", &script)
            .file("bar/src/lib.rs", &library)
            .file(
                "foo/Cargo.toml",
                &package("foo", "[dependencies]\nbar = { path = '../bar' }"),
            )
            .file(
                "foo/src/main.rs",
                "fn main() { println!(\"{}\", bar::n()); }",
            )
    }
}

const SCRIPT: &str = "bar run-custom-build";
const ALL: [&str; 3] = [SCRIPT, "bar lib", "foo bin"];

#[cargo_test]
fn a_build_script_that_says_the_same_builds_nothing() {
    let says_nothing = messenger("", "pub fn n() -> u32 { 1 }");
    scenario(says_nothing)
        .change("set a variable", |c| c.set("VALUE", "2"))
        .mtime(runs(&ALL).because("bar", "the env variable VALUE changed"))
        .content(
            runs(&[SCRIPT])
                .because("bar", "the env variable VALUE changed")
                .keeping(&["foo"]),
        )
        .change("edit the script", |c| {
            let more = "assert!(!value.is_empty()); let _ =";
            c.edit(
                "bar/build.rs",
                &c.read("bar/build.rs").replace("let _ =", more),
            );
        })
        .mtime(runs(&["bar custom-build", ALL[0], ALL[1], ALL[2]]))
        .content(runs(&["bar custom-build", SCRIPT]).keeping(&["foo"]))
        .play();
}

#[cargo_test]
fn a_build_script_that_says_what_nobody_hears_builds_only_its_library() {
    let by_env = r#"println!("cargo::rustc-env=UNHEARD={value}");"#;
    scenario(messenger(by_env, "pub fn n() -> u32 { 1 }"))
        .change("set a variable", |c| c.set("VALUE", "2"))
        .mtime(runs(&ALL).printing("1"))
        .content(runs(&[SCRIPT, "bar lib"]).keeping(&["foo"]).printing("1"))
        .play();
    scenario(messenger(by_env, "pub fn n() -> u32 { 1 }"))
        .command("check")
        .change("set a variable", |c| c.set("VALUE", "2"))
        .mtime(runs(&ALL))
        .content(runs(&[SCRIPT, "bar lib"]).keeping(&["foo"]))
        .play();
}

#[cargo_test]
fn what_a_build_script_says_is_heard() {
    let by_env = (
        r#"println!("cargo::rustc-env=ARRIVED={value}");"#,
        "pub fn n() -> &'static str { env!(\"ARRIVED\") }",
    );
    let by_cfg = (
        r#"
            println!("cargo::rustc-check-cfg=cfg(two)");
            if value == "2" { println!("cargo::rustc-cfg=two") }
        "#,
        "pub fn n() -> u32 { if cfg!(two) { 2 } else { 1 } }",
    );
    let by_file = (
        r#"std::fs::write(out.clone() + "/n.txt", &value).unwrap();"#,
        "pub fn n() -> &'static str { include_str!(concat!(env!(\"OUT_DIR\"), \"/n.txt\")) }",
    );
    for (hand_on, library) in [by_env, by_cfg, by_file] {
        scenario(messenger(hand_on, library))
            .change("set a variable", |c| c.set("VALUE", "2"))
            .both(runs(&ALL).printing("2"))
            .change("unset it", |c| c.unset("VALUE"))
            .both(runs(&ALL).printing("1"))
            .play();
    }
}

#[cargo_test]
fn a_file_that_is_generated_again_the_same_builds_nothing() {
    let by_file = r#"
        std::fs::write(out.clone() + "/gen.rs", format!("const N: usize = {};", value.len())).unwrap();
    "#;
    let library = r#"
        include!(concat!(env!("OUT_DIR"), "/gen.rs"));
        pub fn n() -> usize { N }
    "#;
    scenario(messenger(by_file, library))
        .change("change what does not count", |c| c.set("VALUE", "2"))
        .mtime(runs(&ALL).printing("1"))
        .content(runs(&[SCRIPT]).keeping(&["foo"]).printing("1"))
        .change("change what counts", |c| c.set("VALUE", "22"))
        .both(runs(&ALL).printing("2"))
        .play();
}

#[cargo_test]
fn a_source_that_is_generated_counts_in_the_same_build() {
    let into_src = r#"
        let source = format!("pub fn n() -> u32 {{ {value} }}");
        std::fs::write("src/generated.rs", source).unwrap();
    "#;
    scenario(messenger(into_src, "mod generated; pub use generated::n;"))
        // It is written a moment before it is compiled, if not in the same tick of the clock: who cannot
        // tell these may compile it once more.
        .before(|c| {
            c.succeeds("the build that generates");
            c.succeeds("the build after it");
        })
        .first(fresh().printing("1"))
        .change("set a variable", |c| {
            c.set("VALUE", "2");
            c.build().assert_ran("one build is enough", &ALL);
            assert_eq!(c.prints(), "2");
            c.succeeds("the build after it");
        })
        .both(fresh().printing("2"))
        .play();
}

#[cargo_test]
fn what_links_hand_on_counts() {
    let files = |p| {
        messenger("println!(\"cargo::metadata=half={}\", value.len());", BAR_1)(p)
            .file(
                "bar/Cargo.toml",
                &package("bar", "links = 'bar'").replace("\n\nlinks", "\nlinks"),
            )
            .file(
                "foo/build.rs",
                r#"
                    fn main() {
                        println!("cargo::rerun-if-changed=build.rs");
                        println!("cargo::rustc-env=N={}", std::env::var("DEP_BAR_HALF").unwrap());
                    }
                "#,
            )
            .file(
                "foo/src/main.rs",
                "fn main() { println!(\"{}\", env!(\"N\")); }",
            )
    };
    let above = "foo run-custom-build";
    scenario(files)
        .change("change what does not count", |c| c.set("VALUE", "2"))
        .mtime(runs(&[SCRIPT, "bar lib", above, "foo bin"]).printing("1"))
        .content(runs(&[SCRIPT]).keeping(&["foo"]).printing("1"))
        .change("change what counts", |c| c.set("VALUE", "22"))
        .mtime(runs(&[SCRIPT, "bar lib", above, "foo bin"]).printing("2"))
        .content(runs(&[SCRIPT, "bar lib", above, "foo bin"]).printing("2"))
        .play();
}

#[cargo_test]
fn an_incremental_build_keeps_what_it_may() {
    // What incremental compilation writes may differ each time; the result must not.
    both(|mode| {
        let c = Checkout::new(mode, chain);
        c.set("CARGO_INCREMENTAL", "1");
        c.succeeds("the first build");
        fs::remove_file(c.only("target/debug/deps/libbaz-*.rlib")).unwrap();
        c.builds("the library is built again", succeeds().printing("1"));
        c.edit("baz/src/lib.rs", "pub fn n() -> u32 { 2 }");
        c.builds("the library is edited", succeeds().printing("2"));
    });
}

#[cargo_test]
fn tests_are_kept_too() {
    let files = |p| {
        library_and_program(p)
            .file(
                "src/lib.rs",
                "#[test] fn passes() { assert_eq!(bar::n(), 1); }",
            )
            .file(
                "tests/whole.rs",
                "#[test] fn passes() { assert_eq!(bar::n(), 1); }",
            )
    };
    let all = ["foo lib", "foo test", "foo test", "whole test", "foo bin"];
    scenario(files)
        .command("test --no-run")
        .change("remove a library", |c| {
            fs::remove_file(c.only("target/debug/deps/libbar-*.rlib")).unwrap();
        })
        .mtime(runs(&[&["bar lib"], &all[..]].concat()))
        .content(runs(&["bar lib"]).keeping(&["foo"]))
        .change("edit the program", |c| c.edit("src/own.rs", OWN_2))
        .both(runs(&["foo bin", "foo test"]))
        .play();
}
