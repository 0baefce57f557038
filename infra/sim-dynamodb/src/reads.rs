//! Reads: items by key, and ranges of a table or an index.

use std::{borrow::Cow, ops::Bound};

use serde_json::{Map, Value as Json, json};

use crate::{
    database::Database,
    expression::{Comparison, Condition, Meanings, Operand},
    refusal::{Outcome, Refusal},
    requests::{BatchGet, Get, Keys, Query, Scan},
    table::{Index, Item, Key, KeyNames, Table, between},
    values::{Value, Values, size},
};

/// How many keys one `BatchGetItem` takes, and how much it answers.
const BATCH_MAX: usize = 100;
const BATCH_SIZE_MAX: usize = 16 * 1024 * 1024;
/// How much one page of a `Query` or `Scan` holds.
const PAGE_MAX: usize = 1024 * 1024;

/// What is between two keys, the second excluded; from the end if it is turned round.
struct Range {
    from: Key,
    to: Key,
    is_backward: bool,
    /// Where the page before has ended: the index's key and the table's, of a table itself twice the same.
    after: Option<(Key, Key)>,
    limit: usize,
}

/// What one call answers of a range.
struct Page<'a> {
    items: Vec<Cow<'a, str>>,
    /// The position of the last item, if there may be more.
    last: Option<Values>,
}

impl Database {
    pub(crate) fn get(&self, request: &Get) -> Outcome<String> {
        let table = self.table(&request.table_name)?;
        let key = table.names.key(&request.key)?;
        Ok(match table.items.get(&key) {
            Some(item) => format!("{{\"Item\":{}}}", item.text),
            None => "{}".to_owned(),
        })
    }

    pub(crate) fn batch_get(&self, request: BatchGet) -> Outcome<String> {
        let count: usize = request.request_items.values().map(|keys| keys.keys.len()).sum();
        if count > BATCH_MAX || request.request_items.values().any(|keys| keys.keys.is_empty()) {
            return Err(Refusal::invalid("there are from 1 to 100 keys in a BatchGetItem"));
        }
        let (mut answers, mut unprocessed, mut size) = (Vec::new(), Map::new(), 0);
        for (name, Keys { keys, .. }) in request.request_items {
            let table = self.table(&name)?;
            let (mut items, mut left, mut seen) = (Vec::new(), Vec::new(), Vec::new());
            for values in keys {
                let key = table.names.key(&values)?;
                if seen.contains(&key) {
                    return Err(Refusal::invalid("Provided list of item keys contains duplicates"));
                }
                let item = table.items.get(&key);
                size += item.map_or(0, |item| item.size);
                match item {
                    Some(_) if size > BATCH_SIZE_MAX => left.push(values),
                    Some(item) => items.push(item.text.as_str()),
                    None => {}
                }
                seen.push(key);
            }
            if !left.is_empty() {
                unprocessed.insert(name.clone(), json!({ "Keys": left }));
            }
            answers.push(format!("\"{name}\":[{}]", items.join(",")));
        }
        let (answers, unprocessed) = (answers.join(","), Json::Object(unprocessed));
        Ok(format!("{{\"Responses\":{{{answers}}},\"UnprocessedKeys\":{unprocessed}}}"))
    }

    pub(crate) fn query(&self, request: &Query) -> Outcome<String> {
        let table = self.table(&request.table_name)?;
        let index = match &request.index_name {
            None => None,
            Some(_) if request.consistent_read == Some(true) => {
                return Err(Refusal::invalid("Consistent reads are not supported on indexes"));
            }
            Some(name) => Some(table.indexes.get(name).ok_or_else(|| {
                Refusal::invalid(format!("The table does not have the specified index: {name}"))
            })?),
        };
        let names = index.map_or(&table.names, |index| &index.names);
        let mut range = Range::asked(request, names)?;
        if let Some(start) = &request.exclusive_start_key {
            range.after = Some((names.key_in(start)?, table.names.key_in(start)?));
        }
        let page = match index {
            None => in_table(table, &range),
            Some(index) => in_index(table, index, &range),
        };
        page.answer()
    }

    pub(crate) fn scan(&self, request: &Scan) -> Outcome<String> {
        let table = self.table(&request.table_name)?;
        let start = request.exclusive_start_key.as_ref();
        let start = start.map(|start| table.names.key(start)).transpose()?;
        let from = start.map_or(Bound::Unbounded, Bound::Excluded);
        let entries = table.items.range((from, Bound::Unbounded));
        let limit = request.limit.unwrap_or(usize::MAX);
        page(entries, limit, whole, |(key, _)| table.names.values(key)).answer()
    }
}

impl Range {
    /// What a query asks for: one partition, and at most one bound in it or one sort key.
    fn asked(request: &Query, names: &KeyNames) -> Outcome<Self> {
        let Query { expression_attribute_names, expression_attribute_values, .. } = request;
        let meanings = Meanings::new(expression_attribute_names, expression_attribute_values);
        let condition = Condition::parse(&request.key_condition_expression, &meanings)?;
        meanings.all_used()?;
        let (mut partition, mut bound) = (None, None);
        for condition in condition.all() {
            let (name, comparison, text) = compared(condition)?;
            let is_sort = names.sort.as_ref() == Some(&name);
            if name == names.partition && comparison == Comparison::Equal && partition.is_none() {
                partition = Some(text);
            } else if is_sort && bound.is_none() {
                bound = Some((comparison, text));
            } else {
                return Err(Refusal::invalid("Query key condition not supported"));
            }
        }
        let missed = || Refusal::invalid(format!("Query condition missed key {}", names.partition));
        let (from, to) = bounds(&partition.ok_or_else(missed)?, bound)?;
        let limit = request.limit.unwrap_or(usize::MAX);
        if limit == 0 {
            return Err(Refusal::invalid("the limit must be at least 1"));
        }
        let is_backward = request.scan_index_forward == Some(false);
        Ok(Self { from, to, is_backward, after: None, limit })
    }
}

