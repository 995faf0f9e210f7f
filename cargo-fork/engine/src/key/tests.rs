//! Tests of keys: every ingredient counts, and what must not matter does not.

use std::fs;
use std::time::SystemTime;

use super::*;

mod checkout;

use checkout::Checkout;

type Change = fn(&mut Checkout);

#[test]
fn the_checkout_does_not_matter() {
    let mut one = Checkout::new("x");
    let mut other = Checkout::new("another/place/deep/below");
    assert_ne!(one.root, other.root);
    assert_eq!(one.hashes(), other.hashes());
}

#[test]
fn the_order_of_places_does_not_matter() {
    // A folder of the build directory and one outside, which lies before it here and after it there.
    let with_library = |place: &str| {
        let mut checkout = Checkout::new("x");
        let outside = checkout.path(place);
        checkout.write(&format!("{place}/libz.a"), "another z");
        checkout.unit.subject.roots.add("outside", &outside);
        let args = [format!("-Lnative={}", outside.display())];
        checkout.command.args.extend(args);
        checkout.hashes()
    };
    assert_eq!(with_library("aaa"), with_library("zzz"));
}

#[test]
fn presentation_and_parallelism_do_not_matter() {
    let first = Checkout::without_macros().hashes();
    let changes: &[Change] = &[
        |c| c.arg("--diagnostic-width=80", "--diagnostic-width=200"),
        |c| c.arg("--error-format=json", "--color=always"),
        |c| {
            c.command
                .args
                .push("--json=diagnostic-short,artifacts".to_owned())
        },
        |c| {
            c.command
                .args
                .extend(["--cap-lints".to_owned(), "warn".to_owned()])
        },
        |c| c.env("NUM_JOBS", "64"),
        |c| c.env("CARGO_MAKEFLAGS", "-j --jobserver-fds=8,9"),
        |c| c.env("CARGO", "/another/cargo"),
        |c| c.env("LD_LIBRARY_PATH", "/somewhere"),
        |c| c.env("CARGO_PRIMARY_PACKAGE", "1"),
        |c| c.command.env.inherited = Arc::new([("TERM".to_owned(), "x".to_owned())].into()),
        // What a unit includes from there is recorded when it was built.
        |c| c.write("build/script/out/log.txt", "today"),
        |c| c.write("build/script/out/gen.rs", "generated anew"),
        |c| c.write("ws/a/target/CACHEDIR.TAG", ""),
        |c| c.write("ws/a/.git/HEAD", "ref: refs/heads/main"),
        |c| c.write("ws/b/src/lib.rs", "another package"),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut checkout = Checkout::without_macros();
        change(&mut checkout);
        assert_eq!(checkout.hashes(), first, "change {number}");
    }
}

