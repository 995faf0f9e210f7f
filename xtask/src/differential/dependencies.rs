//! The crates that the generated workspace uses: versions that are never changed by a release, and a bit of each.
//!
//! Among them are procedural macros, build scripts that probe the compiler, and packages that compile C and
//! assembler (`libz-sys`, `zstd`, `ring`).

/// A crate and what is done with it.
pub(crate) struct Dependency {
    pub(crate) name: &'static str,
    version: &'static str,
    features: &'static [&'static str],
    /// Statements that end with a `String`, the same in every run.
    pub(crate) code: &'static str,
    /// Whether a short run has it too.
    pub(crate) is_small: bool,
}

impl Dependency {
    /// Returns its line in the manifest.
    pub(crate) fn requirement(&self) -> String {
        let Dependency {
            name,
            version,
            features,
            ..
        } = self;
        format!("{name} = {{ version = \"={version}\", features = {features:?} }}\n")
    }
}

const fn small(
    name: &'static str,
    version: &'static str,
    features: &'static [&'static str],
    code: &'static str,
) -> Dependency {
    Dependency {
        is_small: true,
        ..large(name, version, features, code)
    }
}

const fn large(
    name: &'static str,
    version: &'static str,
    features: &'static [&'static str],
    code: &'static str,
) -> Dependency {
    Dependency {
        name,
        version,
        features,
        code,
        is_small: false,
    }
}

