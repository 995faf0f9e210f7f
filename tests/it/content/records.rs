//! Records: what is kept about inputs, who may drop it, and what becomes of bad ones.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_test_support::prelude::*;
use cargo_test_support::{ProjectBuilder, execs, process};

use super::{
    Built, Checkout, Mode, OWN_1, OWN_2, OWN_3, PAST, both, fresh, library_and_program, runs,
    scenario, set_time,
};
use crate::support::package;

const DAMAGED: &str = "the record of its inputs is damaged";

/// Returns the records of the units of a package.
fn records(c: &Checkout, name: &str) -> Vec<PathBuf> {
    c.all(&format!("target/debug/.fingerprint/{name}-*/content-*"))
}

/// Changes the content of a file without a change of its time.
fn rewrite(path: &Path, change: impl Fn(&mut Vec<u8>)) {
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
    set_time(path, modified);
}

#[cargo_test]
fn records_are_kept_where_content_decides() {
    both(|mode| {
        let c = Checkout::new(mode, library_and_program);
        c.succeeds("the first build");
        for name in ["foo", "bar"] {
            let found = records(&c, name);
            assert_eq!(found.len(), mode.either(0, 1), "{found:?}");
        }
    });
}

/// A way to spoil a file: a name, and what it does to the content.
type Way = (&'static str, Box<dyn Fn(&mut Vec<u8>)>);

/// Every way to spoil a record.
fn spoilt() -> Vec<Way> {
    let mut ways: Vec<Way> = vec![
        ("empty", Box::new(Vec::clear)),
        (
            "text",
            Box::new(|it| *it = b"This is no record.\n".to_vec()),
        ),
        ("zeros", Box::new(|it| it.fill(0))),
        ("longer", Box::new(|it| it.extend(b"more"))),
        ("twice", Box::new(|it| it.extend(it.clone()))),
        ("huge", Box::new(|it| it.resize(5_000_000, 0xff))),
    ];
    for length in [1, 2, 4, 8, 9, 16, 33] {
        ways.push(("short", Box::new(move |it| it.truncate(length))));
    }
    for part in [2, 3, 4] {
        ways.push((
            "cut",
            Box::new(move |it| it.truncate(it.len() * (part - 1) / part)),
        ));
    }
    ways.push(("without its end", Box::new(|it| it.truncate(it.len() - 1))));
    for nth in 0..8 {
        let flip = move |it: &mut Vec<u8>| {
            let at = it.len() * nth / 8;
            it[at] ^= 0x10;
        };
        ways.push(("flipped", Box::new(flip)));
    }
    ways.push((
        "with another end",
        Box::new(|it| *it.last_mut().unwrap() ^= 1),
    ));
    ways
}

#[cargo_test]
fn a_damaged_record_is_never_believed() {
    let c = Checkout::new(Mode::Content, library_and_program);
    c.succeeds("the first build");
    let mut text = OWN_1;
    for (nth, (way, spoil)) in spoilt().into_iter().enumerate() {
        let what = format!("{way} ({nth})");
        for record in records(&c, "foo") {
            rewrite(&record, &spoil);
        }
        // Times do not tell of the edit, and the record must not.
        text = if text == OWN_1 { OWN_2 } else { OWN_1 };
        c.edit_in_secret("src/own.rs", text);
        let printed = if text == OWN_1 { "1 1" } else { "2 1" };
        let outcome = runs(&["foo bin"]).because("foo", DAMAGED).printing(printed);
        c.builds(&what, outcome);
    }
}

#[cargo_test]
fn a_damaged_record_alone_changes_nothing() {
    let c = Checkout::new(Mode::Content, library_and_program);
    c.succeeds("the first build");
    for record in records(&c, "bar") {
        rewrite(&record, |it| it.truncate(10));
    }
    let outcome = runs(&["bar lib"]).because("bar", DAMAGED).keeping(&["foo"]);
    c.builds("the library has a damaged record", outcome.printing("1 1"));
}

#[cargo_test]
fn a_damaged_record_of_a_build_script_is_never_believed() {
    let files = |p: ProjectBuilder| {
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
            .file("src/main.rs", "fn main() { println!(\"{}\", env!(\"N\")); }")
            .file("n.txt", "1")
    };
    let c = Checkout::new(Mode::Content, files);
    c.succeeds("the first build");
    let script = "foo run-custom-build";
    for (nth, (way, spoil)) in spoilt().into_iter().enumerate() {
        let record = c.only("target/debug/.fingerprint/foo-*/content-run-build-script-*");
        rewrite(&record, &spoil);
        let n = (nth % 8 + 2).to_string();
        c.edit_in_secret("n.txt", &n);
        let outcome = runs(&[script, "foo bin"])
            .because("foo", DAMAGED)
            .printing(&n);
        c.builds(&format!("{way} ({nth})"), outcome);
    }
}

#[cargo_test]
fn a_record_of_another_unit_is_not_believed() {
    let c = Checkout::new(Mode::Content, library_and_program);
    c.succeeds("the first build");
    let (foo, bar) = (records(&c, "foo").remove(0), records(&c, "bar").remove(0));
    fs::copy(&bar, &foo).unwrap();
    c.edit_in_secret("src/own.rs", OWN_2);
    c.builds(
        "the record of another unit",
        runs(&["foo bin"]).printing("2 1"),
    );

    // Nor is that of the same unit from before it was built again.
    let old = fs::read(records(&c, "foo").remove(0)).unwrap();
    c.edit("src/own.rs", OWN_3);
    c.succeeds("another build");
    fs::write(&foo, old).unwrap();
    c.edit("src/own.rs", OWN_2);
    c.builds("a record of the past", runs(&["foo bin"]).printing("2 1"));
}

#[cargo_test]
fn a_folder_for_a_record_is_none() {
    let c = Checkout::new(Mode::Content, library_and_program);
    c.succeeds("the first build");
    let record = records(&c, "foo").remove(0);
    fs::remove_file(&record).unwrap();
    fs::create_dir(&record).unwrap();
    c.edit("src/own.rs", OWN_2);
    c.build()
        .assert_ran("a folder in place of a record", &["foo bin"]);
    assert_eq!(c.prints(), "2 1");
}

#[cargo_test]
fn damaged_notes_of_cargo_are_what_they_were() {
    // Upstream itself empties the one without an ending; and what is only told to users is not missed.
    let again = || runs(&["foo bin"]).printing("1 1");
    let notes = [
        ("dep-bin-foo", 0, again()),
        ("dep-bin-foo", 1, again()),
        ("dep-bin-foo", 20, again()),
        ("bin-foo", 0, again()),
        ("bin-foo.json", 20, fresh()),
    ];
    for (note, length, outcome) in notes {
        scenario(library_and_program)
            .change("cut a note", move |c| {
                let note = c.only(&format!("target/debug/.fingerprint/foo-*/{note}"));
                rewrite(&note, |it| it.truncate(length));
            })
            .both(outcome)
            .play();
    }
}

/// Builds with stock Cargo, if it is there, or else as it would: in the mode `mtime`.
fn build_as_stock(c: &Checkout) -> Built {
    match std::env::var_os("STOCK_CARGO") {
        Some(stock) => {
            let mut process = process(stock);
            process.cwd(c.path("")).arg("build");
            Built::by(execs().with_process_builder(process))
        }
        None => Checkout::at(Mode::Mtime, &c.path("")).build(),
    }
}

#[cargo_test]
fn modes_and_stock_cargo_may_alternate() {
    let files = |p| {
        library_and_program(p)
            .file("bar/build.rs", "fn main() {}")
            .file(
                "build.rs",
                "fn main() { println!(\"cargo::rerun-if-changed=build.rs\"); }",
            )
    };
    let units = [
        "bar custom-build",
        "bar run-custom-build",
        "bar lib",
        "foo custom-build",
        "foo run-custom-build",
        "foo bin",
    ];
    both(|mode| {
        // In this mode is built first.
        let c = Checkout::new(mode, files);
        c.builds("the first build", runs(&units));
        let content = Checkout::at(Mode::Content, &c.path(""));
        for _ in 0..3 {
            build_as_stock(&c).assert("as stock", &fresh());
            content.builds_nothing("by content");
        }
        // Also where only one of them built it anew.
        c.edit("bar/src/lib.rs", super::BAR_2);
        content.builds(
            "edited, by content",
            runs(&["bar run-custom-build", "bar lib", "foo bin"]),
        );
        build_as_stock(&c).assert("as stock, after a build by content", &fresh());
        content.builds_nothing("by content, after stock");
        c.edit("src/own.rs", OWN_2);
        build_as_stock(&c).assert("edited, as stock", &runs(&["foo bin"]));
        content.builds_nothing("by content, after a build as stock");
        build_as_stock(&c).assert("as stock again", &fresh());
        assert_eq!(c.prints(), "2 2");
    });
}

#[cargo_test]
fn times_of_before_do_not_survive_a_kept_build() {
    // What content calls fresh in spite of its times must not be built by stock Cargo on and on.
    let c = Checkout::new(Mode::Content, library_and_program);
    c.succeeds("the first build");
    c.touch_all();
    c.builds_nothing("touched, by content");
    build_as_stock(&c).assert("touched, as stock", &runs(&["bar lib", "foo bin"]));
    c.builds_nothing("by content again");
    build_as_stock(&c).assert("as stock again", &fresh());
}

#[cargo_test]
fn a_kept_unit_is_fresh_for_stock_cargo() {
    let files = |p| {
        library_and_program(p).file(
            "bar/build.rs",
            "fn main() { println!(\"cargo::rerun-if-env-changed=VALUE\"); }",
        )
    };
    let c = Checkout::new(Mode::Content, files);
    c.succeeds("the first build");
    for library in c.all("target/debug/deps/libbar-*.rlib") {
        fs::remove_file(library).unwrap();
    }
    c.builds(
        "the library is built again",
        runs(&["bar lib"]).keeping(&["foo"]),
    );
    build_as_stock(&c).assert("as stock", &fresh());
    c.builds_nothing("by content again");
    build_as_stock(&c).assert("as stock again", &fresh());
}

#[cargo_test]
fn a_build_of_stock_cargo_outdates_a_record() {
    let c = Checkout::new(Mode::Content, library_and_program);
    c.succeeds("the first build");
    c.edit("src/own.rs", OWN_2);
    build_as_stock(&c).assert("edited, as stock", &runs(&["foo bin"]));
    assert_eq!(c.prints(), "2 1");
    // This is what the record of the first build says, but not what was built last.
    c.edit("src/own.rs", OWN_1);
    c.builds("undone, by content", runs(&["foo bin"]).printing("1 1"));
}

#[cargo_test]
fn what_stock_cargo_built_is_recorded() {
    let c = Checkout::new(Mode::Content, library_and_program);
    build_as_stock(&c).assert_succeeds("the first build, as stock");
    c.builds_nothing("by content");
    c.edit_in_secret("src/own.rs", OWN_2);
    c.builds("edited in secret", runs(&["foo bin"]).printing("2 1"));
    c.touch_all();
    c.builds_nothing("touched");
}

#[cargo_test]
fn a_removed_record_is_made_again() {
    let c = Checkout::new(Mode::Content, library_and_program);
    c.succeeds("the first build");
    for record in [records(&c, "foo"), records(&c, "bar")].concat() {
        fs::remove_file(record).unwrap();
    }
    c.builds_nothing("without records");
    c.bring_in("src/own.rs", OWN_2, PAST);
    c.builds("with records again", runs(&["foo bin"]).printing("2 1"));
}

#[cargo_test]
fn a_clean_package_leaves_no_record() {
    let c = Checkout::new(Mode::Content, library_and_program);
    c.succeeds("the first build");
    c.cargo("clean -p foo").run();
    assert_eq!(records(&c, "foo"), [""; 0].map(PathBuf::from));
    c.builds(
        "cleaned",
        runs(&["foo bin"]).keeping(&["bar"]).printing("1 1"),
    );
}
