//! Nothing is used that differs from the pin. `tidy` is the cheapest command that needs upstream's source.

use std::fs;

use crate::world::World;

#[test]
fn the_pinned_file_is_accepted() {
    World::new().passes(&["tidy"]);
}

#[test]
fn one_other_byte_is_refused() {
    let world = World::new();
    let mut bytes = fs::read(world.crate_file()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(world.crate_file(), bytes).unwrap();
    for command in ["build", "tidy"] {
        world.fails(
            &[command],
            &[
                "cargo-0.98.0.crate` differs from the pin: sha256 ",
                "help: delete this file and try again",
            ],
        );
    }
}

#[test]
fn a_good_file_of_another_registry_is_found() {
    let world = World::new();
    let other = world
        .cargo_home()
        .join("registry/cache/another-index/cargo-0.98.0.crate");
    fs::create_dir_all(other.parent().unwrap()).unwrap();
    fs::write(other, "not it").unwrap();
    world.passes(&["tidy"]);
}

#[test]
fn no_network_and_nothing_cached_is_explained() {
    let world = World::new();
    fs::remove_file(world.crate_file()).unwrap();
    world.fails(
        &["build"],
        &[
            "[fetch] cargo@0.98.0",
            "error: failed to fetch `cargo@0.98.0`: it is not in Cargo's cache, and Cargo could not download it",
            "help: run this once with a network",
            "Caused by:",
        ],
    );
}

#[test]
fn a_vendored_package_is_accepted() {
    let world = World::new();
    world.vendor();
    world.passes(&["tidy"]);
}

#[test]
fn an_edited_vendored_file_is_refused() {
    let world = World::new();
    let folder = world.vendor();
    fs::write(folder.join("src/text.txt"), "one\ntwo\nthree\nfour\nfivE\n").unwrap();
    world.fails(
        &["tidy"],
        &[
            "src/text.txt` differs from what was vendored",
            "help: run `cargo vendor` again",
        ],
    );
}

#[test]
fn another_vendored_package_is_refused() {
    let world = World::new();
    world.vendor();
    world.pin(&"0".repeat(64));
    world.fails(
        &["tidy"],
        &[".cargo-checksum.json` differs from the pin: package sum "],
    );
}

#[test]
fn an_old_rustc_is_refused() {
    let world = World::new();
    let pin = world
        .read("cargo-fork/upstream.toml")
        .replace("1.85", "9.99");
    world.write("cargo-fork/upstream.toml", &pin);
    world.fails(
        &["build"],
        &[
            "is too old: cargo 0.98.0 needs 9.99 or newer",
            "help: run `rustup update stable`",
        ],
    );
}
