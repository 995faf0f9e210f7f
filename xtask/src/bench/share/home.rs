//! Where everybody is measured: the folder, the compiler, and a home for Cargo.
//!
//! The home has the downloads of the user's, by a link, and of his configuration only where downloads come from.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::bench::share::contender::clean;
use crate::pin;
use crate::process;
use crate::repo;
use crate::tree;

/// What contenders share.
pub(crate) struct Site {
    /// The folder for all of it.
    pub(crate) folder: PathBuf,
    /// Cargo's home.
    pub(crate) home: PathBuf,
    /// The compiler itself.
    pub(crate) rustc: PathBuf,
}

/// What of the user's configuration says where downloads come from.
const KEPT: [&str; 4] = ["http", "net", "registries", "source"];

impl Site {
    /// Makes the home in a folder.
    pub(crate) fn new(folder: &Path, home: &Path) -> Result<Site> {
        let of_user = repo::cargo_home()?;
        let downloads = of_user.join("registry");
        for folder in [home, &downloads] {
            fs::create_dir_all(folder)
                .with_context(|| format!("failed to create `{}`", folder.display()))?;
        }
        link(&downloads, &home.join("registry"))?;
        let configuration = ["config.toml", "config"].map(|it| of_user.join(it));
        let configuration = configuration
            .iter()
            .find_map(|it| fs::read_to_string(it).ok());
        let configuration = downloads_only(&configuration.unwrap_or_default())?;
        tree::write_if_different(&home.join("config.toml"), configuration.as_bytes())?;
        Ok(Site {
            folder: folder.to_path_buf(),
            home: home.to_path_buf(),
            rustc: pin::real_rustc()?,
        })
    }

    /// Asks a program for its version.
    pub(crate) fn version(&self, program: &Path) -> Result<String> {
        let mut command = Command::new(program);
        clean(&mut command);
        command
            .env("CARGO_HOME", &self.home)
            .env("RUSTC", &self.rustc);
        let said = process::read(command.arg("--version"))?;
        Ok(said.lines().next().unwrap_or_default().trim().to_string())
    }
}

/// Returns a configuration that says where downloads come from, and nothing else.
fn downloads_only(configuration: &str) -> Result<String> {
    let mut table: toml::Table =
        toml::from_str(configuration).context("failed to parse the configuration of Cargo")?;
    let registries = table.get_mut("registries").and_then(|it| it.as_table_mut());
    for (_, registry) in registries.into_iter().flatten() {
        registry.as_table_mut().map(|it| it.remove("token"));
    }
    let kept = table
        .into_iter()
        .filter(|(name, _)| KEPT.contains(&name.as_str()));
    Ok(toml::to_string(&kept.collect::<toml::Table>())?)
}

fn link(to: &Path, place: &Path) -> Result<()> {
    if fs::read_link(place).is_ok_and(|it| it == to) {
        return Ok(());
    }
    let _ = fs::remove_file(place);
    std::os::unix::fs::symlink(to, place)
        .with_context(|| format!("failed to link `{}`", place.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_downloads_are_configured() {
        let text = "[build]\nrustc-wrapper = \"x\"\n[hooks]\nbefore-build = \"y\"\n\
            [source.crates-io]\nreplace-with = \"mirror\"\n[env]\nCC = \"z\"\n[registries.own]\nindex = \"i\"\ntoken = \"secret\"\n";
        let expected =
            "[registries.own]\nindex = \"i\"\n\n[source.crates-io]\nreplace-with = \"mirror\"\n";
        assert_eq!(downloads_only(text).unwrap(), expected);
        assert_eq!(downloads_only("").unwrap(), "");
        assert!(downloads_only("[").is_err());
    }

    #[test]
    fn a_link_is_made_anew_where_it_leads_elsewhere() {
        let temporary = tempfile::tempdir().unwrap();
        let place = temporary.path().join("link");
        for to in ["one", "one", "two"] {
            link(Path::new(to), &place).unwrap();
            assert_eq!(fs::read_link(&place).unwrap(), Path::new(to));
        }
    }
}
