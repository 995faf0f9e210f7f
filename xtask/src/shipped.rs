//! What is shipped beside the fork's `cargo`: every hook in `examples/`, and the program that examines hooks.

use anyhow::Result;

use crate::repo::Repo;
use crate::tree;

/// The folder of the hooks; a package has the name of its folder.
const HOOKS: &str = "examples";

/// The package that examines hooks.
const CHECK: &str = "hook-check";

/// A hook that is also a subcommand of Cargo.
const WITH_COMMANDS: &str = "local-cache";

/// A program of this workspace that is shipped.
pub(crate) struct Shipped {
    /// Its package.
    pub(crate) package: String,
    /// The name of its target.
    pub(crate) program: String,
    /// The name under which `cargo:NAME` finds a hook.
    pub(crate) hook: Option<String>,
    /// The name under which `cargo NAME` finds it.
    pub(crate) subcommand: Option<String>,
}

impl Shipped {
    /// The file names of its copies.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.hook.iter().chain(&self.subcommand)
    }
}

/// Returns what is shipped, in the order of names.
pub(crate) fn all(repo: &Repo) -> Result<Vec<Shipped>> {
    let is_package = |folder: &str| repo.join(folder).join("Cargo.toml").exists();
    let mut shipped = Vec::new();
    for (name, _) in tree::list(&repo.join(HOOKS))? {
        if is_package(&format!("{HOOKS}/{name}")) {
            shipped.push(Shipped {
                program: name.clone(),
                hook: Some(format!("cargo-hook-{name}")),
                subcommand: (name == WITH_COMMANDS).then(|| format!("cargo-{name}")),
                package: name,
            });
        }
    }
    if is_package(CHECK) {
        let program = format!("cargo-{CHECK}");
        shipped.push(Shipped {
            package: CHECK.to_string(),
            program: program.clone(),
            hook: None,
            subcommand: Some(program),
        });
    }
    Ok(shipped)
}
