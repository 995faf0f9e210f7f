//! The cache by its library and by its program, with no Cargo in sight.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod commands;
mod limits;
mod links;
mod lookup;
mod processes;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use hook_protocol::Digest;
use hook_protocol::hook::{Hook, Keep, Lookup};
use hook_protocol::wire::*;
use local_cache::hook::LocalCache;
use local_cache::layout::Layout;

/// A cache in a folder of its own, and a folder to build in.
struct World {
    dir: tempfile::TempDir,
}

impl World {
    fn new() -> World {
        World {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("cache")
    }

    fn layout(&self) -> Layout {
        Layout::new(self.root())
    }

    fn hook(&self) -> LocalCache {
        LocalCache::new(self.layout())
    }

    /// "Builds" something: two files with these contents.
    fn build(&self, name: &str, rlib: &str, rmeta: &str) -> Built {
        let out = self.dir.path().join("target");
        fs::create_dir_all(&out).unwrap();
        let mut files = BTreeMap::new();
        let mut described = BTreeMap::new();
        for (suffix, role, content) in
            [("rlib", Role::Link, rlib), ("rmeta", Role::Metadata, rmeta)]
        {
            let name = format!("lib{name}.{suffix}");
            let path = out.join(&name);
            fs::write(&path, content).unwrap();
            let (digest, size) = (Digest::of(content.as_bytes()), content.len() as u64);
            described.insert(
                name.clone(),
                EntryFile {
                    role,
                    digest,
                    size,
                    executable: false,
                    placeholders: false,
                },
            );
            files.insert(name, path);
        }
        Built {
            action: Digest::of(name.as_bytes()),
            key: Digest::of(b"key"),
            files,
            described,
            sources: vec![source("src/lib.rs", "key")],
            read: Vec::new(),
        }
    }
}

/// A file of the package.
fn source(name: &str, content: &str) -> FileDigest {
    FileDigest {
        path: format!("{{package}}/{name}"),
        digest: Digest::of(content.as_bytes()),
    }
}

/// What was built, and for which question.
#[derive(Clone)]
struct Built {
    action: Digest,
    key: Digest,
    files: BTreeMap<String, PathBuf>,
    described: BTreeMap<String, EntryFile>,
    /// The files of the package. The first is read.
    sources: Vec<FileDigest>,
    read: Vec<EnvInput>,
}

impl Built {
    /// The same question, answered by a result that depends on a variable.
    fn depending_on(mut self, value: &str) -> Built {
        let value = Some(Digest::of(value.as_bytes()));
        self.read = vec![EnvInput {
            name: "FOO".to_owned(),
            value,
        }];
        self
    }

    fn with_key(mut self, key: &str) -> Built {
        self.key = Digest::of(key.as_bytes());
        self.sources[0] = source("src/lib.rs", key);
        self
    }

    /// The same sources, and another file beside them.
    fn with_readme(mut self, content: &str) -> Built {
        self.key = Digest::of(content.as_bytes());
        self.sources.push(source("README.md", content));
        self
    }

    fn unit(&self) -> Unit {
        Unit {
            package: "foo".to_owned(),
            version: "1.0.0".to_owned(),
            target: "foo".to_owned(),
            target_kind: "lib".to_owned(),
            mode: "build".to_owned(),
            profile: "dev".to_owned(),
            platform: "host".to_owned(),
            features: Vec::new(),
        }
    }

    fn hashes(&self) -> Hashes {
        let (key, action) = (self.key, self.action);
        Hashes {
            key,
            action,
            ingredients: BTreeMap::new(),
            files: self.sources.clone(),
        }
    }

    fn entry(&self) -> Entry {
        Entry {
            format: ENTRY_FORMAT,
            unit: self.unit(),
            action: self.action,
            key: self.key,
            inputs: Inputs {
                env: self.read.clone(),
                files: vec![
                    self.sources[0].clone(),
                    FileDigest {
                        path: "{workspace}/outside.txt".to_owned(),
                        digest: Digest::of(b""),
                    },
                ],
                ..Inputs::default()
            },
            messages: vec!["a warning".to_owned()],
            files: self.described.clone(),
            tree: Tree::default(),
            local_only: false,
        }
    }

    fn before(&self) -> BeforeBuild {
        let outputs = self.files.keys().cloned().collect();
        BeforeBuild {
            v: 1,
            id: 1,
            unit: self.unit(),
            hashes: self.hashes(),
            outputs,
            is_built: false,
        }
    }

    /// The question of a Cargo that builds the unit if there is no result.
    fn before_building(&self) -> BeforeBuild {
        BeforeBuild {
            is_built: true,
            ..self.before()
        }
    }

    /// What a Cargo tells whose outputs nobody edits.
    fn after_linkable(&self) -> AfterBuild {
        AfterBuild {
            linkable: self.files.keys().cloned().collect(),
            ..self.after()
        }
    }

    fn after(&self) -> AfterBuild {
        AfterBuild {
            v: 1,
            id: 1,
            unit: self.unit(),
            hashes: self.hashes(),
            entry: OpaqueEntry::from(&self.entry()),
            files: self.files.clone(),
            linkable: Vec::new(),
            duration_ms: 5,
        }
    }
}

#[track_caller]
fn store(hook: &LocalCache, built: &Built) {
    assert_eq!(
        hook.after_build(built.after()).unwrap(),
        Keep::Stored(BTreeMap::new())
    );
}

#[track_caller]
fn decline(hook: &LocalCache, request: AfterBuild) -> String {
    match hook.after_build(request).unwrap() {
        Keep::Declined(reason) => reason,
        stored => panic!("{stored:?}"),
    }
}

/// Returns the candidates that the hook offers: none for a miss.
fn look_up(hook: &LocalCache, built: &Built) -> Vec<Candidate> {
    match hook.before_build(built.before()).unwrap() {
        Lookup::Hit(candidates) => candidates,
        Lookup::Miss(_) | Lookup::Wait(_) => Vec::new(),
    }
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files_below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// Checks that whatever has a name is whole: blobs have their digest, results have their blobs.
/// Returns how many results there are.
fn check_invariants(layout: &Layout) -> usize {
    for blob in files_below(&layout.blobs()) {
        let digest = Digest::of_file(&blob).unwrap();
        assert_eq!(blob.file_name().unwrap().to_str().unwrap(), digest.to_hex());
    }
    let results = files_below(&layout.actions());
    for path in &results {
        let result: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let entry = OpaqueEntry(result["entry"].clone()).parse().unwrap();
        for file in entry.files.values() {
            assert_eq!(
                fs::metadata(layout.blob(&file.digest)).unwrap().len(),
                file.size
            );
        }
    }
    results.len()
}
