//! Every command, and every place for outputs: content counts everywhere.

use cargo_test_support::prelude::*;
use cargo_test_support::{ProjectBuilder, paths, rustc_host};

use super::{BAR_2, Checkout, OWN_2, both, fresh, library_and_program, runs, scenario};
use crate::support::{Text, package, prints};

#[cargo_test]
fn check_goes_by_content() {
    scenario(library_and_program)
        .command("check")
        .change("touch every file", |c| c.touch_all())
        .mtime(runs(&["bar lib", "foo bin"]))
        .content(fresh().keeping(&["bar", "foo"]))
        .change("edit in secret", |c| {
            c.edit_in_secret("bar/src/lib.rs", BAR_2)
        })
        .mtime(fresh())
        .content(
            runs(&["bar lib", "foo bin"]).because("bar", "content of `bar/src/lib.rs` changed"),
        )
        .play();
}

#[cargo_test]
fn doc_goes_by_content() {
    let files = |p| library_and_program(p).file("README.md", "Read me.");
    scenario(files)
        .command("doc --no-deps")
        .change("touch every file", |c| c.touch_all())
        .mtime(runs(&["bar lib", "foo doc"]))
        .content(fresh())
        .change("age every file", |c| c.age())
        .mtime(runs(&["foo doc"]))
        .content(fresh())
        .change("edit", |c| {
            c.edit(
                "src/own.rs",
                "/// How many there are.\npub const N: u32 = 1;",
            );
        })
        .mtime(runs(&["foo doc"]))
        .content(runs(&["foo doc"]).because("foo", "content of `src/own.rs` changed"))
        .change("edit in secret", |c| {
            c.edit_in_secret(
                "src/own.rs",
                "/// How many were here.\npub const N: u32 = 1;",
            );
        })
        .mtime(fresh())
        .content(runs(&["foo doc"]).because("foo", "content of `src/own.rs` changed"))
        .play();
}

#[cargo_test]
fn documentation_of_dependencies_goes_by_content() {
    scenario(library_and_program)
        .command("doc")
        .first(runs(&["bar doc", "bar lib", "foo doc"]))
        .change("touch every file", |c| c.touch_all())
        .mtime(runs(&["bar doc", "bar lib", "foo doc"]))
        .content(fresh())
        .change("edit a dependency", |c| c.edit("bar/src/lib.rs", BAR_2))
        .both(runs(&["bar doc", "bar lib", "foo doc"]))
        .play();
}

#[cargo_test]
fn tests_go_by_content() {
    let files = |p| {
        library_and_program(p)
            .file(
                "src/lib.rs",
                "/// ```\n/// assert_eq!(foo::n(), 1);\n/// ```\npub fn n() -> u32 { bar::n() }\n\
                 #[test] fn passes() { assert_eq!(n(), 1); }",
            )
            .file(
                "tests/whole.rs",
                "mod data;\n#[test] fn passes() { assert_eq!(foo::n(), data::N); }",
            )
            .file("tests/data/mod.rs", "pub const N: u32 = 1;")
    };
    scenario(files)
        .command("test")
        .change("touch every file", |c| c.touch_all())
        .mtime(runs(&[
            "bar lib",
            "foo lib",
            "foo test",
            "foo bin",
            "foo test",
            "whole test",
        ]))
        .content(fresh().saying("Doc-tests foo"))
        .change("edit what a test reads", |c| {
            c.edit_in_secret("tests/data/mod.rs", "pub const N: u32 = 2;");
        })
        .mtime(fresh())
        .content(super::fails("test failed"))
        .change("undo", |c| {
            c.edit_in_secret("tests/data/mod.rs", "pub const N: u32 = 1;")
        })
        .mtime(fresh())
        .content(runs(&["whole test"]).because("foo", "content of `tests/data/mod.rs` changed"))
        .play();
}

#[cargo_test]
fn run_goes_by_content() {
    both(|mode| {
        let c = Checkout::new(mode, library_and_program);
        c.cargo("run").with_stdout_data("1 1\n").run();
        c.edit_in_secret("src/own.rs", OWN_2);
        let expected = mode.either("1 1\n", "2 1\n");
        c.cargo("run").with_stdout_data(expected).run();
    });
}

