//! Tests of trees: what is taken, what is put in place, and what is refused.

use std::sync::Arc;

use hook_protocol::wire::{Inputs, OpaqueEntry};

use super::*;
use crate::place::Placer;
use crate::roots::Roots;
use crate::unit::{RUN, Subject, fixture};
use crate::verified::Verified;

/// The run of a script in a checkout of its own.
struct Checkout {
    dir: tempfile::TempDir,
    run: Run,
}

impl Checkout {
    fn new() -> Checkout {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("workspace");
        let beside = root.join("target/debug/build/a-1");
        fs::create_dir_all(beside.join("out")).unwrap();
        let mut roots = Roots::default();
        roots.add("workspace", &root);
        roots.add("build-dir", &root.join("target"));
        let mut subject = fixture::library(&root).subject;
        subject.id.mode = RUN.to_owned();
        let run = Run {
            subject: Subject {
                roots: roots.with("out-dir", &beside.join("out")),
                ..subject
            },
            script: beside.join("build-script-build"),
            out_dir: beside.join("out"),
            stdout: beside.join("output"),
            stderr: beside.join("stderr"),
            source: root.join("build.rs"),
            links: None,
            supplies: Vec::new(),
            vcs_dependency: None,
            profile_dir: root.join("target/debug"),
            is_local: true,
            outputs: Arc::from([]),
            renamed: Arc::from([]),
            flags: Vec::new(),
        };
        let checkout = Checkout { dir, run };
        fs::write(&checkout.run.stdout, "").unwrap();
        fs::write(&checkout.run.stderr, "").unwrap();
        checkout
    }

    fn out(&self, name: &str) -> PathBuf {
        self.run.out_dir.join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::create_dir_all(self.out(name).parent().unwrap()).unwrap();
        fs::write(self.out(name), content).unwrap();
    }

    /// What a faithful hook makes of what is there.
    fn candidate(&self) -> Result<(Candidate, Entry), Reason> {
        let captured = Captured::take(&self.run)?;
        let folder = self.dir.path().join("texts");
        fs::create_dir_all(&folder).unwrap();
        let mut bound = BTreeMap::new();
        let Outputs { files, places } = captured.describe(&self.run, &folder, &mut bound)?;
        let entry = Entry {
            files,
            tree: captured.tree,
            ..entry::empty(
                &self.run.subject,
                &hashes(),
                Inputs {
                    bound,
                    ..Inputs::default()
                },
            )
        };
        let candidate = Candidate {
            entry: OpaqueEntry::from(&entry),
            files: places,
            placement: Default::default(),
            lifetime: Default::default(),
        };
        Ok((candidate, entry))
    }

    fn place(&self, candidate: &Candidate) -> Result<(), String> {
        let entry = believe(candidate, &self.run, &hashes())?;
        match {
            let verified = Verified::new(self.run.out_dir.join("verified"), false);
            let placer = Placer::default();
            let placing = placer.begin(&verified, true);
            place(
                &self.run,
                &entry,
                candidate,
                placing,
                &FileDigests::default(),
            )
        }
        .unwrap()
        {
            Tried::Placed => Ok(()),
            Tried::Bad(what) => Err(what),
            Tried::Differs(reason) => Err(reason.to_string()),
        }
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.out(name)).unwrap()
    }
}

fn hashes() -> Hashes {
    Hashes {
        key: Digest::of(b"key"),
        action: Digest::of(b"action"),
        ingredients: BTreeMap::new(),
        files: Vec::new(),
    }
}

