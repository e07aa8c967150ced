//! Types and their JSON form from proto/, by prost and pbjson; protox parses, so no protoc is needed.

use std::{fs, path::Path};

use anyhow::ensure;
use prost::Message as _;

use super::Files;
use crate::root;

pub(super) fn types(files: &mut Files) -> anyhow::Result<()> {
    let descriptors = protox::compile(["anser/v1/frame.proto"], [root().join("proto")])?;
    let scratch = root().join("target/codegen");
    fs::create_dir_all(&scratch)?;

    prost_build::Config::new().bytes(["."]).out_dir(&scratch).compile_fds(descriptors.clone())?;
    pbjson_build::Builder::new()
        .register_descriptors(&descriptors.encode_to_vec())?
        .preserve_proto_field_names()
        .ignore_unknown_fields()
        .ignore_unknown_enum_variants()
        .out_dir(&scratch)
        .build(&[".anser.v1"])?;

    let folder = Path::new("crates/proto/src/gen");
    files.insert(folder.join("anser.v1.rs"), fs::read(scratch.join("anser.v1.rs"))?);
    let json = write_unknown_values_as_numbers(&fs::read_to_string(scratch.join("anser.v1.serde.rs"))?)?;
    files.insert(folder.join("anser.v1.serde.rs"), json.into_bytes());
    Ok(())
}

/// Makes the JSON writer put an enum value that it does not know as its number, as the proto3 JSON mapping has it.
///
/// pbjson refuses to write it, so that a message of a newer type, stored or passed on, would break every peer
/// that speaks JSON.
fn write_unknown_values_as_numbers(generated: &str) -> anyhow::Result<String> {
    const REFUSAL: &str = ".map_err(|_| serde::ser::Error::custom(format!(\"Invalid variant {}\", ";
    let mut lines = generated.lines();
    let mut out = String::with_capacity(generated.len());
    while let Some(line) = lines.next() {
        // let v = X::try_from(self.f)
        //     .map_err(|_| ..)?;
        // struct_ser.serialize_field("f", &v)?;
        if let Some(value) = line.trim().strip_prefix("let v = ").filter(|value| value.contains("::try_from(self.")) {
            let refusal = lines.next().unwrap_or_default().trim();
            let field = refusal.strip_prefix(REFUSAL).and_then(|rest| rest.strip_suffix(")))?;"));
            let write = lines.next().unwrap_or_default().trim().trim_end_matches(';');
            let (Some(field), true) = (field, write.contains(", &v)?")) else {
                break;
            };
            let number = write.replace("&v", &format!("&{field}"));
            out += &format!("            match {value} {{\n");
            out += &format!("                Ok(v) => {write},\n");
            out += &format!("                Err(_) => {number},\n");
            out += "            }\n";
        } else {
            out += line;
            out.push('\n');
        }
    }
    ensure!(
        lines.next().is_none() && !out.contains("Invalid variant"),
        "pbjson writes enums in another way than this knows: look at its output and mend write_unknown_values_as_numbers"
    );
    Ok(out)
}
