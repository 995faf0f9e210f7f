//! What is remembered of a file, and what makes it another one.

use std::fs::{self, File};

use super::*;

/// A folder with a file that was written a while ago.
struct Store {
    dir: tempfile::TempDir,
    written: SystemTime,
}

impl Store {
    fn new(content: &str) -> Store {
        let store = Store {
            dir: tempfile::tempdir().unwrap(),
            written: SystemTime::now() - Duration::from_secs(100),
        };
        store.write(content);
        store
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("file")
    }

    /// Writes to the file, and gives it its time.
    fn write(&self, content: &str) {
        fs::write(self.file(), content).unwrap();
        let file = File::options().write(true).open(self.file()).unwrap();
        file.set_modified(self.written).unwrap();
    }

    fn identity(&self) -> Identity {
        Identity::of(&fs::metadata(self.file()).unwrap()).unwrap()
    }

    /// Every build has a memory of its own, and leaves it to the next.
    fn memory(&self) -> Verified {
        Verified::new(self.dir.path().join("memory"), false)
    }

    fn remember(&self, content: &str) {
        let memory = self.memory();
        memory.remember(
            self.identity(),
            Digest::of(content.as_bytes()),
            SystemTime::now(),
        );
        memory.save();
    }

    fn knows(&self, content: &str) -> bool {
        self.memory()
            .knows(&self.identity(), &Digest::of(content.as_bytes()))
    }
}

#[test]
fn a_file_is_known_to_the_next_build_under_any_name() {
    let store = Store::new("content");
    assert!(!store.knows("content"));
    store.remember("content");
    assert!(store.knows("content"));
    assert!(!store.knows("another"));
    fs::hard_link(store.file(), store.dir.path().join("link")).unwrap();
    fs::rename(store.dir.path().join("link"), store.file()).unwrap();
    assert!(store.knows("content"));
}

#[test]
fn a_change_is_noticed() {
    let store = Store::new("content");
    store.remember("content");
    fs::write(store.file(), "CONTENT").unwrap();
    assert!(!store.knows("content"));
}

#[test]
fn an_inode_that_is_used_again_is_another_file() {
    let store = Store::new("content");
    store.remember("content");
    for _ in 0..50 {
        fs::remove_file(store.file()).unwrap();
        store.write("CONTENT");
        assert!(!store.knows("content"));
    }
}

#[test]
fn a_file_that_was_just_written_is_not_remembered() {
    let store = Store::new("content");
    let memory = store.memory();
    let digest = Digest::of(b"content");
    let check = |read: SystemTime, expected: bool| {
        memory.remember(store.identity(), digest, read);
        assert_eq!(memory.knows(&store.identity(), &digest), expected);
    };
    check(store.written, false);
    check(store.written + Duration::from_millis(5), false);
    check(store.written + Duration::from_secs(3), true);
}

#[test]
fn nothing_is_believed_where_everything_is_to_be_verified() {
    let store = Store::new("content");
    store.remember("content");
    let memory = Verified::new(store.dir.path().join("memory"), true);
    assert!(!memory.knows(&store.identity(), &Digest::of(b"content")));
}

#[test]
fn a_memory_that_is_damaged_or_of_an_earlier_start_is_none() {
    let store = Store::new("content");
    let memory = store.dir.path().join("memory");
    store.remember("content");
    let good = fs::read(&memory).unwrap();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for damaged in [&good[..good.len() - 1], &good[..10], &flipped, b""] {
        fs::write(&memory, damaged).unwrap();
        assert!(!store.knows("content"));
    }
    let kept = Kept {
        start: "another".to_owned(),
        files: vec![(store.identity(), Digest::of(b"content"))],
    };
    write(&memory, &kept).unwrap();
    assert!(!store.knows("content"));
}

#[test]
fn builds_at_the_same_time_add_up() {
    let [one, two] = ["one", "two"].map(Store::new);
    let memories = [one.memory(), one.memory()];
    for (memory, store, content) in [(&memories[0], &one, "one"), (&memories[1], &two, "two")] {
        // Both have read the file before either writes it.
        assert!(!memory.knows(&store.identity(), &Digest::of(content.as_bytes())));
        memory.remember(
            store.identity(),
            Digest::of(content.as_bytes()),
            SystemTime::now(),
        );
    }
    memories.iter().for_each(Verified::save);
    assert!(one.knows("one"));
    assert!(one.memory().knows(&two.identity(), &Digest::of(b"two")));
}