/// All of them.
#[rustfmt::skip]
pub(crate) const DEPENDENCIES: &[Dependency] = &[
    small("anyhow", "1.0.100", &[], r#"anyhow::anyhow!("inner").context("outer").to_string()"#),
    small("itoa", "1.0.15", &[], r#"itoa::Buffer::new().format(42).to_string()"#),
    small("libz-sys", "1.1.22", &["static"],
        r#"unsafe { std::ffi::CStr::from_ptr(libz_sys::zlibVersion()) }.to_string_lossy().into_owned()"#),
    small("memchr", "2.7.6", &[], r#"format!("{:?}", memchr::memmem::find(b"haystack", b"st"))"#),
    small("semver", "1.0.27", &[], r#"semver::Version::parse("1.2.3-a+b").unwrap().to_string()"#),
    small("serde", "1.0.228", &["derive"],
        r#"#[derive(serde::Serialize)] struct P { x: u8 } serde_json::to_string(&P { x: 1 }).unwrap()"#),
    small("serde_json", "1.0.145", &[], r#"serde_json::json!({ "a": [1, null] }).to_string()"#),
    small("thiserror", "2.0.17", &[],
        r#"#[derive(Debug, thiserror::Error)] #[error("no {0}")] struct E(u8); E(7).to_string()"#),
    large("aho-corasick", "1.1.4", &[],
        r#"let it = aho_corasick::AhoCorasick::new(["b", "ab"]).unwrap(); format!("{:?}", it.find("cab"))"#),
    large("base64", "0.22.1", &[],
        r#"use base64::Engine; base64::engine::general_purpose::STANDARD.encode("bytes")"#),
    large("bitflags", "2.10.0", &[],
        r#"bitflags::bitflags! { struct F: u8 { const A = 1; const B = 2; } } format!("{:?}", F::all().bits())"#),
    large("bytes", "1.10.1", &[], r#"format!("{:?}", bytes::Bytes::from_static(b"abc").slice(1..))"#),
    large("chrono", "0.4.42", &[],
        r#"chrono::DateTime::from_timestamp(1_000_000_000, 0).unwrap().to_rfc3339()"#),
    large("clap", "4.5.51", &["derive"],
        r#"use clap::CommandFactory; #[derive(clap::Parser)] struct A { #[arg(long)] x: u8 }
        let _ = |it: A| it.x; A::command().render_long_help().to_string()"#),
    large("crossbeam", "0.8.4", &[],
        r#"let (send, receive) = crossbeam::channel::unbounded(); send.send(3).unwrap(); format!("{:?}", receive.recv())"#),
    large("csv", "1.4.0", &[],
        r#"let mut it = csv::Reader::from_reader("a,b\n1,2\n".as_bytes()); format!("{:?}", it.records().next())"#),
    large("either", "1.15.0", &[], r#"format!("{:?}", either::Either::<u8, u8>::Left(1).flip())"#),
    large("env_logger", "0.11.8", &[], r#"format!("{:?}", env_logger::Builder::new().parse_filters("info").build().filter())"#),
    large("flate2", "1.1.5", &["zlib"],
        r#"use std::io::Read; let mut out = Vec::new();
        flate2::read::ZlibEncoder::new(&b"aaaaaaaa"[..], flate2::Compression::best()).read_to_end(&mut out).unwrap();
        format!("{out:?}")"#),
    large("futures", "0.3.31", &[],
        r#"futures::executor::block_on(async { futures::join!(async { 1 }, async { 2 }) }).1.to_string()"#),
    large("hashbrown", "0.16.0", &[], r#"let it: hashbrown::HashMap<u8, u8> = [(1, 2)].into_iter().collect(); format!("{it:?}")"#),
    large("heck", "0.5.0", &[], r#"use heck::ToSnakeCase; "SomeName".to_snake_case()"#),
    large("hex", "0.4.3", &[], r#"hex::encode("abc")"#),
    large("indexmap", "2.12.0", &[], r#"format!("{:?}", indexmap::IndexMap::from([(2, 1), (1, 2)]))"#),
    large("itertools", "0.14.0", &[], r#"use itertools::Itertools; (1..4).permutations(2).map(|it| format!("{it:?}")).join("")"#),
    large("log", "0.4.28", &[], r#"log::warn!("unheard"); log::Level::Warn.to_string()"#),
    large("num-traits", "0.2.19", &[], r#"num_traits::pow(3u64, 4).to_string()"#),
    large("once_cell", "1.21.3", &[],
        r#"static CELL: once_cell::sync::Lazy<u8> = once_cell::sync::Lazy::new(|| 5); CELL.to_string()"#),
    large("parking_lot", "0.12.5", &[], r#"format!("{:?}", parking_lot::Mutex::new(1))"#),
    large("proc-macro2", "1.0.103", &[], r#""a + b".parse::<proc_macro2::TokenStream>().unwrap().to_string()"#),
    large("prost", "0.14.1", &[],
        r#"use prost::Message; #[derive(Clone, PartialEq, prost::Message)]
        struct M { #[prost(uint32, tag = "1")] x: u32 } format!("{:?}", M { x: 300 }.encode_to_vec())"#),
    large("quote", "1.0.41", &[], r#"let name = "a"; quote::quote!(fn f() { #name }).to_string()"#),
    large("rand", "0.9.2", &[],
        r#"use rand::{Rng, SeedableRng}; rand::rngs::StdRng::seed_from_u64(1).random::<u64>().to_string()"#),
    large("rayon", "1.11.0", &[],
        r#"use rayon::prelude::*; (0..1000u64).into_par_iter().map(|it| it * it).sum::<u64>().to_string()"#),
    large("regex", "1.12.2", &[],
        r#"regex::Regex::new(r"(\w+)@(\w+)").unwrap().replace("me@here", "$2 $1").into_owned()"#),
    large("ring", "0.17.14", &[], r#"format!("{:?}", ring::digest::digest(&ring::digest::SHA256, b"abc"))"#),
    large("sha2", "0.10.9", &[], r#"use sha2::Digest; format!("{:x}", sha2::Sha256::digest("abc"))"#),
    large("smallvec", "1.15.1", &[], r#"format!("{:?}", smallvec::SmallVec::<[u8; 2]>::from_slice(&[1, 2, 3]))"#),
    large("syn", "2.0.108", &["full"],
        r#"let file = syn::parse_file("fn a() {} struct B;").unwrap(); file.items.len().to_string()"#),
    large("tempfile", "3.23.0", &[], r#"tempfile::tempfile().is_ok().to_string()"#),
    large("textwrap", "0.16.2", &[], r#"textwrap::fill("some words to be wrapped", 10)"#),
    large("time", "0.3.44", &["formatting", "macros"],
        r#"time::macros::date!(2020 - 02 - 29).next_day().unwrap().to_string()"#),
    large("tokio", "1.48.0", &["full"],
        r#"let it = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        it.block_on(async { tokio::time::sleep(std::time::Duration::ZERO).await; 8 }).to_string()"#),
    large("toml", "0.9.8", &[], r#"toml::from_str::<toml::Table>("a = [1]\n[b]\nc = 2").unwrap().to_string()"#),
    large("tracing", "0.1.41", &[],
        r#"#[tracing::instrument] fn traced(x: u8) -> String { tracing::info!("unheard"); x.to_string() } traced(9)"#),
    large("tracing-subscriber", "0.3.20", &["env-filter"],
        r#"tracing_subscriber::EnvFilter::new("info,a::b=trace").to_string()"#),
    large("url", "2.5.7", &[], r#"url::Url::parse("https://example.com/a/../b?c").unwrap().to_string()"#),
    large("uuid", "1.18.1", &["v5"],
        r#"uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_DNS, b"example.com").to_string()"#),
    large("walkdir", "2.5.0", &[], r#"walkdir::WalkDir::new("no such folder").into_iter().count().to_string()"#),
    large("zstd", "0.13.3", &[], r#"format!("{:?}", zstd::encode_all(&b"aaaaaaaa"[..], 3).unwrap())"#),
];