#[cfg(unix)]
#[test]
fn a_tree_is_put_in_place_as_it_was() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let one = Checkout::new();
    let here = one.run.out_dir.display().to_string();
    one.write(
        "gen/a.rs",
        format!("include!(\"{here}/b.rs\"); // {{out-dir}}"),
    );
    one.write("b.rs", "{plain}");
    one.write("tool", "#!/bin/sh\n");
    fs::set_permissions(one.out("tool"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(one.out("empty")).unwrap();
    symlink("gen/a.rs", one.out("link")).unwrap();
    fs::write(&one.run.stdout, format!("cargo::rustc-env=DIR={here}\n")).unwrap();
    let (candidate, entry) = one.candidate().unwrap();
    assert!(entry.files["out-dir/gen/a.rs"].placeholders);
    assert!(!entry.files["out-dir/b.rs"].placeholders);
    assert!(entry.inputs.bound.is_empty());

    let two = Checkout::new();
    two.write("left-over", "");
    two.place(&candidate).unwrap();
    let there = two.run.out_dir.display().to_string();
    assert_eq!(
        two.text("gen/a.rs"),
        format!("include!(\"{there}/b.rs\"); // {{out-dir}}")
    );
    assert_eq!(two.text("b.rs"), "{plain}");
    let mode = |name: &str| fs::metadata(two.out(name)).unwrap().permissions().mode();
    assert_ne!(mode("tool") & 0o100, 0);
    assert_eq!(mode("b.rs") & 0o100, 0);
    assert!(two.out("empty").is_dir() && !two.out("left-over").exists());
    assert_eq!(
        fs::read_link(two.out("link")).unwrap(),
        Path::new("gen/a.rs")
    );
    let printed = fs::read_to_string(&two.run.stdout).unwrap();
    assert_eq!(printed, format!("cargo::rustc-env=DIR={there}\n"));
    let beside = fs::read_dir(two.run.out_dir.parent().unwrap()).unwrap();
    let names: Vec<_> = beside.map(|it| it.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "nothing else is left: {names:?}");
}

#[test]
fn a_path_in_what_is_no_text_binds() {
    let checkout = Checkout::new();
    let here = checkout.run.out_dir.display().to_string();
    for content in [
        format!("\0{here}/a.c\0").into_bytes(),
        [b"\xff\xfe ", here.as_bytes()].concat(),
    ] {
        checkout.write("liba.a", &content);
        let (_, entry) = checkout.candidate().unwrap();
        assert!(!entry.files["out-dir/liba.a"].placeholders);
        assert!(entry.inputs.bound["out-dir"].by.contains("liba.a"));
    }
}

#[cfg(unix)]
#[test]
fn what_leads_outside_is_not_taken() {
    use std::os::unix::fs::symlink;
    for target in ["/etc/hosts", "../output", "a/../../b", "../../..", "x/.."] {
        let checkout = Checkout::new();
        symlink(target, checkout.out("link")).unwrap();
        let reason = checkout.candidate().err().unwrap();
        assert_eq!(reason.name(), "unmovable-output", "{target}");
    }
    let checkout = Checkout::new();
    fs::create_dir(checkout.out("a")).unwrap();
    symlink("../b", checkout.out("a/link")).unwrap();
    assert!(checkout.candidate().is_ok());
    let socket = checkout.out("socket");
    let _listener = std::os::unix::net::UnixListener::bind(socket).unwrap();
    assert_eq!(
        checkout.candidate().err().unwrap().name(),
        "unmovable-output"
    );
}

#[test]
fn a_file_that_changes_before_it_is_kept_is_noticed() {
    let checkout = Checkout::new();
    checkout.write("a", "one");
    let captured = Captured::take(&checkout.run).unwrap();
    checkout.write("a", "later");
    let described = captured.describe(&checkout.run, checkout.dir.path(), &mut BTreeMap::new());
    assert_eq!(described.err().unwrap().name(), "input-changed");
}

#[test]
fn what_a_hook_makes_up_is_refused() {
    type Change = fn(&mut Entry, &mut BTreeMap<String, PathBuf>);
    fn rename(entry: &mut Entry, files: &mut BTreeMap<String, PathBuf>, name: &str) {
        let file = entry.files.remove("out-dir/a").unwrap();
        let path = files.remove("out-dir/a").unwrap();
        entry.files.insert(name.to_owned(), file);
        files.insert(name.to_owned(), path);
    }
    let changes: &[(&str, Change)] = &[
        ("not expected", |e, f| rename(e, f, "out-dir/../a")),
        ("not expected", |e, f| rename(e, f, "out-dir//a")),
        ("not expected", |e, f| rename(e, f, "out-dir/")),
        ("not expected", |e, f| rename(e, f, "/etc/a")),
        ("not expected", |e, f| rename(e, f, "a")),
        ("not expected", |e, _| {
            e.tree.folders.push("out-dir/x/../../..".to_owned())
        }),
        ("not expected", |e, _| {
            drop(e.tree.links.insert("output".to_owned(), "a".to_owned()))
        }),
        ("leads outside", |e, _| {
            drop(
                e.tree
                    .links
                    .insert("out-dir/l".to_owned(), "../..".to_owned()),
            )
        }),
        ("through a link", |e, _| {
            let links = &mut e.tree.links;
            links.insert("out-dir/l".to_owned(), ".".to_owned());
            links.insert("out-dir/l/m".to_owned(), "..".to_owned());
        }),
        ("another role", |e, _| {
            e.files.get_mut("out-dir/a").unwrap().role = Role::Link;
        }),
        ("too large", |e, _| {
            e.files.get_mut("out-dir/a").unwrap().size = u64::MAX / 2;
        }),
        ("is missing", |e, f| {
            e.files.remove("stdout");
            f.remove("stdout");
        }),
        ("no messages", |e, _| e.messages.push("{}".to_owned())),
        ("digest", |e, _| {
            e.files.get_mut("out-dir/a").unwrap().digest = Digest::of(b"else");
        }),
        ("a place that is not here", |e, f| {
            let path = f["out-dir/a"].clone();
            fs::write(&path, "{x}").unwrap();
            let file = e.files.get_mut("out-dir/a").unwrap();
            file.digest = Digest::of(b"{x}");
            file.placeholders = true;
        }),
    ];
    for (expected, change) in changes {
        let one = Checkout::new();
        one.write("a", "123");
        let (mut candidate, mut entry) = one.candidate().unwrap();
        change(&mut entry, &mut candidate.files);
        candidate.entry = OpaqueEntry::from(&entry);
        let two = Checkout::new();
        two.write("kept", "");
        let what = two.place(&candidate).unwrap_err();
        assert!(what.contains(expected), "{expected}: {what}");
        assert!(two.out("kept").exists(), "{expected}: nothing was touched");
    }
}