#[cargo_test]
fn release_goes_by_content() {
    scenario(library_and_program)
        .command("build --release")
        .change("touch every file", |c| c.touch_all())
        .mtime(runs(&["bar lib", "foo bin"]))
        .content(fresh())
        .change("edit in secret", |c| c.edit_in_secret("src/own.rs", OWN_2))
        .mtime(fresh())
        .content(runs(&["foo bin"]))
        .play();
}

#[cargo_test]
fn a_named_target_goes_by_content() {
    both(|mode| {
        let c = Checkout::new(mode, library_and_program);
        c.use_command(&format!("build --target {}", rustc_host()));
        c.builds("the first build", runs(&["bar lib", "foo bin"]));
        c.touch_all();
        let touched = mode.either(runs(&["bar lib", "foo bin"]), fresh());
        c.builds("touched", touched);
    });
}

#[cargo_test]
fn install_goes_by_content() {
    both(|mode| {
        let c = Checkout::new(mode, library_and_program);
        let root = paths::root().join(mode.name()).join("installed");
        let line = format!("install --debug --force --path . --root {}", root.display());
        c.cargo(&line).run();
        c.edit_in_secret("src/own.rs", OWN_2);
        c.cargo(&line).run();
        assert_eq!(prints(&root.join("bin/foo")), mode.either("1 1", "2 1"));
    });
}

#[cargo_test]
fn clippy_goes_by_content() {
    if !super::has("cargo-clippy") {
        return;
    }
    let files = |p: ProjectBuilder| {
        library_and_program(p).file(
            "src/main.rs",
            "mod own;\nfn main() { let n = own::N; if n == n { return; } }",
        )
    };
    let lint = "equal expressions as operands to `==`";
    both(|mode| {
        let c = Checkout::new(mode, files);
        c.use_command("clippy");
        let line = ["--config", "build.rustflags=['-Wclippy::eq_op']"];
        let clippy = || {
            super::Built::by({
                let mut execs = c.cargo("clippy");
                execs.args(&line);
                execs
            })
        };
        clippy().assert(
            "the first check",
            &runs(&["bar lib", "foo bin"]).saying(lint),
        );
        clippy().assert("the second check", &fresh().saying(lint));
        c.touch_all();
        let touched = mode.either(runs(&["bar lib", "foo bin"]), fresh());
        clippy().assert("touched", &touched.saying(lint));
        c.edit_in_secret("src/own.rs", OWN_2);
        let edited = mode.either(fresh(), runs(&["foo bin"]));
        clippy().assert("edited in secret", &edited.saying(lint));
    });
}

#[cargo_test]
fn fix_fixes_as_ever() {
    let files = |p: ProjectBuilder| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("src/lib.rs", "pub fn n() -> u32 { let mut n = 3; n }")
            .file("src/main.rs", "fn main() { println!(\"{}\", foo::n()); }")
    };
    both(|mode| {
        let c = Checkout::new(mode, files);
        c.succeeds("the build before it is fixed");
        let errors = c.cargo("fix --allow-no-vcs").run().errors();
        assert!(errors.contains("Fixed src/lib.rs (1 fix)"), "{errors}");
        assert!(!errors.contains("Unstable"), "{errors}");
        assert!(c.read("src/lib.rs").contains("let n"), "fixed");
        c.builds(
            "the build of what is fixed",
            runs(&["foo lib", "foo bin"]).printing("3"),
        );
        // There is nothing more to fix, and it says so each time.
        c.cargo("fix --allow-no-vcs").run();
        c.builds_nothing("the build after it");
    });
}

#[cargo_test]
fn a_build_directory_of_its_own_is_as_good() {
    both(|mode| {
        let c = Checkout::new(mode, with_build_script);
        c.set(
            "CARGO_BUILD_BUILD_DIR",
            paths::root().join(mode.name()).join("build"),
        );
        goes_by_content(&c);
    });
}

#[cargo_test]
fn the_new_layout_is_as_good() {
    both(|mode| {
        let c = Checkout::new(mode, with_build_script);
        // Not for all: its flag is only known to those that say they are nightly.
        c.set("__CARGO_TEST_CHANNEL_OVERRIDE_DO_NOT_USE_THIS", "nightly");
        c.use_command("build -Zbuild-dir-new-layout");
        goes_by_content(&c);
    });
}

fn with_build_script(p: ProjectBuilder) -> ProjectBuilder {
    library_and_program(p)
        .file(
            "bar/build.rs",
            r#"
                fn main() {
                    println!("cargo::rerun-if-changed=n.txt");
                    println!("cargo::rustc-env=N={}", std::fs::read_to_string("n.txt").unwrap());
                }
            "#,
        )
        .file(
            "bar/src/lib.rs",
            "pub fn n() -> &'static str { env!(\"N\") }",
        )
        .file("bar/n.txt", "1")
}

