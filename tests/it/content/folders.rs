//! Strange things that build scripts declare, or that lie in what they declare.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::time::Duration;

use cargo_test_support::ProjectBuilder;
use cargo_test_support::prelude::*;

use super::{Checkout, Mode, both, fails, fresh, runs, scenario, succeeds};
use crate::support::{package, run_within};

const SCRIPT: &str = "foo run-custom-build";

/// A program that prints the number of files in `assets`, as its build script says, which declares what
/// these lines do.
fn with_script(declares: &str) -> impl Fn(ProjectBuilder) -> ProjectBuilder + 'static {
    let script = format!(
        "fn main() {{
            {declares}
            println!(\"cargo::rustc-env=N={{}}\", std::fs::read_dir(\"assets\").unwrap().count());
        }}"
    );
    move |p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("build.rs", &script)
            .file(
                "src/main.rs",
                "fn main() { println!(\"{}\", env!(\"N\")); }",
            )
            .file("assets/a.txt", "1")
    }
}

const ASSETS: &str = "println!(\"cargo::rerun-if-changed=assets\");";
const NOTHING: &str = "";

/// Builds with a limit of time: nobody may wait for what never comes.
fn builds_in_time(c: &Checkout) {
    let (code, errors) = run_within(Duration::from_secs(120), c.cargo("build"));
    assert_eq!(code, Some(0), "{errors}");
}

#[cargo_test]
fn a_name_that_is_not_text_is_a_name() {
    for declares in [ASSETS, NOTHING] {
        both(|mode| {
            let c = Checkout::new(mode, with_script(declares));
            let strange = c.path("assets").join(OsStr::from_bytes(b"not-\xff-text"));
            fs::write(strange, "1").unwrap();
            c.age();
            c.succeeds("the first build");
            assert_eq!(c.prints(), "2");
            c.edit("assets/b.txt", "1");
            c.succeeds("with another file");
            assert_eq!(c.prints(), "3");
        });
    }
}

#[cargo_test]
fn a_pipe_is_read_by_nobody() {
    for declares in [
        ASSETS,
        NOTHING,
        "println!(\"cargo::rerun-if-changed=assets/pipe\");",
    ] {
        both(|mode| {
            let c = Checkout::new(mode, with_script(declares));
            c.runs("mkfifo assets/pipe");
            builds_in_time(&c);
            builds_in_time(&c);
            assert_eq!(c.prints(), "2");
        });
    }
}

#[cargo_test]
fn a_socket_is_read_by_nobody() {
    both(|mode| {
        let c = Checkout::new(mode, with_script(ASSETS));
        // Its path would be too long from here.
        let place = std::env::temp_dir().join(format!("hooked-{}", std::process::id()));
        let _ = fs::remove_file(&place);
        let socket = std::os::unix::net::UnixListener::bind(&place).unwrap();
        let moved = fs::rename(&place, c.path("assets/socket"));
        if moved.is_err() {
            eprintln!("skipped: a socket cannot be moved here");
            fs::remove_file(place).unwrap();
            return;
        }
        builds_in_time(&c);
        builds_in_time(&c);
        assert_eq!(c.prints(), "2");
        drop(socket);
    });
}

#[cargo_test]
fn a_link_that_leads_in_a_circle_is_followed_by_nobody() {
    for declares in [ASSETS, NOTHING] {
        both(|mode| {
            let c = Checkout::new(mode, with_script(declares));
            symlink("../assets", c.path("assets/circle")).unwrap();
            symlink("nowhere", c.path("assets/nowhere")).unwrap();
            symlink("itself", c.path("assets/itself")).unwrap();
            let mut build = c.cargo("build");
            let (code, errors) = run_within(Duration::from_secs(120), {
                build.env("NOTHING", "");
                build
            });
            // Stock Cargo refuses to list a package with a circle in it.
            if declares == NOTHING && code != Some(0) {
                assert_eq!(mode, Mode::Mtime, "{errors}");
                return;
            }
            assert_eq!(code, Some(0), "{errors}");
            c.builds_nothing("the second build");
            assert_eq!(c.prints(), "4");
        });
    }
}

