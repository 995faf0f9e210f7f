//! The real workloads: published applications with libraries of theirs, as members of one workspace.
//!
//! ```text
//! small           ripgrep's own workspace: the program at the root, its libraries in crates/
//! medium, large   apps/NAME, crates/NAME: programs of many authors, and libraries that several of them use
//! ```
//!
//! Libraries that are members replace those of the registry. Members have no development dependencies: nothing here
//! builds tests, and their versions are in no lock file.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::bench::share::edit::Edit;
use crate::bench::share::seed::Seed;
use crate::fetch;
use crate::lock::LOCK;
use crate::pin::Pin;
use crate::process;
use crate::repo::Repo;
use crate::tree::{self, Tree};

/// Which workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Workload {
    /// Its name.
    pub(crate) name: &'static str,
    /// The application at the root of the workspace, if there is one.
    root: Option<Published>,
    apps: &'static [Published],
    /// Further applications whose lock files have a say.
    seeds: &'static [Published],
    libraries: &'static [&'static str],
    /// In a member on which nothing depends.
    pub(crate) leaf: Edit,
    /// In a member on which others depend.
    pub(crate) middle: Edit,
}

/// A published application, by name, version and SHA-256.
type Published = (&'static str, &'static str, &'static str);

const RIPGREP: Published = (
    "ripgrep",
    "14.1.1",
    "f77b8032dc584527975f34aa5a897d0ef5a785573fda778771a614ff9da501d9",
);

/// The medium workload has the first three.
#[rustfmt::skip]
const APPS: &[Published] = &[
    ("bat", "0.25.0", "2ab792c2ad113a666f08856c88cdec0a62d732559b1f3982eedf0142571e669a"),
    ("fd-find", "10.3.0", "2fbf004b5bbdefab92e76237e2022c77842cdef5d3213fe09fd804e0474785db"),
    ("hexyl", "0.16.0", "43d56dd04872b6c6d429f18d2e03df95f853feb618c7cd8bf22d0e6851ce5ef8"),
    ("hyperfine", "1.19.0", "1b9ed60550a9126c3f4ab05528d8b89bd130c4fa2735f0b902c5271a4e44f51e"),
    ("just", "1.43.0", "d1b416428b34ea9c87701a1c22b820dbee801491e4b2ec88ad95c26ff115348d"),
    ("sd", "1.0.0", "70613c41881ca1e5b69e6bb110f2ac499739c03a151b00e41e16090974b826a8"),
    ("tokei", "14.0.0", "e4de7875c0c312f30e090edb0da5df9f6586033132d36d94c8f9133e82826797"),
];

const LIBRARIES: &[&str] = &["bstr", "console", "globset", "ignore"];

const GLOBSET: Edit = Edit {
    path: "crates/globset/src/lib.rs",
    function: "pub fn escape(s: &str) -> String {",
};

const FD: Edit = Edit {
    path: "apps/fd-find/src/main.rs",
    function: "\nfn main() {",
};

/// About 50 units.
pub(crate) const SMALL: Workload = Workload {
    name: "small",
    root: Some(RIPGREP),
    apps: &[],
    seeds: &[],
    libraries: &[
        "globset",
        "grep",
        "grep-cli",
        "grep-matcher",
        "grep-printer",
        "grep-regex",
        "grep-searcher",
        "ignore",
    ],
    leaf: Edit {
        path: "crates/core/main.rs",
        function: "\nfn main() -> ExitCode {",
    },
    middle: GLOBSET,
};

/// About 200 units.
pub(crate) const MEDIUM: Workload = Workload {
    name: "medium",
    root: None,
    apps: APPS.split_at(3).0,
    seeds: APPS.split_at(3).1,
    libraries: LIBRARIES,
    leaf: FD,
    middle: GLOBSET,
};

/// About 400 units.
pub(crate) const LARGE: Workload = Workload {
    name: "large",
    apps: APPS,
    seeds: &[],
    ..MEDIUM
};

impl Workload {
    /// Returns the files, with a lock file; what they need is downloaded with the command that `cargo` makes.
    pub(crate) fn prepare(
        &self,
        repo: &Repo,
        scratch: &Path,
        cargo: impl FnOnce() -> Command,
    ) -> Result<Tree> {
        let mut files = self.assemble(|pin| fetch::verified(repo, pin)?.unpack(pin))?;
        tree::sync(&files, scratch, &[])?;
        let mut cargo = cargo();
        cargo.args(["fetch", "--quiet", "--manifest-path"]);
        process::run(cargo.arg(scratch.join("Cargo.toml")))?;
        let lock = scratch.join(LOCK);
        let lock =
            fs::read(&lock).with_context(|| format!("failed to read `{}`", lock.display()))?;
        files.insert(LOCK.to_string(), lock);
        for edit in [&self.leaf, &self.middle] {
            edit.body(&files, 0)?;
        }
        Ok(files)
    }

    fn assemble(&self, unpack: impl Fn(&Pin) -> Result<Tree>) -> Result<Tree> {
        let published = |(name, version, sha256): &Published| {
            let pin = Pin::published(name, version, sha256);
            let files = unpack(&pin);
            files.with_context(|| format!("failed to obtain `{}`", pin.folder_name()))
        };
        let mut files = Tree::new();
        let mut seed = Seed::default();
        for app in self.seeds {
            seed.add(lock_of(&published(app)?)?)?;
        }
        let apps = self.apps.iter().map(|it| (format!("apps/{}/", it.0), it));
        let root = self.root.iter().map(|it| (String::new(), it));
        for (place, app) in root.chain(apps) {
            let app = published(app)?;
            seed.add(lock_of(&app)?)?;
            add(&mut files, &place, app)?;
        }
        for library in self.libraries {
            let pin = seed.pin(library)?;
            add(&mut files, &format!("crates/{library}/"), unpack(&pin)?)?;
        }
        let manifest = self.manifest(files.get("Cargo.toml"))?;
        files.insert("Cargo.toml".to_string(), manifest.into_bytes());
        files.insert(LOCK.to_string(), seed.text().into_bytes());
        Ok(files)
    }

    /// Returns the manifest of the workspace, which may be that of a package, too.
    fn manifest(&self, package: Option<&Vec<u8>>) -> Result<String> {
        let package = package.map(|it| std::str::from_utf8(it)).transpose()?;
        let apps = self.apps.iter().map(|(name, ..)| format!("apps/{name}"));
        let libraries = self.libraries.iter().map(|it| format!("crates/{it}"));
        let members: Vec<String> = apps.chain(libraries).collect();
        let mut text = package.unwrap_or_default().to_string();
        text += &format!("\n[workspace]\nresolver = \"2\"\nmembers = {members:?}\n");
        text += "\n[patch.crates-io]\n";
        for library in self.libraries {
            text += &format!("{library} = {{ path = \"crates/{library}\" }}\n");
        }
        Ok(text)
    }
}

fn lock_of(app: &Tree) -> Result<&Vec<u8>> {
    let lock = app.get(LOCK);
    lock.with_context(|| format!("an application was published without `{LOCK}`"))
}

/// Adds a package as a member.
fn add(files: &mut Tree, place: &str, package: Tree) -> Result<()> {
    for (path, bytes) in package {
        let bytes = match path.as_str() {
            LOCK => continue,
            "Cargo.toml" => member(&bytes)
                .with_context(|| format!("failed to parse `{place}Cargo.toml`"))?
                .into_bytes(),
            _ => bytes,
        };
        if files.insert(format!("{place}{path}"), bytes).is_some() {
            bail!("two packages have a file `{place}{path}`");
        }
    }
    Ok(())
}

/// Returns a manifest without what only a root may have, and without development dependencies.
fn member(manifest: &[u8]) -> Result<String> {
    const REMOVED: [&str; 2] = ["dev-dependencies", "profile"];
    let mut manifest: toml::Table = toml::from_slice(manifest)?;
    let targets = manifest.get_mut("target").and_then(|it| it.as_table_mut());
    for target in targets.into_iter().flat_map(|it| it.iter_mut()) {
        let target = target.1.as_table_mut().context("a target is a table")?;
        target.retain(|name, _| !REMOVED.contains(&name));
    }
    manifest.retain(|name, _| !REMOVED.contains(&name));
    Ok(toml::to_string(&manifest)?)
}

#[cfg(test)]
mod tests;
