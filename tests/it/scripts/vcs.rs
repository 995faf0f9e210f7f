//! Version control: two checkouts of equal files differ in it, and a script that reads it says what is true
//! in its own.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_test_support::prelude::*;
use cargo_test_support::{Project, ProjectBuilder, execs, paths, process};

use super::{assert_builds, assert_builds_once, assert_said};
use crate::support::{SHIPPED, Text, checkouts, has, package, shipped_cache};

/// Says which commit is checked out, as Git does.
const ASKS_GIT: &str = r#"
    fn main() {
        let git = std::process::Command::new("git").args(["rev-parse", "HEAD"]).output();
        let commit = git.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned());
        println!("cargo::rustc-env=RESULT={}", commit.unwrap_or_default());
    }
"#;

/// Starts a program that could ask Git.
const STARTS_A_PROGRAM: &str = r#"
    fn main() {
        println!("cargo::rerun-if-changed=build.rs");
        let said = std::process::Command::new("sh").args(["-c", "echo 3"]).output().unwrap();
        println!("cargo::rustc-env=RESULT={}", String::from_utf8_lossy(&said.stdout).trim());
    }
"#;

/// A program that prints what its script says, and a library.
fn program(p: ProjectBuilder, script: &str) -> ProjectBuilder {
    p.file(
        "Cargo.toml",
        &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
    )
    .file("build.rs", script)
    .file(
        "src/main.rs",
        "fn main() { bar::nothing(); println!(\"{}\", env!(\"RESULT\")); }",
    )
    .file("bar/Cargo.toml", &package("bar", ""))
    .file("bar/src/lib.rs", "pub fn nothing() {}")
    .file(".gitignore", "target\nCargo.lock\n")
}

