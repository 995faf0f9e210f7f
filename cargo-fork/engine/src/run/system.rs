//! What the tools of a build script find on this machine: libraries, headers, programs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use memchr::memmem;

use super::Run;
use super::script::Script;
use super::variables::is_of_a_tool;
use crate::Reason;
use crate::env::Environment;
use crate::key::Common;

/// What scripts mention that look for installed libraries, or compile C.
const LOOKING: &[&str] = &[
    "CFLAGS",
    "libclang",
    "llvm-config",
    "pkg-config",
    "pkg_config",
    "/usr/include",
    "/usr/local",
    "vcpkg",
];

/// Files that change when a package is installed, or when a library is found elsewhere.
const INSTALLED: &[&str] = &[
    "/etc/ld.so.cache",
    "/etc/os-release",
    "/lib/apk/db/installed",
    "/usr/lib/sysimage/rpm/rpmdb.sqlite",
    "/var/lib/dpkg/status",
    "/var/lib/pacman/local/ALPM_DB_VERSION",
    "/var/lib/rpm/rpmdb.sqlite",
];

/// Folders in which `pkg-config` looks besides those of packages.
const PKG_CONFIG: &[&str] = &["/usr/local/lib/pkgconfig", "/usr/local/share/pkgconfig"];

/// Returns whether a script may look for installed libraries.
pub(super) fn looks_for_libraries(run: &Run, script: &Script) -> bool {
    let can_look = script.program.powers.starts_programs || script.program.powers.reads_files;
    can_look && (run.links.is_some() || script.mentions(LOOKING))
}

/// Tools whose names are too short to be searched for: whoever compiles may start them.
const SHORT: &[&str] = &["ar", "as", "go", "ld", "nm", "sh"];

/// The lines of the ingredient `tools`: the programs that a script may start.
///
/// # Errors
///
/// A [`Reason`] if it is not known where they are looked for.
pub(super) fn tools(
    common: &Common,
    run: &Run,
    script: &Script,
    env: &Environment,
) -> Result<Vec<String>, Reason> {
    if env.command.contains_key("PATH") {
        let what = "`PATH` is set in the configuration";
        return Err(Reason::UnknownArgument(what.to_owned()));
    }
    let library = common.scripts.library(common);
    let text = &script.program.text;
    let mut lines = common.tools.mentioned(text, &library.words);
    // A variable says which one: `CC="ccache clang"`, `PROTOC=/opt/protoc`.
    for (name, value) in env.seen().filter(|(name, _)| is_of_a_tool(name)) {
        for word in value.split_whitespace() {
            if let Ok(digest) = common.tools.program(word.as_ref()) {
                lines.push(format!("{name} {digest}"));
            }
        }
    }
    if looks_for_libraries(run, script) {
        for name in SHORT {
            let digest = common.tools.program(name.as_ref());
            lines.push(format!("{name} {digest:?}"));
        }
        for compiler in ["cc", "c++"] {
            let digest = common.tools.c_compiler(compiler);
            lines.push(format!("{compiler} {digest:?}"));
        }
    }
    Ok(lines)
}

/// The lines of the ingredient `places`: what lies on this machine at absolute paths that the script knows.
/// Where a text ends is not known, so that of each the innermost folder that exists counts.
pub(super) fn places(common: &Common, run: &Run, script: &Script) -> Vec<String> {
    let of_library = &common.scripts.library(common).places;
    let is_root = |path: &Path| {
        run.subject
            .roots
            .iter()
            .any(|(root, _)| path.starts_with(root))
    };
    let mut lines = Vec::new();
    for path in innermost(&script.program.text) {
        if of_library.contains(&path) || is_root(&path) {
            continue;
        }
        let content = match path.is_dir() {
            true => {
                let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
                let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
                names.sort();
                format!("{names:?}")
            }
            false => format!("{:?}", common.tools.file(&path).ok()),
        };
        lines.push(format!("{} {content}", path.display()));
    }
    lines
}

/// Returns, of every absolute path in a text, the innermost part that exists, if that says anything.
pub(super) fn innermost(text: &[u8]) -> BTreeSet<PathBuf> {
    let mut out = BTreeSet::new();
    for start in ["/etc/", "/opt/", "/srv/", "/usr/", "/var/"] {
        for at in memmem::find_iter(text, start) {
            let is_path = |byte: &&u8| byte.is_ascii_alphanumeric() || b"/._+-".contains(*byte);
            let path: Vec<u8> = text[at..].iter().take_while(is_path).copied().collect();
            let path = String::from_utf8_lossy(&path).into_owned();
            let mut parts = Path::new(&path).ancestors();
            let found = parts.find(|path| path.exists());
            out.extend(
                found
                    .filter(|it| it.components().count() > 2)
                    .map(Path::to_path_buf),
            );
        }
    }
    out
}

/// The lines of the ingredient `system`: what is installed.
pub(super) fn installed(common: &Common, env: &Environment) -> Vec<String> {
    let mut files: Vec<PathBuf> = INSTALLED.iter().map(PathBuf::from).collect();
    let mut folders: Vec<PathBuf> = PKG_CONFIG.iter().map(PathBuf::from).collect();
    for name in ["PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR"] {
        if let Some(value) = env.get(name) {
            folders.extend(std::env::split_paths(value));
        }
    }
    for folder in folders {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        found.retain(|path| path.extension().is_some_and(|it| it == "pc"));
        found.sort();
        files.extend(found);
    }
    let line = |path: &PathBuf| {
        let digest = common.tools.file(path).ok()?;
        Some(format!("{} {digest}", path.display()))
    };
    files.iter().filter_map(line).collect()
}
