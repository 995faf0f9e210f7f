//! Builds after random changes: whatever happened, the program prints what the sources say.
//!
//! The changes follow from a seed, so that a failure can be played again.

use std::collections::BTreeMap;

use cargo_test_support::ProjectBuilder;
use cargo_test_support::prelude::*;

use super::{AFTER_PAST, BEFORE_PAST, Checkout, Mode};
use crate::support::{package, workspace};

/// Files that hold one digit each, and the text around it.
const FILES: &[(&str, &str)] = &[
    ("foo/src/own.rs", "pub const N: u32 = @;"),
    ("foo/data.txt", "@"),
    ("bar/src/deep/mod.rs", "pub const N: u32 = @;"),
    ("bar/in.txt", "@"),
    ("bar/assets/a.txt", "@"),
    ("bar/assets/b/c.txt", "@"),
    ("mac/src/lib.rs", MACRO),
];

const MACRO: &str = "use proc_macro::TokenStream;\n\
    #[proc_macro]\npub fn n(_: TokenStream) -> TokenStream { \"@\".parse().unwrap() }";

/// The digits in the order in which the program prints them.
const PRINTED: &str = r#"
    mod own;
    fn main() {
        let (gen_, first, second) = bar::SAID;
        let data = include_str!("../data.txt");
        println!("{}{data}{}{gen_}{first}{second}{}", own::N, bar::n(), mac::n!());
    }
"#;

const SCRIPT: &str = r#"
    fn main() {
        println!("cargo::rerun-if-changed=in.txt");
        println!("cargo::rerun-if-changed=assets");
        let read = |path: &str| std::fs::read_to_string(path).unwrap();
        let said = [read("in.txt"), read("assets/a.txt"), read("assets/b/c.txt")].join(", ");
        let out = std::env::var("OUT_DIR").unwrap();
        std::fs::write(out + "/said.rs", format!("({said})")).unwrap();
    }
"#;

const BAR: &str = r#"
    mod deep;
    pub const SAID: (u32, u32, u32) = include!(concat!(env!("OUT_DIR"), "/said.rs"));
    pub fn n() -> u32 { deep::N }
"#;

fn files(p: ProjectBuilder) -> ProjectBuilder {
    let needs = "[dependencies]\nbar = { path = '../bar' }\nmac = { path = '../mac' }";
    let p = p
        .file("Cargo.toml", &workspace(&["foo", "bar", "mac"]))
        .file("foo/Cargo.toml", &package("foo", needs))
        .file("foo/src/main.rs", PRINTED)
        .file("bar/Cargo.toml", &package("bar", ""))
        .file("bar/build.rs", SCRIPT)
        .file("bar/src/lib.rs", BAR)
        .file(
            "mac/Cargo.toml",
            &package("mac", "[lib]\nproc-macro = true"),
        );
    FILES
        .iter()
        .fold(p, |p, (name, text)| p.file(name, &text.replace('@', "1")))
}

/// Numbers that follow from a seed, as xorshift gives them.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// A checkout, and what its sources say.
struct World {
    checkout: Checkout,
    digits: BTreeMap<&'static str, usize>,
    numbers: Numbers,
}

impl World {
    /// Changes something, and tells what.
    fn change(&mut self) -> String {
        let (name, text) = FILES[self.numbers.below(FILES.len())];
        let digit = self.numbers.below(10);
        let (c, old) = (&self.checkout, self.digits[name]);
        let write = |digit: usize| text.replace('@', &digit.to_string());
        let mut said = digit;
        let what = match self.numbers.below(12) {
            0 | 1 => {
                c.edit(name, &write(digit));
                "edited"
            }
            2 => {
                c.edit_in_secret(name, &write(digit));
                "edited in secret"
            }
            3 => {
                c.bring_in(name, &write(digit), BEFORE_PAST);
                "brought in, from long ago"
            }
            4 => {
                c.edit_at(name, &write(digit), AFTER_PAST);
                "edited, some time ago"
            }
            5 => {
                c.edit(name, &write(digit));
                c.edit(name, &write(old));
                said = old;
                "edited and back"
            }
            6 => {
                c.edit(name, "(");
                c.build();
                c.edit_in_secret(name, ")");
                c.bring_in(name, &write(digit), BEFORE_PAST);
                "broken, built, and brought in from long ago"
            }
            other => {
                said = old;
                self.disturb(other)
            }
        };
        self.digits.insert(name, said);
        format!("{name}: {what}, {said}")
    }

    /// Changes something that is not the content of a source.
    fn disturb(&mut self, what: usize) -> &'static str {
        let c = &self.checkout;
        match what {
            7 => {
                c.touch_all();
                "all touched"
            }
            8 => {
                c.age();
                "all dated back"
            }
            9 => {
                c.clone_anew();
                "cloned anew"
            }
            10 => {
                c.runs("cp -r target copy");
                c.remove("target");
                c.rename("copy", "target");
                "times of `target` lost"
            }
            _ => {
                let outputs = c.all("target/debug/deps/lib*");
                if !outputs.is_empty() {
                    let at = self.numbers.below(outputs.len());
                    std::fs::remove_file(&outputs[at]).unwrap();
                }
                "an output removed"
            }
        }
    }
}

fn play(seed: u64) {
    let mut world = World {
        checkout: Checkout::new(Mode::Content, files),
        digits: FILES.iter().map(|(name, _)| (*name, 1)).collect(),
        numbers: Numbers(seed),
    };
    world.checkout.succeeds("the first build");
    let mut changes = Vec::new();
    for _ in 0..25 {
        for _ in 0..=world.numbers.below(3) {
            changes.push(world.change());
        }
        let digits = FILES.iter().map(|(name, _)| world.digits[name].to_string());
        let expected: String = digits.collect();
        let story = format!("seed {seed}: {changes:#?}");
        world.checkout.succeeds(&story);
        assert_eq!(world.checkout.prints(), expected, "{story}");
        world.checkout.builds_nothing(&story);
    }
}

#[cargo_test]
fn whatever_changes_is_in_the_program() {
    for seed in [1, 20_261_123] {
        play(seed);
    }
}
