//! Procedural macros: what they are made of, and what they read.

use cargo_test_support::prelude::*;
use cargo_test_support::registry::Package;
use cargo_test_support::{Project, ProjectBuilder, paths, project};

use super::assert_builds;
use crate::support::{Counts, Hook, Hooked, checkouts, package, prints, workspace};

/// A program that gets a macro through a facade, which itself never changes.
fn behind_a_facade() -> Project {
    project()
        .file("Cargo.toml", &workspace(&["mac", "facade", "foo"]))
        .file(
            "mac/Cargo.toml",
            &package("mac", "[lib]\nproc-macro = true"),
        )
        .file("mac/src/lib.rs", &a_macro("\"1\".parse().unwrap()"))
        .file(
            "facade/Cargo.toml",
            &package("facade", "[dependencies]\nmac = { path = '../mac' }"),
        )
        .file("facade/src/lib.rs", "pub use mac::n;")
        .file(
            "foo/Cargo.toml",
            &package("foo", "[dependencies]\nfacade = { path = '../facade' }"),
        )
        .file(
            "foo/src/main.rs",
            "fn main() { println!(\"{}\", facade::n!()); }",
        )
        .build()
}

pub(super) fn a_macro(body: &str) -> String {
    format!(
        "extern crate proc_macro;
        #[proc_macro]
        pub fn n(_: proc_macro::TokenStream) -> proc_macro::TokenStream {{ {body} }}"
    )
}

#[cargo_test]
fn a_macro_behind_a_facade_counts() {
    let p = behind_a_facade();
    let hook = Hook::new();
    assert_builds(&p, |_| {}, (0, 3), "1");
    assert_builds(&p, |_| {}, (3, 0), "1");
    p.change_file("mac/src/lib.rs", &a_macro("\"2\".parse().unwrap()"));
    p.wipe();
    p.hooked("build").run();
    assert_eq!(prints(&p.bin("foo")), "2");
    assert!(
        hook.take_log().told().contains(&"foo bin".to_owned()),
        "its user is compiled"
    );
}

#[cargo_test]
fn what_a_macro_reads_in_the_package_counts() {
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &workspace(&["mac", "foo"]))
            .file(
                "mac/Cargo.toml",
                &package("mac", "[lib]\nproc-macro = true"),
            )
            .file(
                "mac/src/lib.rs",
                &a_macro(
                    "let dir = std::env::var(\"CARGO_MANIFEST_DIR\").unwrap();
                    std::fs::read_to_string(dir + \"/n.txt\").unwrap().parse().unwrap()",
                ),
            )
            .file(
                "foo/Cargo.toml",
                &package("foo", "[dependencies]\nmac = { path = '../mac' }"),
            )
            .file(
                "foo/src/main.rs",
                "fn main() { println!(\"{}\", mac::n!()); }",
            )
            .file("foo/n.txt", "1")
            .file("foo/.gitignore", "n.txt")
    });
    let _hook = Hook::new();
    assert_builds(&one, |_| {}, (0, 2), "1");
    assert_builds(&one, |_| {}, (2, 0), "1");
    // The macro knows where the package lies, and might compute with that: its user is bound.
    assert_builds(&two, |_| {}, (1, 1), "1");
    assert_builds(&two, |_| {}, (2, 0), "1");
    two.change_file("foo/n.txt", "2");
    assert_builds(&two, |_| {}, (1, 1), "2");
}

#[cargo_test]
fn what_a_macro_reads_in_the_output_directory_counts() {
    let p = project()
        .file("Cargo.toml", &workspace(&["mac", "foo"]))
        .file(
            "mac/Cargo.toml",
            &package("mac", "[lib]\nproc-macro = true"),
        )
        .file(
            "mac/src/lib.rs",
            &a_macro(
                "let dir = std::env::var(\"OUT_DIR\").unwrap();
                std::fs::read_to_string(dir + \"/n.txt\").unwrap().parse().unwrap()",
            ),
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
                    std::fs::write(out + "/n.txt", std::env::var("VALUE").unwrap()).unwrap();
                }
            "#,
        )
        .file(
            "foo/src/main.rs",
            "fn main() { println!(\"{}\", mac::n!()); }",
        )
        .build();
    let _hook = Hook::new();
    for (value, counts) in [
        ("1", (0, 3, 1)),
        ("1", (4, 0, 0)),
        ("2", (2, 1, 1)),
        ("1", (4, 0, 0)),
    ] {
        p.wipe();
        p.hooked("build")
            .env("VALUE", value)
            .counts_with_runs(counts.0, counts.1, counts.2)
            .run();
        assert_eq!(prints(&p.bin("foo")), value);
    }
}

/// Two checkouts of a workspace with a program that uses a macro with this body.
fn with_macro(body: &str) -> (Project, Project) {
    checkouts(|p| {
        p.file("Cargo.toml", &workspace(&["mac", "foo"]))
            .file(
                "mac/Cargo.toml",
                &package("mac", "[lib]\nproc-macro = true"),
            )
            .file("mac/src/lib.rs", &a_macro(body))
            .file(
                "foo/Cargo.toml",
                &package("foo", "[dependencies]\nmac = { path = '../mac' }"),
            )
            .file(
                "foo/src/main.rs",
                "fn main() { println!(\"{}\", mac::n!()); }",
            )
    })
}

