//! A cache in one folder, `$FOLDER_HOOK_DIR`: a folder for each result, in it the files and the entry,
//! and for each key the name of its newest result. It never deletes anything. The smallest hook that is
//! of use.

use std::path::PathBuf;
use std::{env, fs};

use hook_protocol::files;
use hook_protocol::hook::{BoxError, Hook, Keep, Lookup};
use hook_protocol::wire::{AfterBuild, BeforeBuild, Candidate, Lifetime, Placement};

fn main() {
    let dir = env::var_os("FOLDER_HOOK_DIR")
        .map_or_else(|| env::temp_dir().join("folder-hook"), PathBuf::from);
    hook_protocol::main(Folder { dir });
}

struct Folder {
    dir: PathBuf,
}

impl Hook for Folder {
    fn name(&self) -> &str {
        "folder"
    }

    fn before_build(&self, request: BeforeBuild) -> Result<Lookup, BoxError> {
        let Ok(result) = fs::read_to_string(self.dir.join(request.hashes.key.to_hex())) else {
            return Ok(Lookup::Miss("no result for this key".to_owned()));
        };
        let result = self.dir.join(result);
        let entry = fs::read(result.join("entry.json"))?;
        let mut candidate = Candidate {
            entry: serde_json::from_slice(&entry)?,
            files: Default::default(),
            placement: Placement::Copy,
            lifetime: Lifetime::Durable,
        };
        for name in candidate.entry.parse()?.files.into_keys() {
            candidate.files.insert(name.clone(), result.join(name));
        }
        Ok(Lookup::Hit(vec![candidate]))
    }

    fn after_build(&self, request: AfterBuild) -> Result<Keep, BoxError> {
        let key = request.hashes.key.to_hex();
        // No other build, nor another request of this one, has a folder of this name.
        let name = format!("{key}-{}-{}", std::process::id(), request.id);
        for (file, entry) in request.entry.parse()?.files {
            let from = request.files.get(&file).ok_or("a file without a path")?;
            files::copy(from, &self.dir.join(&name).join(file), &entry)?;
        }
        let entry = serde_json::to_vec(&request.entry)?;
        files::write(&self.dir.join(&name).join("entry.json"), &entry)?;
        // Only now is there something to be found, and it is whole.
        files::write(&self.dir.join(key), name.as_bytes())?;
        Ok(Keep::Stored(Default::default()))
    }
}
