//! How the bytes of the shipped cache come to build directories and back: what is one file, and what is not;
//! and builds that need the same unit at the same time.

mod answers;
mod flights;
mod links;
mod places;
