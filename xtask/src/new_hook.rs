//! `cargo xtask new-hook FOLDER`: a hook to begin with, which builds, passes its test, and is of use.
//!
//! It is the example of the protocol's documentation, under another name, in a package of its own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::repo::Repo;

/// Options of `cargo xtask new-hook`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder to be made; the hook has its name.
    folder: PathBuf,
}

const EXAMPLE: &str = include_str!("../../hook-protocol/examples/folder.rs");
const TEST: &str = include_str!("new_hook/test.in");

/// Runs `cargo xtask new-hook`.
pub(crate) fn run(repo: &Repo, arguments: &Arguments) -> Result<()> {
    let folder = std::path::absolute(&arguments.folder).context("failed to find the folder")?;
    let name = folder.file_name().and_then(|it| it.to_str());
    let name = name.filter(|it| is_name(it)).with_context(|| {
        format!(
            "`{}` is not the name of a package: letters, digits and `-` are allowed",
            folder.display()
        )
    })?;
    if folder.exists() {
        bail!("`{}` is there already", folder.display());
    }
    for (file, text) in files(name, &repo.join("hook-protocol")) {
        let file = folder.join(file);
        let parent = file.parent().unwrap_or(&folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&file, text))
            .with_context(|| format!("failed to write `{}`", file.display()))?;
    }
    let shown = folder.display();
    eprintln!("[new] {shown}");
    println!(
        "Build and test it:\n\n    cd {shown}\n    cargo test && cargo build --release\n\n\
         See whether it keeps to the protocol:\n\n    cargo hook-check -- {shown}/target/release/{name}\n\n\
         Have builds speak with it, in `.cargo/config.toml` of a project:\n\n    [hooks]\n    \
         before-build = [\"{shown}/target/release/{name}\"]\n    after-build = [\"{shown}/target/release/{name}\"]\n"
    );
    Ok(())
}

fn is_name(name: &str) -> bool {
    let is_allowed = |it: char| it.is_ascii_alphanumeric() || it == '-';
    name.starts_with(|it: char| it.is_ascii_alphabetic()) && name.chars().all(is_allowed)
}

/// Returns the files of the package.
fn files(name: &str, protocol: &Path) -> [(&'static str, String); 3] {
    let protocol = protocol.display().to_string();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\nhook-protocol = {{ path = {protocol:?} }}\nserde_json = \"1\"\n\n\
         # It is no member of a workspace around it.\n[workspace]\n"
    );
    let variable = format!("{}_DIR", name.to_uppercase().replace('-', "_"));
    let program = EXAMPLE
        .replace("FOLDER_HOOK_DIR", &variable)
        .replace("\"folder-hook\"", &format!("{name:?}"))
        .replace("\"folder\"", &format!("{name:?}"));
    let program = program + &TEST.replace("NAME", name);
    [
        ("Cargo.toml", manifest),
        ("src/main.rs", program),
        (".gitignore", "/target\n".to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_has_another_name() {
        let [(_, manifest), (_, program), _] = files("my-hook", Path::new("/a \"b\"/protocol"));
        let manifest: toml::Table = toml::from_str(&manifest).unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some("my-hook"));
        let path = &manifest["dependencies"]["hook-protocol"]["path"];
        assert_eq!(path.as_str(), Some("/a \"b\"/protocol"));
        assert!(program.contains("MY_HOOK_DIR") && program.contains("\"my-hook\""));
        assert!(!program.contains("FOLDER_HOOK_DIR") && !program.contains("\"folder"));
    }

    #[test]
    fn names_are_those_of_packages() {
        for (name, is_one) in [
            ("my-hook2", true),
            ("2x", false),
            ("a b", false),
            ("", false),
        ] {
            assert_eq!(is_name(name), is_one, "{name}");
        }
    }
}
