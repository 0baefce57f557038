//! Writes: one item under a condition, or several at once.

use crate::{
    database::Database,
    expression::{Condition, Meanings, Update},
    refusal::{Outcome, Refusal},
    requests::{self, Check, Delete, Names, Part, Put, Transaction},
    table::{Item, Key, Table},
    tokens_seen::Seen,
    values::Values,
};

/// How many parts a transaction has
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
const PARTS_MAX: usize = 100;
/// How much its items count together.
const TRANSACTION_MAX: usize = 4 * 1024 * 1024;

/// A write whose request is as it should be: what stands in its way now is what is stored.
struct Write {
    table: String,
    key: Key,
    condition: Option<Condition>,
    change: Change,
}

/// What a write does to the item at its key.
enum Change {
    Put(Item),
    Update(Update),
    Delete,
    Nothing,
}

impl Database {
    pub(crate) fn put(&mut self, request: Put) -> Outcome<()> {
        let write = Write::of_put(self, request)?;
        self.write(write)
    }

    pub(crate) fn update(&mut self, request: requests::Update) -> Outcome<()> {
        let write = Write::of_update(self, request)?;
        self.write(write)
    }

    pub(crate) fn delete(&mut self, request: Delete) -> Outcome<()> {
        let write = Write::of_delete(self, request)?;
        self.write(write)
    }

    fn write(&mut self, write: Write) -> Outcome<()> {
        let table = self.table(&write.table)?;
        write.ready(table)?.carry_out(self)
    }

    /// Carries out everything or nothing.
    pub(crate) fn transact(&mut self, request: Transaction, body: &[u8]) -> Outcome<()> {
        let Transaction { transact_items, client_request_token } = request;
        if let Some(token) = &client_request_token {
            match self.tokens.seen(token, body) {
                Seen::Never => {}
                Seen::Same => return Ok(()),
                Seen::Other => return Err(Refusal::TokenReused),
            }
        }
        if !(1..=PARTS_MAX).contains(&transact_items.len()) {
            return Err(Refusal::invalid("there are from 1 to 100 parts in a transaction"));
        }
        let writes = transact_items.into_iter().map(|part| Write::of(self, part));
        let writes = writes.collect::<Outcome<Vec<_>>>()?;
        are_apart(&writes)?;
        if writes.iter().map(Write::size).sum::<usize>() > TRANSACTION_MAX {
            return Err(Refusal::invalid("the items of the transaction exceed the 4MB limit"));
        }
        let ready: Vec<_> = writes
            .into_iter()
            .map(|write| {
                let table = self.table(&write.table)?;
                write.ready(table)
            })
            .collect();
        if ready.iter().any(Result::is_err) {
            return Err(Refusal::Canceled(ready.into_iter().map(Result::err).collect()));
        }
        ready.into_iter().flatten().try_for_each(|ready| ready.carry_out(self))?;
        if let Some(token) = client_request_token {
            self.tokens.remember(token, body);
        }
        Ok(())
    }
}

/// Refuses two writes of one item.
fn are_apart(writes: &[Write]) -> Outcome<()> {
    let mut places: Vec<_> = writes.iter().map(|write| (&write.table, &write.key)).collect();
    places.sort();
    if places.is_sorted_by(|one, next| one < next) {
        Ok(())
    } else {
        Err(Refusal::invalid("Transaction request cannot include multiple operations on one item"))
    }
}

/// The condition, once all that the request gives is used.
fn condition(text: Option<&str>, (names, values): (&Names, &Values)) -> Outcome<Option<Condition>> {
    let meanings = Meanings::new(names, values);
    let condition = text.map(|text| Condition::parse(text, &meanings)).transpose()?;
    meanings.all_used()?;
    Ok(condition)
}

impl Write {
    fn of(database: &Database, part: Part) -> Outcome<Self> {
        match part {
            Part::Put(put) => Self::of_put(database, put),
            Part::Delete(delete) => Self::of_delete(database, delete),
            Part::Update(update) => Self::of_update(database, update),
            Part::ConditionCheck(check) => Self::of_check(database, check),
        }
    }

    fn of_put(database: &Database, request: Put) -> Outcome<Self> {
        let given = (&request.expression_attribute_names, &request.expression_attribute_values);
        let condition = condition(request.condition_expression.as_deref(), given)?;
        let table = database.table(&request.table_name)?;
        let item = Item::of(request.item)?;
        let key = table.names.key_in(&item.values)?;
        Ok(Self { table: request.table_name, key, condition, change: Change::Put(item) })
    }

    fn of_update(database: &Database, request: requests::Update) -> Outcome<Self> {
        let meanings = Meanings::new(
            &request.expression_attribute_names,
            &request.expression_attribute_values,
        );
        let update = Update::parse(&request.update_expression, &meanings)?;
        let condition = request.condition_expression.as_deref();
        let condition = condition.map(|text| Condition::parse(text, &meanings)).transpose()?;
        meanings.all_used()?;
        let table = database.table(&request.table_name)?;
        let key = table.names.key(&request.key)?;
        let is_key = |name: &str| table.names.names().any(|key| key == name);
        if update.paths().any(|path| is_key(path.attribute())) {
            return Err(Refusal::invalid("Cannot update attribute: it is part of the key"));
        }
        Ok(Self { table: request.table_name, key, condition, change: Change::Update(update) })
    }

    fn of_delete(database: &Database, request: Delete) -> Outcome<Self> {
        let given = (&request.expression_attribute_names, &request.expression_attribute_values);
        let condition = condition(request.condition_expression.as_deref(), given)?;
        let key = database.table(&request.table_name)?.names.key(&request.key)?;
        Ok(Self { table: request.table_name, key, condition, change: Change::Delete })
    }

    fn of_check(database: &Database, request: Check) -> Outcome<Self> {
        let given = (&request.expression_attribute_names, &request.expression_attribute_values);
        let condition = condition(Some(&request.condition_expression), given)?;
        let key = database.table(&request.table_name)?.names.key(&request.key)?;
        Ok(Self { table: request.table_name, key, condition, change: Change::Nothing })
    }

    /// What it counts of a transaction's 4 MB before anything is read.
    fn size(&self) -> usize {
        match &self.change {
            Change::Put(item) => item.size,
            Change::Update(_) | Change::Delete | Change::Nothing => 0,
        }
    }

    /// The same with what it will store, if what is stored lets it.
    fn ready(self, table: &Table) -> Outcome<Self> {
        let before = table.items.get(&self.key);
        let nothing = Values::new();
        let values = before.map_or(&nothing, |item| &item.values);
        if self.condition.as_ref().is_some_and(|condition| !condition.holds(values)) {
            return Err(Refusal::ConditionFailed);
        }
        let change = match self.change {
            Change::Update(update) => {
                let mut values = values.clone();
                values.extend(table.names.values(&self.key));
                update.apply(&mut values)?;
                Change::Put(Item::of(values)?)
            }
            change @ (Change::Put(_) | Change::Delete | Change::Nothing) => change,
        };
        if let Change::Put(item) = &change {
            table.fits(item)?;
        }
        Ok(Self { change, ..self })
    }

    /// Stores what [`ready`](Self::ready) has found right.
    fn carry_out(self, database: &mut Database) -> Outcome<()> {
        let table = database.table_mut(&self.table)?;
        match self.change {
            Change::Put(item) => table.put(self.key, item),
            Change::Delete => table.remove(&self.key),
            Change::Update(_) | Change::Nothing => {}
        }
        Ok(())
    }
}
