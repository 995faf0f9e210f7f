//! Where outputs lie: layouts, build directories, and places outside the workspace.

use cargo_test_support::prelude::*;
use cargo_test_support::{ProjectBuilder, paths, project};

use crate::support::{Hook, Hooked, checkouts, cycle, package, prints};

fn with_build_script(p: ProjectBuilder) -> ProjectBuilder {
    p.file(
        "Cargo.toml",
        &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
    )
    .file("src/main.rs", r#"fn main() { println!("{}", bar::n()); }"#)
    .file("bar/Cargo.toml", &package("bar", ""))
    .file(
        "bar/build.rs",
        "fn main() { println!(\"cargo::rustc-env=N=3\"); }",
    )
    .file(
        "bar/src/lib.rs",
        "pub fn n() -> &'static str { env!(\"N\") }",
    )
}

#[cargo_test]
fn a_build_directory_of_its_own_restores() {
    let p = with_build_script(project()).build();
    let hook = Hook::new();
    let apart = paths::root().join("build-of-its-own");
    let cycle = cycle(&hook, "build").with_runs(1).prepared(|execs| {
        execs.env("CARGO_BUILD_BUILD_DIR", &apart);
    });
    cycle.cold(&p, 3);
    p.wipe();
    apart.rm_rf();
    cycle.warm(&p, 3);
    cycle.fresh(&p);
    assert_eq!(prints(&p.bin("foo")), "3");
    assert!(apart.join("debug/deps").is_dir());
}

#[cargo_test]
fn the_new_layout_restores() {
    let p = with_build_script(project()).build();
    let hook = Hook::new();
    let cycle = cycle(&hook, "build -Zbuild-dir-new-layout")
        .with_runs(1)
        .prepared(|execs| {
            execs.masquerade_as_nightly_cargo(&["build-dir-new-layout"]);
        });
    cycle.of(&p, 3);
    assert_eq!(prints(&p.bin("foo")), "3");
}

#[cargo_test]
fn the_new_layout_restores_in_a_second_checkout() {
    let (one, two) = checkouts(with_build_script);
    let hook = Hook::new();
    let cycle = cycle(&hook, "build -Zbuild-dir-new-layout")
        .with_runs(1)
        .prepared(|execs| {
            execs.masquerade_as_nightly_cargo(&["build-dir-new-layout"]);
        });
    cycle.across(&one, &two, 3);
    assert_eq!(prints(&two.bin("foo")), "3");
}

#[cargo_test]
fn a_package_outside_the_workspace_restores_elsewhere() {
    let make = |place: &str| {
        let p = ProjectBuilder::new(paths::root().join(place).join("foo"))
            .file(
                "Cargo.toml",
                &package("foo", "[dependencies]\nbar = { path = '../bar' }"),
            )
            .file(
                "src/main.rs",
                r#"fn main() { println!("{}", bar::place()); }"#,
            )
            .build();
        let bar = ProjectBuilder::new(paths::root().join(place).join("bar"))
            .file("Cargo.toml", &package("bar", ""))
            .file("src/lib.rs", "pub fn place() -> &'static str { file!() }")
            .build();
        (p, bar)
    };
    let ((one, _), (two, _)) = (make("one"), make("a/deeper/two"));
    let hook = Hook::new();
    cycle(&hook, "build").across(&one, &two, 2);
    assert_eq!(prints(&one.bin("foo")), prints(&two.bin("foo")));
}

#[cargo_test]
fn what_was_moved_within_a_workspace_still_builds() {
    let (one, two) = checkouts(with_build_script);
    let hook = Hook::new();
    cycle(&hook, "build").with_runs(1).cold(&one, 3);
    let manifest = two.read_file("Cargo.toml").replace("'bar'", "'deeper/bar'");
    two.change_file("Cargo.toml", &manifest);
    std::fs::create_dir_all(two.root().join("deeper")).unwrap();
    std::fs::rename(two.root().join("bar"), two.root().join("deeper/bar")).unwrap();
    two.hooked("build").run();
    assert_eq!(prints(&two.bin("foo")), "3");
    cycle(&hook, "build").fresh(&two);
}

#[cargo_test]
fn a_checkout_with_a_strange_name_restores() {
    let (one, _) = checkouts(with_file_of_script);
    let strange = paths::root().join("a {strange} näme/{{workspace}} $HOME 'n' #1");
    let two = with_file_of_script(ProjectBuilder::new(strange)).build();
    let hook = Hook::new();
    cycle(&hook, "build").with_runs(1).across(&one, &two, 2);
    assert_eq!(prints(&two.bin("foo")), "3");
    one.wipe();
    hook.forget_everything();
    two.wipe();
    cycle(&hook, "build").with_runs(1).across(&two, &one, 2);
    assert_eq!(prints(&one.bin("foo")), "3");
}

/// A program with a warning, and with a file that its build script has made.
fn with_file_of_script(p: ProjectBuilder) -> ProjectBuilder {
    p.file("Cargo.toml", &package("foo", ""))
        .file(
            "build.rs",
            r#"
                fn main() {
                    let out = std::env::var("OUT_DIR").unwrap();
                    std::fs::write(format!("{out}/n.rs"), "const N: u32 = 3; const M: u32 = 4;").unwrap();
                }
            "#,
        )
        .file(
            "src/main.rs",
            r#"
                include!(concat!(env!("OUT_DIR"), "/n.rs"));
                fn main() { println!("{N}"); }
            "#,
        )
}
