//! The JSON schema of the messages, made from the types: for authors of hooks in other languages.
//!
//! `schema/v1.json` is this one; a test sees to it. The schema knows what this version knows: messages of later
//! ones may have more fields, and more kinds.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::Digest;
use crate::wire::{Hello, Reason, Request, Response};

/// A line of the protocol.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is of use")]
enum Message {
    /// From the hook, once.
    Hello(Hello),
    /// From Cargo.
    Request(Box<Request>),
    /// From the hook.
    Response(Response),
}

/// Returns the schema as text, with a line feed at the end.
pub fn text() -> String {
    let schema = schemars::schema_for!(Message);
    let text = serde_json::to_string_pretty(&schema).expect("a schema has only string keys");
    text + "\n"
}

impl JsonSchema for Digest {
    fn schema_name() -> Cow<'static, str> {
        "Digest".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A BLAKE3 digest",
            "type": "string",
            "pattern": "^blake3:[0-9a-f]{64}$",
        })
    }
}

impl JsonSchema for Reason {
    fn schema_name() -> Cow<'static, str> {
        "Reason".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Why a unit was not shared",
            "type": "object",
            "properties": {
                "name": { "type": "string", "examples": Reason::NAMES },
                "detail": { "type": "string" },
            },
            "required": ["name"],
        })
    }
}
