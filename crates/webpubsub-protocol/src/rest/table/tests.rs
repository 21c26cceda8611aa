//! The table held against the document, and requests that find their rows.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::rest::{Operation, Route};

const METHODS: [&str; 8] = [GET, HEAD, PUT, POST, DELETE, "PATCH", "OPTIONS", ""];

/// A path of a row, and the names in it.
fn example(row: &Row) -> (String, Names<'static>) {
    let mut names = Names::default();
    for (placeholder, slot, name) in [
        ("{hub}", &mut names.hub, "chat"),
        ("{group}", &mut names.group, "room"),
        ("{userId}", &mut names.user, "alice"),
        ("{connectionId}", &mut names.connection, "c1"),
        ("{permission}", &mut names.permission, "sendToGroup"),
    ] {
        if row.path.contains(placeholder) {
            *slot = name;
        }
    }
    let path = row.path.replace("{hub}", "chat").replace("{group}", "room").replace("{userId}", "alice");
    (path.replace("{connectionId}", "c1").replace("{permission}", "sendToGroup"), names)
}

fn query(row: &Row) -> &'static str {
    if row.parameters.contains(&Parameter::TargetName) { "targetName=room" } else { "" }
}

#[test]
fn every_row_is_found_by_its_method_and_path() {
    for row in TABLE {
        let (path, names) = example(row);
        assert_eq!(find(row.method, &path), Ok((row.kind, names)), "{} {path}", row.method);
        let route = Route::find(row.method, &path).unwrap();
        assert_eq!(route.needs_token(), row.kind.needs_token());
        match route.operation(Some(query(row))).unwrap() {
            Operation::Health | Operation::OpenApi => assert_eq!(names.hub, "", "{path}"),
            Operation::GenerateToken { hub, .. } | Operation::OfHub(hub, _) => {
                assert_eq!(hub.as_str(), names.hub, "{path}");
            }
        }
    }
}

#[test]
fn whatever_is_found_stands_in_the_table() {
    let mut methods = BTreeMap::<String, Vec<&str>>::new();
    for row in TABLE {
        methods.entry(example(row).0).or_default().push(row.method);
    }
    for (path, methods) in methods {
        for method in METHODS {
            match find(method, &path) {
                Ok(_) => assert!(methods.contains(&method), "{method} {path}"),
                Err(refusal) => {
                    assert_eq!(refusal, Refusal::Method { allow: methods.join(", ") }, "{method} {path}");
                    assert!(!methods.contains(&method));
                }
            }
        }
    }
}

/// The name of a variant.
fn variant(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").split([' ', '(']).next().unwrap().to_owned()
}

#[test]
fn every_operation_but_health_is_made_by_one_row() {
    let kinds: BTreeSet<_> = TABLE.iter().map(|row| format!("{:?}", row.kind)).collect();
    assert_eq!(kinds.len(), TABLE.len() - 1, "health is asked for with HEAD and with GET");
    let operations: BTreeSet<_> = TABLE
        .iter()
        .map(|row| {
            let operation = Operation::parse(row.method, &example(row).0, Some(query(row))).unwrap();
            match &operation {
                Operation::OfHub(_, of_hub) => variant(of_hub),
                Operation::Health | Operation::OpenApi | Operation::GenerateToken { .. } => {
                    variant(&operation)
                }
            }
        })
        .collect();
    assert_eq!(operations.len(), kinds.len());
}

/// One that is not valid percent-encoding is refused where the operation has the parameter, and
/// not looked at where it has not.
#[test]
fn the_parameters_of_a_row_are_those_that_are_read() {
    let parameters = [
        (Parameter::UserId, "userId"),
        (Parameter::Role, "role"),
        (Parameter::MinutesToExpire, "minutesToExpire"),
        (Parameter::Group, "group"),
        (Parameter::ClientType, "clientType"),
        (Parameter::Excluded, "excluded"),
        (Parameter::Filter, "filter"),
        (Parameter::MessageTtlSeconds, "messageTtlSeconds"),
        (Parameter::Reason, "reason"),
        (Parameter::MaxPageSize, "maxpagesize"),
        (Parameter::Top, "top"),
        (Parameter::ContinuationToken, "continuationToken"),
        (Parameter::TargetName, "targetName"),
    ];
    for row in TABLE {
        for (parameter, name) in parameters {
            let query = format!("{name}=%zz&{}", query(row));
            let result = Operation::parse(row.method, &example(row).0, Some(&query));
            if row.parameters.contains(&parameter) {
                assert_eq!(result, Err(Refusal::ParameterEncoding { name }), "{}", row.path);
            } else {
                assert!(result.is_ok(), "{} {name}", row.path);
            }
        }
    }
}
