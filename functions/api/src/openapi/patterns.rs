//! Patterns of identifiers, versions and keys, added wherever the document has one.
//!
//! Handlers declare identifiers as plain strings. Which of them it is follows from the field's or parameter's
//! name, and of a plain `id` from its example or from the path, so that no route can forget it.

use utoipa::openapi::path::{Operation, Parameter};
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, Object, Schema, SchemaType, Type};
use utoipa::openapi::{ObjectBuilder, RefOr};

/// What our own identifiers begin with, and where one is called `id` in a path, after which noun.
const OWN: [(&str, &str); 6] = [
    ("snp_", "snapshots"),
    ("sch_", "schedules"),
    ("swp_", "sweeps"),
    ("rst_", "restores"),
    ("img_", "images"),
    ("evt_", "audit"),
];
/// What EC2's identifiers begin with, and the noun that one follows in a path.
const EC2: [(&str, &str); 4] =
    [("i-", "instances"), ("vol-", "volumes"), ("snap-", "ebs_snapshots"), ("ami-", "amis")];
/// What fields and parameters hold, by their names.
const FIELDS: [(&str, &str); 24] = [
    ("instance_id", "i-"),
    ("instance_ids", "i-"),
    ("exclude_instance_ids", "i-"),
    ("target_instance_id", "i-"),
    ("new_instance_id", "i-"),
    ("volume_id", "vol-"),
    ("volume_ids", "vol-"),
    ("exclude_volumes", "vol-"),
    ("ebs_snapshot_id", "snap-"),
    ("ebs_snapshot_ids", "snap-"),
    ("snapshot_id", "snp_"),
    ("snapshot_ids", "snp_"),
    ("snapshot_first_id", "snp_"),
    ("unknown_snapshot_ids", "snp_"),
    ("schedule_id", "sch_"),
    ("schedule_ids", "sch_"),
    ("unreadable_schedule_ids", "sch_"),
    ("unreadable_snapshot_ids", "snp_"),
    ("sweep_id", "swp_"),
    ("restore_id", "rst_"),
    ("ami_id", "ami-"),
    ("ami_ids", "ami-"),
    ("image_id", "img_"),
    ("image_job_id", "img_"),
];
const UUID_V7: &str = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}";
const VERSION: &str = r#"^(\*|(W/)?"[0-9]{1,19}(\.[0-9a-f]{16})?")$"#;
const KEY: &str = "^[!-~]{1,255}$";

/// Adds to a schema and all that is in it the patterns of its identifiers.
pub(super) fn complete_schema(schema: &mut Schema) {
    complete("", schema);
}

/// Adds to the parameters of an operation what can be said of their texts.
pub(super) fn complete_parameters(path: &str, operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            complete_parameter(path, parameter);
        }
    }
}

fn complete_parameter(path: &str, parameter: &mut Parameter) {
    let text = |pattern: &str| {
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
        Some(RefOr::T(Schema::Object(text.build())))
    };
    match parameter.name.as_str() {
        // Absent is absent: no header says null.
        "If-Match" => parameter.schema = text(VERSION),
        "Idempotency-Key" => parameter.schema = text(KEY),
        "id" => {
            let noun = path.split('/').nth(2).unwrap_or_default();
            let prefix = OWN.iter().chain(&EC2).find(|(_, after)| *after == noun);
            parameter.schema =
                prefix.map_or(parameter.schema.take(), |(prefix, _)| text(&identifier(prefix)));
        }
        name => {
            if let Some(RefOr::T(schema)) = &mut parameter.schema {
                complete(name, schema);
                if let ("cursor", Schema::Object(text)) = (name, schema) {
                    text.min_length = Some(1);
                }
            }
        }
    }
}

fn complete(name: &str, schema: &mut Schema) {
    match schema {
        Schema::Object(object) => {
            complete_text(name, object);
            for (name, property) in &mut object.properties {
                complete_inline(name, property);
            }
            if let Some(AdditionalProperties::RefOr(values)) =
                object.additional_properties.as_deref_mut()
            {
                complete_inline("", values);
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                complete_inline(name, items);
            }
        }
        Schema::OneOf(one) => one.items.iter_mut().for_each(|part| complete_inline(name, part)),
        Schema::AllOf(all) => all.items.iter_mut().for_each(|part| complete_inline(name, part)),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(|part| complete_inline(name, part)),
        // The enum may grow with utoipa.
        _ => {}
    }
}

fn complete_inline(name: &str, schema: &mut RefOr<Schema>) {
    if let RefOr::T(schema) = schema {
        complete(name, schema);
    }
}

fn complete_text(name: &str, object: &mut Object) {
    let is_text = match &object.schema_type {
        SchemaType::Type(kind) => *kind == Type::String,
        SchemaType::Array(kinds) => kinds.contains(&Type::String),
        SchemaType::AnyValue => false,
    };
    if !is_text || object.format.is_some() || object.enum_values.is_some() {
        return;
    }
    let by_name = FIELDS.iter().find(|(field, _)| *field == name).map(|(_, prefix)| *prefix);
    let example = object.example.as_ref().and_then(|example| example.as_str()).unwrap_or_default();
    let prefixes = OWN.iter().chain(&EC2).map(|(prefix, _)| *prefix);
    let by_example =
        || prefixes.filter(|_| name == "id").find(|prefix| example.starts_with(*prefix));
    if let Some(prefix) = by_name.or_else(by_example) {
        object.pattern.get_or_insert_with(|| identifier(prefix));
    }
}

/// What identifiers that begin like this look like, as `shared::domain::ids` takes them.
fn identifier(prefix: &str) -> String {
    if prefix.ends_with('_') {
        format!("^{prefix}{UUID_V7}$")
    } else {
        format!("^{prefix}([0-9a-f]{{8}}|[0-9a-f]{{17}})$")
    }
}
