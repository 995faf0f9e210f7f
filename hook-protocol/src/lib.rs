#![doc = include_str!("../README.md")]
#![doc = include_str!("spec.md")]
//! ```no_run
#![doc = include_str!("../examples/folder.rs")]
//! ```

pub mod client;
mod digest;
pub mod hook;
pub mod wire;

pub use digest::{Digest, ParseDigestError};
pub use hook::{Hook, main, serve};

/// Locks `mutex`, whatever became of those who held it: no lock here guards a state that a panic
/// could leave half changed.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
