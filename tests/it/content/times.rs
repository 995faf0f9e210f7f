//! Times that say nothing, and times that say the wrong thing.

use std::fs;

use cargo_test_support::prelude::*;

use super::{
    AFTER_PAST, BAR_2, BEFORE_PAST, Checkout, FUTURE, OWN_1, OWN_2, OWN_3, PAST, both, fresh,
    library_and_program, runs, scenario, set_times, succeeds, time,
};

#[cargo_test]
fn touched_files_are_as_good_as_before() {
    scenario(library_and_program)
        .change("touch every file", |c| c.touch_all())
        .mtime(
            runs(&["bar lib", "foo bin"])
                .because("bar", "the file `bar/src/lib.rs` has changed ([..]")
                .because("foo", "the dependency `bar` was rebuilt"),
        )
        .content(fresh().keeping(&["bar", "foo"]))
        .play();
}

#[cargo_test]
fn an_edited_file_is_compiled() {
    scenario(library_and_program)
        .change("edit the program", |c| c.edit("src/own.rs", OWN_2))
        .mtime(
            runs(&["foo bin"])
                .because("foo", "the file `src/own.rs` has changed ([..]")
                .printing("2 1"),
        )
        .content(
            runs(&["foo bin"])
                .because("foo", "content of `src/own.rs` changed")
                .keeping(&["bar"])
                .printing("2 1"),
        )
        .change("edit the library", |c| c.edit("bar/src/lib.rs", BAR_2))
        .mtime(runs(&["bar lib", "foo bin"]).printing("2 2"))
        .content(
            runs(&["bar lib", "foo bin"])
                .because("bar", "content of `bar/src/lib.rs` changed")
                .because("foo", "the dependency `bar` was rebuilt")
                .printing("2 2"),
        )
        .play();
}

#[cargo_test]
fn an_edit_that_is_undone_was_none() {
    scenario(library_and_program)
        .change("edit and undo", |c| {
            c.edit("src/own.rs", OWN_2);
            c.edit("src/own.rs", OWN_1);
        })
        .mtime(runs(&["foo bin"]).printing("1 1"))
        .content(fresh().printing("1 1"))
        .change("edit", |c| c.edit("src/own.rs", OWN_2))
        .both(runs(&["foo bin"]).printing("2 1"))
        .change("undo", |c| c.edit("src/own.rs", OWN_1))
        .both(runs(&["foo bin"]).printing("1 1"))
        .play();
}

#[cargo_test]
fn another_file_of_the_past_is_noticed() {
    scenario(library_and_program)
        .change("move a file in that is older than the build", |c| {
            c.bring_in("src/own.rs", OWN_2, AFTER_PAST);
        })
        .mtime(fresh().printing("1 1"))
        .content(
            runs(&["foo bin"])
                .because("foo", "content of `src/own.rs` changed")
                .printing("2 1"),
        )
        .change("move a file in that is older than the last", |c| {
            c.bring_in("src/own.rs", OWN_3, BEFORE_PAST);
        })
        .mtime(fresh().printing("1 1"))
        .content(runs(&["foo bin"]).printing("3 1"))
        .change("copy another over it, with its time", |c| {
            c.edit_at("src/own.rs", OWN_2, AFTER_PAST);
        })
        .mtime(fresh().printing("1 1"))
        .content(runs(&["foo bin"]).printing("2 1"))
        .change("bring the first file back", |c| {
            c.bring_in("src/own.rs", OWN_1, PAST);
        })
        .mtime(fresh().printing("1 1"))
        .content(runs(&["foo bin"]).printing("1 1"))
        .play();
}

#[cargo_test]
fn another_folder_of_the_past_is_noticed() {
    scenario(|p| {
        library_and_program(p)
            .file("other/main.rs", MAIN)
            .file("other/own.rs", OWN_2)
    })
    .change("swap two folders", |c| {
        c.rename("src", "away");
        c.rename("other", "src");
    })
    .mtime(fresh().printing("1 1"))
    .content(runs(&["foo bin"]).printing("2 1"))
    .play();
}

const MAIN: &str = "mod own;\nfn main() { println!(\"{} {}\", own::N, bar::n()); }";

