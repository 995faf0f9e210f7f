//! Workloads that are assembled from made-up packages.

use super::*;

/// A made-up package; an application locks every library.
fn package(pin: &Pin) -> Result<Tree> {
    let Pin { name, version, .. } = pin;
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"{version}\"\n\
         [dependencies]\na = \"1\"\n[dev-dependencies]\nb = \"1\"\n\
         [target.'cfg(unix)'.dependencies]\nc = \"1\"\n[target.'cfg(unix)'.dev-dependencies]\nd = \"1\"\n\
         [profile.release]\nlto = true\n"
    );
    let locked = SMALL.libraries.iter().chain(LIBRARIES);
    let locked = locked.map(|it| {
        format!(
            "[[package]]\nname = \"{it}\"\nversion = \"0.1.0\"\nsource = \"r\"\nchecksum = \"s\"\n"
        )
    });
    let lock = "version = 4\n".to_string() + &locked.collect::<String>();
    let files = [
        ("Cargo.toml", manifest),
        (LOCK, lock),
        ("src/lib.rs", String::new()),
    ];
    Ok(files
        .map(|(path, text)| (path.to_string(), text.into_bytes()))
        .into())
}

fn manifest(files: &Tree, path: &str) -> toml::Table {
    toml::from_slice(&files[path]).unwrap()
}

#[test]
fn every_member_is_there_and_replaces_the_published_one() {
    for (workload, members) in [(SMALL, 8), (MEDIUM, 7), (LARGE, 11)] {
        let files = workload.assemble(package).unwrap();
        let root = manifest(&files, "Cargo.toml");
        let listed = root["workspace"]["members"].as_array().unwrap();
        assert_eq!(listed.len(), members, "{}", workload.name);
        for member in listed {
            let path = format!("{}/Cargo.toml", member.as_str().unwrap());
            manifest(&files, &path);
        }
        let patched = root["patch"]["crates-io"].as_table().unwrap();
        assert_eq!(patched.len(), workload.libraries.len());
        assert_eq!(root.contains_key("package"), workload.root.is_some());
        let locks = files.keys().filter(|it| it.ends_with(LOCK));
        assert_eq!(locks.collect::<Vec<_>>(), [LOCK]);
    }
}

#[test]
fn members_have_what_is_built_and_nothing_else() {
    let files = LARGE.assemble(package).unwrap();
    let member = manifest(&files, "apps/just/Cargo.toml");
    assert!(member["dependencies"].get("a").is_some());
    assert!(
        member["target"]["cfg(unix)"]["dependencies"]
            .get("c")
            .is_some()
    );
    let text = toml::to_string(&member).unwrap();
    assert!(
        !text.contains("dev-dependencies") && !text.contains("profile"),
        "{text}"
    );
}

#[test]
fn edits_are_in_members() {
    for workload in [SMALL, MEDIUM, LARGE] {
        let places = |it: &Edit| it.path.to_string();
        for path in [places(&workload.leaf), places(&workload.middle)] {
            let is_member = workload
                .libraries
                .iter()
                .any(|it| path.starts_with(&format!("crates/{it}/")));
            let is_app = workload
                .apps
                .iter()
                .any(|it| path.starts_with(&format!("apps/{}/", it.0)));
            assert!(is_member || is_app || workload.root.is_some(), "{path}");
        }
    }
}