/// Runs Git with a fixed identity, and returns what it prints.
#[track_caller]
fn git(dir: &Path, line: &str) -> String {
    let mut git = process("git");
    git.cwd(dir).arg_line(line);
    for (name, value) in [
        ("GIT_AUTHOR_NAME", "A"),
        ("GIT_AUTHOR_EMAIL", "a@example.com"),
        ("GIT_AUTHOR_DATE", "2020-01-01T00:00:00Z"),
        ("GIT_COMMITTER_NAME", "A"),
        ("GIT_COMMITTER_EMAIL", "a@example.com"),
        ("GIT_COMMITTER_DATE", "2020-01-01T00:00:00Z"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ] {
        git.env(name, value);
    }
    let output = execs().with_process_builder(git).run().output();
    output.trim().to_owned()
}

/// Makes a repository of a checkout, and returns its commit: the same for the same files.
fn repository(p: &Project) -> String {
    git(&p.root(), "init --quiet --initial-branch main");
    git(&p.root(), "add .");
    commit(&p.root(), "first")
}

/// Commits, and returns the commit.
fn commit(dir: &Path, message: &str) -> String {
    git(dir, &format!("commit --quiet --allow-empty -m {message}"));
    git(dir, "rev-parse HEAD")
}

/// Makes a worktree of a repository, at the same commit.
fn worktree_of(p: &Project) -> Project {
    let place = paths::root().join("a/worktree");
    let worktree = ProjectBuilder::new(place.clone()).no_manifest().build();
    fs::remove_dir(&place).unwrap();
    git(&p.root(), "worktree add --quiet --detach ../a/worktree");
    worktree
}

/// Two repositories of the same files at the same commit, and this commit; nothing without Git.
fn repositories(script: &str) -> Option<(Project, Project, String)> {
    if !shipped_cache("") || !has("git") {
        return None;
    }
    let (one, two) = checkouts(|p| program(p, script));
    let first = repository(&one);
    assert_eq!(first, repository(&two), "the same commit");
    Some((one, two, first))
}

#[cargo_test]
fn a_script_that_asks_git_says_the_commit_of_its_checkout() {
    let Some((one, two, first)) = repositories(ASKS_GIT) else {
        return;
    };
    let said = assert_builds(&one, (0, 3, 1), &first);
    assert_said(&said, "Missed", "reads-vcs (");
    let said = assert_builds(&two, (3, 0, 1), &first);
    assert_said(&said, "Missed", "reads-vcs (");
    assert!(!said.contains("Unshared"), "{said}");

    // Another commit with the same files.
    let second = commit(&two.root(), "second");
    assert_ne!(first, second);
    two.build_dir().rm_rf();
    assert_builds(&two, (2, 1, 1), &second);
    one.build_dir().rm_rf();
    assert_builds(&one, (3, 0, 1), &first);
}

#[cargo_test]
fn what_a_script_declares_besides_does_not_matter() {
    let declares = "fn main() { println!(\"cargo::rerun-if-env-changed=OMIT_COMMIT\");";
    let script = ASKS_GIT.replace("fn main() {", declares);
    let Some((one, two, first)) = repositories(&script) else {
        return;
    };
    let second = commit(&two.root(), "second");
    assert_builds(&one, (0, 3, 1), &first);
    let said = assert_builds(&two, (2, 1, 1), &second);
    assert_said(&said, "Missed", "reads-vcs (");
}

#[cargo_test]
fn a_commit_that_touches_another_package_shows() {
    let Some((one, two, first)) = repositories(ASKS_GIT) else {
        return;
    };
    assert_builds(&one, (0, 3, 1), &first);
    two.change_file(
        "bar/notes.txt",
        "Nothing that a script of another package looks at.",
    );
    git(&two.root(), "add .");
    let second = commit(&two.root(), "second");
    assert_builds(&two, (2, 1, 1), &second);
}

#[cargo_test]
fn a_worktree_says_its_own_commit() {
    let Some((one, _, first)) = repositories(ASKS_GIT) else {
        return;
    };
    assert_builds(&one, (0, 3, 1), &first);
    let worktree = worktree_of(&one);
    let second = commit(&worktree.root(), "second");
    assert_ne!(first, second);
    let said = assert_builds(&worktree, (2, 1, 1), &second);
    assert_said(&said, "Missed", "reads-vcs (");
    assert_eq!(git(&one.root(), "rev-parse HEAD"), first);
}

#[cargo_test]
fn a_worktree_has_no_head_that_could_be_declared() {
    let declares = "fn main() { println!(\"cargo::rerun-if-changed=.git/HEAD\");";
    let script = ASKS_GIT.replace("fn main() {", declares);
    let Some((one, _, first)) = repositories(&script) else {
        return;
    };
    assert_builds(&one, (0, 3, 1), &first);
    let worktree = worktree_of(&one);
    let second = commit(&worktree.root(), "second");
    // A missing file makes Cargo run the script each time.
    assert_builds_once(&worktree, |_| {}, (2, 1, 1), &second);
    let third = commit(&worktree.root(), "third");
    assert_builds_once(&worktree, |_| {}, (0, 1, 1), &third);
}

#[cargo_test]
fn a_script_that_declares_head_runs_everywhere() {
    let script = r#"
        fn main() {
            println!("cargo::rerun-if-changed=.git/HEAD");
            let head = std::fs::read_to_string(".git/HEAD").unwrap();
            println!("cargo::rustc-env=RESULT={}", head.trim());
        }
    "#;
    let Some((one, two, first)) = repositories(script) else {
        return;
    };
    for p in [&one, &two] {
        git(&p.root(), "checkout --quiet --detach");
    }
    let second = commit(&two.root(), "second");
    let said = assert_builds(&one, (0, 3, 1), &first);
    assert_said(&said, "Missed", "reads-vcs (it mentions `.git`)");
    let said = assert_builds(&two, (2, 1, 1), &second);
    assert_said(&said, "Missed", "reads-vcs (it mentions `.git`)");
}

#[cargo_test]
fn a_script_that_declares_head_in_secret_is_not_kept() {
    // No text of the program has the name.
    let script = r#"
        fn main() {
            let folder: String = std::hint::black_box([46u8, 103, 105, 116]).map(char::from).iter().collect();
            println!("cargo::rerun-if-changed={folder}/HEAD");
            let head = std::fs::read_to_string(format!("{folder}/HEAD")).unwrap();
            println!("cargo::rustc-env=RESULT={}", head.trim());
        }
    "#;
    let Some((one, two, first)) = repositories(script) else {
        return;
    };
    for p in [&one, &two] {
        git(&p.root(), "checkout --quiet --detach");
    }
    let second = commit(&two.root(), "second");
    let said = assert_builds(&one, (0, 3, 1), &first);
    assert_said(&said, "Unshared", "reads-vcs (it declares `");
    assert_builds(&two, (2, 1, 1), &second);
}

#[cargo_test(ignore_windows = "there is no `sh`")]
fn a_script_that_starts_a_program_runs_once_for_each_commit() {
    let Some((one, two, _)) = repositories(STARTS_A_PROGRAM) else {
        return;
    };
    assert_builds(&one, (0, 3, 1), "3");
    assert_builds(&two, (4, 0, 0), "3");
    commit(&two.root(), "second");
    two.build_dir().rm_rf();
    let said = assert_builds(&two, (3, 0, 1), "3");
    assert_said(&said, "Missed", "");
    // The first commit's result is still there, and now that of the second is too.
    one.build_dir().rm_rf();
    assert_builds(&one, (4, 0, 0), "3");
    commit(&one.root(), "second");
    one.build_dir().rm_rf();
    assert_builds(&one, (4, 0, 0), "3");
}

#[cargo_test]
fn a_script_that_starts_nothing_does_not_mind_commits() {
    let script = r#"
        fn main() { println!("cargo::rustc-env=RESULT=3"); }
    "#;
    let Some((one, two, _)) = repositories(script) else {
        return;
    };
    commit(&two.root(), "second");
    assert_builds(&one, (0, 3, 1), "3");
    assert_builds(&two, (4, 0, 0), "3");
}

/// A folder that lies in no repository, and is removed in the end. The tests' own lies in one.
struct Outside(PathBuf);

impl Outside {
    /// Makes one; nothing if the folder for temporary files lies in a repository.
    fn new(name: &str) -> Option<Outside> {
        let dir = std::env::temp_dir().canonicalize().unwrap();
        if dir.ancestors().any(|dir| dir.join(".git").exists()) {
            eprintln!("skipped: `{}` is in a repository", dir.display());
            return None;
        }
        let dir = dir.join(format!("hooked-tests-{}-{name}", std::process::id()));
        fs::create_dir_all(dir.join(".cargo")).unwrap();
        fs::write(
            dir.join(".cargo/config.toml"),
            format!("[hooks]\n{SHIPPED}"),
        )
        .unwrap();
        Some(Outside(dir))
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cargo_test]
fn without_a_repository_nothing_is_read() {
    if !shipped_cache("") || !has("git") {
        return;
    }
    let Some(outside) = Outside::new("vcs") else {
        return;
    };
    let at = |place: &str| program(ProjectBuilder::new(outside.0.join(place)), ASKS_GIT).build();
    let (one, two) = (at("one"), at("a/deeper/two"));
    assert_builds(&one, (0, 3, 1), "");
    assert_builds(&two, (4, 0, 0), "");
    // From now on there is something to ask for.
    let first = repository(&two);
    two.build_dir().rm_rf();
    assert_builds_once(&two, |_| {}, (2, 1, 1), &first);
}
