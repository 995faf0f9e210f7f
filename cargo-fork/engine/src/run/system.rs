//! What the tools of a build script find on this machine: libraries, headers, programs.

use std::path::PathBuf;

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
    script.powers.starts_programs && (run.links.is_some() || script.mentions(LOOKING))
}

/// The lines of the ingredient `tools`: the programs that a script may start.
pub(super) fn tools(
    common: &Common,
    script: &Script,
    env: &Environment,
) -> Result<Vec<String>, Reason> {
    let mut lines = common.tools.mentioned(&script.text);
    // A variable says which one: `CC="ccache clang"`, `PROTOC=/opt/protoc`.
    let named = env.inherited.iter().filter(|(name, _)| is_of_a_tool(name));
    for (name, value) in named {
        for word in value.split_whitespace() {
            if let Ok(digest) = common.tools.program(word.as_ref()) {
                lines.push(format!("{name} {digest}"));
            }
        }
    }
    if script.mentions(&["CFLAGS"]) {
        for compiler in ["cc", "c++"] {
            let digest = common.tools.c_compiler(compiler);
            let digest = digest.map(|it| it.to_string()).unwrap_or_default();
            lines.push(format!("{compiler} {digest}"));
        }
    }
    Ok(lines)
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
