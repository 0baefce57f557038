//! Names for the variants of a choice that is told apart by a word: a generator names them after their place otherwise.

use serde_json::{Map, Value, json};

use super::{SCHEMAS, schemas};

/// Makes a schema of its own of every variant that says its `type`, and says that they are told apart by it.
pub(super) fn name_variants(document: &mut Value) {
    let Some(schemas) = schemas(document) else { return };
    let mut named = Map::new();
    for (name, schema) in schemas.iter_mut() {
        let Some(choices) = schema.get("oneOf").and_then(Value::as_array) else { continue };
        let words: Option<Vec<_>> = choices.iter().map(word).collect();
        let Some(words) = words.filter(|words| words.len() > 1) else { continue };
        let (mut references, mut mapping) = (Vec::new(), Map::new());
        for (word, variant) in words.into_iter().zip(choices) {
            let own = format!("{name}{}", in_pascal_case(&word));
            let reference = format!("{SCHEMAS}{own}");
            references.push(json!({ "$ref": reference }));
            mapping.insert(word, reference.into());
            named.insert(own, variant.clone());
        }
        schema["oneOf"] = references.into();
        schema["discriminator"] = json!({ "propertyName": "type", "mapping": mapping });
    }
    schemas.extend(named);
}

/// The one word that a variant's `type` may be.
fn word(variant: &Value) -> Option<String> {
    let words = variant.pointer("/properties/type/enum")?.as_array()?;
    match words.as_slice() {
        [word] => word.as_str().map(str::to_owned),
        _ => None,
    }
}

fn in_pascal_case(word: &str) -> String {
    let capital = |part: &str| {
        let mut letters = part.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    word.split('_').map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_get_the_name_of_their_choice_and_their_word() {
        let variant = |word: &str| json!({ "properties": { "type": { "enum": [word] } } });
        let choice = json!({ "oneOf": [variant("keep_last"), variant("apply")] });
        let mut document = json!({ "components": { "schemas": { "WhenGone": choice } } });

        name_variants(&mut document);

        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["WhenGoneKeepLast"], variant("keep_last"));
        assert_eq!(
            schemas["WhenGone"]["discriminator"]["mapping"]["apply"],
            "#/components/schemas/WhenGoneApply"
        );
    }
}
