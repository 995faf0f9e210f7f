//! Variables that a build script, and what it starts, may read without declaring them.

use std::collections::{BTreeMap, BTreeSet};

use memchr::memmem;

use super::Run;
use super::script::Script;
use crate::env::Environment;
use crate::env_use;
use crate::macros;
use crate::package;

/// Tools, and their arguments, that have variables: alone, for a platform (`CC_x86_64-…`), and with
/// `HOST_` or `TARGET_` in front. The `cc` and `cmake` crates make the names at run time.
const TOOLS: &[&str] = &[
    "AR",
    "ARFLAGS",
    "CC",
    "CFLAGS",
    "CPP",
    "CPPFLAGS",
    "CXX",
    "CXXFLAGS",
    "CXXSTDLIB",
    "LD",
    "LDFLAGS",
    "NASM",
    "NM",
    "OBJCOPY",
    "RANLIB",
    "RANLIBFLAGS",
    "STRIP",
    "WINDRES",
    "YASM",
];

/// Beginnings of names of variables that tools read.
const FAMILIES: &[&str] = &[
    "ANDROID_",
    "BINDGEN_",
    "CLANG",
    "CMAKE",
    "LIBCLANG",
    "LLVM_",
    "NIX_",
    "PKG_CONFIG",
    "PROTOC",
    "PYO3_",
    "PYTHON",
    "VCPKG",
];

/// Variables by which compilers find what they include.
const SEARCHED: &[&str] = &[
    "CPATH",
    "CPLUS_INCLUDE_PATH",
    "C_INCLUDE_PATH",
    "MAKE",
    "OBJC_INCLUDE_PATH",
];

/// Variables that say who builds: a script that names one writes it down.
const OF_USER: &[&str] = &["HOSTNAME", "LOGNAME", "USER"];

/// Returns whether a name is one that parts of many scripts hold by chance, or that hardly any result
/// depends on.
fn is_noise(name: &str) -> bool {
    matches!(name, "LANG" | "LANGUAGE" | "NAME") || name.starts_with("LC_")
}

/// Returns the variables, with their values without paths of this machine.
///
/// The language of messages and the time zone are not among them: nearly every pair of machines differs in
/// these, and hardly any result.
pub(super) fn undeclared(
    run: &Run,
    script: &Script,
    env: &Environment,
) -> BTreeMap<String, String> {
    let roots = &run.subject.roots;
    let mut out = {
        let program = &script.program;
        let mentions = |name: &str| macros::mentions(&program.text, name);
        macros::inherited_by(program.powers, mentions, env, roots)
    };
    out.retain(|name, _| !is_noise(name));
    for name in OF_USER {
        let value = env
            .inherited
            .get(*name)
            .filter(|_| script.mentions(&[name]));
        out.extend(value.map(|value| ((*name).to_owned(), roots.normalise(value))));
    }
    // Names that are too short or too common to be searched for in a program count if its source has them.
    let source = std::fs::read_to_string(&run.source).unwrap_or_default();
    for name in env_use::names(&source) {
        if !env.command.contains_key(&name)
            && let Some(value) = env.inherited.get(&name)
        {
            out.insert(name, roots.normalise(value));
        }
    }
    if script.program.powers.starts_programs {
        let names = own_names(run);
        let named = named_in_package(run, env);
        for (name, value) in env.inherited.iter() {
            let is_own = names.iter().any(|own| name.contains(own.as_str()));
            if !env.command.contains_key(name)
                && (is_of_a_tool(name) || is_own || named.contains(name))
            {
                out.insert(name.clone(), roots.normalise(value));
            }
        }
    }
    out
}

/// The largest file of a package that is searched for names of variables.
const MAX_SEARCHED: u64 = 1 << 20;

/// Returns the variables that a file of the package names which is no Rust: the script may start a program that
/// reads it.
fn named_in_package(run: &Run, env: &Environment) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    let Some(package) = run.subject.mutable_package().filter(|_| run.is_local) else {
        return named;
    };
    let counts = |name: &str| name.len() > 3 && !is_noise(name) && !macros::is_noise(name);
    let names = env.inherited.keys().filter(|name| counts(name));
    let names: Vec<&String> = names
        .filter(|name| !env.command.contains_key(*name))
        .collect();
    for path in package::walk(package, &run.subject.excluded) {
        let is_rust = path.extension().is_some_and(|it| it == "rs");
        let is_small = path.metadata().is_ok_and(|it| it.len() <= MAX_SEARCHED);
        if is_rust || !is_small {
            continue;
        }
        let content = std::fs::read(&path).unwrap_or_default();
        let found = names
            .iter()
            .filter(|it| memmem::find(&content, it.as_bytes()).is_some());
        named.extend(found.map(|name| (*name).clone()));
    }
    named
}

/// Returns whether a variable tells which tool is used, or how.
pub(super) fn is_of_a_tool(name: &str) -> bool {
    let plain = name.strip_prefix("HOST_").or(name.strip_prefix("TARGET_"));
    let is_tool = |tool: &&str| {
        let rest = plain.unwrap_or(name).strip_prefix(*tool);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', '-']))
    };
    TOOLS.iter().any(is_tool)
        || FAMILIES.iter().any(|family| name.starts_with(family))
        || SEARCHED.contains(&name)
}

/// Words by which variables belong to the library of the package: `OPENSSL` for `OPENSSL_DIR` and
/// `X86_64_UNKNOWN_LINUX_GNU_OPENSSL_DIR`.
fn own_names(run: &Run) -> Vec<String> {
    let package = run.subject.id.package.trim_end_matches("-sys");
    let links = run.links.as_deref();
    let names = links.into_iter().chain([package]);
    let names = names.map(|name| name.to_uppercase().replace(['-', '.'], "_"));
    names.filter(|name| name.len() >= 3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_told_by_name() {
        for name in [
            "CC",
            "CC_x86_64-unknown-linux-gnu",
            "CFLAGS_x86_64_unknown_linux_gnu",
            "HOST_CXX",
            "TARGET_AR",
            "CMAKE_TOOLCHAIN_FILE",
            "PKG_CONFIG_PATH",
            "CPATH",
        ] {
            assert!(is_of_a_tool(name), "{name}");
        }
        for name in ["CCACHE_DIR", "ARCH", "LDAP", "TERM", "HOME", "CI"] {
            assert!(!is_of_a_tool(name), "{name}");
        }
    }
}
