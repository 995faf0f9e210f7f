//! What is restored, and that it is what would have been compiled.

mod commands;
mod dependencies;
mod harness;
mod incremental;
mod kinds;
mod modes;
mod nested;
mod places;
mod scripts;
mod shipped;
mod written;
