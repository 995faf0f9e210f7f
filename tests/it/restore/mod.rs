//! What is restored, and that it is what would have been compiled.

mod commands;
mod dependencies;
mod incremental;
mod kinds;
mod places;
mod scripts;
mod shipped;
