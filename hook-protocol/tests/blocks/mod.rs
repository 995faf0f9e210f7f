//! Examples in texts: JSON in code blocks, which must be messages.

use hook_protocol::wire::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Returns the code blocks of a text in `language`.
pub(crate) fn blocks_of(text: &'static str, language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    text.split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// Checks that a value survives being parsed and written.
#[track_caller]
pub(crate) fn round_trip<T: Serialize + DeserializeOwned>(value: &Value) -> T {
    let parsed: T = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(&serde_json::to_value(&parsed).unwrap(), value);
    parsed
}

/// Checks that a block is a message, and returns of which kind.
#[track_caller]
pub(crate) fn message(block: &str) -> String {
    let value: Value = serde_json::from_str(block).unwrap();
    if value["v"].is_array() {
        let hello: Hello = round_trip(&value);
        assert!(!hello.capabilities.contains(&Capability::Unknown));
        "hello".to_owned()
    } else if value["kind"].is_string() {
        assert_ne!(round_trip::<Request>(&value), Request::Unknown);
        value["kind"].as_str().unwrap().to_owned()
    } else if value["format"].is_u64() {
        round_trip::<Entry>(&value);
        "entry".to_owned()
    } else {
        let response: Response = round_trip(&value);
        assert_ne!(response.ok.is_some(), response.err.is_some());
        assert_ne!(response.ok, Some(Answer::Unknown));
        let kind = value["Ok"]["kind"].as_str().unwrap_or("Err");
        kind.to_owned()
    }
}