#[cargo_test]
fn a_declared_link_is_what_it_leads_to() {
    let turn = |c: &Checkout, to: &str| {
        c.remove("link");
        symlink(to, c.path("link")).unwrap();
        // Not by its own time either: neither mode looks at it for a link to a file.
        c.age();
    };
    let body = "println!(\"cargo::rerun-if-changed=link\");
        println!(\"cargo::rustc-env=L={}\", std::fs::read_to_string(\"link\").unwrap());";
    let files = move |p| {
        with_script(body)(p)
            .file(
                "src/main.rs",
                "fn main() { println!(\"{}\", env!(\"L\")); }",
            )
            .file("one.txt", "1")
            .file("two.txt", "2")
            .symlink("one.txt", "link")
    };
    scenario(files)
        .first(runs(&["foo custom-build", SCRIPT, "foo bin"]).printing("1"))
        .change("turn it", move |c| turn(c, "two.txt"))
        .mtime(fresh().printing("1"))
        .content(
            runs(&[SCRIPT, "foo bin"])
                .because("foo", "content of `link` changed")
                .printing("2"),
        )
        .change("turn it back", move |c| turn(c, "one.txt"))
        .mtime(fresh().printing("1"))
        .content(runs(&[SCRIPT, "foo bin"]).printing("1"))
        .change("lead it nowhere", move |c| {
            c.remove("link");
            symlink("nowhere", c.path("link")).unwrap();
        })
        .both(fails("No such file or directory"))
        .play();
}

#[cargo_test]
fn the_package_itself_may_be_declared() {
    // The build directory is in it, and is newer after each build.
    scenario(with_script("println!(\"cargo::rerun-if-changed=.\");"))
        .first(succeeds().printing("1").restless())
        .change("nothing", |_| {})
        .mtime(runs(&[SCRIPT, "foo bin"]).restless())
        .content(fresh())
        .change("edit a file", |c| c.edit_in_secret("assets/a.txt", "2"))
        .mtime(runs(&[SCRIPT, "foo bin"]).restless())
        .content(runs(&[SCRIPT, "foo bin"]).because("foo", "content of `assets/a.txt` changed"))
        .change("add a file", |c| c.edit("assets/b.txt", "2"))
        .mtime(runs(&[SCRIPT, "foo bin"]).printing("2").restless())
        .content(runs(&[SCRIPT, "foo bin"]).printing("2"))
        .play();
}

#[cargo_test]
fn ten_thousand_declared_files_are_watched() {
    scenario(with_script("println!(\"cargo::rerun-if-changed=many\");"))
        .before(|c| {
            for n in 0..100 {
                let folder = c.path(format!("many/{n}"));
                fs::create_dir_all(&folder).unwrap();
                for m in 0..100 {
                    fs::write(folder.join(format!("{m}.txt")), format!("{n} {m}")).unwrap();
                }
            }
            c.age();
        })
        .change("touch all of them", |c| {
            for file in c.all("many/*/*.txt") {
                super::set_time(&file, std::time::SystemTime::now());
            }
        })
        .mtime(runs(&[SCRIPT, "foo bin"]))
        .content(fresh())
        .change("edit one of them", |c| {
            c.edit_in_secret("many/47/11.txt", "11 47")
        })
        .mtime(fresh())
        .content(runs(&[SCRIPT, "foo bin"]).because("foo", "content of `many/47/11.txt` changed"))
        .change("remove one of them", |c| {
            c.remove("many/8/15.txt");
            c.age();
        })
        .mtime(fresh())
        .content(runs(&[SCRIPT, "foo bin"]).because("foo", "the list of files in `many` changed"))
        .play();
}
