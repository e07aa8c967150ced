//! Writes what is generated and committed, or checks that it is fresh.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use prost::Message as _;

/// Path below the root of the repository -> content.
type Files = BTreeMap<PathBuf, Vec<u8>>;

pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Files::new();
    wire_types(&root, &mut files)?;
    let mut stale = Vec::new();
    for (path, content) in &files {
        if fs::read(root.join(path)).is_ok_and(|old| &old == content) {
            continue;
        }
        if check {
            stale.push(path.display().to_string());
        } else {
            fs::write(root.join(path), content).with_context(|| format!("cannot write {}", path.display()))?;
            println!("wrote {}", path.display());
        }
    }
    if !stale.is_empty() {
        bail!("stale: {}; run `cargo xtask codegen` and commit the result", stale.join(", "));
    }
    Ok(())
}

/// Types and their JSON form from proto/, by prost and pbjson; protox parses, so no protoc is needed.
fn wire_types(root: &Path, files: &mut Files) -> anyhow::Result<()> {
    let descriptors = protox::compile(["anser/v1/frame.proto"], [root.join("proto")])?;
    let scratch = root.join("target/codegen");
    fs::create_dir_all(&scratch)?;

    prost_build::Config::new().bytes(["."]).out_dir(&scratch).compile_fds(descriptors.clone())?;
    pbjson_build::Builder::new()
        .register_descriptors(&descriptors.encode_to_vec())?
        .preserve_proto_field_names()
        .ignore_unknown_fields()
        .ignore_unknown_enum_variants()
        .out_dir(&scratch)
        .build(&[".anser.v1"])?;

    for name in ["anser.v1.rs", "anser.v1.serde.rs"] {
        files.insert(Path::new("crates/proto/src/gen").join(name), fs::read(scratch.join(name))?);
    }
    Ok(())
}
