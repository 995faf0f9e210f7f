//! Names for this machine's places that C compilers are told, as rustc is.
//!
//! A static library that a build script compiles with debug information names the folders of headers and
//! sources, and everything that it is linked into would be bound to them. So the `cc` crate is given
//! `-ffile-prefix-map`, by variables that only it and its relatives read: a `Makefile` or `configure`
//! that takes its own defaults only while `CFLAGS` is not set sees no difference.

use super::Run;
use super::script::Script;
use crate::Session;
use crate::env::Environment;

/// The beginning of the flags.
pub(super) const FLAG: &str = "-ffile-prefix-map=";

impl Session {
    /// Returns the variables to be set for a script so that C compilers leave the paths of this machine
    /// out of what they make. None if the user gives flags, or if the compiler does not know how.
    pub fn compiler_flags(&self, run: &Run, env: &Environment) -> Vec<(String, String)> {
        let common = &self.common;
        let id = &run.subject.id;
        let gives_flags = |name: &str| name.contains("CFLAGS") || name.contains("CXXFLAGS");
        let is_native = id.platform == "host" || id.platform == common.host;
        if !is_native || env.seen().any(|(name, _)| gives_flags(name)) {
            return Vec::new();
        }
        let _place = self.enter();
        let compiles =
            || Script::read(common, &run.script).is_ok_and(|it| it.mentions(&["CFLAGS"]));
        let Some(flags) = flags(&run.renamed).filter(|_| compiles()) else {
            return Vec::new();
        };
        let triple = common.host.replace('-', "_");
        let mut out = Vec::new();
        for (tool, default, variable) in [("CC", "cc", "CFLAGS"), ("CXX", "c++", "CXXFLAGS")] {
            let program = compiler(env, tool, &common.host).unwrap_or(default);
            if common.tools.accepts(program, &format!("{FLAG}/nowhere=.")) {
                out.push((format!("{variable}_{triple}"), flags.clone()));
            }
        }
        out
    }
}

/// The compiler that the user names. The first word may be a wrapper; then it is asked.
fn compiler<'a>(env: &'a Environment, tool: &str, triple: &str) -> Option<&'a str> {
    let names = [
        format!("{tool}_{triple}"),
        format!("{tool}_{}", triple.replace('-', "_")),
        format!("HOST_{tool}"),
        format!("TARGET_{tool}"),
        tool.to_owned(),
    ];
    let value = names.iter().find_map(|name| env.get(name))?;
    value.split_whitespace().next()
}

fn flags(renamed: &[(String, String)]) -> Option<String> {
    // The `cc` crate splits flags at spaces, and the compiler splits a map at the first `=`.
    let is_plain = |(path, _): &(String, String)| !path.contains([' ', '\t', '=']);
    if renamed.is_empty() || !renamed.iter().all(is_plain) {
        return None;
    }
    let flag = |(path, name): &(String, String)| format!("{FLAG}{path}={name}");
    Some(renamed.iter().map(flag).collect::<Vec<_>>().join(" "))
}
