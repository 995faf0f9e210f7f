//! Plays a build at a hook, in any language, and tells which rules of the protocol it keeps.
//!
//! [`rules::ALL`] is the list of rules, each with the section of the specification that it comes from. For every
//! rule fresh processes of the hook are started, so that one broken rule hides no other.
//!
//! Invariant: a hook is only ever judged by what it says and by what it does to files; nothing here knows how a
//! hook is made.

pub mod process;
pub mod report;
pub mod rules;
pub mod subject;
