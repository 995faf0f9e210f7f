//! What lies in the build directory may get lost or be edited as well.

use std::fs;
use std::path::PathBuf;

use cargo_test_support::ProjectBuilder;
use cargo_test_support::prelude::*;

use super::{
    BAR_2, Checkout, FUTURE, PAST, fails, fresh, library_and_program, runs, scenario, set_time,
    time,
};
use crate::support::{package, workspace};

fn rlib(c: &Checkout) -> PathBuf {
    c.only("target/debug/deps/libbar-*.rlib")
}

fn rmeta(c: &Checkout) -> PathBuf {
    c.only("target/debug/deps/libbar-*.rmeta")
}

fn program(c: &Checkout) -> PathBuf {
    let mut found = c.all("target/debug/deps/foo-*");
    found.retain(|path| path.extension().is_none());
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// Writes something else over a file, of the same size or not, and gives it a time.
fn damage(path: PathBuf, size: Option<usize>, seconds: Option<u64>) {
    let metadata = fs::metadata(&path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(b'x');
    bytes.truncate(size.unwrap_or(bytes.len()));
    fs::write(&path, bytes).unwrap();
    let modified = metadata.modified().unwrap();
    set_time(&path, seconds.map_or(modified, time));
}

#[cargo_test]
fn a_lost_output_is_built_again() {
    scenario(library_and_program)
        .change("remove a library", |c| fs::remove_file(rlib(c)).unwrap())
        .mtime(runs(&["bar lib", "foo bin"]).printing("1 1"))
        .content(runs(&["bar lib"]).keeping(&["foo"]).printing("1 1"))
        .change("remove its metadata", |c| {
            fs::remove_file(rmeta(c)).unwrap()
        })
        .mtime(runs(&["bar lib", "foo bin"]).printing("1 1"))
        .content(runs(&["bar lib"]).keeping(&["foo"]).printing("1 1"))
        .change("remove the program", |c| {
            fs::remove_file(program(c)).unwrap()
        })
        .both(runs(&["foo bin"]).printing("1 1"))
        .change("remove the link to the program", |c| {
            c.remove("target/debug/foo")
        })
        .both(fresh().printing("1 1"))
        .change("remove what rustc leaves for itself", |c| {
            for file in c.all("target/debug/deps/*.d") {
                fs::remove_file(file).unwrap();
            }
        })
        .both(fresh().printing("1 1"))
        .play();
}

#[cargo_test]
fn a_touched_output_is_as_good_as_before() {
    scenario(library_and_program)
        .change("touch a library", |c| {
            set_time(&rlib(c), time(FUTURE));
            set_time(&rmeta(c), time(FUTURE));
        })
        .mtime(
            runs(&["foo bin"])
                .because("foo", "the dependency `bar` was rebuilt[..]")
                .restless(),
        )
        .content(fresh())
        .change("age it", |c| {
            set_time(&rlib(c), time(PAST));
            set_time(&rmeta(c), time(PAST));
        })
        .both(fresh())
        .change("link it", |c| {
            fs::hard_link(rlib(c), c.path("a-link-to-it")).unwrap();
            fs::hard_link(rmeta(c), c.path("another-link")).unwrap();
        })
        .both(fresh())
        .change("replace it by a copy", |c| {
            let copy = c.path("a-copy-of-it");
            fs::copy(rlib(c), &copy).unwrap();
            set_time(&copy, time(PAST));
            fs::rename(copy, rlib(c)).unwrap();
        })
        .both(fresh())
        .play();
}

#[cargo_test]
fn an_edited_library_is_repaired() {
    let repaired = || {
        runs(&["bar lib"])
            .because("bar", "content of the output `libbar-[HASH].rlib` changed")
            .keeping(&["foo"])
    };
    scenario(library_and_program)
        .change("edit a library", |c| damage(rlib(c), None, Some(PAST)))
        .mtime(fresh())
        .content(repaired())
        .change("edit the program that uses it", |c| {
            c.edit("src/own.rs", super::OWN_2)
        })
        .mtime(fails("error[E0786]"))
        .content(runs(&["foo bin"]).printing("2 1"))
        .play();
}

#[cargo_test]
fn a_truncated_library_is_repaired() {
    let repaired = || {
        runs(&["bar lib"])
            .because("bar", "content of the output `libbar-[HASH].rlib` changed")
            .keeping(&["foo"])
            .printing("1 1")
    };
    scenario(library_and_program)
        .change("truncate a library", |c| damage(rlib(c), Some(100), None))
        .mtime(fresh())
        .content(repaired())
        .change("empty it", |c| damage(rlib(c), Some(0), None))
        .mtime(fresh())
        .content(repaired())
        .play();
}

#[cargo_test]
fn edited_metadata_is_repaired() {
    scenario(library_and_program)
        .command("check")
        .change("edit metadata", |c| damage(rmeta(c), None, Some(PAST)))
        .mtime(fresh())
        .content(
            runs(&["bar lib"])
                .because("bar", "content of the output `libbar-[HASH].rmeta` changed")
                .keeping(&["foo"]),
        )
        .play();
}

#[cargo_test]
fn a_library_of_another_build_is_repaired() {
    scenario(library_and_program)
        .change("bring in what another build has made", |c| {
            // As if a cache had restored a part of `target` only.
            let keep = |from: PathBuf| {
                let kept = c.path("kept").join(from.file_name().unwrap());
                fs::create_dir_all(c.path("kept")).unwrap();
                let modified = fs::metadata(&from).unwrap().modified().unwrap();
                fs::copy(&from, &kept).unwrap();
                set_time(&kept, modified);
                (kept, from)
            };
            let kept = [keep(rlib(c)), keep(rmeta(c))];
            c.edit("bar/src/lib.rs", BAR_2);
            c.succeeds("another build");
            assert_eq!(c.prints(), "1 2");
            for (from, to) in kept {
                fs::rename(from, to).unwrap();
            }
        })
        .mtime(fresh().printing("1 2"))
        .content(
            runs(&["bar lib"])
                .because("bar", "content of the output `libbar-[HASH].[..]")
                .keeping(&["foo"])
                .printing("1 2"),
        )
        .play();
}

#[cargo_test]
fn an_edited_program_is_left_alone() {
    // People strip them, and sign them.
    scenario(library_and_program)
        .change("append to the program", |c| {
            let path = program(c);
            let mut bytes = fs::read(&path).unwrap();
            bytes.extend(b"signed");
            fs::remove_file(&path).unwrap();
            fs::remove_file(c.path("target/debug/foo")).unwrap();
            fs::write(&path, bytes).unwrap();
            c.runs(&format!("chmod +x {}", path.display()));
        })
        .both(fresh().printing("1 1"))
        .change("look at it", |c| {
            let bytes = fs::read(program(c)).unwrap();
            assert!(bytes.ends_with(b"signed"), "nobody repaired it");
        })
        .both(fresh().printing("1 1"))
        .play();
}

#[cargo_test]
fn an_edited_macro_is_repaired() {
    let files = |p: ProjectBuilder| {
        p.file("Cargo.toml", &workspace(&["mac", "foo"]))
            .file(
                "mac/Cargo.toml",
                &package("mac", "[lib]\nproc-macro = true"),
            )
            .file(
                "mac/src/lib.rs",
                "#[proc_macro]\n\
                 pub fn n(_: proc_macro::TokenStream) -> proc_macro::TokenStream { \"1\".parse().unwrap() }",
            )
            .file(
                "foo/Cargo.toml",
                &package("foo", "[dependencies]\nmac = { path = '../mac' }"),
            )
            .file("foo/src/main.rs", "fn main() { println!(\"{}\", mac::n!()); }")
    };
    scenario(files)
        .change("truncate its library", |c| {
            damage(
                c.only("target/debug/deps/libmac-*.so"),
                Some(1000),
                Some(PAST),
            );
        })
        .mtime(fresh().printing("1"))
        .content(
            runs(&["mac proc-macro"])
                .because("mac", "content of the output `libmac-[HASH].so` changed")
                .keeping(&["foo"])
                .printing("1"),
        )
        .play();
}

#[cargo_test]
fn a_lost_output_of_a_build_script_is_made_again() {
    let files = |p| {
        library_and_program(p)
            .file(
                "build.rs",
                "fn main() {
                    println!(\"cargo::rerun-if-changed=build.rs\");
                    println!(\"cargo::rustc-env=N=1\");
                }",
            )
            .file(
                "src/main.rs",
                "fn main() { println!(\"{}\", env!(\"N\")); }",
            )
    };
    let script = "foo run-custom-build";
    scenario(files)
        .change("remove what it said", |c| {
            fs::remove_file(c.only("target/debug/build/foo-*/output")).unwrap();
        })
        .mtime(runs(&[script, "foo bin"]).printing("1"))
        .content(runs(&[script]).printing("1"))
        .change("remove its program", |c| {
            for program in c.all("target/debug/build/foo-*/build_script_build-*") {
                fs::remove_file(program).unwrap();
            }
            for program in c.all("target/debug/build/foo-*/build-script-build") {
                fs::remove_file(program).unwrap();
            }
        })
        .mtime(runs(&["foo custom-build", script, "foo bin"]).printing("1"))
        .content(runs(&["foo custom-build"]).printing("1"))
        .play();
}
