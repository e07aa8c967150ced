//! What `cargo xtask test` demands once the tests have run: a file in the build folder for each code that a client received from a server.

use std::{collections::HashSet, fs, path::Path, sync::Mutex};

use anser_proto::{
    CloseCode,
    v1::{ServerFrame, server_frame::Body},
};

static KNOWN: Mutex<Option<HashSet<String>>> = Mutex::new(None);

pub fn frame(frame: &ServerFrame) {
    match &frame.body {
        Some(Body::Error(error)) => note("error", error.code().as_str_name()),
        Some(Body::Close(close)) => note("close", close.code().as_str_name()),
        _ => {}
    }
}

/// In the close frame of a WebSocket.
pub fn close(code: u16) {
    if let Ok(code) = CloseCode::try_from(i32::from(code)) {
        note("close", code.as_str_name());
    }
}

fn note(kind: &str, code: &str) {
    let name = format!("{kind} {code}");
    let mut known = KNOWN.lock().expect("no test breaks in here");
    if known.get_or_insert_default().insert(name.clone()) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("codes");
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(folder.join(name), ""))
            .expect("the build folder can be written");
    }
}
