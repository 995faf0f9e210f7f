#![doc = include_str!("../README.md")]
#![doc = include_str!("spec.md")]
//! # Example: a hook in shell
//!
//! It answers one request and exits, and needs `jq`.
//!
//! ```sh
#![doc = include_str!("../examples/shell-cache/hook.sh")]
//! ```
//!
//! # Example: a folder as a cache
//!
//! The same in Rust, as a session with concurrent requests:
//!
//! ```no_run
#![doc = include_str!("../examples/folder.rs")]
//! ```

pub mod client;
mod digest;
pub mod files;
pub mod harness;
pub mod hook;
pub mod sample;
#[cfg(feature = "schema")]
pub mod schema;
pub mod wire;

pub use digest::{Digest, ParseDigestError};
pub use hook::{Hook, main, serve};

/// The specification, as the documentation of this crate shows it.
pub const SPECIFICATION: &str = include_str!("spec.md");

/// Locks `mutex`, whatever became of those who held it: no lock here guards a state that a panic
/// could leave half changed.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
