//! Whatever comes as requests, a hook of the SDK says hello, then only responses, each to an id that it read.
#![no_main]

use std::collections::HashMap;
use std::io::BufReader;

use hook_protocol::hook::{BoxError, Hook, Keep, Lookup, serve};
use hook_protocol::wire::{AfterBuild, BeforeBuild, Hello, Response};
use libfuzzer_sys::fuzz_target;

/// What a hook must be able to read of any request; nobody looks at the rest.
#[derive(serde::Deserialize)]
struct Asked {
    id: u64,
}

struct Simple;

impl Hook for Simple {
    fn name(&self) -> &str {
        "simple"
    }

    fn before_build(&self, request: BeforeBuild) -> Result<Lookup, BoxError> {
        Ok(Lookup::Miss(request.unit.package))
    }

    fn after_build(&self, request: AfterBuild) -> Result<Keep, BoxError> {
        request.entry.parse()?;
        Ok(Keep::Stored(request.files))
    }
}

fuzz_target!(|requests: &[u8]| {
    let mut out = Vec::new();
    // That a line is no request is an error, and all that may go wrong.
    let _ = serve(&Simple, BufReader::new(requests), &mut out, 1);
    let mut lines = out.split(|it| *it == b'\n').filter(|it| !it.is_empty());
    let hello: Hello = serde_json::from_slice(lines.next().expect("it says hello")).expect("hello");
    assert_eq!(hello.name, "simple");
    let mut asked: HashMap<u64, usize> = HashMap::new();
    for line in requests.split(|it| *it == b'\n') {
        if let Ok(Asked { id }) = serde_json::from_slice(line) {
            *asked.entry(id).or_default() += 1;
        }
    }
    for line in lines {
        let response: Response = serde_json::from_slice(line).expect("a response");
        assert!(response.ok.is_some() != response.err.is_some());
        let open = asked.get_mut(&response.id).expect("an id that was read");
        *open = open.checked_sub(1).expect("one answer for each request");
    }
});
