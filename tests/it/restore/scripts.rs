//! Build scripts: their programs are restored, and what they come to; what they say counts.

use cargo_test_support::prelude::*;
use cargo_test_support::{Project, paths, project};

use crate::support::{Counts, Hook, Hooked, Text, checkouts, cycle, package, prints, workspace};

#[cargo_test]
fn a_restored_build_script_says_what_it_would_here() {
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file(
                "build.rs",
                r#"
                    fn main() {
                        let here = std::env::current_dir().unwrap();
                        println!("cargo::warning=ran in {}", here.display());
                    }
                "#,
            )
            .file("src/main.rs", "fn main() {}")
    });
    let _hook = Hook::new();
    for (p, restored, compiled, ran) in [(&one, 0, 2, 1), (&two, 3, 0, 0)] {
        let place = p.root();
        let place = place.strip_prefix(paths::root()).unwrap().display();
        let said = format!("[WARNING] foo@0.1.0: ran in [ROOT]/{place}");
        p.hooked("build")
            .counts_with_runs(restored, compiled, ran)
            .with_stderr_contains(said)
            .run();
    }
}

/// Three libraries, each with a build script that takes `VALUE` and hands it on in its own way, and a
/// program that prints what arrives.
fn messengers() -> Project {
    let script = |hand_on: &str| {
        format!(
            "fn main() {{
                println!(\"cargo::rerun-if-env-changed=VALUE\");
                println!(\"cargo::rustc-check-cfg=cfg(two)\");
                let value = std::env::var(\"VALUE\").unwrap();
                {hand_on}
            }}"
        )
    };
    let by_env = script(r#"println!("cargo::rustc-env=ARRIVED={value}");"#);
    let by_cfg = script(r#"if value == "2" { println!("cargo::rustc-cfg=two") }"#);
    let by_file = script(
        r#"
            let out = std::env::var("OUT_DIR").unwrap();
            std::fs::write(format!("{out}/value.txt"), value).unwrap();
        "#,
    );
    let user = "[dependencies]\nenv = { path = '../env' }\ncfg = { path = '../cfg' }\n\
                file = { path = '../file' }";
    project()
        .file("Cargo.toml", &workspace(&["env", "cfg", "file", "user"]))
        .file("env/Cargo.toml", &package("env", ""))
        .file("env/build.rs", &by_env)
        .file(
            "env/src/lib.rs",
            r#"pub const VALUE: &str = env!("ARRIVED");"#,
        )
        .file("cfg/Cargo.toml", &package("cfg", ""))
        .file("cfg/build.rs", &by_cfg)
        .file(
            "cfg/src/lib.rs",
            r#"pub const VALUE: &str = if cfg!(two) { "2" } else { "1" };"#,
        )
        .file("file/Cargo.toml", &package("file", ""))
        .file("file/build.rs", &by_file)
        .file(
            "file/src/lib.rs",
            r#"pub const VALUE: &str = include_str!(concat!(env!("OUT_DIR"), "/value.txt"));"#,
        )
        .file("user/Cargo.toml", &package("user", user))
        .file(
            "user/src/main.rs",
            r#"fn main() { println!("{} {} {}", env::VALUE, cfg::VALUE, file::VALUE); }"#,
        )
        .build()
}

#[cargo_test]
fn what_a_build_script_says_counts() {
    let p = messengers();
    let _hook = Hook::new();
    for (value, restored, compiled, ran) in [
        ("1", 0, 7, 3),
        ("1", 10, 0, 0),
        ("2", 3, 4, 3),
        ("1", 10, 0, 0),
    ] {
        p.wipe();
        p.hooked("build")
            .env("VALUE", value)
            .counts_with_runs(restored, compiled, ran)
            .run();
        assert_eq!(prints(&p.bin("user")), format!("{value} {value} {value}"));
        p.hooked("build").env("VALUE", value).fresh().run();
    }
}

#[cargo_test]
fn a_changed_variable_restores_without_wiping() {
    let p = messengers();
    let _hook = Hook::new();
    // The one that writes a file ran where it had left one: that is not kept.
    for (value, restored, compiled, ran) in [
        ("1", 0, 7, 3),
        ("2", 0, 4, 3),
        ("1", 7, 0, 0),
        ("2", 6, 0, 1),
    ] {
        p.hooked("build")
            .env("VALUE", value)
            .counts_with_runs(restored, compiled, ran)
            .run();
        assert_eq!(prints(&p.bin("user")), format!("{value} {value} {value}"));
    }
}

#[cargo_test]
fn a_dependent_is_restored_if_its_dependency_comes_out_the_same() {
    let p = project()
        .file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
        )
        .file("src/main.rs", r#"fn main() { println!("{}", bar::n()); }"#)
        .file("bar/Cargo.toml", &package("bar", ""))
        .file("bar/build.rs", "fn main() {}")
        .file("bar/src/lib.rs", "pub fn n() -> u32 { 3 }")
        .build();
    let hook = Hook::new();
    cycle(&hook, "build").with_runs(1).cold(&p, 3);
    p.change_file("bar/build.rs", "// This changes nothing.\nfn main() {}");
    p.wipe();
    p.hooked("build").counts_with_runs(1, 2, 1).run();
    assert_eq!(
        hook.take_log().told(),
        [
            "bar custom-build",
            "bar custom-build run-build-script",
            "bar lib"
        ]
    );
}

#[cargo_test]
fn a_static_library_of_a_build_script_counts_by_content() {
    let p = project()
        .file("Cargo.toml", &package("foo", ""))
        .file(
            "build.rs",
            r#"
                use std::process::Command;

                fn main() {
                    println!("cargo::rerun-if-env-changed=VALUE");
                    let out = std::env::var("OUT_DIR").unwrap();
                    let value = std::env::var("VALUE").unwrap();
                    std::fs::write(format!("{out}/n.c"), format!("int n() {{ return {value}; }}"))
                        .unwrap();
                    let run = |program: &str, args: &[&str]| {
                        let status = Command::new(program).args(args).current_dir(&out).status();
                        assert!(status.unwrap().success());
                    };
                    run("cc", &["-c", "n.c", "-o", "n.o"]);
                    run("ar", &["rcsD", "libn.a", "n.o"]);
                    println!("cargo::rustc-link-search=native={out}");
                    println!("cargo::rustc-link-lib=static=n");
                }
            "#,
        )
        .file(
            "src/main.rs",
            r#"
                unsafe extern "C" { fn n() -> i32; }
                fn main() { println!("{}", unsafe { n() }); }
            "#,
        )
        .build();
    let _hook = Hook::new();
    for (value, restored, compiled, ran) in [("1", 0, 2, 1), ("1", 3, 0, 0), ("2", 1, 1, 1)] {
        p.wipe();
        p.hooked("build")
            .env("VALUE", value)
            .counts_with_runs(restored, compiled, ran)
            .run();
        assert_eq!(prints(&p.bin("foo")), value);
    }
}

#[cargo_test]
fn a_failing_build_script_fails_as_ever() {
    let p = project()
        .file("Cargo.toml", &package("foo", ""))
        .file("build.rs", "fn main() { panic!(\"no luck\") }")
        .file("src/main.rs", "fn main() {}")
        .build();
    let hook = Hook::new();
    for _ in 0..2 {
        let run = p
            .hooked("build")
            .with_status(101)
            .with_stderr_contains("[..]no luck[..]")
            .run();
        assert!(
            !run.errors().contains("hook"),
            "no fault of the hook: {}",
            run.errors()
        );
        p.wipe();
    }
    assert_eq!(hook.take_log().told(), ["foo custom-build"]);
}

#[cargo_test]
fn a_file_that_a_script_has_just_written_is_no_changed_input() {
    let p = project()
        .file("Cargo.toml", &package("foo", ""))
        .file(
            "build.rs",
            r#"
                fn main() {
                    let out = std::env::var("OUT_DIR").unwrap();
                    std::fs::write(format!("{out}/n.txt"), "3").unwrap();
                }
            "#,
        )
        .file(
            "src/lib.rs",
            r#"pub const N: &str = include_str!(concat!(env!("OUT_DIR"), "/n.txt"));"#,
        )
        .build();
    let hook = Hook::new();
    // The script ends in the same tick of the clock in which the library begins, or in another.
    for _ in 0..10 {
        p.wipe();
        hook.forget_everything();
        p.hooked("check").run();
        assert_eq!(
            hook.take_log().told(),
            [
                "foo custom-build",
                "foo custom-build run-build-script",
                "foo lib check"
            ]
        );
    }
}
