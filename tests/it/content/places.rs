//! Checkouts that are moved or copied with their build directory, or share one: what knows its place is
//! built for the new one, and nothing else.

use std::fs;

use cargo_test_support::prelude::*;
use cargo_test_support::{ProjectBuilder, paths};

use super::{
    Checkout, Mode, OWN_1, OWN_2, PAST, both, fresh, library_and_program, runs, set_times,
    succeeds, time,
};
use crate::support::{Text, package, workspace};

/// A workspace of which every package but `plain` knows its place in a way of its own.
fn bound(p: ProjectBuilder) -> ProjectBuilder {
    let library = |p: ProjectBuilder, name: &str, source: &str| {
        p.file(format!("{name}/Cargo.toml"), &package(name, ""))
            .file(format!("{name}/src/lib.rs"), source)
    };
    let p = p.file(
        "Cargo.toml",
        &workspace(&[
            "plain", "value", "derived", "length", "included", "baked", "foo",
        ]),
    );
    let p = library(p, "plain", "pub fn n() -> u32 { 1 }");
    let p = library(
        p,
        "value",
        "pub const PLACE: &str = env!(\"CARGO_MANIFEST_DIR\");",
    );
    let p = library(
        p,
        "derived",
        "const PLACE: &[u8] = env!(\"CARGO_MANIFEST_DIR\").as_bytes();
        pub const SUM: u32 = {
            let (mut sum, mut at) = (0, 0);
            while at < PLACE.len() { sum += PLACE[at] as u32; at += 1; }
            sum
        };",
    );
    let p = library(
        p,
        "length",
        "pub const LENGTH: usize = env!(\"OUT_DIR\").len();",
    )
    .file(
        "length/build.rs",
        "fn main() { println!(\"cargo::rerun-if-changed=build.rs\"); }",
    );
    let generates = |what: &str| {
        format!(
            "fn main() {{
                println!(\"cargo::rerun-if-changed=build.rs\");
                let out = std::env::var(\"OUT_DIR\").unwrap();
                let place = std::env::var(\"CARGO_MANIFEST_DIR\").unwrap();
                std::fs::write(out + \"/gen.rs\", format!(\"pub const N: &str = {{:?}};\", {what})).unwrap();
                let _ = place;
            }}"
        )
    };
    let includes = "include!(concat!(env!(\"OUT_DIR\"), \"/gen.rs\"));";
    let p = library(p, "included", includes).file("included/build.rs", &generates("\"1\""));
    let p = library(p, "baked", includes).file("baked/build.rs", &generates("place"));
    p.file(
        "foo/Cargo.toml",
        &package(
            "foo",
            "[dependencies]\nplain.path = '../plain'\nvalue.path = '../value'\n\
             derived.path = '../derived'\nlength.path = '../length'\n\
             included.path = '../included'\nbaked.path = '../baked'",
        ),
    )
    .file(
        "foo/src/main.rs",
        r#"
            fn main() {
                println!("{} {}", plain::n(), included::N);
                println!("{} {} {} {}", value::PLACE, derived::SUM, length::LENGTH, baked::N);
            }
        "#,
    )
    .file(
        "foo/tests/place.rs",
        r#"
            #[test]
            fn place() {
                println!("program: {}", env!("CARGO_BIN_EXE_foo"));
                println!("temporary: {}", env!("CARGO_TARGET_TMPDIR"));
            }
        "#,
    )
}

/// Returns what the program prints if every package knows its place.
fn printed_at(c: &Checkout) -> String {
    let place = |name: &str| c.path(name).display().to_string();
    let sum: u32 = place("derived").bytes().map(u32::from).sum();
    let out = c.only("target/debug/build/length-*/out");
    let (value, length) = (place("value"), out.display().to_string().len());
    format!("1 1\n{value} {sum} {length} {}", place("baked"))
}

/// Returns what the integration test prints about its place.
fn tested(c: &Checkout) -> Vec<String> {
    let output = c.cargo("test --test place -- --nocapture").run().output();
    let lines = output.lines();
    let lines =
        lines.filter(|line| line.starts_with("program: ") || line.starts_with("temporary: "));
    lines.map(str::to_owned).collect()
}

/// Returns what the integration test prints if it knows its place.
fn tested_at(c: &Checkout) -> Vec<String> {
    let program = c.path("target/debug/foo");
    let temporary = c.path("target/tmp");
    vec![
        format!("program: {}", program.display()),
        format!("temporary: {}", temporary.display()),
    ]
}

/// Builds in one place, goes to another as `go` says, and builds there.
fn goes_to(go: impl Fn(&Checkout, &str)) {
    both(|mode| {
        let one = Checkout::new(mode, bound);
        one.succeeds("the first build");
        let (printed, at_test) = (one.prints(), tested(&one));
        assert_eq!(printed, printed_at(&one));
        assert_eq!(at_test, tested_at(&one));

        let root = paths::root().join(mode.name()).join("a/much/deeper/place");
        fs::create_dir_all(root.parent().unwrap()).unwrap();
        go(&one, root.to_str().unwrap());
        let two = Checkout::at(mode, &root);
        if mode == Mode::Mtime {
            // All times are as before: it is the other's program that runs here.
            two.builds("the build in the other place", fresh().printing(&printed));
            assert_eq!(tested(&two), at_test);
            return;
        }
        let built = two.build();
        let moved =
            |name: &str| format!("path-moved: it was built for `[ROOT]/content/foo/{name}[..]");
        let expected = succeeds()
            .keeping(&["plain"])
            .because("value", &moved("value"))
            .because("derived", &moved("derived"));
        built.assert("the build in the other place", &expected);
        assert_eq!(two.prints(), printed_at(&two), "{}", built.said());
        assert_eq!(tested(&two), tested_at(&two));
        two.builds("the build after it", fresh());
        // Back to where it was, if it is still there.
        if one.path("Cargo.toml").exists() {
            one.builds("the build in the first place", fresh().printing(&printed));
            assert_eq!(tested(&one), at_test);
        }
    });
}

#[cargo_test]
fn a_moved_checkout_knows_its_place() {
    goes_to(|one, place| one.runs(&format!("mv {} {place}", one.path("").display())));
}

#[cargo_test]
fn a_copied_checkout_knows_its_place() {
    goes_to(|one, place| one.runs(&format!("cp -a . {place}")));
}

#[cargo_test]
fn a_clone_with_a_restored_target_directory_knows_its_place() {
    both(|mode| {
        let one = Checkout::new(mode, bound);
        one.succeeds("the first build");
        let two = other_checkout(mode, bound);
        one.runs(&format!("cp -a target {}", two.path("target").display()));
        set_times(&two.path(""), &std::time::SystemTime::now);
        let built = two.build();
        // Its new times have everything compiled.
        let plain = built.units().contains(&"plain lib".to_owned());
        assert_eq!(plain, mode.either(true, false), "{}", built.said());
        if mode == Mode::Content {
            let expected = succeeds().keeping(&["plain"]);
            built.assert("the build in the other place", &expected);
        }
        assert_eq!(two.prints(), printed_at(&two), "{}", built.said());
        assert_eq!(tested(&two), tested_at(&two));
        two.builds("the build after it", fresh());
    });
}

/// Makes a second checkout beside the first, as old as that one.
fn other_checkout(mode: Mode, files: impl Fn(ProjectBuilder) -> ProjectBuilder) -> Checkout {
    let root = paths::root().join(mode.name()).join("a/much/deeper/place");
    let two = Checkout::at(mode, &files(ProjectBuilder::new(root)).build().root());
    two.cargo("generate-lockfile --quiet").run();
    two.age();
    two
}

#[cargo_test]
fn a_moved_checkout_without_bound_packages_is_fresh() {
    both(|mode| {
        let one = Checkout::new(mode, library_and_program);
        one.succeeds("the first build");
        let root = paths::root().join(mode.name()).join("elsewhere");
        one.runs(&format!("mv {} {}", one.path("").display(), root.display()));
        let two = Checkout::at(mode, &root);
        two.builds(
            "the build in the other place",
            fresh().keeping(&["bar", "foo"]),
        );
        two.edit("src/own.rs", OWN_2);
        two.builds(
            "an edit in the other place",
            runs(&["foo bin"]).printing("2 1"),
        );
    });
}

/// Moves a checkout of these files whose program prints what `printed` says of its place.
fn prints_its_place(
    files: impl Fn(ProjectBuilder) -> ProjectBuilder,
    prepare: impl Fn(&Checkout),
    printed: impl Fn(&Checkout) -> String,
) {
    both(|mode| {
        let one = Checkout::new(mode, &files);
        prepare(&one);
        one.succeeds("the first build");
        let before = one.prints();
        assert_eq!(before, printed(&one));
        let root = paths::root().join(mode.name()).join("a/deeper/place");
        fs::create_dir_all(root.parent().unwrap()).unwrap();
        one.runs(&format!("mv {} {}", one.path("").display(), root.display()));
        let two = Checkout::at(mode, &root);
        two.succeeds("the build in the other place");
        let after = printed(&two);
        assert_eq!(two.prints(), mode.either(before, after));
    });
}

#[cargo_test]
fn a_path_through_a_macro_of_another_package_is_one_of_this() {
    // The program itself only names a file with it.
    let files = |p: ProjectBuilder| {
        p.file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
        )
        .file(
            "src/main.rs",
            r#"
                const N: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/n.txt"));
                fn main() { println!("{N} {}", bar::here!()); }
            "#,
        )
        .file("n.txt", "1")
        .file("bar/Cargo.toml", &package("bar", ""))
        .file(
            "bar/src/lib.rs",
            "#[macro_export]\nmacro_rules! here { () => { env!(\"CARGO_MANIFEST_DIR\") } }",
        )
    };
    let printed = |c: &Checkout| format!("1 {}", c.path("Cargo.toml").parent().unwrap().display());
    prints_its_place(files, |_| {}, printed);
}

/// A program that prints its place.
fn with_place(p: ProjectBuilder) -> ProjectBuilder {
    p.file("Cargo.toml", &package("foo", "")).file(
        "src/main.rs",
        "fn main() { println!(\"{}\", env!(\"CARGO_MANIFEST_DIR\")); }",
    )
}

fn place(c: &Checkout) -> String {
    c.path("Cargo.toml").parent().unwrap().display().to_string()
}

#[cargo_test]
fn what_stock_cargo_built_knows_its_place_if_it_is_moved() {
    let by_stock = |c: &Checkout| Checkout::at(Mode::Mtime, &c.path("")).succeeds("as stock");
    prints_its_place(with_place, by_stock, place);
    // Also if the list of the compiler was lost in between.
    let without_list = |c: &Checkout| {
        by_stock(c);
        fs::remove_file(c.only("target/debug/deps/foo-*.d")).unwrap();
    };
    prints_its_place(with_place, without_list, place);
}

#[cargo_test]
fn what_stock_cargo_built_elsewhere_does_not_know_its_place() {
    // The first build by content is here, and finds what was built for another place.
    both(|mode| {
        let one = Checkout::new(Mode::Mtime, with_place);
        one.succeeds("as stock");
        let root = paths::root().join(mode.name()).join("a/deeper/place");
        fs::create_dir_all(root.parent().unwrap()).unwrap();
        one.runs(&format!("cp -a . {}", root.display()));
        let two = Checkout::at(mode, &root);
        two.succeeds("the build in the other place");
        assert_eq!(two.prints(), mode.either(place(&one), place(&two)));
    });
}

#[cargo_test]
fn a_link_to_a_checkout_is_no_other_place() {
    both(|mode| {
        let one = Checkout::new(mode, library_and_program);
        one.succeeds("the first build");
        let root = paths::root().join(mode.name()).join("link");
        std::os::unix::fs::symlink(one.path(""), &root).unwrap();
        let two = Checkout::at(mode, &root);
        two.builds("the build by another name", fresh().printing("1 1"));
    });
}

#[cargo_test]
fn worktrees_may_share_a_target_directory() {
    both(|mode| {
        let one = Checkout::new(mode, library_and_program);
        let two = other_checkout(mode, |p| library_and_program(p).file("src/own.rs", OWN_2));
        let shared = paths::root().join(mode.name()).join("shared");
        one.set("CARGO_TARGET_DIR", &shared);
        two.set("CARGO_TARGET_DIR", &shared);
        let printed = |c: &Checkout| {
            let built = c.build();
            built.assert_succeeds("a build in a shared directory");
            let program = shared.join("debug/foo");
            (crate::support::prints(&program), built)
        };
        assert_eq!(printed(&one).0, "1 1");
        for _ in 0..2 {
            // Times do not tell whose program it is.
            let (found, built) = printed(&two);
            assert_eq!(found, mode.either("1 1", "2 1"), "{}", built.said());
            built.assert("the second worktree", &succeeds().keeping(&["bar"]));
            let (found, built) = printed(&one);
            assert_eq!(found, "1 1", "{}", built.said());
            built.assert("the first worktree", &succeeds().keeping(&["bar"]));
        }
        // The same commit in both is the same program.
        two.edit_at("src/own.rs", OWN_1, PAST);
        two.builds_nothing("the same sources elsewhere");
        one.builds_nothing("the same sources");
    });
}

#[cargo_test]
fn bound_packages_of_worktrees_that_share_a_target_directory_know_their_place() {
    both(|mode| {
        let one = Checkout::new(mode, bound);
        let two = other_checkout(mode, bound);
        let shared = paths::root().join(mode.name()).join("shared");
        for c in [&one, &two] {
            c.set("CARGO_TARGET_DIR", &shared);
        }
        for c in [&one, &two, &one, &two] {
            c.succeeds("a build in a shared directory");
            let printed = crate::support::prints(&shared.join("debug/foo"));
            let at = mode.either(&one, c).path("value");
            assert!(printed.contains(at.to_str().unwrap()), "{printed}");
            let at = mode.either(&one, c).path("baked");
            assert!(printed.contains(at.to_str().unwrap()), "{printed}");
        }
    });
}

#[cargo_test]
fn a_renamed_package_folder_is_another_package() {
    both(|mode| {
        let c = Checkout::new(mode, library_and_program);
        c.succeeds("the first build");
        c.rename("bar", "baz");
        c.edit(
            "Cargo.toml",
            &c.read("Cargo.toml").replace("'bar'", "'baz'"),
        );
        set_times(&c.path("baz"), &|| time(PAST));
        c.builds(
            "the build with another folder",
            runs(&["bar lib", "foo bin"]).printing("1 1"),
        );
    });
}
