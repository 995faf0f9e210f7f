//! Edits while it is built: what was compiled is not what is there.
//!
//! A macro makes them, or a build script. It edits `EDIT` so that it holds `TEXT`, if these are set, and
//! with `SECRET` it leaves the time of the file as it was.

mod scripts;

use cargo_test_support::ProjectBuilder;
use cargo_test_support::prelude::*;

use super::{AFTER_PAST, Checkout, PAST, fresh, runs, scenario, set_times, succeeds, time};
use crate::support::{package, workspace};

/// What edits. Macros and build scripts alike have it.
const EDITS: &str = r#"
    fn edit_now() {
        let Ok(path) = std::env::var("EDIT") else { return };
        let modified = std::fs::metadata(&path).and_then(|it| it.modified());
        std::fs::write(&path, std::env::var("TEXT").unwrap()).unwrap();
        if std::env::var("SECRET").is_ok() {
            let file = std::fs::File::options().append(true).open(&path).unwrap();
            file.set_modified(modified.unwrap()).unwrap();
        }
    }
"#;

/// The source of a macro that edits.
fn a_macro(edits: &str) -> String {
    format!(
        "use proc_macro::TokenStream;
        {edits}
        #[proc_macro]
        pub fn edit(_: TokenStream) -> TokenStream {{
            edit_now();
            TokenStream::new()
        }}"
    )
}

/// A program `foo` that runs the macro `mac::edit!()`, and whatever else it is made of.
fn with_macro(main: &str) -> impl Fn(ProjectBuilder) -> ProjectBuilder + 'static {
    let mac = a_macro(EDITS);
    let main = main.to_owned();
    move |p| {
        p.file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nmac = { path = 'mac' }"),
        )
        .file(
            "mac/Cargo.toml",
            &package("mac", "[lib]\nproc-macro = true"),
        )
        .file("mac/src/lib.rs", &mac)
        .file("src/main.rs", &main)
        .file("src/n.txt", "1")
    }
}

/// A program that prints a number.
fn prints(n: u32) -> String {
    format!("mac::edit!();\nfn main() {{ println!(\"{n}\"); }}")
}

/// Lets the next builds edit a file while they are at it.
fn edit_meanwhile(c: &Checkout, name: &str, text: &str) {
    c.set("EDIT", c.path(name));
    c.set("TEXT", text);
}

/// Lets the next builds do nothing but build.
fn stop(c: &Checkout) {
    c.unset("EDIT");
}

#[cargo_test]
fn an_edit_of_a_source_while_it_is_compiled_is_noticed() {
    scenario(with_macro(&prints(1)))
        .change("edit before and meanwhile", |c| {
            c.edit("src/main.rs", &prints(2));
            edit_meanwhile(c, "src/main.rs", &prints(3));
        })
        .mtime(runs(&["foo bin"]).printing("2").restless())
        .content(
            runs(&["foo bin"])
                .unstable("foo", "`src/main.rs` changed while it was built")
                .printing("2")
                .restless(),
        )
        .change("only build", stop)
        .mtime(
            runs(&["foo bin"])
                .because("foo", "the file `src/main.rs` has changed ([..]")
                .printing("3"),
        )
        .content(
            runs(&["foo bin"])
                .because("foo", "`src/main.rs` changed while it was built")
                .printing("3"),
        )
        .play();
}

#[cargo_test]
fn an_edit_meanwhile_that_keeps_the_time_is_noticed() {
    scenario(with_macro(&prints(1)))
        .change("edit before and meanwhile", |c| {
            c.edit_at("src/main.rs", &prints(2), AFTER_PAST);
            // Times call for a compilation, too.
            c.touch("src/main.rs");
            c.set("SECRET", "yes");
            edit_meanwhile(c, "src/main.rs", &prints(3));
        })
        .mtime(runs(&["foo bin"]).printing("2").restless())
        .content(
            runs(&["foo bin"])
                .unstable("foo", "`src/main.rs` changed while it was built")
                .printing("2")
                .restless(),
        )
        .change("only build", stop)
        .mtime(fresh().printing("2"))
        .content(
            runs(&["foo bin"])
                .because("foo", "`src/main.rs` changed while it was built")
                .printing("3"),
        )
        .play();
}

#[cargo_test]
fn an_edit_while_it_is_built_for_the_first_time_is_noticed() {
    scenario(with_macro(&prints(1)))
        .before(|c| {
            c.set("SECRET", "yes");
            edit_meanwhile(c, "src/main.rs", &prints(2));
        })
        .first_either(
            runs(&["mac proc-macro", "foo bin"])
                .printing("1")
                .restless(),
            runs(&["mac proc-macro", "foo bin"])
                .unstable("foo", "`src/main.rs` changed while it was built")
                .printing("1")
                .restless(),
        )
        .change("only build", stop)
        .mtime(fresh().printing("1"))
        .content(
            runs(&["foo bin"])
                .because("foo", "`src/main.rs` changed while it was built")
                .printing("2"),
        )
        .play();
}

