//! Files of a store on their way to a build directory.

use std::fs::{self, File};

use hook_protocol::Digest;
use hook_protocol::wire::Role;

use super::*;

fn described(content: &str, executable: bool) -> EntryFile {
    EntryFile {
        role: Role::Link,
        digest: Digest::of(content.as_bytes()),
        size: content.len() as u64,
        executable,
        placeholders: false,
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = entries
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A store and a build directory on one file system.
struct Site {
    dir: tempfile::TempDir,
    placer: Placer,
    verified: Verified,
}

impl Site {
    fn new() -> Site {
        Site::verifying(false)
    }

    fn verifying(always: bool) -> Site {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["store", "target"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        Site {
            placer: Placer::default(),
            verified: Verified::new(dir.path().join("memory"), always),
            dir,
        }
    }

    /// Puts a file in the store, as of a while ago.
    fn store(&self, name: &str, content: &str) -> PathBuf {
        let path = self.dir.path().join("store").join(name);
        fs::write(&path, content).unwrap();
        self.age(&path);
        path
    }

    /// Gives a file the time that the store's files have.
    fn age(&self, path: &Path) {
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(old()).unwrap();
    }

    fn target(&self, name: &str) -> PathBuf {
        self.dir.path().join("target").join(name)
    }

    fn place(&self, name: &str, content: &str, sharing: Sharing) -> Result<(), String> {
        let mut placing = self.placer.begin(&self.verified, true);
        let source = self.dir.path().join("store").join(name);
        placing.stage(
            &source,
            &self.target(name),
            &described(content, false),
            sharing,
        )?;
        placing.finish().unwrap();
        Ok(())
    }

    fn targets(&self) -> Vec<String> {
        names(&self.dir.path().join("target"))
    }
}

fn old() -> SystemTime {
    SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(1_700_000_000_123)
}

fn time(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// Whether two paths are the same file.
fn are_one(one: &Path, other: &Path) -> bool {
    is_same(&one.symlink_metadata().unwrap(), other)
}

#[test]
fn files_appear_together_and_whole() {
    let site = Site::new();
    let (a, b) = (site.store("a", "a"), site.store("b", "b"));
    fs::write(site.target("a"), "old").unwrap();
    let mut placing = site.placer.begin(&site.verified, true);
    for (source, name) in [(&a, "a"), (&b, "b")] {
        let expected = described(name, name == "b");
        placing
            .stage(source, &site.target(name), &expected, Sharing::Own)
            .unwrap();
    }
    assert_eq!(read(&site.target("a")), "old");
    placing.finish().unwrap();
    assert_eq!(site.targets(), ["a", "b"]);
    assert_eq!(read(&site.target("a")), "a");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |name| {
            fs::metadata(site.target(name))
                .unwrap()
                .permissions()
                .mode()
        };
        assert_eq!(mode("a") & 0o111, 0);
        assert_ne!(
            mode("b") & 0o100,
            0,
            "the mode in the store does not matter"
        );
    }
}

#[test]
fn a_wrong_file_leaves_nothing() {
    let site = Site::new();
    let good = site.store("a", "good");
    for (source, content) in [
        (good.clone(), "evil"),
        (good.clone(), "longer"),
        (good.with_file_name("gone"), "good"),
        (good.parent().unwrap().to_path_buf(), "good"),
        (PathBuf::from("a"), "good"),
    ] {
        for sharing in [Sharing::Own, Sharing::Linked] {
            let mut placing = site.placer.begin(&site.verified, true);
            let expected = described(content, false);
            let error = placing
                .stage(&source, &site.target("a"), &expected, sharing)
                .unwrap_err();
            drop(placing);
            assert_eq!(site.targets(), [] as [&str; 0], "{error}");
        }
    }
}

#[test]
fn dropped_before_the_end_leaves_nothing() {
    let site = Site::new();
    let source = site.store("a", "good");
    let mut placing = site.placer.begin(&site.verified, true);
    let expected = described("good", false);
    placing
        .stage(&source, &site.target("a"), &expected, Sharing::Linked)
        .unwrap();
    drop(placing);
    assert_eq!(site.targets(), [] as [&str; 0]);
}

#[cfg(unix)]
#[test]
fn a_link_is_the_file_of_the_store_and_a_copy_is_not() {
    let site = Site::new();
    let source = site.store("a", "content");
    site.place("a", "content", Sharing::Linked).unwrap();
    // Where storage can be shared otherwise, there is no link.
    let has_reflinks = !are_one(&source, &site.target("a"));
    let is_shared = !site.placer.has_no_reflinks();
    assert_eq!(has_reflinks, is_shared);
    site.place("a", "content", Sharing::Linked).unwrap();
    assert_eq!(
        site.targets(),
        ["a"],
        "no temporary name is left of the second link"
    );
    site.place("a", "content", Sharing::Own).unwrap();
    assert!(!are_one(&source, &site.target("a")));
    fs::write(site.target("a"), "changed").unwrap();
    assert_eq!(read(&source), "content");
}

#[test]
fn a_copy_has_the_time_of_the_original_only_where_sources_do_not_change() {
    let site = Site::new();
    let source = site.store("a", "content");
    for (keeps_time, expected) in [(true, true), (false, false)] {
        let mut placing = site.placer.begin(&site.verified, keeps_time);
        let described = described("content", false);
        placing
            .stage(&source, &site.target("a"), &described, Sharing::Own)
            .unwrap();
        placing.finish().unwrap();
        assert_eq!(time(&site.target("a")) == old(), expected);
    }
}

/// What tells whether a file was read: that a change which nothing shows went unnoticed.
#[cfg(target_os = "linux")]
#[test]
fn a_file_of_a_store_is_read_once() {
    for sharing in [Sharing::Own, Sharing::Linked] {
        let site = Site::new();
        let source = site.store("a", "content");
        site.place("a", "content", sharing).unwrap();
        fs::write(&source, "CONTENT").unwrap();
        site.age(&source);
        site.place("a", "content", sharing).unwrap();
        fs::write(&source, "CONTENT").unwrap();
        site.place("a", "content", sharing).unwrap_err();
    }
    let site = Site::verifying(true);
    let source = site.store("a", "content");
    site.place("a", "content", Sharing::Own).unwrap();
    fs::write(&source, "CONTENT").unwrap();
    site.age(&source);
    site.place("a", "content", Sharing::Own).unwrap_err();
}

#[cfg(unix)]
#[test]
fn an_output_is_relocated_only_to_the_same_bytes() {
    let site = Site::new();
    let relocate = |content: &str| {
        let source = site.dir.path().join("store/a");
        let expected = described(content, false);
        let place = site.target("a");
        site.placer
            .relocate(&site.verified, &source, &place, &expected)
    };
    let source = site.store("a", "content");
    fs::write(site.target("a"), "content").unwrap();
    let hashed = relocate("content").unwrap();
    assert_eq!(hashed.digest, Digest::of(b"content"));
    assert_eq!(
        time(&site.target("a")),
        old(),
        "it has the file of the store"
    );
    fs::write(site.target("b"), "content").unwrap();
    fs::rename(site.target("b"), site.target("a")).unwrap();
    fs::write(&source, "CONTENT").unwrap();
    relocate("content").unwrap_err();
    assert_eq!(read(&site.target("a")), "content");
    assert_eq!(site.targets(), ["a"]);
}

#[cfg(unix)]
#[test]
fn a_program_that_was_written_here_is_replaced_before_it_is_started() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::new();
    let source = site.store("a", "#!/bin/sh\n");
    let mut placing = site.placer.begin(&site.verified, true);
    let expected = described("#!/bin/sh\n", true);
    placing
        .stage(&source, &site.target("a"), &expected, Sharing::Own)
        .unwrap();
    placing.finish().unwrap();
    let before = fs::metadata(site.target("a")).unwrap();
    site.placer.make_startable(&site.target("a")).unwrap();
    let after = fs::metadata(site.target("a")).unwrap();
    assert_ne!(node(&before), node(&after));
    assert_eq!(before.permissions().mode(), after.permissions().mode());
    site.placer.make_startable(&site.target("a")).unwrap();
    let again = fs::metadata(site.target("a")).unwrap();
    assert_eq!(node(&after), node(&again), "another process has written it");
    assert_eq!(site.targets(), ["a"]);
}

/// A hard link from another device is refused: tried once, and then copied.
#[cfg(target_os = "linux")]
#[test]
fn another_device_gets_copies() {
    use std::os::unix::fs::MetadataExt;
    let site = Site::new();
    let Ok(far) = tempfile::tempdir_in("/dev/shm") else {
        return;
    };
    let is_far = far.path().metadata().unwrap().dev() != site.dir.path().metadata().unwrap().dev();
    let source = site.store("a", "content");
    for name in ["b", "c"] {
        let mut placing = site.placer.begin(&site.verified, true);
        let place = far.path().join(name);
        placing
            .stage(
                &source,
                &place,
                &described("content", false),
                Sharing::Linked,
            )
            .unwrap();
        placing.finish().unwrap();
        assert_eq!(read(&place), "content");
        assert!(!is_far || !are_one(&source, &place));
    }
    assert_eq!(names(far.path()), ["b", "c"]);
    assert!(!is_far || site.placer.has_no_links());
}
