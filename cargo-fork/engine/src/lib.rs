//! Keys, recorded inputs, verification and placement: what the fork does that is not Cargo's.
//!
//! Cargo's side takes a [`unit::Unit`] on its main thread and calls a [`Session`] from its jobs:
//! [`Session::ask`] before a unit is built, [`Session::store`] after, [`Session::settle`] at the end.
//!
//! Invariant: this crate knows no type of Cargo's, and holds nothing that is bound to a thread.
//!
//! Invariant: no absolute path, time or process id enters a key.
//!
//! Invariant: nothing in a build directory changes before all that a hook supplied is verified.

mod ancestry;
pub mod answers;
pub mod args;
mod ask;
pub mod before;
pub mod depinfo;
mod entry;
pub mod env;
pub mod env_use;
pub mod files;
pub mod freshness;
mod gate;
mod inputs;
pub mod key;
mod keyed;
mod listing;
mod lookup;
pub mod macros;
pub mod memory;
pub mod mentions;
mod messages;
mod needed;
pub mod package;
mod pieces;
mod place;
mod program;
pub mod roots;
pub mod run;
pub mod salt;
mod scan;
mod session;
mod side;
mod store;
mod stores;
pub mod tools;
pub mod unit;
pub mod verified;

pub use ask::{Question, Verdict};
pub use hook_protocol::wire::Reason;
pub use session::{Cause, Config, Counted, Failure, Hook, Session};