#[test]
fn every_ingredient_matters() {
    let first = Checkout::new("x").hashes();
    let changes: &[(&str, Change)] = &[
        ("args", |c| c.arg("opt-level=1", "opt-level=2")),
        ("args", |c| c.arg("a/src/lib.rs", "a/src/main.rs")),
        ("args", |c| {
            c.command.args.extend(["--cfg".to_owned(), "x".to_owned()])
        }),
        ("args", |c| c.command.args.push("-Dwarnings".to_owned())),
        ("remap", |c| {
            c.command.args.retain(|arg| !arg.starts_with("--remap"))
        }),
        ("incremental", |c| {
            c.command.args.push("-Cincremental=/x".to_owned())
        }),
        ("env", |c| c.env("CARGO_PKG_VERSION", "1.0.1")),
        ("env", |c| c.env("CARGO_CFG_NEW", "")),
        ("env", |c| c.env("CARGO_MANIFEST_DIR", "/elsewhere")),
        ("env", |c| {
            c.command.env.inherited = Arc::new([("SDKROOT".to_owned(), "/s".to_owned())].into());
        }),
        ("unit", |c| {
            drop(c.unit.subject.facts.insert("for-host", "true".to_owned()))
        }),
        ("unit", |c| {
            c.unit.subject.cwd = c.unit.subject.cwd.join("a")
        }),
        ("rustc", |c| {
            c.common.rustc_version = "rustc 1.96.0".to_owned()
        }),
        ("rustc", |c| {
            c.write("sysroot/lib/librustc_driver-1.so", "another driver")
        }),
        ("rustc", |c| {
            c.write("sysroot/lib/rustlib/h/lib/libstd-1.rlib", "another std")
        }),
        ("deps", |c| c.write("build/deps/libb-1.rmeta", "another b")),
        ("deps", |c| c.write("build/deps/libm-2.so", "another macro")),
        ("deps", |c| {
            Arc::make_mut(&mut c.unit.dependencies[0])
                .crate_id
                .push('2')
        }),
        ("deps", |c| drop(c.unit.dependencies.pop())),
        ("native", |c| {
            c.write("build/script/out/libz.a", "another z")
        }),
        ("native", |c| {
            c.write("build/script/out/libnew.so", "found first")
        }),
        ("version", |c| c.unit.subject.salt = Salt::new("pepper")),
        ("source", |c| {
            let root = c.unit.subject.source.root().to_path_buf();
            c.unit.subject.source = Source::Unpacked {
                root,
                identity: "sha256:1".to_owned(),
                unpacked: SystemTime::UNIX_EPOCH,
            };
        }),
    ];
    for (number, (name, change)) in changes.iter().enumerate() {
        let mut checkout = Checkout::new("x");
        change(&mut checkout);
        let hashes = checkout.hashes();
        assert_ne!(
            hashes.ingredients[*name], first.ingredients[*name],
            "change {number} of {name}"
        );
        assert_ne!(hashes.action, first.action, "change {number} of {name}");
        assert_ne!(hashes.key, first.key, "change {number} of {name}");
    }
}

#[test]
fn sources_are_in_the_key_and_not_in_the_action() {
    let first = Checkout::without_macros().hashes();
    let changes: &[Change] = &[
        |c| c.write("ws/a/src/lib.rs", "pub fn b() {}"),
        |c| c.write("ws/a/src/new.rs", ""),
        |c| c.write("ws/a/.env", "hidden"),
        |c| fs::rename(c.path("ws/a/src/lib.rs"), c.path("ws/a/src/Lib.rs")).unwrap(),
        |c| fs::remove_file(c.path("ws/a/Cargo.toml")).unwrap(),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut checkout = Checkout::without_macros();
        change(&mut checkout);
        let hashes = checkout.hashes();
        assert_eq!(hashes.action, first.action, "change {number}");
        assert_ne!(hashes.key, first.key, "change {number}");
    }
}

#[test]
fn an_unpacked_package_is_its_identity() {
    let unpacked = |identity: &str| {
        let mut checkout = Checkout::new("x");
        let root = checkout.unit.subject.source.root().to_path_buf();
        checkout.unit.subject.source = Source::Unpacked {
            root,
            identity: identity.to_owned(),
            unpacked: SystemTime::UNIX_EPOCH,
        };
        checkout
    };
    let first = unpacked("sha256:1").hashes();
    assert!(first.files.is_empty());
    assert_ne!(unpacked("sha256:2").hashes().action, first.action);
    let edited = {
        let mut checkout = unpacked("sha256:1");
        checkout.write("ws/a/src/lib.rs", "edited");
        checkout.hashes()
    };
    assert_eq!(
        edited, first,
        "an edit is noticed by the recorded inputs, not by the key"
    );
}

