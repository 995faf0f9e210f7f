//! Tests of freshness: what a change of the world makes of a unit.

use std::fs;

use super::*;
use crate::files::hash;
use hook_protocol::Digest;

mod dependencies;
mod files;
mod records;
mod scripts;

/// A package with one library, and a build directory.
struct Package {
    dir: tempfile::TempDir,
    node: Arc<Node>,
    edges: Vec<Edge>,
    out_dir: Option<&'static str>,
    counts: bool,
}

const RLIB: &str = "target/liba.rlib";
const REFERENCE: &str = "target/dep-lib-a";

impl Package {
    fn new() -> Package {
        let package = Package {
            dir: tempfile::tempdir().unwrap(),
            node: Arc::new(Node::new("a".to_owned(), Kind::Opaque, Vec::new())),
            edges: Vec::new(),
            out_dir: None,
            counts: true,
        };
        for (path, content) in [
            ("ws/a/src/lib.rs", "mod foo;"),
            ("ws/a/src/foo.rs", "// foo"),
            (RLIB, "library"),
            (REFERENCE, "inputs"),
        ] {
            package.write(path, content);
            package.age(path);
        }
        package
    }

    /// A package of which the output is the program of a test.
    fn program() -> Package {
        Package {
            counts: false,
            ..Package::new()
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), content).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    /// Dates a file in the past. It is still young: the time of the last change of metadata tells.
    fn age(&self, name: &str) {
        self.date(
            name,
            SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000),
        );
    }

    fn date(&self, name: &str, time: SystemTime) {
        let file = fs::File::options().write(true).open(self.path(name));
        file.unwrap().set_modified(time).unwrap();
    }

    fn unit(&self) -> Unit {
        let folder = |name: &str| Folder::new(&self.path(name));
        Unit {
            record: self.path("target/content-lib-a"),
            reference: self.path(REFERENCE),
            is_marked: self.out_dir.is_none(),
            places: Places::new(
                &folder("target"),
                &folder("target"),
                &folder("ws/a"),
                &folder("ws"),
            ),
            outputs: vec![(self.path(RLIB), self.counts)],
            node: self.node.clone(),
            edges: self.edges.clone(),
            out_dir: self.out_dir.map(|name| self.path(name)),
        }
    }

    fn facts(&self) -> Facts {
        let files = ["ws/a/src/lib.rs", "ws/a/src/foo.rs"];
        Facts {
            own: "own".to_owned(),
            files: files.iter().map(|name| (self.path(name), None)).collect(),
            is_local: true,
            within: self.path("ws/a"),
            sources: files.iter().map(|name| self.path(name)).collect(),
            ..Facts::default()
        }
    }

    /// The beginning of another build.
    fn build(&self) -> Freshness {
        Freshness::new(Arc::default(), self.path("target"), 2)
    }

    /// Builds the library; what was written so far was left alone for a while.
    fn built(&self, facts: Facts) -> Option<PathBuf> {
        self.built_while(facts, || {})
    }

    fn built_while(&self, facts: Facts, meanwhile: impl FnOnce()) -> Option<PathBuf> {
        std::thread::sleep(std::time::Duration::from_millis(30));
        let (build, unit) = (self.build(), self.unit());
        build.load(&[Arc::new(self.unit())], 1, |_| {});
        build.release(&unit);
        let clock = build.clock().unwrap();
        let before = build.look(&unit, clock, Some(&self.path("ws/a")), []);
        meanwhile();
        build.finish(&unit, &before, facts).unwrap()
    }

    /// Returns what the next build says, and takes note that it accepts it.
    fn judged(&self) -> Verdict {
        let (build, unit) = (self.build(), Arc::new(self.unit()));
        build.load(std::slice::from_ref(&unit), 1, |_| {});
        let verdict = build.verdict(&unit).0;
        if let Verdict::Unchanged = verdict {
            build.accept(&unit);
        }
        verdict
    }

    #[track_caller]
    fn is_unchanged(&self) {
        let verdict = self.judged();
        assert!(matches!(verdict, Verdict::Unchanged), "{verdict:?}");
    }

    #[track_caller]
    fn is_changed(&self, text: &str) {
        match self.judged() {
            Verdict::Changed(change) => {
                let change = change.relative_to(&self.path("ws")).to_string();
                let change = change.replace(self.dir.path().to_str().unwrap(), "");
                assert_eq!(change, text);
            }
            verdict => panic!("{verdict:?}"),
        }
    }

    #[track_caller]
    fn is_unknown(&self) {
        let verdict = self.judged();
        assert!(matches!(verdict, Verdict::Unknown), "{verdict:?}");
    }

    fn record(&self) -> Record {
        match Record::read(&self.path("target/content-lib-a")) {
            record::Found::Record(record) => *record,
            _ => panic!("there is no record"),
        }
    }

    fn edit_record(&self, edit: impl FnOnce(&mut Record)) {
        let mut record = self.record();
        edit(&mut record);
        record.write(&self.path("target/content-lib-a")).unwrap();
    }

    /// Returns whether all that was read had been left alone for a while.
    fn is_settled(&self) -> bool {
        let record = self.record();
        record.inputs.iter().all(|input| input.settled)
            && record.around.iter().all(|folder| folder.settled)
    }
}
