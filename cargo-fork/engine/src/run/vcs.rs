//! Version control: whether a build script may read it, and which commit is checked out.

use std::path::{Path, PathBuf};

use memchr::memmem;

use crate::Reason;
use crate::env::Environment;
use crate::pieces;
use crate::program::Powers;
use crate::unit::Subject;

/// Crates by which build scripts read version control.
const CRATES: &[&str] = &[
    "built",
    "git-version",
    "git2",
    "rustc_tools_util",
    "shadow-rs",
];

/// Beginnings of the names of such crates.
const CRATE_FAMILIES: &[&str] = &["gix", "vergen"];

/// Returns whether build scripts read version control by the crate `name`.
pub fn is_vcs_crate(name: &str) -> bool {
    CRATES.contains(&name) || CRATE_FAMILIES.iter().any(|family| name.starts_with(family))
}

/// What only programs that read version control mention.
const WORDS: &[&str] = &["rev-parse", "--dirty", "GIT_DIR"];

/// Words in which `.git` is something else.
const NOT_A_FOLDER: &[&str] = &["attributes", "hub", "ignore", "keep", "lab", "modules"];

/// Words that have nothing to do with it, and where in them `git` is. The texts of a program lie in it
/// without anything between them, so that only whole words tell.
const NOT_GIT: &[(&str, usize)] = &[
    ("/cargo/git/", 7),
    ("agitat", 1),
    ("digit", 2),
    ("gitattributes", 0),
    ("github", 0),
    ("gitignore", 0),
    ("gitkeep", 0),
    ("gitlab", 0),
    ("gitmodules", 0),
    ("legitim", 2),
];

/// Returns what in the texts of a script says that it may read version control.
pub(crate) fn mentioned(text: &[u8], powers: Powers) -> Option<String> {
    let word = WORDS.iter().find(|word| contains(text, word));
    if let Some(word) = word {
        return Some(format!("it mentions `{word}`"));
    }
    let follows = |at: usize, words: &[&str]| {
        let rest = text.get(at..).unwrap_or_default();
        words.iter().any(|word| rest.starts_with(word.as_bytes()))
    };
    let mut folders = memmem::find_iter(text, ".git");
    if folders.any(|at| !follows(at + 4, NOT_A_FOLDER)) {
        return Some("it mentions `.git`".to_owned());
    }
    let is_word = |at: usize| {
        let is_in = |(word, offset): &(&str, usize)| {
            let start = at.checked_sub(*offset);
            let found = start.and_then(|start| text.get(start..start + word.len()));
            found.is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
        };
        !NOT_GIT.iter().any(is_in)
    };
    if powers.starts_programs && memmem::find_iter(text, "git").any(is_word) {
        return Some("it may start `git`".to_owned());
    }
    None
}

fn contains(text: &[u8], word: &str) -> bool {
    memmem::find(text, word.as_bytes()).is_some()
}

/// Returns the commit that a program may learn of which is started for a package; nothing where there is no
/// repository. `words` say what else it may learn.
///
/// # Errors
///
/// [`Reason::ReadsVcs`] if it may learn more than the commit, or that cannot be told.
pub(crate) fn checked_out(
    subject: &Subject,
    env: &Environment,
    is_local: bool,
    words: Option<String>,
) -> Result<String, Reason> {
    let mut folders = vec![subject.source.root()];
    // What is not the user's lies in no checkout of the user's, and does not look for one.
    if is_local {
        folders.push(&subject.workspace);
    }
    let repository = repository(folders);
    if repository.is_none() && env.get("GIT_DIR").is_none() {
        return Ok(String::new());
    }
    match (words, repository) {
        (Some(why), _) => Err(Reason::ReadsVcs(why)),
        (None, Some(git)) if is_local => {
            let unknown = "programs that it starts may, and the commit is unknown";
            head(&git).ok_or_else(|| Reason::ReadsVcs(unknown.to_owned()))
        }
        _ => Ok(String::new()),
    }
}

/// Returns the branch, the commit and the tags of the repository that has a file; `None` if there is none, or
/// that cannot be told.
pub fn commit(file: &Path) -> Option<String> {
    let git = repository(file.parent())?;
    // An index of a later format shortens paths: then nobody knows.
    let path = file.strip_prefix(git.parent()?).ok()?.to_str()?;
    let index = git_folder(&git)?.join("index");
    let is_tracked = pieces::contain(&index, format!("{path}\0").as_bytes());
    is_tracked.unwrap_or(false).then(|| head(&git)).flatten()
}

/// Returns the repository in which one of the folders lies.
fn repository<'a>(folders: impl IntoIterator<Item = &'a Path>) -> Option<PathBuf> {
    let mut folders = folders.into_iter().flat_map(|folder| {
        let canonical = folder.canonicalize().ok();
        let ancestors = |path: &Path| path.ancestors().map(Path::to_path_buf).collect::<Vec<_>>();
        let mut all = ancestors(folder);
        all.extend(canonical.as_deref().map(ancestors).unwrap_or_default());
        all
    });
    let repository = folders.find(|folder| folder.join(".git").exists());
    repository.map(|folder| folder.join(".git"))
}