#[test]
fn macros_may_read_what_nobody_told_them() {
    // The library of the fixture has no symbols: it may do anything.
    let changes: &[(&str, Change)] = &[
        ("macro-files", |c| {
            c.write("build/script/out/gen.rs", "generated anew")
        }),
        ("macro-files", |c| c.write("ws/.sqlx/query.json", "{}")),
        ("macro-env", |c| {
            let variable = ("ANYTHING".to_owned(), "1".to_owned());
            c.command.env.inherited = Arc::new([variable].into());
        }),
    ];
    let first = Checkout::new("x").hashes();
    for (number, (name, change)) in changes.iter().enumerate() {
        let mut checkout = Checkout::new("x");
        change(&mut checkout);
        let hashes = checkout.hashes();
        assert_ne!(
            hashes.ingredients[*name], first.ingredients[*name],
            "change {number}"
        );
        let without = |change: fn(&mut Checkout)| {
            let mut checkout = Checkout::without_macros();
            change(&mut checkout);
            checkout.hashes()
        };
        assert_eq!(
            without(*change),
            without(|_| ()),
            "change {number} without macros"
        );
    }
}

#[test]
fn a_result_that_is_not_incremental_serves_too() {
    let mut checkout = Checkout::new("x");
    let plain = checkout.hashes();
    checkout.command.args.push("-Cincremental=/x".to_owned());
    let summary = checkout.summary();
    assert_eq!(summary.not_incremental, Some(plain.clone()));
    assert_ne!(summary.hashes.action, plain.action);
}

#[test]
fn linked_units_are_keyed_by_their_linker() {
    let linked = |content: &str| {
        let mut checkout = Checkout::new("x");
        checkout.unit.links = true;
        checkout.write("linker", content);
        let linker = checkout.path("linker").display().to_string();
        checkout.command.args.push(format!("-Clinker={linker}"));
        checkout.hashes()
    };
    let first = linked("one");
    assert_eq!(linked("one"), first);
    assert_ne!(
        linked("two").ingredients["linker"],
        first.ingredients["linker"]
    );
    assert!(
        !Checkout::new("x")
            .hashes()
            .ingredients
            .contains_key("linker")
    );
}

#[test]
fn named_files_count_by_content() {
    let scripted = |content: &str| {
        let mut checkout = Checkout::new("x");
        checkout.write("ws/memory.x", content);
        checkout
            .command
            .args
            .push("-Clink-arg=-Tmemory.x".to_owned());
        checkout.hashes()
    };
    assert_eq!(scripted("one"), scripted("one"));
    assert_ne!(
        scripted("one").ingredients["files"],
        scripted("two").ingredients["files"]
    );
}

#[test]
fn drivers_are_known_or_not_offered() {
    let driven = |name: &str, content: &str| {
        let mut checkout = Checkout::new("x");
        checkout.write(name, content);
        checkout.command.programs.insert(0, checkout.path(name));
        checkout
    };
    let clippy = |content: &str| driven("clippy-driver", content).hashes().ingredients["rustc"];
    assert_eq!(clippy("one"), clippy("one"));
    assert_ne!(clippy("one"), clippy("two"));
    let mut configured = driven("clippy-driver", "one");
    configured.write("ws/clippy.toml", "msrv = \"1.0\"");
    assert_ne!(configured.hashes().ingredients["rustc"], clippy("one"));
    let unknown = driven("wrapper.sh", "one");
    let reason = summarise(&unknown.common, &unknown.unit, &unknown.command).unwrap_err();
    assert_eq!(reason.name(), "unknown-driver");
}

#[test]
fn two_dependencies_of_one_name_are_not_offered() {
    let mut checkout = Checkout::new("x");
    let mut twin = checkout.unit.dependencies[0].clone();
    Arc::make_mut(&mut twin).path = checkout.path("build/deps/libm-2.so");
    checkout.unit.dependencies.push(twin);
    let reason = summarise(&checkout.common, &checkout.unit, &checkout.command).unwrap_err();
    assert_eq!(reason, Reason::AmbiguousDependency);
}

#[test]
fn lists_are_told_apart() {
    let list = |lines: &[&str]| encode(&lines.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>());
    assert_ne!(list(&["a", "b"]), list(&["a\n1:b"]));
    assert_ne!(list(&["ab"]), list(&["a", "b"]));
    assert_ne!(list(&[]), list(&[""]));
}
