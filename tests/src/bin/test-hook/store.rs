//! The store: a folder of results, several for each key. Written by rename, so that hooks of several
//! builds can share it.
//!
//! ```text
//! STORE/KEY/INPUTS/entry.json
//! STORE/KEY/INPUTS/files/NAME
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use hook_protocol::Digest;
use serde_json::{Map, Value, json};

/// A folder of results.
#[derive(Default)]
pub(crate) struct Store(PathBuf);

impl Store {
    pub(crate) fn new(root: impl Into<PathBuf>) -> Store {
        Store(root.into())
    }

    pub(crate) fn root(&self) -> &Path {
        &self.0
    }

    /// Returns every result that is kept for a key.
    pub(crate) fn candidates(&self, key: &Value) -> Vec<Value> {
        sorted(&self.0.join(name_of(key)))
            .iter()
            .map(|dir| candidate(dir))
            .collect()
    }

    /// Returns a result of another package.
    pub(crate) fn other_than(&self, package: &Value) -> Value {
        let keys = sorted(&self.0);
        let results = keys.iter().flat_map(|key| sorted(key));
        let mut candidates = results.map(|dir| candidate(&dir));
        candidates
            .find(|found| found["entry"]["unit"]["package"] != *package)
            .unwrap()
    }

    /// Keeps what was built. A result with the same inputs is replaced.
    pub(crate) fn keep(&self, request: &Value) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let new = self.0.join(format!(".new-{}-{number}", std::process::id()));
        let files = new.join("files");
        fs::create_dir_all(&files).unwrap();
        for (name, path) in request["files"].as_object().unwrap() {
            // The files of a build script's folder have names with folders in them.
            let place = files.join(name);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::copy(path.as_str().unwrap(), place).unwrap();
        }
        let entry = &request["entry"];
        fs::write(new.join("entry.json"), entry.to_string()).unwrap();
        let key = self.0.join(name_of(&request["hashes"]["key"]));
        fs::create_dir_all(&key).unwrap();
        let place = key.join(Digest::of(entry["inputs"].to_string().as_bytes()).to_hex());
        if place.exists() {
            let old = self.0.join(format!(".old-{}-{number}", std::process::id()));
            // Another hook may be as far.
            let _ = fs::rename(&place, &old);
            let _ = fs::remove_dir_all(&old);
        }
        if fs::rename(&new, &place).is_err() {
            fs::remove_dir_all(&new).unwrap();
        }
    }
}

fn candidate(dir: &Path) -> Value {
    let entry: Value = serde_json::from_slice(&fs::read(dir.join("entry.json")).unwrap()).unwrap();
    let names = entry["files"].as_object().unwrap().keys();
    let files: Map<String, Value> = names
        .map(|name| (name.clone(), json!(dir.join("files").join(name))))
        .collect();
    json!({"entry": entry, "files": files, "placement": "copy", "lifetime": "durable"})
}

/// Returns what is in a folder, without hidden names. A folder that does not exist is empty.
fn sorted(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    let mut out: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    out.retain(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'));
    out.sort();
    out
}

fn name_of(key: &Value) -> String {
    key.as_str().unwrap().replace(':', "-")
}
