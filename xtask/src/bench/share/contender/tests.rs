//! Contenders that are never run.

use super::*;
use crate::bench::share::peers::PEERS;

fn programs(others: &[&str]) -> Programs {
    Programs {
        stock: PathBuf::from("/bin/stock/cargo"),
        fork: PathBuf::from("/bin/fork/cargo"),
        others: others
            .iter()
            .map(|it| (it.to_string(), PathBuf::from(it)))
            .collect(),
    }
}

fn all() -> Vec<Contender> {
    let peers: Vec<_> = PEERS
        .iter()
        .map(|it| (it, Path::new("/bin").join(it.name)))
        .collect();
    contenders(&programs(&["again"]), &peers, Path::new("/folder")).unwrap()
}

fn value(contender: &Contender, name: &str) -> Option<String> {
    let found = contender.settings.iter().find(|(it, _)| *it == name);
    found.map(|(_, value)| value.to_string_lossy().into_owned())
}

#[test]
fn everybody_has_a_place_of_his_own() {
    let all = all();
    let names: Vec<_> = all.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "stock", "floor", "off", "on", "sccache", "kache", "mbx", "again"
        ]
    );
    for contender in all.iter().filter(|it| it.kind != Kind::Floor) {
        assert_eq!(contender.folder, Path::new("/folder").join(&contender.name));
    }
    assert_eq!([names[STOCK], names[ON]], ["stock", "on"]);
    assert_eq!(all[1].folder, all[STOCK].folder);
    assert!(contenders(&programs(&["on"]), &[], Path::new("/folder")).is_err());
}

#[test]
fn caches_are_below_the_folder() {
    for (name, variable) in [
        ("on", "CARGO_LOCAL_CACHE_DIR"),
        ("sccache", "SCCACHE_DIR"),
        ("kache", "KACHE_CACHE_DIR"),
        ("mbx", "MBX_CACHE_DIR"),
    ] {
        let all = all();
        let contender = all.iter().find(|it| it.name == name).unwrap();
        assert_eq!(
            value(contender, variable),
            Some(format!("/folder/{name}/cache"))
        );
    }
}

#[test]
fn wrappers_are_run_by_cargo_and_mbx_runs_cargo() {
    let all = all();
    let [.., sccache, kache, mbx, _] = &all[..] else {
        panic!("there are enough");
    };
    for wrapper in [sccache, kache] {
        assert_eq!(wrapper.program, Path::new("/bin/stock/cargo"));
        assert_eq!(
            value(wrapper, "RUSTC_WRAPPER"),
            Some(format!("/bin/{}", wrapper.name))
        );
    }
    assert_eq!(mbx.program, Path::new("/bin/mbx"));
    assert!(value(mbx, "PATH").unwrap().starts_with("/bin/stock"));
    assert!(value(sccache, "SCCACHE_SERVER_PORT").is_some());
    assert_eq!(value(sccache, "CARGO_INCREMENTAL").as_deref(), Some("0"));
}

#[test]
fn checkouts_lie_at_different_depths() {
    let on = on(&programs(&[]), Path::new("/folder/on"));
    let phases = [Phase::Cold, Phase::WarmOther, Phase::NextCommit];
    let depths = phases.map(|it| on.checkout(it).components().count());
    assert!(depths[0] < depths[2] && depths[2] < depths[1], "{depths:?}");
    assert_eq!(on.checkout(Phase::Cold), on.checkout(Phase::WarmSame));
}

#[test]
fn settings_of_caches_are_taken_away() {
    for name in [
        "GIT_DIR",
        "SCCACHE_BUCKET",
        "KACHE_S3_BUCKET",
        "MBX_REMOTE_URL",
        "RUSTC_WRAPPER",
    ] {
        assert!(steers(name), "{name}");
    }
    assert!(!steers("PATH") && !steers("CARGO_NET_RETRY"));
}
