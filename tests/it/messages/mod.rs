//! What users and tools see: restored units say what fresh ones say.

mod json;
mod paths;
mod status;
mod warnings;
