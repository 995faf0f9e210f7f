//! Who is measured: a Cargo with or without a cache, how it is run, and where it works.
//!
//! ```text
//! FOLDER/first                          its checkouts, each with its `target`
//! FOLDER/another/place/for/the-second
//! FOLDER/next/commit
//! FOLDER/finished                       upstream's build directory, while links to it are measured
//! FOLDER/cache                          what it keeps
//! FOLDER/settings                       where it looks for its configuration, and finds none
//! ```
//!
//! Invariant: no two contenders have a folder in common, and nobody's settings have a say.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::bench::programs::Programs;
use crate::bench::share::Site;
use crate::bench::share::peers::{Peer, Setting};
use crate::bench::share::phase::Phase;
use crate::bench::share::server::Server;
use crate::differential::contender::disturbs;

/// The hook of the fork.
const HOOK: &str = "cargo:local-cache";

/// What a contender keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing but its build directories.
    Plain,
    /// A cache.
    Cache,
    /// A cache that is not ours, nor to be trusted with the benchmark.
    Rival,
    /// Hard links to upstream's finished build directory.
    Floor,
}

/// A contender.
pub(crate) struct Contender {
    /// Its name in the table, and that of its folder.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) folder: PathBuf,
    /// What is run instead of Cargo, or Cargo.
    program: PathBuf,
    settings: Vec<Setting>,
    server: Option<Server>,
}

/// Where upstream's Cargo and the fork with its cache are in the list.
pub(crate) const STOCK: usize = 0;
pub(crate) const ON: usize = 3;

/// Returns the contenders for a workload whose folder is given; two are at [`STOCK`] and [`ON`].
pub(crate) fn contenders(
    programs: &Programs,
    peers: &[(&'static Peer, PathBuf)],
    folder: &Path,
) -> Result<Vec<Contender>> {
    let new = |name: &str, kind, program: &Path| Contender {
        name: name.to_string(),
        kind,
        folder: folder.join(name),
        program: program.to_path_buf(),
        settings: Vec::new(),
        server: None,
    };
    let mut floor = new("floor", Kind::Floor, &programs.stock);
    floor.folder = folder.join("stock");
    let mut found = vec![
        new("stock", Kind::Plain, &programs.stock),
        floor,
        new("off", Kind::Plain, &programs.fork),
        on(programs, &folder.join("on")),
    ];
    for (peer, program) in peers {
        let mut contender = new(peer.name, Kind::Rival, &programs.stock);
        contender.settings = peer.settings(program, &programs.stock, &contender.folder)?;
        if peer.is_cargo {
            contender.program = program.clone();
        }
        if let Some(service) = &peer.service {
            let server = Server::new(service, program, &contender.folder)?;
            contender.settings.extend(server.setting());
            contender.server = Some(server);
        }
        found.push(contender);
    }
    for (name, program) in &programs.others {
        anyhow::ensure!(
            found.iter().all(|it| it.name != *name),
            "there are two contenders with the name `{name}`"
        );
        found.push(new(name, Kind::Plain, program));
    }
    Ok(found)
}

/// Returns the fork with its cache.
pub(crate) fn on(programs: &Programs, folder: &Path) -> Contender {
    Contender {
        name: "on".to_string(),
        kind: Kind::Cache,
        folder: folder.to_path_buf(),
        program: programs.fork.clone(),
        settings: vec![
            ("CARGO_HOOKS_BEFORE_BUILD", HOOK.into()),
            ("CARGO_HOOKS_AFTER_BUILD", HOOK.into()),
            ("CARGO_LOCAL_CACHE_DIR", folder.join("cache").into()),
        ],
        server: None,
    }
}

impl Contender {
    /// The checkout in which a phase takes place.
    pub(crate) fn checkout(&self, phase: Phase) -> PathBuf {
        self.folder.join(match phase {
            Phase::WarmOther => "another/place/for/the-second",
            Phase::NextCommit => "next/commit",
            _ => "first",
        })
    }

    /// What it keeps.
    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    /// Where a finished build directory is put aside: outside of packages, which would have a new file.
    pub(crate) fn finished(&self) -> PathBuf {
        self.folder.join("finished")
    }

    /// The process that computes for it.
    pub(crate) fn server(&self) -> Option<u32> {
        self.server.as_ref().and_then(Server::id)
    }

    /// Forgets everything that was ever built, and gets ready.
    pub(crate) fn reset(&mut self, site: &Site) -> Result<()> {
        if self.kind == Kind::Floor {
            return Ok(());
        }
        self.stop()?;
        for folder in [self.cache(), self.folder.join("settings")] {
            remove(&folder)?;
            fs::create_dir_all(&folder)
                .with_context(|| format!("failed to create `{}`", folder.display()))?;
        }
        for file in ["sccache", "kache.toml"] {
            let file = self.folder.join("settings").join(file);
            fs::write(&file, "")
                .with_context(|| format!("failed to write `{}`", file.display()))?;
        }
        remove(&self.finished())?;
        for phase in [Phase::Cold, Phase::WarmOther, Phase::NextCommit] {
            remove(&self.checkout(phase).join("target"))?;
        }
        let environment = self.command(site);
        match &mut self.server {
            Some(server) => server.start(&environment),
            None => Ok(()),
        }
    }

    /// Ends what runs in the background.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.server.as_mut().map_or(Ok(()), Server::stop)
    }

    /// The build of a checkout, with messages for machines.
    pub(crate) fn build(&self, site: &Site, checkout: &Path) -> Command {
        let mut command = self.command(site);
        command
            .args(["build", "--workspace", "--frozen"])
            .arg("--message-format=json-render-diagnostics")
            .arg("--manifest-path")
            .arg(checkout.join("Cargo.toml"));
        // Cargo looks for configuration in every folder above the current one.
        command.current_dir(site.home.ancestors().last().unwrap_or(checkout));
        command
    }

    /// The program with what is set here, and with nothing that the user has set for builds.
    pub(crate) fn command(&self, site: &Site) -> Command {
        let mut command = Command::new(&self.program);
        clean(&mut command);
        command
            .env("CARGO_HOME", &site.home)
            .env("CARGO_TERM_COLOR", "never")
            // A member reads the state of the repository around it, which would be ours.
            .env("GIT_CEILING_DIRECTORIES", &site.folder)
            .env("RUSTC", &site.rustc)
            .envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Takes away what would steer a build, a cache or git.
pub(crate) fn clean(command: &mut Command) {
    let names = env::vars_os().map(|(name, _)| name);
    for name in names.filter(|it| it.to_str().is_some_and(steers)) {
        command.env_remove(name);
    }
}

fn steers(name: &str) -> bool {
    const OTHERS: [&str; 4] = ["GIT_", "KACHE_", "MBX_", "SCCACHE_"];
    disturbs(name) || OTHERS.iter().any(|it| name.starts_with(it))
}

/// Removes a folder if there is one.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).with_context(|| format!("failed to remove `{}`", folder.display()))
}

#[cfg(test)]
mod tests;
