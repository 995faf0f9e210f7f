//! Units that exist nowhere, as Cargo would ask for them and tell of them: what tests of hooks are made of.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Digest;
use crate::wire::{
    AfterBuild, BeforeBuild, Begin, ENTRY_FORMAT, Entry, EntryFile, FileDigest, Hashes, Inputs,
    OpaqueEntry, PROTOCOL_VERSION, Role, Tree, Unit,
};

/// A unit that was built: question, result and files.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Who it is.
    pub unit: Unit,
    /// Its hash summary.
    pub hashes: Hashes,
    /// What Cargo would write of the result.
    pub entry: Entry,
    /// Where its files lie.
    pub files: BTreeMap<String, PathBuf>,
}

impl Sample {
    /// Makes the library of a package `name` whose only source is `source`, and writes its outputs below `dir`.
    /// Samples of one name and another source have one action and another key.
    ///
    /// # Errors
    ///
    /// If the outputs cannot be written.
    pub fn library(dir: &Path, name: &str, source: &str) -> io::Result<Sample> {
        let outputs = [
            (format!("lib{name}-0123456789abcdef.rlib"), Role::Link),
            (format!("lib{name}-0123456789abcdef.rmeta"), Role::Metadata),
        ];
        let files = outputs.map(|(file, role)| {
            let content = format!("{file} of {source}");
            (file, role, content)
        });
        Sample::new(dir, name, ["lib", "build"], source, &files)
    }

    /// Makes the run of the build script of a package `name`: its files lie in folders.
    ///
    /// # Errors
    ///
    /// If the outputs cannot be written.
    pub fn script_run(dir: &Path, name: &str, source: &str) -> io::Result<Sample> {
        let file = |file: &str, role, content: String| (file.to_owned(), role, content);
        let files = [
            file("stdout", Role::Printed, "cargo::rustc-cfg=x\n".to_owned()),
            file("stderr", Role::Printed, String::new()),
            file("out-dir/gen/deep/a.rs", Role::OutDir, source.to_owned()),
            file(
                "out-dir/odd 'name'\u{e9}.txt",
                Role::OutDir,
                "odd".to_owned(),
            ),
        ];
        let kind = ["custom-build", "run-build-script"];
        let mut sample = Sample::new(dir, name, kind, source, &files)?;
        sample.entry.tree = Tree {
            folders: vec!["out-dir/gen".to_owned(), "out-dir/empty".to_owned()],
            links: BTreeMap::from([("out-dir/link".to_owned(), "gen/deep".to_owned())]),
        };
        Ok(sample)
    }

    fn new(
        dir: &Path,
        name: &str,
        [target_kind, mode]: [&str; 2],
        source: &str,
        outputs: &[(String, Role, String)],
    ) -> io::Result<Sample> {
        let unit = Unit {
            package: name.to_owned(),
            version: "1.0.0".to_owned(),
            target: name.to_owned(),
            target_kind: target_kind.to_owned(),
            mode: mode.to_owned(),
            profile: "dev".to_owned(),
            platform: "host".to_owned(),
            features: vec!["default".to_owned()],
        };
        let digest = |what: &str, text: &str| Digest::of(format!("{what} {text}").as_bytes());
        let action = digest("action", &format!("{name} {mode}"));
        let read = FileDigest {
            path: "{package}/src/lib.rs".to_owned(),
            digest: digest("source", source),
        };
        let hashes = Hashes {
            key: digest("key", &format!("{action} {source}")),
            action,
            ingredients: BTreeMap::from([("unit".to_owned(), digest("unit", name))]),
            files: vec![read.clone()],
        };
        let mut files = BTreeMap::new();
        let mut described = BTreeMap::new();
        for (file, role, content) in outputs {
            let path = dir.join(file);
            fs::create_dir_all(path.parent().unwrap_or(dir))?;
            fs::write(&path, content)?;
            let entry = EntryFile {
                role: *role,
                digest: Digest::of(content.as_bytes()),
                size: content.len() as u64,
                executable: false,
                placeholders: false,
            };
            described.insert(file.clone(), entry);
            files.insert(file.clone(), path);
        }
        let entry = Entry {
            format: ENTRY_FORMAT,
            unit: unit.clone(),
            action: hashes.action,
            key: hashes.key,
            inputs: Inputs {
                files: vec![read],
                ..Inputs::default()
            },
            messages: vec![
                r#"{"$message_type":"diagnostic","rendered":"a \"warning\"\n"}"#.to_owned(),
            ],
            files: described,
            tree: Tree::default(),
            local_only: false,
        };
        Ok(Sample {
            unit,
            hashes,
            entry,
            files,
        })
    }

    /// Returns the question for it. Version and id are those of a first request.
    pub fn question(&self) -> BeforeBuild {
        let required = |it: &&EntryFile| matches!(it.role, Role::Link | Role::Metadata);
        let required = self.entry.files.iter().filter(|(_, it)| required(it));
        BeforeBuild {
            v: PROTOCOL_VERSION,
            id: 1,
            unit: self.unit.clone(),
            hashes: self.hashes.clone(),
            outputs: required.map(|(name, _)| name.clone()).collect(),
            is_built: true,
        }
    }

    /// Returns what Cargo tells when it was built.
    pub fn result(&self) -> AfterBuild {
        let is_library = |it: &&String| it.ends_with(".rlib") || it.ends_with(".rmeta");
        AfterBuild {
            v: PROTOCOL_VERSION,
            id: 1,
            unit: self.unit.clone(),
            hashes: self.hashes.clone(),
            entry: OpaqueEntry::from(&self.entry),
            files: self.files.clone(),
            linkable: self.files.keys().filter(is_library).cloned().collect(),
            duration_ms: 1200,
        }
    }
}

/// Returns the beginning of a build in `dir`.
pub fn begin(dir: &Path) -> Begin {
    Begin {
        v: PROTOCOL_VERSION,
        id: 1,
        workspace: dir.to_path_buf(),
        build_dir: dir.join("target"),
        lockfile: Some(Digest::of(b"lockfile")),
        host: "x86_64-unknown-linux-gnu".to_owned(),
        jobs: 8,
        timeout_ms: Some(60_000),
        cargo: "cargo 1.97.0 (sample)".to_owned(),
    }
}
