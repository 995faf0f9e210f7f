//! Keeps the results of all dependencies from registries and git as one archive for each lock file, and unpacks it
//! in one go when a build begins: the "monolithic dependency blob", as a hook. For CI, where one file is easier to
//! keep from run to run than a store, and a build begins with all that it needs.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hook_protocol::files;
use hook_protocol::hook::{BoxError, Hook, Keep, Lookup};
use hook_protocol::wire::{AfterBuild, BeforeBuild, Begin, Hashes, Summary};

mod bundle;

use bundle::Bundle;

fn main() {
    match folder() {
        Some(folder) => hook_protocol::main(DependencyBundle {
            folder,
            bundle: Mutex::new(None),
        }),
        None => {
            eprintln!("error: neither `DEPENDENCY_BUNDLE_DIR` nor a home folder is set");
            std::process::exit(2);
        }
    }
}

/// Returns where archives are kept.
fn folder() -> Option<PathBuf> {
    let set = |name| {
        std::env::var_os(name)
            .filter(|it| !it.is_empty())
            .map(PathBuf::from)
    };
    let in_home = || set("HOME").map(|it| it.join(".cache"));
    set("DEPENDENCY_BUNDLE_DIR").or_else(|| {
        let cache = set("XDG_CACHE_HOME").or_else(in_home)?;
        Some(cache.join("cargo-dependency-bundle"))
    })
}

struct DependencyBundle {
    folder: PathBuf,
    /// The bundle of this build's lock file; none for a build without one.
    bundle: Mutex<Option<Bundle>>,
}

impl DependencyBundle {
    fn bundle(&self) -> MutexGuard<'_, Option<Bundle>> {
        self.bundle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether the sources of a unit are fixed by the lock file.
fn is_dependency(hashes: &Hashes) -> bool {
    hashes.files.is_empty()
}

impl Hook for DependencyBundle {
    fn name(&self) -> &str {
        "dependency-bundle"
    }

    fn begin(&self, begin: &Begin) -> Result<(), BoxError> {
        if let Some(lockfile) = &begin.lockfile {
            let name = format!("{}-{}.tar.zst", lockfile.to_hex(), begin.host);
            *self.bundle() = Some(Bundle::open(&self.folder.join(name))?);
        }
        Ok(())
    }

    fn before_build(&self, request: BeforeBuild) -> Result<Lookup, BoxError> {
        let bundle = self.bundle();
        let candidate = bundle
            .as_ref()
            .filter(|_| is_dependency(&request.hashes))
            .and_then(|it| it.candidate(&request.hashes.key));
        Ok(match candidate {
            Some(candidate) => Lookup::Hit(vec![candidate]),
            None => Lookup::Miss("not in the bundle of this lock file".to_owned()),
        })
    }

    fn after_build(&self, request: AfterBuild) -> Result<Keep, BoxError> {
        if !is_dependency(&request.hashes) {
            return Ok(Keep::Declined("no dependency".to_owned()));
        }
        let entry = request.entry.parse()?;
        if entry.local_only || !entry.inputs.bound.is_empty() {
            return Ok(Keep::Declined("of this machine only".to_owned()));
        }
        let Some(places) = self.bundle().as_ref().map(|it| it.places(&entry)) else {
            return Ok(Keep::Declined("there is no lock file".to_owned()));
        };
        for (name, file) in &entry.files {
            let from = request.files.get(name);
            let from = from.ok_or_else(|| format!("no path for `{name}`"))?;
            files::copy(from, &places[name], file)?;
        }
        if let Some(bundle) = self.bundle().as_mut() {
            bundle.add(request.hashes.key, request.entry);
        }
        Ok(Keep::Stored(Default::default()))
    }

    /// Writes the archive if the build came to anything new, and takes the folder of this build away.
    fn end(&self, _: &Summary) -> Result<(), BoxError> {
        match self.bundle().take() {
            Some(mut bundle) if bundle.has_new => Ok(bundle.save()?),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use hook_protocol::harness::Harness;
    use hook_protocol::sample::Sample;
    use hook_protocol::wire::{Answer, Candidate};

    use super::*;

    fn build(folder: &Path) -> Harness {
        Harness::new(DependencyBundle {
            folder: folder.to_path_buf(),
            bundle: Mutex::new(None),
        })
    }

    fn dependency(dir: &Path, name: &str) -> Sample {
        let mut sample = Sample::library(dir, name, "source").unwrap();
        sample.hashes.files.clear();
        sample
    }

    fn look_up(build: &mut Harness, sample: &Sample) -> Option<Candidate> {
        match build.before_build(sample).unwrap() {
            Answer::Hit(hit) => hit.candidates.into_iter().next(),
            _ => None,
        }
    }

    fn is_stored(build: &mut Harness, sample: &Sample) -> bool {
        matches!(build.after_build(sample), Ok(Answer::Stored(_)))
    }

    #[test]
    fn dependencies_come_back_from_one_archive() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, built) = (dir.path().join("bundles"), dir.path().join("built"));
        let (foo, bar) = (dependency(&built, "foo"), dependency(&built, "bar"));
        let mut first = build(&folder);
        assert!(look_up(&mut first, &foo).is_none());
        assert!(is_stored(&mut first, &foo));
        let member = Sample::library(&built, "member", "source").unwrap();
        assert!(!is_stored(&mut first, &member), "its sources may change");
        let mut bound = dependency(&built, "bound");
        bound.entry.local_only = true;
        assert!(!is_stored(&mut first, &bound));
        first.end();
        let left = fs::read_dir(&folder).unwrap().count();
        assert_eq!(
            left, 2,
            "the archive and its lock; the folder of the build is gone"
        );

        // Two builds at once: what each adds is kept.
        let (mut second, mut third) = (build(&folder), build(&folder));
        assert!(is_stored(&mut second, &bar));
        let baz = dependency(&built, "baz");
        assert!(is_stored(&mut third, &baz));
        third.end();
        second.end();
        fs::remove_dir_all(&built).unwrap();
        let mut last = build(&folder);
        for sample in [&foo, &bar, &baz] {
            let candidate = look_up(&mut last, sample).unwrap();
            for (name, file) in &sample.entry.files {
                files::check(&candidate.files[name], file).unwrap();
            }
        }
        last.end();
    }

    #[test]
    fn a_broken_archive_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, built) = (dir.path().join("bundles"), dir.path().join("built"));
        let foo = dependency(&built, "foo");
        let mut first = build(&folder);
        assert!(is_stored(&mut first, &foo));
        first.end();
        let entries = fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path());
        let is_archive = |path: &PathBuf| path.extension().is_some_and(|it| it == "zst");
        let archive = entries.into_iter().find(is_archive).unwrap();
        let content = fs::read(&archive).unwrap();
        for length in [0, 10, content.len() / 2, content.len() - 1] {
            fs::write(&archive, &content[..length]).unwrap();
            let mut next = build(&folder);
            let found = look_up(&mut next, &foo);
            assert!(found.is_none() || length > 10, "{length}");
            assert!(is_stored(&mut next, &foo));
            next.end();
            let mut last = build(&folder);
            assert!(look_up(&mut last, &foo).is_some(), "{length}");
            last.end();
        }
    }
}