#[cargo_test]
fn a_variable_that_a_macro_reads_counts() {
    let (p, _) = with_macro("std::env::var(\"NUMBER\").unwrap().parse().unwrap()");
    let _hook = Hook::new();
    for number in ["1", "2", "1"] {
        p.wipe();
        p.hooked("build").env("NUMBER", number).run();
        assert_eq!(prints(&p.bin("foo")), number);
    }
}

#[cargo_test]
fn what_a_macro_reads_in_the_workspace_counts() {
    let (p, _) = with_macro(
        "let dir = std::env::var(\"CARGO_MANIFEST_DIR\").unwrap();
        std::fs::read_to_string(dir + \"/../n.txt\").unwrap().trim().parse().unwrap()",
    );
    let _hook = Hook::new();
    for number in ["1", "2", "1"] {
        p.change_file("n.txt", number);
        p.wipe();
        p.hooked("build").run();
        assert_eq!(prints(&p.bin("foo")), number);
    }
}

#[cargo_test]
fn what_a_macro_reads_in_a_package_that_is_no_member_counts() {
    let (p, _) = with_macro(
        "let dir = std::env::var(\"CARGO_MANIFEST_DIR\").unwrap();
        std::fs::read_to_string(dir + \"/../fixture/n.txt\").unwrap().trim().parse().unwrap()",
    );
    p.change_file("fixture/Cargo.toml", &package("fixture", "[workspace]"));
    let _hook = Hook::new();
    for number in ["1", "2", "1"] {
        p.change_file("fixture/n.txt", number);
        p.wipe();
        p.hooked("build").run();
        assert_eq!(prints(&p.bin("foo")), number);
    }
}

#[cargo_test]
fn the_path_that_a_macro_expands_to_binds() {
    let (one, two) = with_macro(
        "format!(\"{:?}\", std::env::var(\"CARGO_MANIFEST_DIR\").unwrap()).parse().unwrap()",
    );
    let _hook = Hook::new();
    for p in [&one, &two] {
        p.hooked("build").run();
        assert_eq!(
            prints(&p.bin("foo")),
            p.root().join("foo").display().to_string()
        );
    }
}

#[cargo_test]
fn the_length_of_a_path_that_a_macro_expands_to_binds() {
    let (one, two) = with_macro(
        "std::env::var(\"CARGO_MANIFEST_DIR\").unwrap().len().to_string().parse().unwrap()",
    );
    let _hook = Hook::new();
    for p in [&one, &two] {
        p.hooked("build").run();
        let length = p.root().join("foo").display().to_string().len();
        assert_eq!(prints(&p.bin("foo")), length.to_string());
    }
}

#[cargo_test]
fn what_a_macro_prints_keeps_its_user_from_being_kept() {
    let (p, _) = with_macro("println!(\"a macro prints\"); \"3\".parse().unwrap()");
    let hook = Hook::new();
    for _ in 0..2 {
        p.wipe();
        p.hooked("build")
            .with_stdout_contains("a macro prints")
            .run();
        assert_eq!(prints(&p.bin("foo")), "3");
        assert!(!hook.take_log().told().contains(&"foo bin".to_owned()));
    }
}

#[cargo_test]
fn a_source_that_changes_while_it_is_compiled_is_not_kept() {
    let (p, _) = with_macro(
        "let dir = std::env::var(\"CARGO_MANIFEST_DIR\").unwrap();
        std::fs::write(dir + \"/src/n.txt\", \"2\").unwrap();
        \"include_str!(\\\"n.txt\\\")\".parse().unwrap()",
    );
    let hook = Hook::new();
    p.change_file("foo/src/n.txt", "1");
    p.hooked("build").run();
    assert_eq!(prints(&p.bin("foo")), "2");
    assert_eq!(hook.take_log().told(), ["mac proc-macro"]);
}

/// `rustversion` asks for the time only to write an example in the text of an error.
#[cargo_test]
fn a_macro_that_asks_for_the_time_shares_if_that_is_known_to_be_harmless() {
    for (name, restored, compiled) in [("rustversion", 2, 0), ("other", 1, 1)] {
        Package::new(name, "1.0.0")
            .proc_macro(true)
            .file(
                "src/lib.rs",
                "extern crate proc_macro;\n\
                 #[proc_macro]\n\
                 pub fn n(_: proc_macro::TokenStream) -> proc_macro::TokenStream {\n\
                     let now = std::time::SystemTime::now();\n\
                     let is_late = now > std::time::UNIX_EPOCH;\n\
                     format!(\"{}\", 2 + u32::from(is_late)).parse().unwrap()\n\
                 }",
            )
            .publish();
        let at = |place: &str| {
            let place = paths::root().join(name).join(place);
            ProjectBuilder::new(place)
                .file(
                    "Cargo.toml",
                    &package("foo", &format!("[dependencies]\n{name} = '1'")),
                )
                .file(
                    "src/main.rs",
                    &format!("fn main() {{ println!(\"{{}}\", {name}::n!()); }}"),
                )
                .build()
        };
        let (one, two) = (at("one"), at("deeper/two"));
        let _hook = Hook::new();
        one.hooked("build").counts(0, 2).run();
        two.hooked("build").counts(restored, compiled).run();
        assert_eq!(prints(&two.bin("foo")), "3");
    }
}
