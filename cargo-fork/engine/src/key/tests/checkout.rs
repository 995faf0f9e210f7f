//! The fixture of the key tests: a checkout in which everything can be changed.

use std::fs;

use hook_protocol::wire::Role;

use super::super::*;
use crate::env::Environment;
use crate::roots::Roots;
use crate::unit::{Dependency, Output, fixture};

/// A checkout with a package, a build directory and a toolchain.
pub(super) struct Checkout {
    _dir: tempfile::TempDir,
    pub(super) root: PathBuf,
    pub(super) common: Common,
    pub(super) unit: Unit,
    pub(super) command: Command,
}

impl Checkout {
    pub(super) fn new(depth: &str) -> Checkout {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join(depth);
        let (ws, target) = (root.join("ws"), root.join("build"));
        for (file, content) in [
            ("ws/a/Cargo.toml", "[package]"),
            ("ws/a/src/lib.rs", "pub fn a() {}"),
            ("build/deps/libb-1.rmeta", "b"),
            ("build/deps/libm-2.so", "m"),
            ("build/script/out/gen.rs", "generated"),
            ("build/script/out/libz.a", "z"),
            ("sysroot/lib/librustc_driver-1.so", "driver"),
            ("sysroot/lib/rustlib/h/lib/libstd-1.rlib", "std"),
        ] {
            write(&root.join(file), content);
        }
        let mut roots = Roots::default();
        roots.add("workspace", &ws);
        roots.add("build-dir", &target);
        roots.add("sysroot", &root.join("sysroot"));
        let dependency = |crate_id: &str, role, file| {
            Arc::new(Dependency {
                published: None,
                crate_id: crate_id.to_owned(),
                role,
                path: target.join("deps").join(file),
                line: Default::default(),
            })
        };
        let unit = Unit {
            subject: Subject {
                facts: BTreeMap::from([("mode", "Build".to_owned())]),
                roots: roots.with("package", &ws.join("a")),
                source: Source::Mutable { root: ws.join("a") },
                excluded: Arc::from([target.clone()]),
                cwd: ws.clone(),
                workspace: ws.clone(),
                build_dir: target.clone(),
                ..fixture::library(&target.join("deps")).subject
            },
            outputs: vec![Output {
                path: target.join("deps/liba-3.rlib"),
                role: Role::Link,
            }],
            dependencies: vec![
                dependency("b@1.0.0 x rmeta", "metadata", "libb-1.rmeta"),
                dependency("m@1.0.0 y so", MACRO, "libm-2.so"),
            ],
            ..fixture::library(&target.join("deps"))
        };
        let line = format!(
            "--crate-name a a/src/lib.rs --error-format=json --diagnostic-width=80 \
             --out-dir {0}/deps -L dependency={0}/deps --extern b={0}/deps/libb-1.rmeta \
             -L native={0}/script/out -l static=z --remap-path-prefix={1}=. -C opt-level=1",
            target.display(),
            ws.display()
        );
        let set = |name: &str, value: String| (name.to_owned(), Some(value));
        let command = Command {
            programs: vec!["rustc".into()],
            args: line.split_ascii_whitespace().map(str::to_owned).collect(),
            env: Environment {
                command: BTreeMap::from([
                    set("CARGO_MANIFEST_DIR", ws.join("a").display().to_string()),
                    set("CARGO_PKG_VERSION", "1.0.0".to_owned()),
                    set("OUT_DIR", target.join("script/out").display().to_string()),
                    set("CARGO", root.join("cargo").display().to_string()),
                ]),
                inherited: Arc::default(),
            },
        };
        let common = common(&root);
        Checkout {
            _dir: dir,
            root,
            common,
            unit,
            command,
        }
    }

    /// A checkout whose unit can reach no macro.
    pub(super) fn without_macros() -> Checkout {
        let mut checkout = Checkout::new("x");
        checkout
            .unit
            .dependencies
            .retain(|dependency| dependency.role != MACRO);
        checkout
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    pub(super) fn write(&self, file: &str, content: &str) {
        write(&self.path(file), content);
    }

    pub(super) fn arg(&mut self, from: &str, to: &str) {
        let arg = self
            .command
            .args
            .iter_mut()
            .find(|arg| *arg == from)
            .unwrap();
        *arg = to.to_owned();
    }

    pub(super) fn env(&mut self, name: &str, value: &str) {
        self.command
            .env
            .command
            .insert(name.to_owned(), Some(value.to_owned()));
    }

    pub(super) fn summary(&mut self) -> Summary {
        // A build of its own: nothing is remembered from the one before.
        let version = self.common.rustc_version.clone();
        self.common = Common {
            rustc_version: version,
            ..common(&self.root)
        };
        summarise(&self.common, &self.unit, &self.command).unwrap()
    }

    pub(super) fn hashes(&mut self) -> Hashes {
        self.summary().hashes
    }
}

fn common(root: &Path) -> Common {
    Common {
        digests: Arc::default(),
        macros: Macros::default(),
        mentions: crate::mentions::Mentions::new(root.join("ws")),
        scripts: Default::default(),
        tools: Tools::new(root.join("tools.json")),
        verified: crate::verified::Verified::new(root.join("verified"), false),
        rustc_version: "rustc 1.95.0".to_owned(),
        sysroot: root.join("sysroot"),
        host: "h".to_owned(),
    }
}

fn write(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}