/// Builds, touches, and edits in secret. Only what the program prints is the same in every layout.
fn goes_by_content(c: &Checkout) {
    c.succeeds("the first build");
    assert_eq!(c.prints(), "1 1");
    c.builds_nothing("the second build");
    c.touch_all();
    if c.mode == super::Mode::Content {
        c.builds_nothing("touched");
    } else {
        c.succeeds("touched");
    }
    c.edit_in_secret("src/own.rs", OWN_2);
    c.edit_in_secret("bar/n.txt", "2");
    c.succeeds("edited in secret");
    assert_eq!(c.prints(), c.mode.either("1 1", "2 2"));
    c.builds_nothing("the build after it");
}

#[cargo_test]
fn a_build_from_within_is_the_same() {
    both(|mode| {
        let c = Checkout::new(mode, |p| {
            let dependencies = "[dependencies]\nbar = { path = 'bar' }\n\n[workspace]";
            library_and_program(p).file("Cargo.toml", &package("foo", dependencies))
        });
        c.succeeds("the first build");
        let within = Checkout::at(mode, &c.path("bar"));
        within.builds_nothing("from within a package");
        within.use_command("build --manifest-path ../Cargo.toml");
        within.builds_nothing("from within, by the manifest");
        c.edit_in_secret("bar/src/lib.rs", BAR_2);
        let edited = mode.either(fresh(), runs(&["bar lib", "foo bin"]));
        c.use_command("build --manifest-path ./Cargo.toml");
        c.builds("edited in secret", edited);
    });
}

#[cargo_test]
fn a_target_directory_may_be_a_link() {
    both(|mode| {
        let c = Checkout::new(mode, with_build_script);
        std::fs::create_dir(c.path("../elsewhere")).unwrap();
        std::os::unix::fs::symlink("../elsewhere", c.path("target")).unwrap();
        goes_by_content(&c);
    });
}

#[cargo_test]
fn a_target_directory_may_lie_on_another_file_system() {
    use std::os::unix::fs::MetadataExt;

    let device = |path: &std::path::Path| std::fs::metadata(path).map(|it| it.dev());
    let memory = std::path::Path::new("/dev/shm");
    if device(memory).is_err() || device(memory).unwrap() == device(&paths::root()).unwrap() {
        eprintln!(
            "skipped: there is no other file system at `{}`",
            memory.display()
        );
        return;
    }
    both(|mode| {
        let c = Checkout::new(mode, with_build_script);
        let target = memory.join(format!(
            "hooked-tests-{}-{}",
            mode.name(),
            std::process::id()
        ));
        std::os::unix::fs::symlink(&target, c.path("target")).unwrap();
        std::fs::create_dir(&target).unwrap();
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| goes_by_content(&c)));
        target.rm_rf();
        done.unwrap();
    });
}

#[cargo_test]
fn reports_say_what_changed() {
    both(|mode| {
        let c = Checkout::new(mode, library_and_program);
        c.set("__CARGO_TEST_CHANNEL_OVERRIDE_DO_NOT_USE_THIS", "nightly");
        c.set("CARGO_BUILD_ANALYSIS_ENABLED", "true");
        c.use_command("build -Zbuild-analysis");
        c.succeeds("the first build");
        c.edit("src/own.rs", OWN_2);
        c.succeeds("the build after an edit");
        let report = c.cargo("report rebuilds -Zbuild-analysis").run().errors();
        let reason = mode.either(
            "file modified: src/own.rs",
            "content of `src/own.rs` changed",
        );
        assert!(report.contains(reason), "{report}");
        assert!(
            report.contains("1 unit rebuilt, 1 cached, 0 new"),
            "{report}"
        );
        let logs = std::fs::read_dir(paths::cargo_home().join("log")).unwrap();
        let mut logs: Vec<_> = logs.map(|entry| entry.unwrap().path()).collect();
        logs.sort();
        let log = std::fs::read_to_string(logs.last().unwrap()).unwrap();
        let cause = log
            .lines()
            .find(|line| line.contains("\"status\":\"dirty\""));
        let cause = cause.unwrap_or_else(|| panic!("there is no cause in {log}"));
        assert!(cause.contains("src/own.rs"), "{cause}");
    });
}
