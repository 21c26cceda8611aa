//! Filters against an evaluator that is slow and obvious, and against mistakes.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed assumption fails the test")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use webpubsub_protocol::filter::{Filter, FilterSubject};
use webpubsub_protocol::name::GroupName;
use webpubsub_protocol::sorted::SortedSet;

/// An expression whose types are right, before it is written down.
#[derive(Debug, Clone)]
enum Expression {
    Null,
    Bool(bool),
    Int(i32),
    Text(&'static str),
    UserId,
    ConnectionId,
    Groups,
    Protocol,
    Not(Box<Self>),
    And(Box<[Self; 2]>),
    Or(Box<[Self; 2]>),
    Compare(&'static str, Box<[Self; 2]>),
    InGroups(Box<Self>),
    /// The first in the rest.
    InList(Vec<Self>),
    Call(&'static str, Vec<Self>),
}

const TEXTS: [&str; 14] = ["", "a", "A", "ab", "ba", "aba", "é", "É", "ß", "😀", "a😀b", " a ", "O'B", "ı"];

fn pair(
    of: impl Strategy<Value = Expression>,
    with: impl Strategy<Value = Expression>,
) -> impl Strategy<Value = Box<[Expression; 2]>> {
    (of, with).prop_map(|(left, right)| Box::new([left, right]))
}

fn calls(
    names: &'static [&'static str],
    arguments: Vec<BoxedStrategy<Expression>>,
) -> impl Strategy<Value = Expression> {
    (select(names), arguments).prop_map(|(name, arguments)| Expression::Call(name, arguments))
}

/// Text or null.
fn text(depth: u32) -> BoxedStrategy<Expression> {
    let leaf = prop_oneof![
        4 => select(&TEXTS[..]).prop_map(Expression::Text),
        3 => Just(Expression::UserId),
        1 => Just(Expression::ConnectionId),
        1 => Just(Expression::Protocol),
        1 => Just(Expression::Null),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let inner = || text(depth - 1);
    prop_oneof![
        2 => leaf,
        2 => calls(&["tolower", "toupper", "trim"], vec![inner()]),
        1 => calls(&["concat"], vec![inner(), inner()]),
        1 => calls(&["substring"], vec![inner(), known_int(depth - 1)]),
        1 => calls(&["substring"], vec![inner(), known_int(depth - 1), known_int(depth - 1)]),
    ]
    .boxed()
}

/// An int that is never null, not even for anonymous connections.
fn known_int(depth: u32) -> BoxedStrategy<Expression> {
    let leaf = prop_oneof![9 => -1..4, 1 => any::<i32>()].prop_map(Expression::Int);
    if depth == 0 {
        return leaf.boxed();
    }
    let inner = || text(depth - 1);
    let connection = Just(Expression::ConnectionId).boxed();
    prop_oneof![
        3 => leaf,
        1 => calls(&["indexof"], vec![inner(), inner()]),
        1 => calls(&["length"], vec![prop_oneof![connection, Just(Expression::Groups)].boxed()]),
    ]
    .boxed()
}

/// An int or null.
fn int(depth: u32) -> BoxedStrategy<Expression> {
    if depth == 0 {
        return prop_oneof![4 => known_int(0), 1 => Just(Expression::Null)].boxed();
    }
    prop_oneof![2 => known_int(depth), 2 => calls(&["length"], vec![text(depth - 1)]), 1 => Just(Expression::Null)].boxed()
}

fn anything(depth: u32) -> BoxedStrategy<Expression> {
    prop_oneof![4 => text(depth), 2 => int(depth), 1 => condition(depth), 1 => Just(Expression::Groups)]
        .boxed()
}

fn condition(depth: u32) -> BoxedStrategy<Expression> {
    let leaf = any::<bool>().prop_map(Expression::Bool);
    let Some(depth) = depth.checked_sub(1) else { return leaf.boxed() };
    prop_oneof![
        1 => leaf,
        2 => condition(depth).prop_map(|operand| Expression::Not(Box::new(operand))),
        2 => pair(condition(depth), condition(depth)).prop_map(Expression::And),
        2 => pair(condition(depth), condition(depth)).prop_map(Expression::Or),
        3 => (select(&["eq", "ne"][..]), pair(anything(depth), anything(depth))).prop_map(|(name, pair)| Expression::Compare(name, pair)),
        3 => (select(&["gt", "ge", "lt", "le"][..]), pair(int(depth), int(depth))).prop_map(|(name, pair)| Expression::Compare(name, pair)),
        2 => anything(depth).prop_map(|item| Expression::InGroups(Box::new(item))),
        2 => prop::collection::vec(anything(depth), 3..5).prop_map(Expression::InList),
        3 => calls(&["contains", "startswith", "endswith"], vec![text(depth), text(depth)]),
    ]
    .boxed()
}

/// Writes an expression down, with as much white space as it likes.
struct Writer {
    text: String,
    seed: u64,
}

impl Writer {
    fn chance(&mut self, one_in: u64) -> bool {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33).is_multiple_of(one_in)
    }

    fn space(&mut self) {
        while self.chance(4) {
            let space = if self.chance(2) { '\t' } else { ' ' };
            self.text.push(space);
        }
    }

    /// A word whose case counts, apart from its neighbours.
    fn keyword(&mut self, word: &str) {
        self.text.push(' ');
        self.space();
        self.text.push_str(word);
        self.text.push(' ');
        self.space();
    }

    /// A word whose case does not count.
    fn name(&mut self, word: &str) {
        for character in word.chars() {
            let character = if self.chance(8) { character.to_ascii_uppercase() } else { character };
            self.text.push(character);
        }
    }

    fn list(&mut self, items: &[Expression], level: u8) {
        self.text.push('(');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            self.space();
            self.write(item, level);
            self.space();
        }
        self.text.push(')');
    }

    fn pair(&mut self, operands: &[Expression; 2], operator: &str, levels: [u8; 2]) {
        let [left, right] = operands;
        self.write(left, levels[0]);
        self.keyword(operator);
        self.write(right, levels[1]);
    }

    /// In parentheses where the grammar needs them at this level, and sometimes where not.
    fn write(&mut self, expression: &Expression, level: u8) {
        let own = match expression {
            Expression::Or(_) => 0,
            Expression::And(_) => 1,
            Expression::Compare(..) | Expression::InGroups(_) | Expression::InList(_) => 2,
            Expression::Not(_) => 3,
            Expression::Null
            | Expression::Bool(_)
            | Expression::Int(_)
            | Expression::Text(_)
            | Expression::UserId
            | Expression::ConnectionId
            | Expression::Groups
            | Expression::Protocol
            | Expression::Call(..) => 4,
        };
        if own < level || self.chance(8) {
            self.text.push('(');
            self.space();
            self.write(expression, 0);
            self.space();
            self.text.push(')');
            return;
        }
        match expression {
            Expression::Null => self.text.push_str("null"),
            Expression::Bool(value) => self.text.push_str(if *value { "true" } else { "false" }),
            Expression::Int(value) => self.text.push_str(&value.to_string()),
            Expression::Text(text) => self.text.push_str(&format!("'{}'", text.replace('\'', "''"))),
            Expression::UserId => self.name("userId"),
            Expression::ConnectionId => self.name("connectionId"),
            Expression::Groups => self.name("groups"),
            Expression::Protocol => self.name("protocol"),
            Expression::Not(operand) => {
                self.text.push_str("not ");
                self.write(operand, 3);
            }
            Expression::And(operands) => self.pair(operands, "and", [1, 2]),
            Expression::Or(operands) => self.pair(operands, "or", [0, 1]),
            Expression::Compare(name, operands) => self.pair(operands, name, [3, 3]),
            Expression::InGroups(item) => {
                self.write(item, 3);
                self.keyword("in");
                self.write(&Expression::Groups, 4);
            }
            Expression::InList(items) => {
                let (item, list) = items.split_first().unwrap();
                self.write(item, 3);
                self.keyword("in");
                self.list(list, 4);
            }
            Expression::Call(name, arguments) => {
                self.name(name);
                self.list(arguments, 0);
            }
        }
    }
}

#[derive(Debug, Clone)]
struct Connection {
    user_id: Option<&'static str>,
    connection_id: &'static str,
    groups: BTreeSet<&'static str>,
    protocol: Option<&'static str>,
}

/// .NET's strings, with everything copied.
#[derive(Debug, Clone, PartialEq)]
enum Slow {
    Null,
    Bool(bool),
    Int(i64),
    Text(Vec<u16>),
    Groups,
}

impl Slow {
    fn text(text: &str) -> Self {
        Self::Text(text.encode_utf16().collect())
    }

