//! Types and their JSON form from proto/, by prost and pbjson; protox parses, so no protoc is needed.

use std::{fs, path::Path};

use anyhow::{Context as _, ensure};
use prost::Message as _;

use super::Files;
use crate::root;

const UNKNOWN_SHAPE: &str =
    "pbjson writes enums in another way than this knows: look at its output and mend write_unknown_values_as_numbers";

pub(super) fn types(files: &mut Files) -> anyhow::Result<()> {
    let descriptors =
        protox::compile(["anser/v1/frame.proto", "anser/cluster/v1/envelope.proto"], [root().join("proto")])?;
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
    // Nodes speak protobuf alone: what is theirs has no JSON form.
    for types in ["anser.v1.rs", "anser.cluster.v1.rs"] {
        files.insert(folder.join(types), fs::read(scratch.join(types))?);
    }
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
        let value = line.trim().strip_prefix("let v = ").filter(|value| value.contains("::try_from(self."));
        let Some(value) = value else {
            out += line;
            out.push('\n');
            continue;
        };
        let refusal = lines.next().unwrap_or_default().trim();
        let field = refusal.strip_prefix(REFUSAL).and_then(|rest| rest.strip_suffix(")))?;")).context(UNKNOWN_SHAPE)?;
        let write = lines.next().unwrap_or_default().trim().trim_end_matches(';');
        ensure!(write.contains(", &v)?"), UNKNOWN_SHAPE);
        let number = write.replace("&v", &format!("&{field}"));
        out += &format!(
            "            match {value} {{\n                Ok(v) => {write},\n                Err(_) => {number},\n            }}\n"
        );
    }
    ensure!(!out.contains("Invalid variant"), UNKNOWN_SHAPE);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_another_shape_is_not_passed_over() {
        let known = "            let v = Code::try_from(self.code)\n                .map_err(|_| \
                     serde::ser::Error::custom(format!(\"Invalid variant {}\", self.code)))?;\n            \
                     struct_ser.serialize_field(\"code\", &v)?;\n";
        let written = write_unknown_values_as_numbers(known).expect("the shape that pbjson has now");
        assert!(written.contains("Err(_) => struct_ser.serialize_field(\"code\", &self.code)?,"), "{written}");
        for (from, to) in [("map_err", "or_else"), ("&v", "&w"), ("let v =", "let value =")] {
            assert!(write_unknown_values_as_numbers(&known.replace(from, to)).is_err(), "{to} was passed over");
        }
    }
}
