//! Types from proto/ by prost, and their JSON form; protox parses, so no protoc is needed.

use std::{fs, path::Path};

use super::{Files, json};
use crate::root;

pub(super) fn types(files: &mut Files) -> anyhow::Result<()> {
    let sources = ["anser/v1/frame.proto", "anser/v1/attachment.proto", "anser/cluster/v1/envelope.proto"];
    let mut descriptors = protox::compile(sources, [root().join("proto")])?;
    let scratch = root().join("target/codegen");
    fs::create_dir_all(&scratch)?;
    prost_build::Config::new().bytes(["."]).out_dir(&scratch).compile_fds(descriptors.clone())?;

    let folder = Path::new("crates/proto/src/gen");
    for types in ["anser.v1.rs", "anser.cluster.v1.rs"] {
        files.insert(folder.join(types), fs::read(scratch.join(types))?);
    }
    // Nodes speak protobuf alone, and attachments are bytes in either encoding: what is theirs has no JSON form.
    descriptors.file.retain(|file| file.name() != "anser/v1/attachment.proto");
    files.insert(folder.join("anser.v1.json.rs"), json::forms(&descriptors, "anser.v1")?.into_bytes());
    Ok(())
}