/// The attribute, the comparison and the text of a key's condition.
fn compared(condition: Condition) -> Outcome<(String, Comparison, String)> {
    if let Condition::Compared(Operand::Path(path), comparison, Operand::Value(value)) = condition
        && let Value::Text(text) = value
        && path.is_attribute()
    {
        if text.is_empty() {
            return Err(Refusal::invalid("a key is never an empty text"));
        }
        return Ok((path.attribute().to_owned(), comparison, text));
    }
    Err(Refusal::invalid("Invalid KeyConditionExpression: it compares an attribute with a text"))
}

fn bounds(partition: &str, bound: Option<(Comparison, String)>) -> Outcome<(Key, Key)> {
    let (first, behind) = (Key::first_of(partition), Key::behind(partition));
    let Some((comparison, sort)) = bound else { return Ok((first, behind)) };
    let key = Key { partition: partition.to_owned(), sort };
    Ok(match comparison {
        Comparison::Equal => (key.clone(), key.next()),
        Comparison::Less => (first, key),
        Comparison::AtMost => (first, key.next()),
        Comparison::More => (key.next(), behind),
        Comparison::AtLeast => (key, behind),
        Comparison::Other => return Err(Refusal::invalid("a key condition knows no <>")),
    })
}

fn in_table<'a>(table: &'a Table, range: &Range) -> Page<'a> {
    let Range { from, to, is_backward, after, limit } = range;
    let (mut from, mut to) = (from.clone(), to.clone());
    match after {
        Some((_, after)) if *is_backward => to = to.min(after.clone()),
        Some((_, after)) => from = from.max(after.next()),
        None => {}
    }
    let Some(range) = between(from, to) else { return Page::empty() };
    let entries = table.items.range(range);
    let position = |(key, _): &(&Key, &Item)| table.names.values(key);
    if *is_backward {
        page(entries.rev(), *limit, whole, position)
    } else {
        page(entries, *limit, whole, position)
    }
}

fn in_index<'a>(table: &'a Table, index: &'a Index, range: &Range) -> Page<'a> {
    let Range { from, to, is_backward, after, limit } = range;
    let (mut from, mut to) = ((from.clone(), Key::default()), (to.clone(), Key::default()));
    match after {
        Some(after) if *is_backward => to = to.min(after.clone()),
        Some((place, key)) => from = from.max((place.clone(), key.next())),
        None => {}
    }
    let Some(range) = between(from, to) else { return Page::empty() };
    let position = |(place, key): &&(Key, Key)| {
        let mut values = index.names.values(place);
        values.extend(table.names.values(key));
        values
    };
    let read = |entry: &&(Key, Key)| {
        let mut values = position(entry);
        let item = table.items.get(&entry.1);
        let held = |name: &String| Some((name.clone(), item?.values.get(name)?.clone()));
        values.extend(index.holds.iter().filter_map(held));
        (Cow::Owned(serde_json::to_string(&values).unwrap_or_default()), size(&values))
    };
    let entries = index.entries.range(range);
    if *is_backward {
        page(entries.rev(), *limit, read, position)
    } else {
        page(entries, *limit, read, position)
    }
}

fn whole<'a>((_, item): &(&'a Key, &'a Item)) -> (Cow<'a, str>, usize) {
    (Cow::Borrowed(&item.text), item.size)
}

/// The first entries: as many as are asked for and fit.
fn page<'a, E>(
    entries: impl Iterator<Item = E>,
    limit: usize,
    read: impl Fn(&E) -> (Cow<'a, str>, usize),
    position: impl Fn(&E) -> Values,
) -> Page<'a> {
    let (mut page, mut sum, mut last) = (Page::empty(), 0, None);
    for entry in entries {
        let (text, size) = read(&entry);
        sum += size;
        if sum > PAGE_MAX && last.is_some() {
            page.last = last.as_ref().map(&position);
            break;
        }
        page.items.push(text);
        last = Some(entry);
        // Whether there are more nobody has looked.
        if page.items.len() == limit {
            page.last = last.as_ref().map(&position);
            break;
        }
    }
    page
}

impl Page<'_> {
    fn empty() -> Self {
        Self { items: Vec::new(), last: None }
    }

    fn answer(&self) -> Outcome<String> {
        let (count, items) = (self.items.len(), self.items.join(","));
        let mut answer =
            format!("{{\"Items\":[{items}],\"Count\":{count},\"ScannedCount\":{count}");
        if let Some(last) = &self.last {
            let last = serde_json::to_string(last)
                .map_err(|error| Refusal::Unreadable(error.to_string()))?;
            answer.push_str(",\"LastEvaluatedKey\":");
            answer.push_str(&last);
        }
        answer.push('}');
        Ok(answer)
    }
}
