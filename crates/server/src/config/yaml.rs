//! YAML as a tree in which every value knows its line and its own text.
//!
//! The text decides what a value is only once the schema says what is wanted, so that a secret made
//! of digits stays what was written. Size, depth and the growth by aliases are bounded.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, StrInput};

use super::diagnostic::Place;

/// Values in one document, those repeated by aliases included.
const NODES_MAX: usize = 100_000;
/// How deep values may be nested.
const DEPTH_MAX: usize = 32;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// What is there.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Nothing, so that the default holds.
    Null,
    /// As it is written, without quotes.
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) node: Node,
}

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct YamlError {
    pub(super) place: Place,
    pub(super) text: String,
}

impl Node {
    /// The value of a key, if this is a map that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The value at a path of keys.
    pub(super) fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |node, key| node.get(key))
    }

    /// Its text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Its items; none if it is not a list.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            Value::Null | Value::Text(_) | Value::Map(_) => &[],
        }
    }

    /// Its entries; none if it is not a map.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            Value::Null | Value::Text(_) | Value::List(_) => &[],
        }
    }

    /// Sets the value at a path, making the maps on the way.
    pub(super) fn set(&mut self, path: &str, node: Self) {
        let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
        let place = node.place.clone();
        let child = self.child(key, &place);
        match rest {
            Some(rest) => child.set(rest, node),
            None => *child = node,
        }
    }

    /// Takes a value away.
    pub(super) fn remove(&mut self, path: &str) {
        let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
        let Value::Map(entries) = &mut self.value else { return };
        match rest {
            Some(rest) => {
                entries.iter_mut().filter(|entry| entry.key == key).for_each(|entry| entry.node.remove(rest))
            }
            None => entries.retain(|entry| entry.key != key),
        }
    }

    fn child(&mut self, key: &str, place: &Place) -> &mut Self {
        if !matches!(self.value, Value::Map(_)) {
            self.value = Value::Map(Vec::new());
        }
        let Value::Map(entries) = &mut self.value else { unreachable!("it has just been made a map") };
        let index = entries.iter().position(|entry| entry.key == key).unwrap_or_else(|| {
            let node = Self { place: place.clone(), value: Value::Null };
            entries.push(Entry { key: key.to_owned(), place: place.clone(), node });
            entries.len() - 1
        });
        &mut entries[index].node
    }

    fn size(&self) -> usize {
        let inner: usize =
            self.items().iter().chain(self.entries().iter().map(|entry| &entry.node)).map(Self::size).sum();
        inner + 1
    }

    fn depth(&self) -> usize {
        let children = self.items().iter().chain(self.entries().iter().map(|entry| &entry.node));
        children.map(Self::depth).max().unwrap_or(0) + 1
    }
}

/// Reads one document.
///
/// # Errors
/// [`YamlError`] at the first place that cannot be read.
pub(super) fn parse(text: &str, source: &Place) -> Result<Node, YamlError> {
    let reader = Reader {
        events: Parser::new_from_str(text),
        anchors: HashMap::new(),
        nodes: 0,
        place: source.clone(),
    };
    reader.document()
}

struct Reader<'a> {
    events: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    place: Place,
}

impl<'a> Reader<'a> {
    fn document(mut self) -> Result<Node, YamlError> {
        let mut document = None;
        loop {
            match self.next()? {
                None | Some(Event::StreamEnd) => break,
                Some(Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd) => {}
                Some(_) if document.is_some() => {
                    return Err(self.error("a second document begins here; only one is read"));
                }
                Some(event) => document = Some(self.node(event, 1)?),
            }
        }
        Ok(document.unwrap_or(Node { place: self.place, value: Value::Null }))
    }

    /// The next event that is neither a comment nor the like; the place moves to it.
    fn next(&mut self) -> Result<Option<Event<'a>>, YamlError> {
        for next in self.events.by_ref() {
            let (event, span) = next.map_err(|error| YamlError {
                place: self.place.on_line(error.marker().line()),
                text: format!("this is not YAML: {}", error.info()),
            })?;
            self.place = self.place.on_line(span.start.line());
            if event.is_node() || is_structure(&event) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn node(&mut self, event: Event<'a>, depth: usize) -> Result<Node, YamlError> {
        let place = self.place.clone();
        self.count(1, depth)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => (scalar(&text, style), anchor),
            Event::SequenceStart(_, anchor, _) => (self.list(depth)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map(depth)?, anchor),
            Event::Alias(anchor) => return self.alias(anchor, depth),
            _ => return Err(self.error("a value is missing here")),
        };
        let node = Node { place, value };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                None | Some(Event::SequenceEnd) => return Ok(Value::List(items)),
                Some(event) => items.push(self.node(event, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut entries = Vec::new();
        let mut merged = Vec::new();
        loop {
            let key = match self.next()? {
                None | Some(Event::MappingEnd) => break,
                Some(event) => self.node(event, depth + 1)?,
            };
            let event = self.next()?.ok_or_else(|| self.error("a value is missing here"))?;
            let node = self.node(event, depth + 1)?;
            match key.value {
                Value::Text(key_text) if key_text == "<<" => merged.extend(merge_sources(node)),
                Value::Text(key_text) => entries.push(Entry { key: key_text, place: key.place, node }),
                _ => return Err(YamlError { place: key.place, text: "a key must be a word".to_owned() }),
            }
        }
        merge(&mut entries, merged);
        Ok(Value::Map(entries))
    }

    fn alias(&mut self, anchor: usize, depth: usize) -> Result<Node, YamlError> {
        let node = self
            .anchors
            .get(&anchor)
            .ok_or_else(|| self.error("an alias inside of what it stands for"))?
            .clone();
        self.count(node.size(), depth + node.depth())?;
        Ok(node)
    }

    fn count(&mut self, nodes: usize, depth: usize) -> Result<(), YamlError> {
        self.nodes += nodes;
        if self.nodes > NODES_MAX {
            return Err(self.error(&format!("more than {NODES_MAX} values")));
        }
        if depth > DEPTH_MAX {
            return Err(self.error(&format!("nested more than {DEPTH_MAX} deep")));
        }
        Ok(())
    }

    fn error(&self, text: &str) -> YamlError {
        YamlError { place: self.place.clone(), text: text.to_owned() }
    }
}

fn is_structure(event: &Event<'_>) -> bool {
    let ends =
        matches!(event, Event::SequenceEnd | Event::MappingEnd | Event::DocumentEnd | Event::StreamEnd);
    ends || matches!(event, Event::StreamStart | Event::DocumentStart(..))
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    let plain = matches!(style, ScalarStyle::Plain);
    if plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    Value::Text(text.to_owned())
}

/// The entries that a merge key (`<<`) brings: of one map, or of a list of maps.
fn merge_sources(node: Node) -> Vec<Entry> {
    match node.value {
        Value::Map(entries) => entries,
        Value::List(items) => items.into_iter().flat_map(merge_sources).collect(),
        Value::Null | Value::Text(_) => Vec::new(),
    }
}

/// What is written out wins over what is merged in, and what is merged first over what comes later.
fn merge(entries: &mut Vec<Entry>, merged: Vec<Entry>) {
    for entry in merged {
        if !entries.iter().any(|known| known.key == entry.key) {
            entries.push(entry);
        }
    }
}