    fn length(length: usize) -> Self {
        Self::Int(i64::try_from(length).unwrap())
    }
}

fn slowly(expression: &Expression, connection: &Connection) -> Slow {
    let is_true = |expression| slowly(expression, connection) == Slow::Bool(true);
    match expression {
        Expression::Null => Slow::Null,
        Expression::Bool(value) => Slow::Bool(*value),
        Expression::Int(value) => Slow::Int((*value).into()),
        Expression::Text(text) => Slow::text(text),
        Expression::UserId => connection.user_id.map_or(Slow::Null, Slow::text),
        Expression::ConnectionId => Slow::text(connection.connection_id),
        Expression::Groups => Slow::Groups,
        Expression::Protocol => connection.protocol.map_or(Slow::Null, Slow::text),
        Expression::Not(operand) => Slow::Bool(!is_true(operand)),
        Expression::And(operands) => Slow::Bool(is_true(&operands[0]) & is_true(&operands[1])),
        Expression::Or(operands) => Slow::Bool(is_true(&operands[0]) | is_true(&operands[1])),
        Expression::Compare(name, operands) => {
            let [left, right] = [slowly(&operands[0], connection), slowly(&operands[1], connection)];
            Slow::Bool(match (*name, &left, &right) {
                ("eq", _, _) => left == right,
                ("ne", _, _) => left != right,
                ("gt", Slow::Int(left), Slow::Int(right)) => left > right,
                ("ge", Slow::Int(left), Slow::Int(right)) => left >= right,
                ("lt", Slow::Int(left), Slow::Int(right)) => left < right,
                ("le", Slow::Int(left), Slow::Int(right)) => left <= right,
                _ => false,
            })
        }
        Expression::InGroups(item) => {
            let item = slowly(item, connection);
            Slow::Bool(connection.groups.iter().any(|group| Slow::text(group) == item))
        }
        Expression::InList(items) => {
            let item = slowly(&items[0], connection);
            Slow::Bool(items[1..].iter().any(|other| slowly(other, connection) == item))
        }
        Expression::Call(name, arguments) => {
            let arguments: Vec<_> = arguments.iter().map(|argument| slowly(argument, connection)).collect();
            slow_call(name, &arguments, connection)
        }
    }
}

fn slow_call(name: &str, arguments: &[Slow], connection: &Connection) -> Slow {
    let per_character = |text: &[u16], change: fn(char) -> String| {
        let text = String::from_utf16(text).unwrap();
        let changed = text.chars().map(|c| match change(c) {
            changed if changed.chars().count() == 1 => changed,
            _ => c.to_string(),
        });
        Slow::text(&changed.collect::<String>())
    };
    let found = |text: &[u16], part: &[u16]| (0..=text.len()).find(|start| text[*start..].starts_with(part));
    match (name, arguments) {
        ("length", [Slow::Text(text)]) => Slow::length(text.len()),
        ("length", [Slow::Groups]) => Slow::length(connection.groups.len()),
        ("tolower", [Slow::Text(text)]) => per_character(text, |c| c.to_lowercase().to_string()),
        ("toupper", [Slow::Text(text)]) => per_character(text, |c| match c {
            'ı' => "ı".to_owned(),
            c => c.to_uppercase().to_string(),
        }),
        ("trim", [Slow::Text(text)]) => Slow::text(String::from_utf16(text).unwrap().trim()),
        ("concat", [Slow::Text(left), Slow::Text(right)]) => Slow::Text([&left[..], &right[..]].concat()),
        ("substring", [Slow::Text(text), Slow::Int(start), length @ ..]) => {
            let end = match length {
                [Slow::Int(length)] => start + if *length < 0 { i64::MAX / 2 } else { *length },
                _ => i64::try_from(text.len()).unwrap(),
            };
            let part =
                usize::try_from(*start).ok().and_then(|start| text.get(start..usize::try_from(end).ok()?));
            part.filter(|part| String::from_utf16(part).is_ok())
                .map_or(Slow::Null, |part| Slow::Text(part.to_vec()))
        }
        ("contains", [Slow::Text(text), Slow::Text(part)]) => Slow::Bool(found(text, part).is_some()),
        ("startswith", [Slow::Text(text), Slow::Text(part)]) => Slow::Bool(text.starts_with(part)),
        ("endswith", [Slow::Text(text), Slow::Text(part)]) => Slow::Bool(text.ends_with(part)),
        ("contains" | "startswith" | "endswith", _) => Slow::Bool(false),
        ("indexof", [Slow::Text(text), Slow::Text(part)]) => {
            found(text, part).map_or(Slow::Int(-1), Slow::length)
        }
        ("indexof", _) => Slow::Int(-1),
        _ => Slow::Null,
    }
}

fn connection() -> impl Strategy<Value = Connection> {
    let name = || select(&TEXTS[1..]);
    let maybe = || prop::option::of(select(&TEXTS[..]));
    (maybe(), name(), prop::collection::btree_set(name(), 0..3), maybe()).prop_map(
        |(user_id, connection_id, groups, protocol)| Connection { user_id, connection_id, groups, protocol },
    )
}

fn is_match(filter: &Filter, connection: &Connection) -> bool {
    filter.matches(&FilterSubject {
        user_id: connection.user_id,
        connection_id: connection.connection_id,
        groups: &connection.groups.iter().map(|group| GroupName::parse(*group).unwrap()).collect(),
        protocol: connection.protocol,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn filters_pick_what_an_obvious_evaluator_picks(
        expression in condition(4),
        seed: u64,
        connections in prop::collection::vec(connection(), 4),
    ) {
        let mut writer = Writer { text: String::new(), seed };
        writer.space();
        writer.write(&expression, 0);
        writer.space();
        let filter = Filter::parse(&writer.text).unwrap_or_else(|error| panic!("{error}"));
        for connection in &connections {
            let expected = slowly(&expression, connection) == Slow::Bool(true);
            prop_assert_eq!(is_match(&filter, connection), expected, "{}\n{:?}", writer.text, connection);
        }
    }

    #[test]
    fn anything_is_a_filter_or_refused(text in "[ -~é😀\t]{0,40}|((userId|groups|'a'|1|null|true|not|eq|gt|in|and|or|length|substring|concat|\\(|\\)|,|') ?){0,16}") {
        match Filter::parse(&text) {
            Ok(filter) => {
                let _ = is_match(&filter, &Connection { user_id: Some("a"), connection_id: "c", groups: BTreeSet::new(), protocol: None });
            }
            Err(error) => prop_assert!(error.to_string().ends_with(" (Parameter 'filter')")),
        }
    }
}

/// What costs most for its length.
#[test]
fn the_longest_filters_are_read_and_evaluated_in_linear_time() {
    let repeated = |before: &str, part: &str, after: &str| {
        let times = (65_536 - before.len() - after.len()) / part.len();
        format!("{before}{}{after}", part.repeat(times))
    };
    let nested = |times: usize, open: &str, inside: &str, close: &str| {
        format!("{}{inside}{}", open.repeat(times), close.repeat(times))
    };
    let text = "a".repeat(60_000);
    let filters = [
        repeated("true", " and true", ""),
        repeated("false", " or not(false)", ""),
        repeated("userId in ('x'", ",''", ")"),
        repeated("userId eq '", "a", "'"),
        repeated("userId eq '", "''", "'"),
        repeated("contains(userId,'", "a", "b')"),
        format!("{} eq ''", nested(50, "tolower(trim(", &format!("'{text}'"), "))")),
        format!("length({}) eq 1", nested(99, "concat(userId,", "userId", ")")),
        format!("{} eq ''", nested(100, "substring(", "userId", ",0,60000)")),
    ];
    let groups = SortedSet::new();
    let user = "a".repeat(65_536);
    for text in &filters {
        match Filter::parse(text) {
            Ok(filter) => {
                let _ = filter.matches(&FilterSubject {
                    user_id: Some(&user),
                    connection_id: "c",
                    groups: &groups,
                    protocol: None,
                });
            }
            Err(error) => panic!("{:.300}", error.to_string()),
        }
    }
}
