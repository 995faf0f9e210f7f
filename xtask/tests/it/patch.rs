//! Commits become patches and patches become commits, without a byte of difference. These tests need git.

use crate::world::{UPSTREAM, World, files};

const TEXT: &str = "target/patch-edit/cargo-0.98.0/src/text.txt";

/// Makes two commits on top of upstream and saves them.
fn two_patches() -> World {
    let world = World::new();
    world.write("cargo-fork/overlay/hooks/mod.rs", "//! Overlay.\n");
    world.passes(&["patch", "edit"]);
    world.write(TEXT, "one\ntwo\nbetween\nthree\nFOUR\nfive\n");
    world.git(&[
        "commit",
        "-aqm",
        "text: add a line, change one\n\nWhy.\n\nUpstream-Status: Pending",
    ]);
    world.write(TEXT, "zero\none\ntwo\nbetween\nFOUR\nfive\n");
    world.git(&[
        "commit",
        "-aqm",
        "text: the second\n\nWhy.\n\nUpstream-Status: Pending",
    ]);
    world.passes(&["patch", "save"]);
    world
}

#[test]
fn save_writes_patches_without_context() {
    let world = two_patches();
    let names = "text-add-a-line-change-one.patch\ntext-the-second.patch\n";
    assert_eq!(world.read("cargo-fork/patches/series"), names);
    let first = world.read("cargo-fork/patches/text-add-a-line-change-one.patch");
    let (message, rest) = first.split_once("\n\n---\nsha256 ").unwrap();
    assert_eq!(
        message,
        "text: add a line, change one\n\nWhy.\n\nUpstream-Status: Pending"
    );
    let (_, diff) = rest.split_once(" src/text.txt\n\n").unwrap();
    let expected = "diff --git a/src/text.txt b/src/text.txt\n--- a/src/text.txt\n+++ b/src/text.txt\n\
                    @@ -2,0 +3 @@\n+between\n@@ -4 +5 @@\n-four\n+FOUR\n";
    assert_eq!(diff, expected);
}

#[test]
fn edit_then_save_gives_the_same_bytes_and_commits() {
    let world = two_patches();
    let patches = world.root().join("cargo-fork/patches");
    let saved = files(&patches);
    world.passes(&["patch", "edit"]);
    let commits = world.git(&["rev-list", "HEAD"]);
    world.passes(&["patch", "save"]);
    assert_eq!(files(&patches), saved);
    world.passes(&["patch", "edit"]);
    assert_eq!(world.git(&["rev-list", "HEAD"]), commits);
    assert_eq!(world.read(TEXT), "zero\none\ntwo\nbetween\nFOUR\nfive\n");
}