/// Returns the branch and the commit that are checked out in a repository, and the tags; `None` if that cannot
/// be told.
fn head(git: &Path) -> Option<String> {
    let read = |path: PathBuf| std::fs::read_to_string(path).ok();
    let folder = git_folder(git)?;
    let head = read(folder.join("HEAD"))?;
    let Some(name) = head.trim().strip_prefix("ref: ") else {
        return Some(head.trim().to_owned());
    };
    let common = match read(folder.join("commondir")) {
        Some(text) => folder.join(text.trim()),
        None => folder.clone(),
    };
    let loose = [&folder, &common]
        .into_iter()
        .find_map(|it| read(it.join(name)));
    let packed = || {
        let packed = read(common.join("packed-refs"))?;
        let mut lines = packed.lines().filter_map(|line| line.split_once(' '));
        lines
            .find(|(_, it)| *it == name)
            .map(|(commit, _)| commit.to_owned())
    };
    let commit = loose.map(|commit| commit.trim().to_owned()).or_else(packed);
    // In another format references are not to be read here.
    if commit.is_none() && common.join("reftable").exists() {
        return None;
    }
    let commit = commit.unwrap_or_else(|| "has no commit".to_owned());
    Some(format!("{name} {commit}{}", tags(&common)))
}

/// Returns the folder for which `.git` stands: in a worktree it is a file that names a folder of the main repository.
fn git_folder(git: &Path) -> Option<PathBuf> {
    match std::fs::read_to_string(git) {
        Ok(text) => Some(git.parent()?.join(text.trim().strip_prefix("gitdir: ")?)),
        Err(_) => Some(git.to_path_buf()),
    }
}

/// Returns the tags of a repository: `git describe` names a commit by them.
fn tags(common: &Path) -> String {
    let packed = std::fs::read_to_string(common.join("packed-refs")).unwrap_or_default();
    let packed = packed.lines().filter(|line| line.contains(" refs/tags/"));
    let mut tags: Vec<String> = packed.map(str::to_owned).collect();
    let folder = common.join("refs/tags");
    for entry in walkdir::WalkDir::new(&folder).into_iter().flatten() {
        if let Ok(commit) = std::fs::read_to_string(entry.path()) {
            let name = entry.path().strip_prefix(&folder).unwrap_or(entry.path());
            tags.push(format!("{} {}", commit.trim(), name.display()));
        }
    }
    tags.sort();
    tags.iter().map(|tag| format!("\n{tag}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const STARTS: Powers = Powers {
        reads_env: true,
        lists_env: false,
        reads_files: true,
        uses_network: false,
        starts_programs: true,
        asks_clock: false,
    };

    #[test]
    fn what_is_mentioned_tells() {
        let reads = |text: &str, powers| mentioned(text.as_bytes(), powers).is_some();
        for text in [
            "x.git/HEADy",
            "gitrev-parse",
            "describe--dirty",
            "..GIT_DIR",
            "src/.git",
        ] {
            assert!(reads(text, Powers::default()), "{text}");
        }
        for text in ["git", "failedgitlog", "a\0git\0status", "submodulegit"] {
            assert!(
                reads(text, STARTS) && !reads(text, Powers::default()),
                "{text}"
            );
        }
        for text in [
            "invalid digit found",
            "InvalidDigitPosOverflow",
            "https://www.github.com/x",
            "/cargo/git/checkouts/a",
            ".gitignore",
            "legitimate",
            "nothing",
        ] {
            assert!(!reads(text, STARTS), "{text}");
        }
    }

    #[test]
    fn a_commit_is_found_in_repositories_and_worktrees() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for (path, text) in [
            ("main/.git/HEAD", "ref: refs/heads/main\n"),
            (
                "main/.git/packed-refs",
                "# pack-refs\nabc refs/heads/main\ndef refs/heads/x\n",
            ),
            ("main/.git/worktrees/w/HEAD", "ref: refs/heads/x\n"),
            ("main/.git/worktrees/w/commondir", "../..\n"),
            ("main/src/lib.rs", ""),
            ("detached/.git/HEAD", "0123\n"),
            ("new/.git/HEAD", "ref: refs/heads/main\n"),
        ] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), text).unwrap();
        }
        let worktree = format!("gitdir: {}\n", root.join("main/.git/worktrees/w").display());
        fs::create_dir_all(root.join("w/src")).unwrap();
        fs::write(root.join("w/.git"), worktree).unwrap();
        let commit = |folder: &str| {
            let folder = root.join(folder);
            repository([folder.as_path()]).and_then(|git| head(&git))
        };
        assert_eq!(commit("main/src").as_deref(), Some("refs/heads/main abc"));
        assert_eq!(commit("w/src").as_deref(), Some("refs/heads/x def"));
        assert_eq!(commit("detached").as_deref(), Some("0123"));
        assert_eq!(
            commit("new").as_deref(),
            Some("refs/heads/main has no commit")
        );
        fs::write(root.join("main/.git/refs-heads"), "").unwrap();
        fs::create_dir_all(root.join("main/.git/refs/heads")).unwrap();
        fs::write(root.join("main/.git/refs/heads/main"), "fff\n").unwrap();
        assert_eq!(
            commit("main").as_deref(),
            Some("refs/heads/main fff"),
            "loose before packed"
        );
        fs::create_dir_all(root.join("main/.git/refs/tags")).unwrap();
        fs::write(root.join("main/.git/refs/tags/v1"), "abc\n").unwrap();
        assert_eq!(
            commit("main").as_deref(),
            Some("refs/heads/main fff\nabc v1")
        );
        fs::create_dir(root.join("new/.git/reftable")).unwrap();
        assert_eq!(commit("new"), None);
    }
}