#[cargo_test]
fn an_edit_that_keeps_size_and_time_is_noticed() {
    scenario(library_and_program)
        .change("edit", |c| c.edit_in_secret("src/own.rs", OWN_2))
        .mtime(fresh().printing("1 1"))
        .content(
            runs(&["foo bin"])
                .because("foo", "content of `src/own.rs` changed")
                .printing("2 1"),
        )
        .change("undo", |c| c.edit_in_secret("src/own.rs", OWN_1))
        .mtime(fresh().printing("1 1"))
        .content(runs(&["foo bin"]).printing("1 1"))
        .change("edit the library", |c| {
            c.edit_in_secret("bar/src/lib.rs", BAR_2)
        })
        .mtime(fresh().printing("1 1"))
        .content(runs(&["bar lib", "foo bin"]).printing("1 2"))
        .play();
}

#[cargo_test]
fn an_edit_right_before_a_build_hides_no_edit_right_after_it() {
    scenario(library_and_program)
        .change("edit, build, and edit", |c| {
            c.edit("src/own.rs", OWN_2);
            c.succeeds("the build between two edits");
            c.edit_in_secret("src/own.rs", OWN_3);
        })
        .mtime(fresh().printing("2 1"))
        .content(runs(&["foo bin"]).printing("3 1"))
        .change("touch, build, and edit", |c| {
            c.touch("src/own.rs");
            c.succeeds("the build between a touch and an edit");
            c.edit_in_secret("src/own.rs", OWN_1);
        })
        // It compiled because of the touch.
        .mtime(fresh().printing("3 1"))
        .content(runs(&["foo bin"]).printing("1 1"))
        .play();
}

#[cargo_test]
fn a_file_from_the_future_is_compiled_once() {
    scenario(library_and_program)
        .change("edit, and date it in the future", |c| {
            c.edit_at("src/own.rs", OWN_2, FUTURE);
        })
        .mtime(runs(&["foo bin"]).printing("2 1").restless())
        .content(runs(&["foo bin"]).printing("2 1"))
        .change("nothing", |_| {})
        .mtime(runs(&["foo bin"]).printing("2 1").restless())
        .content(fresh().printing("2 1"))
        .change("edit, and keep its time", |c| {
            c.edit_in_secret("src/own.rs", OWN_3);
        })
        .mtime(runs(&["foo bin"]).printing("3 1").restless())
        .content(runs(&["foo bin"]).printing("3 1"))
        .play();
}

#[cargo_test]
fn a_first_build_of_files_from_the_future_is_enough() {
    scenario(library_and_program)
        .before(|c| set_times(&c.path("src"), &|| time(FUTURE)))
        .first(runs(&["bar lib", "foo bin"]).printing("1 1").restless())
        .change("nothing", |_| {})
        .mtime(runs(&["foo bin"]).restless())
        .content(fresh())
        .play();
}

#[cargo_test]
fn a_clock_that_was_set_back_hides_nothing() {
    scenario(library_and_program)
        .change("set the clock back, and edit", |c| {
            // What was made before then is of the future now.
            set_times(&c.path("src"), &|| time(FUTURE - 3600));
            set_times(&c.path("target"), &|| time(FUTURE));
            c.edit("src/own.rs", OWN_2);
        })
        .mtime(fresh().printing("1 1"))
        .content(runs(&["foo bin"]).printing("2 1"))
        .play();
}

#[cargo_test]
fn files_that_were_just_written_are_built_once() {
    // So is what a build script has just generated.
    let files = |p| {
        library_and_program(p)
            .file(
                "src/main.rs",
                "include!(concat!(env!(\"OUT_DIR\"), \"/gen.rs\"));",
            )
            .file(
                "build.rs",
                r#"
                    fn main() {
                        println!("cargo::rerun-if-changed=n.txt");
                        let n = std::fs::read_to_string("n.txt").unwrap();
                        let out = std::env::var("OUT_DIR").unwrap();
                        let source = format!("fn main() {{ println!(\"{n} {{}}\", bar::n()); }}");
                        std::fs::write(out + "/gen.rs", source).unwrap();
                    }
                "#,
            )
            .file("n.txt", "1")
    };
    let all = [
        "bar lib",
        "foo custom-build",
        "foo run-custom-build",
        "foo bin",
    ];
    both(|mode| {
        let c = Checkout::new(mode, files);
        for _ in 0..8 {
            c.remove("target");
            c.clone_anew();
            c.builds("just written", runs(&all).printing("1 1"));
        }
        for n in 0..8 {
            let text = n.to_string();
            c.edit("n.txt", &text);
            let units = ["foo run-custom-build", "foo bin"];
            c.builds("just edited", runs(&units).printing(&format!("{text} 1")));
        }
    });
}