#[cargo_test]
fn an_edit_of_a_file_that_was_not_known_before_is_noticed() {
    let main = "
        const BEFORE: &str = include_str!(\"n.txt\");
        mac::edit!();
        fn main() { println!(\"{BEFORE}\"); }
    ";
    scenario(with_macro(main))
        .before(|c| {
            c.set("SECRET", "yes");
            edit_meanwhile(c, "src/n.txt", "2");
        })
        .first_either(
            runs(&["mac proc-macro", "foo bin"])
                .printing("1")
                .restless(),
            runs(&["mac proc-macro", "foo bin"])
                .unstable("foo", "`src/n.txt` changed while it was built")
                .printing("1")
                .restless(),
        )
        .change("only build", stop)
        .mtime(fresh().printing("1"))
        .content(
            runs(&["foo bin"])
                .because("foo", "`src/n.txt` changed while it was built")
                .printing("2"),
        )
        .play();
}

#[cargo_test]
fn an_edit_that_an_edit_makes_known_is_noticed() {
    scenario(with_macro(&prints(1)))
        .change(
            "read another file from now on, which changes meanwhile",
            |c| {
                let main = "
                const BEFORE: &str = include_str!(\"n.txt\");
                mac::edit!();
                fn main() { println!(\"{BEFORE}\"); }
            ";
                c.edit("src/main.rs", main);
                c.set("SECRET", "yes");
                edit_meanwhile(c, "src/n.txt", "2");
            },
        )
        .mtime(runs(&["foo bin"]).restless())
        .content(
            runs(&["foo bin"])
                .unstable("foo", "`src/n.txt` changed while it was built")
                .restless(),
        )
        .change("only build", stop)
        .mtime(fresh())
        .content(runs(&["foo bin"]).printing("2"))
        .play();
}

#[cargo_test]
fn an_edit_that_is_always_made_never_rests() {
    // As long as it goes on: this is no end, but no wrong result either.
    let unstable = || {
        runs(&["foo bin"])
            .unstable("foo", "`src/n.txt` changed while it was built")
            .restless()
    };
    let main = "
        mac::edit!();
        const N: &str = include_str!(\"n.txt\");
        fn main() { println!(\"{N}\"); }
    ";
    scenario(with_macro(main))
        .change("edit a known file meanwhile", |c| {
            c.edit("src/n.txt", "2");
            edit_meanwhile(c, "src/n.txt", "3");
        })
        .mtime(runs(&["foo bin"]).restless())
        .content(unstable())
        .change("edit it meanwhile again", |c| {
            edit_meanwhile(c, "src/n.txt", "4");
        })
        .mtime(runs(&["foo bin"]).restless())
        .content(unstable())
        .change("only build", stop)
        .both(runs(&["foo bin"]).printing("4"))
        .play();
}

#[cargo_test]
fn a_folder_that_is_swapped_while_it_is_read_is_noticed() {
    // Neither of its files changes at all: what is read is not what is there afterwards.
    let swap = r#"
        fn edit_now() {
            let Ok(path) = std::env::var("EDIT") else { return };
            std::fs::rename(&path, path.clone() + "-away").unwrap();
            std::fs::rename(path.clone() + "-other", &path).unwrap();
        }
    "#;
    let main = "
        const N: &str = include_str!(\"data/n.txt\");
        mac::edit!();
        fn main() { println!(\"{N}\"); }
    ";
    let files = move |p| {
        with_macro(main)(p)
            .file("mac/src/lib.rs", &a_macro(swap))
            .file("src/data/n.txt", "1")
            .file("src/data-other/n.txt", "2")
    };
    scenario(files)
        .before(|c| {
            edit_meanwhile(c, "src/data", "");
            c.build().assert("the build with a swap", &succeeds());
            assert_eq!(c.prints(), "1", "it was read before the swap");
            assert_eq!(c.read("src/data/n.txt"), "2");
            stop(c);
            // How times would tell is not the point.
            set_times(&c.path("src"), &|| time(PAST));
        })
        .first(succeeds())
        .change("nothing", |_| {})
        .mtime(fresh().printing("1"))
        .content(fresh().printing("2"))
        .play();
}

#[cargo_test]
fn a_member_that_changes_meanwhile_is_named_as_in_other_messages() {
    let unstable = "`foo/src/main.rs` changed while it was built";
    let files = |p| {
        with_macro("")(p)
            .file("Cargo.toml", &workspace(&["mac", "foo"]))
            .file(
                "foo/Cargo.toml",
                &package("foo", "[dependencies]\nmac = { path = '../mac' }"),
            )
            .file("foo/src/main.rs", &prints(1))
    };
    scenario(files)
        .change("edit before and meanwhile", |c| {
            c.edit("foo/src/main.rs", &prints(2));
            edit_meanwhile(c, "foo/src/main.rs", &prints(3));
        })
        .mtime(runs(&["foo bin"]).restless())
        .content(runs(&["foo bin"]).unstable("foo", unstable).restless())
        .change("only build", stop)
        .mtime(runs(&["foo bin"]).printing("3"))
        .content(runs(&["foo bin"]).because("foo", unstable).printing("3"))
        .play();
}
