//! Places: a result that holds the path of a checkout is not used in another, one that only used it to
//! find files is.

use cargo_test_support::Project;
use cargo_test_support::prelude::*;

use crate::support::{Counts, Hook, Hooked, checkouts, package, prints};

const SCRIPT: &str = r#"
    fn main() {
        let out = std::env::var("OUT_DIR").unwrap();
        std::fs::write(format!("{out}/n.rs"), "const N: u32 = 3;").unwrap();
    }
"#;

/// Makes two checkouts of a program with a build script.
fn two_of(main: &str) -> (Project, Project) {
    checkouts(|p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("build.rs", SCRIPT)
            .file("src/main.rs", main)
    })
}

/// Builds both checkouts; in the second all but the program is restored, and it prints `expected` of
/// that checkout.
#[track_caller]
fn assert_bound(main: &str, expected: impl Fn(&Project) -> String) {
    let (one, two) = two_of(main);
    let _hook = Hook::new();
    one.hooked("build").counts_with_runs(0, 2, 1).run();
    assert_eq!(prints(&one.bin("foo")), expected(&one));
    two.hooked("build").counts(2, 1).run();
    assert_eq!(prints(&two.bin("foo")), expected(&two));
    two.hooked("build").fresh().run();

    // In its own checkout the result still serves, and so do both from one store.
    for p in [&one, &two] {
        p.wipe();
        p.hooked("build").counts(3, 0).run();
        assert_eq!(prints(&p.bin("foo")), expected(p));
    }
}

/// Builds both checkouts; in the second all is restored.
#[track_caller]
fn assert_free(main: &str, expected: &str) {
    let (one, two) = two_of(main);
    let _hook = Hook::new();
    for (p, restored, compiled, ran) in [(&one, 0, 2, 1), (&two, 3, 0, 0)] {
        p.hooked("build")
            .counts_with_runs(restored, compiled, ran)
            .run();
        assert_eq!(prints(&p.bin("foo")), expected);
        p.hooked("build").fresh().run();
    }
}

#[cargo_test]
fn the_manifest_directory_binds() {
    assert_bound(
        r#"fn main() { println!("{}", env!("CARGO_MANIFEST_DIR")); }"#,
        |p| p.root().display().to_string(),
    );
}

#[cargo_test]
fn the_length_of_the_manifest_directory_binds() {
    assert_bound(
        r#"fn main() { println!("{}", env!("CARGO_MANIFEST_DIR").len()); }"#,
        |p| p.root().display().to_string().len().to_string(),
    );
}

#[cargo_test]
fn the_manifest_path_binds() {
    assert_bound(
        r#"fn main() { println!("{}", env!("CARGO_MANIFEST_PATH").len()); }"#,
        |p| {
            p.root()
                .join("Cargo.toml")
                .display()
                .to_string()
                .len()
                .to_string()
        },
    );
}

#[cargo_test]
fn the_length_of_the_output_directory_binds() {
    let main = r#"
        include!(concat!(env!("OUT_DIR"), "/n.rs"));
        fn main() { println!("{}", env!("OUT_DIR").len() as u32 + N); }
    "#;
    assert_bound(main, |p| {
        let out = p.build_dir().join("debug/build/foo-0123456789abcdef/out");
        (out.display().to_string().len() + 3).to_string()
    });
}

#[cargo_test]
fn including_a_file_of_the_output_directory_does_not_bind() {
    let main = r#"
        include!(concat!(env!("OUT_DIR"), "/n.rs"));
        fn main() { println!("{N}"); }
    "#;
    assert_free(main, "3");
}

#[cargo_test]
fn including_a_file_of_the_manifest_directory_does_not_bind() {
    let main = r#"
        fn main() { println!("{}", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/n.txt"))); }
    "#;
    let (one, two) = two_of(main);
    let _hook = Hook::new();
    for (p, restored, compiled, ran) in [(&one, 0, 2, 1), (&two, 3, 0, 0)] {
        p.change_file("n.txt", "3");
        p.hooked("build")
            .counts_with_runs(restored, compiled, ran)
            .run();
        assert_eq!(prints(&p.bin("foo")), "3");
    }
}

#[cargo_test]
fn the_name_of_a_source_does_not_bind() {
    assert_free(r#"fn main() { println!("{}", file!()); }"#, "src/main.rs");
}

#[cargo_test]
fn a_path_in_a_program_binds_without_other_names() {
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("src/main.rs", r#"fn main() { println!("{}", file!()); }"#)
    });
    let _hook = Hook::new().setting("remap = false");
    one.hooked("build").counts(0, 1).run();
    // Debug information holds the paths.
    two.hooked("build").counts(0, 1).run();
    assert_eq!(prints(&two.bin("foo")), "src/main.rs");
    let held = std::fs::read(two.bin("foo")).unwrap();
    let path = one.root().display().to_string();
    assert!(
        !held
            .windows(path.len())
            .any(|bytes| bytes == path.as_bytes())
    );
}

#[cargo_test]
fn the_path_of_a_program_binds_a_harness() {
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("src/main.rs", "fn main() {}")
            .file(
                "tests/t.rs",
                r#"
                #[test]
                fn t() {
                    let program = env!("CARGO_BIN_EXE_foo");
                    assert!(program.starts_with(&std::env::var("HERE").unwrap()), "{program}");
                }
            "#,
            )
    });
    let _hook = Hook::new();
    for (p, restored, compiled) in [(&one, 0, 2), (&two, 1, 1)] {
        p.hooked("test --test t")
            .env("HERE", p.root())
            .counts(restored, compiled)
            .with_stdout_contains("test t ... ok")
            .run();
    }
}