#[cargo_test]
fn another_branch_and_back_is_where_it_was() {
    if !super::has("git") {
        return;
    }
    scenario(|p| library_and_program(p).file(".gitignore", "target\n"))
        .before(|c| {
            for line in [
                "init -q",
                "config user.name me",
                "config user.email me@example.org",
            ] {
                c.runs(&format!("git {line}"));
            }
            c.runs("git add .");
            c.runs("git commit -q -m one");
            c.runs("git checkout -q -b other");
            c.edit("src/own.rs", OWN_2);
            c.edit("bar/src/lib.rs", BAR_2);
            c.runs("git commit -q -a -m two");
            c.runs("git checkout -q -");
            c.age();
        })
        .change("check the other branch out, and this one", |c| {
            c.runs("git checkout -q other");
            c.runs("git checkout -q -");
        })
        .mtime(runs(&["bar lib", "foo bin"]).printing("1 1"))
        .content(fresh().printing("1 1"))
        .change("check the other branch out", |c| {
            c.runs("git checkout -q other")
        })
        .both(runs(&["bar lib", "foo bin"]).printing("2 2"))
        .change("check this one out, built elsewhere", |c| {
            c.runs("git checkout -q -");
            set_times(&c.path("src"), &|| time(AFTER_PAST));
            set_times(&c.path("bar"), &|| time(AFTER_PAST));
        })
        .mtime(fresh().printing("2 2"))
        .content(runs(&["bar lib", "foo bin"]).printing("1 1"))
        .play();
}

#[cargo_test]
fn a_new_clone_with_a_restored_target_directory_is_fresh() {
    scenario(library_and_program)
        .change("clone anew, and restore `target`", |c| {
            c.rename("target", "../cache");
            c.clone_anew();
            c.runs("cp -a ../cache target");
        })
        .mtime(runs(&["bar lib", "foo bin"]))
        .content(fresh())
        .change("clone anew with another commit", |c| {
            c.rename("target", "../other-cache");
            c.edit("src/own.rs", OWN_2);
            c.clone_anew();
            c.age();
            c.runs("cp -a ../other-cache target");
        })
        .mtime(fresh().printing("1 1"))
        .content(runs(&["foo bin"]).printing("2 1"))
        .play();
}

#[cargo_test]
fn a_target_directory_may_be_restored_without_its_times() {
    // `cp -r` and `tar -m` leave everything with the time of the copy.
    scenario(library_and_program)
        .change("clone anew, and copy `target`", |c| {
            c.rename("target", "../cache");
            c.clone_anew();
            c.runs("cp -r ../cache target");
        })
        // The copy is newer than the sources, and not in the order in which it was built.
        .mtime(succeeds().printing("1 1"))
        .content(fresh().printing("1 1"))
        .change("clone another commit, and copy `target`", |c| {
            c.rename("target", "../other-cache");
            c.edit("src/own.rs", OWN_2);
            c.clone_anew();
            c.runs("cp -r ../other-cache target");
            set_times(&c.path("target"), &|| time(FUTURE));
        })
        .mtime(fresh().printing("1 1"))
        .content(runs(&["foo bin"]).printing("2 1"))
        .play();
}

#[cargo_test]
fn modes_owners_and_links_of_a_source_are_not_its_content() {
    scenario(library_and_program)
        .change("change modes", |c| c.runs("chmod -R go-rwx src bar"))
        .both(fresh())
        .change("link a source", |c| {
            fs::hard_link(c.path("src/own.rs"), c.path("link.rs")).unwrap();
        })
        .both(fresh())
        .change("write the same in place", |c| {
            c.edit_at("src/own.rs", OWN_1, PAST)
        })
        .both(fresh())
        .play();
}

#[cargo_test]
fn sources_may_be_read_only() {
    scenario(|p| library_and_program(p).file("bar/build.rs", "fn main() {}"))
        .before(|c| c.runs("chmod -R a-w src bar Cargo.toml Cargo.lock"))
        .change("touch every file", |c| {
            c.touch_all();
        })
        .mtime(runs(&[
            "bar custom-build",
            "bar run-custom-build",
            "bar lib",
            "foo bin",
        ]))
        .content(fresh())
        .change("edit", |c| {
            c.runs("chmod u+w src/own.rs");
            c.edit("src/own.rs", OWN_2);
            c.runs("chmod a-w src/own.rs");
        })
        .both(runs(&["foo bin"]).printing("2 1"))
        .play();
}
