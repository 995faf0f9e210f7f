//! Modes of restored files: those that a build by stock Cargo would give them, whoever made them.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cargo_test_support::prelude::*;
use cargo_test_support::{Execs, Project, ProjectBuilder, execs, paths, process, registry};

use crate::support::{Counts, artifacts, cargo, package, prints, shipped_cache};

/// A program, a library, a macro, a dynamic library, and a script that leaves files.
fn files(p: ProjectBuilder) -> ProjectBuilder {
    let needs = "[dependencies]\nbar = { path = 'bar' }\nmac = { path = 'mac' }\n\
                 dynamic = { path = 'dynamic' }";
    p.file("Cargo.toml", &package("foo", needs))
        .file(
            "build.rs",
            r#"
                use std::os::unix::fs::OpenOptionsExt;

                fn main() {
                    println!("cargo::rerun-if-changed=build.rs");
                    let out = std::env::var("OUT_DIR").unwrap();
                    std::fs::create_dir(format!("{out}/deeper")).unwrap();
                    std::fs::write(format!("{out}/deeper/n.txt"), "3").unwrap();
                    std::fs::write(format!("{out}/place.txt"), &out).unwrap();
                    let mut options = std::fs::File::options();
                    options.create(true).write(true).mode(0o777);
                    options.open(format!("{out}/program")).unwrap();
                }
            "#,
        )
        .file(
            "src/main.rs",
            r#"
                const N: &str = include_str!(concat!(env!("OUT_DIR"), "/deeper/n.txt"));
                fn main() { println!("{N} {} {}", bar::n(), mac::n!()); }
            "#,
        )
        .file("tests/t.rs", "#[test] fn t() {}")
        .file("bar/Cargo.toml", &package("bar", ""))
        .file("bar/src/lib.rs", "pub fn n() -> u32 { 4 }")
        .file(
            "mac/Cargo.toml",
            &package("mac", "[lib]\nproc-macro = true"),
        )
        .file(
            "mac/src/lib.rs",
            "#[proc_macro]\n\
             pub fn n(_: proc_macro::TokenStream) -> proc_macro::TokenStream { \"5\".parse().unwrap() }",
        )
        .file(
            "dynamic/Cargo.toml",
            &package("dynamic", "[lib]\ncrate-type = ['rlib', 'cdylib', 'staticlib']"),
        )
        .file("dynamic/src/lib.rs", "")
}

/// Runs a program in a project with a mask for the modes of new files.
fn with_umask(umask: &str, program: &Path, p: &Project) -> Execs {
    let mut sh = process("sh");
    sh.args(&["-c", "umask $0; exec \"$@\"", umask])
        .arg(program)
        .args(&["build", "--all-targets"])
        .cwd(p.root())
        .env("CARGO_LOCAL_CACHE_DIR", paths::root().join("cache"));
    execs().with_process_builder(sh)
}

/// Returns the modes of all artifacts, by names that say nothing of the place.
fn modes(p: &Project) -> BTreeMap<String, String> {
    let without_hash = |name: &str| match name.rsplit_once('-') {
        Some((begin, rest)) => {
            let is_hex = |byte: &u8| byte.is_ascii_hexdigit();
            let digits = rest.bytes().take_while(|byte| is_hex(byte)).count();
            match digits {
                16 => format!("{begin}-HASH{}", &rest[16..]),
                _ => name.to_owned(),
            }
        }
        None => name.to_owned(),
    };
    let mode = |name: String| {
        let metadata = p.build_dir().join(&name).metadata().unwrap();
        let parts: Vec<String> = name.split('/').map(without_hash).collect();
        let mode = metadata.permissions().mode() & 0o7777;
        (parts.join("/"), format!("{mode:o}"))
    };
    artifacts(&p.build_dir()).into_keys().map(mode).collect()
}

/// Restores a project in which there are so many units, with several masks.
#[track_caller]
fn assert_modes(files: impl Fn(ProjectBuilder) -> ProjectBuilder, units: usize, printed: &str) {
    let stock = std::env::var_os("STOCK_CARGO");
    let Some(stock) = stock.filter(|_| shipped_cache("")) else {
        eprintln!("skipped: `STOCK_CARGO` names no stock Cargo");
        return;
    };
    let at = |place: &str| files(ProjectBuilder::new(paths::root().join(place))).build();
    for umask in ["077", "022", "027"] {
        let by_stock = at(&format!("stock-{umask}"));
        with_umask(umask, Path::new(&stock), &by_stock).run();
        let expected = modes(&by_stock);
        for filled_by in ["022", "077"] {
            // Whoever filled the cache had a mask of his own.
            paths::root().join("cache").rm_rf();
            let filling = at(&format!("filling-{umask}-{filled_by}"));
            with_umask(filled_by, &cargo(), &filling).run();
            let p = at(&format!("restored-{umask}-{filled_by}"));
            with_umask(umask, &cargo(), &p).counts(units, 0).run();
            assert_eq!(modes(&p), expected, "{umask}, filled by {filled_by}");
            assert_eq!(prints(&p.bin("foo")), printed);
        }
    }
}

#[cargo_test]
fn restored_files_have_the_modes_that_stock_cargo_would_give() {
    // The script and its run, three libraries, the program, its harness, and the one of `tests`.
    assert_modes(files, 8, "3 4 5");
}

#[cargo_test]
fn restored_libraries_of_the_registry_have_the_modes_that_stock_cargo_would_give() {
    registry::Package::new("dep", "1.0.0")
        .file("src/lib.rs", "pub fn n() -> u32 { 6 }")
        .publish();
    let files = |p: ProjectBuilder| {
        p.file("Cargo.toml", &package("foo", "[dependencies]\ndep = '1.0'"))
            .file("src/main.rs", "fn main() { println!(\"{}\", dep::n()); }")
    };
    // The library, the program, and its harness.
    assert_modes(files, 3, "6");
}
