//! Places: a result that holds the path of a checkout is not used in another, one that only used it to
//! find files is.

use std::fs;
use std::path::PathBuf;

use cargo_test_support::prelude::*;
use cargo_test_support::{Project, ProjectBuilder, paths};

use super::macros::a_macro;
use crate::support::{Counts, Hook, Hooked, checkouts, package, prints, workspace};

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

/// A folder with a path that is too short to be searched for, which is removed again.
struct Short(PathBuf);

impl Short {
    /// Makes one where that is allowed.
    fn new() -> Short {
        let names = (0..100).flat_map(|n| [format!("/tmp/{n}"), format!("/t{n}")]);
        let made = names
            .map(PathBuf::from)
            .find(|path| fs::create_dir(path).is_ok());
        let made = made.expect("a folder can be made in `/tmp` or in `/`");
        assert!(made.as_os_str().len() < 8);
        Short(made)
    }
}

impl Drop for Short {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Builds a program in a checkout at a short path, in one at an ordinary path, and in another one at a short
/// path, in several orders; each prints what is right there. Some units are `free`, some `suspicious`: shared
/// if they were compiled at an ordinary path. All others are bound.
#[track_caller]
fn assert_short_paths_bind(
    files: impl Fn(ProjectBuilder) -> ProjectBuilder,
    [free, suspicious, bound]: [usize; 3],
    expected: impl Fn(&Project) -> String,
) {
    let (first, second) = (Short::new(), Short::new());
    let at = |path: PathBuf| files(ProjectBuilder::new(path)).build();
    let places = [
        at(first.0.clone()),
        at(paths::root().join("ordinary")),
        at(second.0.clone()),
    ];
    const ORDINARY: usize = 1;
    let all = free + suspicious + bound;
    let hook = Hook::new();
    // A configuration above all of them.
    let config = paths::root().join(".cargo/config.toml");
    fs::create_dir_all(paths::cargo_home()).unwrap();
    fs::copy(config, paths::cargo_home().join("config.toml")).unwrap();
    let builds = |p: &Project, restored: usize, compiled: usize| {
        p.wipe();
        p.hooked("build").counts(restored, compiled).run();
        assert_eq!(prints(&p.bin("foo")), expected(p));
        p.hooked("build").fresh().run();
    };
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        hook.forget_everything();
        for (at, place) in order.into_iter().enumerate() {
            let restored = match at {
                0 => 0,
                _ if order[..at].contains(&ORDINARY) => free + suspicious,
                _ => free,
            };
            builds(&places[place], restored, all - restored);
        }
        // What is bound to a place serves there.
        for p in &places {
            builds(p, all, 0);
        }
    }
}

#[cargo_test(ignore_windows = "paths are longer there")]
fn a_short_path_that_a_macro_puts_into_a_program_binds() {
    let reads = "let dir = std::env::var(\"CARGO_MANIFEST_DIR\").unwrap();
                 format!(\"{dir:?}\").parse().unwrap()";
    let files = |p: ProjectBuilder| {
        let needs = "[dependencies]\nmac = { path = '../mac' }\nbar = { path = '../bar' }";
        p.file("Cargo.toml", &workspace(&["mac", "foo", "bar"]))
            .file(
                "mac/Cargo.toml",
                &package("mac", "[lib]\nproc-macro = true"),
            )
            .file("mac/src/lib.rs", &a_macro(reads))
            .file("bar/Cargo.toml", &package("bar", ""))
            .file("bar/src/lib.rs", "pub fn n() -> u32 { 3 }")
            .file("foo/Cargo.toml", &package("foo", needs))
            .file(
                "foo/src/main.rs",
                "fn main() { println!(\"{} {}\", mac::n!(), bar::n()); }",
            )
    };
    // A library of macros is linked: at a short path nobody knows what is in it.
    assert_short_paths_bind(files, [1, 1, 1], |p| {
        format!("{}/foo 3", p.root().display())
    });
}

#[cargo_test(ignore_windows = "paths are longer there")]
fn a_short_path_that_is_written_into_a_library_binds() {
    let files = |p: ProjectBuilder| {
        let needs = "[dependencies]\nbar = { path = 'bar' }\nbaz = { path = 'baz' }";
        p.file("Cargo.toml", &package("foo", needs))
            .file(
                "src/main.rs",
                "fn main() { println!(\"{} {}\", bar::PLACE, baz::n()); }",
            )
            .file("bar/Cargo.toml", &package("bar", ""))
            .file(
                "bar/src/lib.rs",
                "pub const PLACE: &str = env!(\"CARGO_MANIFEST_DIR\");",
            )
            .file("baz/Cargo.toml", &package("baz", ""))
            .file("baz/src/lib.rs", "pub fn n() -> u32 { 3 }")
    };
    assert_short_paths_bind(files, [1, 0, 2], |p| {
        format!("{}/bar 3", p.root().display())
    });
}

/// What is above a bound unit is compiled too, and says because of which.
#[cargo_test]
fn what_depends_on_a_bound_unit_names_it() {
    let (one, two) = checkouts(|p| {
        p.file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nmiddle = { path = 'middle' }"),
        )
        .file(
            "src/main.rs",
            "fn main() { println!(\"{}\", middle::n()); }",
        )
        .file(
            "middle/Cargo.toml",
            &package("middle", "[dependencies]\nlow = { path = '../low' }"),
        )
        .file(
            "middle/src/lib.rs",
            "pub fn n() -> &'static str { low::PLACE }",
        )
        .file("low/Cargo.toml", &package("low", ""))
        .file(
            "low/src/lib.rs",
            "pub const PLACE: &str = env!(\"CARGO_MANIFEST_DIR\");",
        )
    });
    let _hook = Hook::new();
    one.hooked("build").counts(0, 3).run();
    let through = "bound (through `low v0.1.0 (lib)`: to another `{package}`: [..] holds its path)";
    two.hooked("build -v")
        .counts(0, 3)
        .with_stderr_contains(format!("      Missed middle v0.1.0 (lib): {through}"))
        .with_stderr_contains(format!("      Missed foo v0.1.0 (bin \"foo\"): {through}"))
        .run();
    assert_eq!(
        prints(&two.bin("foo")),
        two.root().join("low").display().to_string()
    );
}