#[test]
fn the_overlay_and_the_lock_file_are_there_but_not_committed() {
    let world = two_patches();
    assert_eq!(
        world.read("target/patch-edit/cargo-0.98.0/src/hooks/mod.rs"),
        "//! Overlay.\n"
    );
    world.write("target/patch-edit/cargo-0.98.0/Cargo.lock", "changed");
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

#[test]
fn save_lays_a_new_overlay_and_loses_nothing() {
    let world = two_patches();
    let laid = "target/patch-edit/cargo-0.98.0/src";
    world.write("cargo-fork/overlay/new.rs", "//! New.\n");
    world.write("cargo-fork/overlay/copied/a.rs", "//! A.\n");
    world.write("cargo-fork/overlay/copied/b.rs", "//! B.\n");
    world.write(&format!("{laid}/copied/a.rs"), "//! A.\n");
    world.write("cargo-fork/overlay/edited.rs", "//! Old.\n");
    world.write(
        &format!("{laid}/edited.rs"),
        "//! Edited in the wrong place.\n",
    );
    let said = world.passes(&["patch", "save"]);
    assert!(
        said.contains("src/edited.rs` differs from the overlay, and is left alone"),
        "{said}"
    );
    assert_eq!(world.read(&format!("{laid}/new.rs")), "//! New.\n");
    assert_eq!(world.read(&format!("{laid}/copied/b.rs")), "//! B.\n");
    assert_eq!(
        world.read(&format!("{laid}/edited.rs")),
        "//! Edited in the wrong place.\n"
    );
    assert_eq!(world.git(&["status", "--porcelain"]), "?? src/edited.rs\n");
    world.fails(&["patch", "edit"], &["has uncommitted changes"]);
}

#[test]
fn edit_keeps_unsaved_work() {
    let world = two_patches();
    world.write(TEXT, "changed\n");
    world.fails(
        &["patch", "edit"],
        &[
            "has uncommitted changes",
            "`cargo xtask patch edit --force`",
        ],
    );
    world.git(&["commit", "-aqm", "text: third"]);
    world.fails(&["patch", "edit"], &["has commits that are not saved"]);
    world.passes(&["patch", "edit", "--force"]);
    assert!(!world.git(&["log", "--format=%s"]).contains("third"));
}

#[test]
fn save_waits_for_the_end_of_a_rebase() {
    let world = two_patches();
    world.write("target/patch-edit/cargo-0.98.0/.git/rebase-merge/onto", "");
    world.fails(
        &["patch", "save"],
        &["is in the middle of a rebase", "help: finish it first"],
    );
}

#[test]
fn save_drops_a_removed_commit() {
    let world = two_patches();
    world.git(&["reset", "-q", "--hard", "HEAD^"]);
    world.passes(&["patch", "save"]);
    assert_eq!(
        world.read("cargo-fork/patches/series"),
        "text-add-a-line-change-one.patch\n"
    );
    assert!(
        !world
            .root()
            .join("cargo-fork/patches/text-the-second.patch")
            .exists()
    );
}

#[test]
fn save_keeps_patches_that_changed_meanwhile() {
    let world = two_patches();
    world.write(
        "cargo-fork/patches/series",
        "text-add-a-line-change-one.patch\n",
    );
    world.fails(
        &["patch", "save"],
        &[
            "changed since `patch edit`",
            "`cargo xtask patch save --force`",
        ],
    );
    world.passes(&["patch", "save", "--force"]);
    assert!(
        world
            .read("cargo-fork/patches/series")
            .ends_with("text-the-second.patch\n")
    );
}

#[test]
fn a_patch_that_does_not_apply_is_redone_by_hand() {
    let world = two_patches();
    let file = "cargo-fork/patches/text-add-a-line-change-one.patch";
    world.write(file, &world.read(file).replace("-four\n", "-vier\n"));
    world.fails(
        &["patch", "edit"],
        &[
            "[skip] text-add-a-line-change-one.patch",
            "failed to apply 2 of 2 patches",
        ],
    );
    world.fails(
        &["patch", "save"],
        &["`text-add-a-line-change-one.patch` did not apply in `patch edit`"],
    );
    for text in ["one\ntwo\nthree\nfive\n", "two\nthree\nfive\n"] {
        world.write(TEXT, text);
        let subject = if text.starts_with("one") {
            "text: add a line, change one"
        } else {
            "text: the second"
        };
        world.git(&["commit", "-aqm", subject]);
    }
    world.passes(&["patch", "save"]);
    assert!(world.read(file).ends_with("@@ -4 +3,0 @@\n-four\n"));
}

#[test]
fn save_refuses_what_a_patch_may_not_do() {
    for (path, text, message, expected) in [
        (
            "src/new.rs",
            "new\n",
            "add: file",
            "a patch may only edit files that upstream has",
        ),
        (
            "src/text.txt",
            "one\n",
            "fixup! x: y",
            "it is meant for another commit",
        ),
        (
            "src/text.txt",
            "one",
            "no: newline",
            "a file without a newline at its end is not supported",
        ),
    ] {
        let world = World::new();
        world.passes(&["patch", "edit"]);
        world.write(&format!("target/patch-edit/cargo-0.98.0/{path}"), text);
        world.git(&["add", "-A"]);
        world.git(&["commit", "-qm", message]);
        world.fails(
            &["patch", "save"],
            &[&format!("failed to save commit `{message}`"), expected],
        );
    }
}

#[test]
fn save_needs_edit_first() {
    World::new().fails(
        &["patch", "save"],
        &[
            "is not a git repository",
            "help: run `cargo xtask patch edit` first",
        ],
    );
}

#[test]
fn show_and_export_have_context() {
    let world = two_patches();
    let shown = world.xtask(&["patch", "show"]);
    assert!(shown.success, "{}", shown.stderr);
    for text in [
        "text: add a line, change one\n\nWhy.",
        " one\n two\n+between\n three\n-four\n+FOUR\n five\n",
    ] {
        assert!(shown.stdout.contains(text), "{}", shown.stdout);
    }
    world.passes(&["patch", "export"]);
    let exported = world.read("target/patch-export/0002-text-the-second.patch");
    assert!(
        exported.contains("Subject: [PATCH 2/2] text: the second"),
        "{exported}"
    );
    assert!(
        exported.contains("+zero\n one\n two\n between\n-three\n FOUR\n"),
        "{exported}"
    );
}

#[test]
fn what_is_exported_applies_to_upstream() {
    let world = two_patches();
    world.passes(&["patch", "export"]);
    let folder = tempfile::tempdir().unwrap();
    let place = |path: &str| folder.path().join(path);
    for (path, text) in UPSTREAM {
        std::fs::create_dir_all(place(path).parent().unwrap()).unwrap();
        std::fs::write(place(path), text).unwrap();
    }
    let git = |arguments: &[&str]| {
        let name = ["-c", "user.name=x", "-c", "user.email=x@localhost"];
        let mut git = std::process::Command::new("git");
        git.current_dir(folder.path()).args(name).args(arguments);
        let output = git.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message=upstream"]);
    let mails = world.root().join("target/patch-export");
    for mail in [
        "0001-text-add-a-line-change-one.patch",
        "0002-text-the-second.patch",
    ] {
        git(&["am", "--quiet", mails.join(mail).to_str().unwrap()]);
    }
    let text = std::fs::read_to_string(place("src/text.txt")).unwrap();
    assert_eq!(text, "zero\none\ntwo\nbetween\nFOUR\nfive\n");
}

#[test]
fn what_is_exported_can_be_run() {
    let world = two_patches();
    world.write("Cargo.toml", "[workspace]\n");
    world.write("hook-protocol/hook.sh", "#!/bin/sh\n");
    world.write("hook-protocol/src/lib.rs", "#![allow(dead_code)]\n");
    world.write("hook-protocol/tests/rfc.rs", "\n");
    world.passes(&["patch", "export"]);
    let mails = world.root().join("target/patch-export");
    let first = std::fs::read_dir(mails)
        .unwrap()
        .map(|it| it.unwrap().path());
    let mail = std::fs::read_to_string(first.min().unwrap()).unwrap();
    for expected in [
        " create mode 100755 crates/hook-protocol/hook.sh\n",
        " create mode 100644 crates/hook-protocol/src/lib.rs\n",
    ] {
        assert!(mail.contains(expected), "{mail}");
    }
    assert!(!mail.contains("rfc.rs"), "{mail}");
}

#[test]
fn a_missing_git_is_named() {
    let world = World::new().environment("PATH", "");
    world.fails(
        &["patch", "edit"],
        &[
            "failed to start `git`",
            "help: install `git`, or put it on `PATH`",
        ],
    );
}
