//! Whatever a hook says, Cargo's side takes it for a message or refuses it; what is taken says the same again.
#![no_main]

use hook_protocol::wire::{Answer, Hello, Response};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    if let Ok(hello) = serde_json::from_slice::<Hello>(line) {
        let text = serde_json::to_vec(&hello).expect("a hello is JSON");
        let again: Hello = serde_json::from_slice(&text).expect("what was written can be read");
        assert_eq!(again.name, hello.name);
        assert_eq!(again.v, hello.v);
    }
    if let Ok(response) = serde_json::from_slice::<Response>(line) {
        let text = serde_json::to_vec(&response).expect("a response is JSON");
        let again: Response = serde_json::from_slice(&text).expect("what was written can be read");
        assert_eq!(again.id, response.id);
        if let Some(Answer::Hit(hit)) = response.ok {
            for candidate in hit.candidates {
                // An entry that is none is refused.
                let _ = candidate.entry.parse();
            }
        }
    }
});
