//! A cache in one folder, `$FOLDER_HOOK_DIR`: a folder for each key, in it the files of the result
//! and its entry. It never deletes anything. The smallest hook that is of use.

use std::path::PathBuf;
use std::{env, fs};

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
        let dir = self.dir.join(request.hashes.key.to_hex());
        let Ok(entry) = fs::read(dir.join("entry.json")) else {
            return Ok(Lookup::Miss("no result for this key".to_owned()));
        };
        let entry = serde_json::from_slice(&entry)?;
        let mut candidate = Candidate {
            entry,
            files: Default::default(),
            placement: Placement::Copy,
            lifetime: Lifetime::Durable,
        };
        for name in candidate.entry.parse()?.files.into_keys() {
            candidate.files.insert(name.clone(), dir.join(name));
        }
        Ok(Lookup::Hit(vec![candidate]))
    }

    fn after_build(&self, request: AfterBuild) -> Result<Keep, BoxError> {
        let dir = self.dir.join(request.hashes.key.to_hex());
        // All is put together under another name first: nobody finds half a result.
        let new = self
            .dir
            .join(format!("new-{}-{}", std::process::id(), request.id));
        fs::create_dir_all(&new)?;
        for (name, path) in &request.files {
            fs::copy(path, new.join(name))?;
        }
        fs::write(new.join("entry.json"), serde_json::to_vec(&request.entry)?)?;
        match fs::rename(&new, &dir) {
            Ok(()) => Ok(Keep::Stored(Default::default())),
            Err(_) if dir.exists() => {
                fs::remove_dir_all(&new)?;
                Ok(Keep::Declined("there is one already".to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }
}
