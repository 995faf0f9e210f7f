//! Tests of the assurance: which edits during a build are noticed.

use std::fs;

use super::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        folder.write("src/lib.rs", "first");
        folder.write("outside/x", "first");
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), content).unwrap();
    }

    /// Returns the beginning of a build some time later, which has looked at the sources.
    fn later(&self, digests: &FileDigests) -> Before {
        std::thread::sleep(Duration::from_millis(30));
        self.write("clock", "");
        let clock = Clock::of(&Stat::of(&self.path("clock")).unwrap());
        Before::look(clock, [self.path("src").as_path()], &[], [], digests)
    }

    fn is_unchanged(&self, before: &Before, name: &str, digests: &FileDigests) -> bool {
        let found = before.unchanged(&self.path(name), self.0.path(), digests);
        if let Some(hashed) = found {
            let content = fs::read(self.path(name)).unwrap();
            assert_eq!(hashed.digest, hook_protocol::Digest::of(&content));
        }
        found.is_some()
    }
}

#[test]
fn what_is_left_alone_is_unchanged() {
    let (folder, digests) = (Folder::new(), FileDigests::default());
    let before = folder.later(&digests);
    assert!(folder.is_unchanged(&before, "src/lib.rs", &digests));
    assert!(folder.is_unchanged(&before, "outside/x", &digests));
    assert!(!folder.is_unchanged(&before, "src/gone.rs", &digests));
}

#[test]
fn a_young_file_is_hashed_before() {
    let (folder, digests) = (Folder::new(), FileDigests::default());
    // In the same tick of the clock.
    let clock = Clock::of(&Stat::of(&folder.path("src/lib.rs")).unwrap());
    let before = Before::look(clock, [folder.path("src").as_path()], &[], [], &digests);
    assert!(digests.known(&folder.path("src/lib.rs")).is_some());
    assert!(folder.is_unchanged(&before, "src/lib.rs", &digests));
    folder.write("src/lib.rs", "other");
    assert!(!folder.is_unchanged(&before, "src/lib.rs", &digests));
    // Not so one that nobody knew of.
    folder.write("outside/x", "first");
    assert!(!folder.is_unchanged(&before, "outside/x", &digests));
}

#[test]
fn a_file_that_is_dated_in_the_future_can_be_told() {
    let (folder, digests) = (Folder::new(), FileDigests::default());
    let file = fs::File::options()
        .write(true)
        .open(folder.path("src/lib.rs"))
        .unwrap();
    let future = SystemTime::now() + Duration::from_secs(1000);
    file.set_modified(future).unwrap();
    let before = folder.later(&digests);
    assert!(folder.is_unchanged(&before, "src/lib.rs", &digests));
    let stat = Stat::of(&folder.path("src/lib.rs")).unwrap();
    assert!(!before.is_settled(&stat));
    folder.write("src/lib.rs", "other");
    file.set_modified(future).unwrap();
    assert!(!folder.is_unchanged(&before, "src/lib.rs", &digests));
}

#[test]
fn an_edit_is_noticed_though_its_time_is_set_back() {
    let (folder, digests) = (Folder::new(), FileDigests::default());
    let before = folder.later(&digests);
    let path = folder.path("src/lib.rs");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    folder.write("src/lib.rs", "other");
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(modified).unwrap();
    assert!(!folder.is_unchanged(&before, "src/lib.rs", &digests));
}

#[test]
fn what_is_written_again_as_it_was_is_unchanged_only_if_it_was_hashed() {
    let (folder, digests) = (Folder::new(), FileDigests::default());
    let before = folder.later(&digests);
    folder.write("src/lib.rs", "first");
    assert!(!folder.is_unchanged(&before, "src/lib.rs", &digests));

    let (folder, digests) = (Folder::new(), FileDigests::default());
    digests.input(&folder.path("src/lib.rs")).unwrap();
    let before = folder.later(&digests);
    folder.write("src/lib.rs", "first");
    assert!(folder.is_unchanged(&before, "src/lib.rs", &digests));
}

/// A folder that takes the place of another has old files.
#[cfg(unix)]
#[test]
fn a_folder_that_is_exchanged_is_noticed() {
    for known in [true, false] {
        let (folder, digests) = (Folder::new(), FileDigests::default());
        folder.write("new/lib.rs", "other");
        folder.write("new/x", "other");
        let (name, place) = if known {
            ("src/lib.rs", "src")
        } else {
            ("outside/x", "outside")
        };
        let before = folder.later(&digests);
        fs::rename(folder.path(place), folder.path("old")).unwrap();
        fs::rename(folder.path("new"), folder.path(place)).unwrap();
        assert!(!folder.is_unchanged(&before, name, &digests), "{name}");
    }
}

/// Other files may come and go beside an input.
#[test]
fn a_busy_folder_is_no_change() {
    let (folder, digests) = (Folder::new(), FileDigests::default());
    let before = folder.later(&digests);
    folder.write("outside/.x.swp", "");
    assert!(folder.is_unchanged(&before, "outside/x", &digests));
}

#[cfg(unix)]
#[test]
fn a_link_that_is_turned_is_noticed() {
    let (folder, digests) = (Folder::new(), FileDigests::default());
    folder.write("other/x", "other");
    std::os::unix::fs::symlink("outside", folder.path("link")).unwrap();
    let before = folder.later(&digests);
    assert!(folder.is_unchanged(&before, "link/x", &digests));
    fs::remove_file(folder.path("link")).unwrap();
    std::os::unix::fs::symlink("other", folder.path("link")).unwrap();
    assert!(!folder.is_unchanged(&before, "link/x", &FileDigests::default()));
}
