//! The OpenAPI document of the REST API.

mod management;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::table::{Answer, Body, Parameter, Row, TABLE};
use super::{DEFAULT_TOKEN_MINUTES, MAX_TOKEN_MINUTES, PREVIEW_VERSIONS, VERSIONS};
use crate::limits::{
    MAX_CONTINUATION_TOKEN_BYTES, MAX_FILTER_BYTES, MAX_GROUP_NAME_CHARS, MAX_PAGE_SIZE, MAX_TOP,
    MAX_TTL_SECONDS,
};

/// Describes the API to programs: an OpenAPI 3.0 document.
///
/// The service does not call this: the text is checked in, as `www/api/openapi.json`, and served from
/// there, which keeps it out of the program. A test compares the two.
#[must_use]
pub fn openapi() -> String {
    let mut paths = BTreeMap::<&str, Map<String, Value>>::new();
    for row in TABLE {
        paths.entry(row.path).or_default().insert(row.method.to_ascii_lowercase(), operation(row));
    }
    management::add_to(&mut paths);
    let document = json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Web PubSub",
            "description": "What servers ask of the service under `/api`, where every version serves every operation, and what operators ask under `/management`.",
            "version": newest_version(),
        },
        "servers": [{ "url": "/" }],
        "security": [{ "accessKey": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "accessKey": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "A JSON Web Token (HS256) that is signed with an access key; its `aud` is the URL of the request, and it has an `exp`.",
            } },
            "headers": { "SupportedVersions": {
                "description": "The versions of the API.",
                "schema": { "type": "string", "example": VERSIONS.join(", ") },
            } },
            "responses": {
                "Error": {
                    "description": "The request was not carried out.",
                    "headers": {
                        "api-supported-versions": supported_versions(),
                        "x-ms-error-code": error_code(),
                    },
                    "content": {
                        "application/json": { "schema": schema("Error") },
                        "application/problem+json": { "schema": schema("Error") },
                    },
                },
                "Unauthorized": {
                    "description": "The token is missing or refused; the message says which check failed.",
                    "headers": {
                        "api-supported-versions": supported_versions(),
                        "x-ms-error-code": error_code(),
                        "WWW-Authenticate": {
                            "description": "The scheme to authenticate with.",
                            "schema": { "type": "string", "example": "Bearer" },
                        },
                    },
                    "content": { "application/json": { "schema": schema("Error") } },
                },
            },
            "schemas": schemas(),
        },
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

const fn newest_version() -> &'static str {
    let [.., newest] = VERSIONS;
    newest
}

fn operation(row: &Row) -> Value {
    let names = row.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<_> = names.map(path_parameter).collect();
    let known: Vec<_> = VERSIONS.iter().chain(&PREVIEW_VERSIONS).collect();
    parameters.push(json!({
        "name": "api-version",
        "in": "query",
        "description": "Without one, the newest.",
        "schema": { "type": "string", "enum": known, "default": newest_version() },
    }));
    parameters.extend(row.parameters.iter().map(|parameter| query_parameter(*parameter)));

    let mut operation = Map::new();
    operation.insert("operationId".to_owned(), row.name.into());
    operation.insert("summary".to_owned(), row.summary.into());
    operation.insert("parameters".to_owned(), parameters.into());
    operation.insert("responses".to_owned(), responses(row).into());
    if let Some(body) = request_body(row.body) {
        operation.insert("requestBody".to_owned(), body);
    }
    if !row.kind.needs_token() {
        operation.insert("security".to_owned(), json!([]));
    }
    operation.into()
}

fn path_parameter(name: &str) -> Value {
    let schema = match name {
        "hub" => json!({ "type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_`,.[\\]]{0,127}$" }),
        "group" => group_name(),
        "permission" => json!({ "type": "string", "enum": ["sendToGroup", "joinLeaveGroup"] }),
        _ => json!({ "type": "string", "minLength": 1 }),
    };
    json!({ "name": name, "in": "path", "required": true, "schema": schema })
}

fn query_parameter(parameter: Parameter) -> Value {
    let text = json!({ "type": "string" });
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    let number = |least: u64, most: u64| json!({ "type": "integer", "minimum": least, "maximum": most });
    let (name, description, schema) = match parameter {
        Parameter::UserId => ("userId", "Whom the client acts for.", text),
        Parameter::Role => ("role", "What the client may do. Repeatable.", texts),
        Parameter::MinutesToExpire => (
            "minutesToExpire",
            "How long the token can open connections.",
            json!({ "type": "integer", "minimum": 1, "maximum": MAX_TOKEN_MINUTES, "default": DEFAULT_TOKEN_MINUTES }),
        ),
        Parameter::Group => (
            "group",
            "A group that the client's connections join. Repeatable.",
            json!({ "type": "array", "items": group_name() }),
        ),
        Parameter::ClientType => (
            "clientType",
            "Which endpoint the token opens.",
            json!({ "type": "string", "enum": ["Default", "MQTT"], "default": "Default" }),
        ),
        Parameter::Excluded => ("excluded", "A connection that is left out. Repeatable.", texts),
        Parameter::Filter => ("filter", "Only connections that match this OData filter.", filter()),
        Parameter::MessageTtlSeconds => (
            "messageTtlSeconds",
            "How long copies that were not taken are kept; 0 for ever.",
            number(0, MAX_TTL_SECONDS.into()),
        ),
        Parameter::Reason => ("reason", "The reason that the clients receive.", text),
        Parameter::MaxPageSize => {
            ("maxpagesize", "How many there may be on a page.", number(1, MAX_PAGE_SIZE.into()))
        }
        Parameter::Top => ("top", "How many there may be on all pages.", number(1, MAX_TOP.into())),
        Parameter::ContinuationToken => (
            "continuationToken",
            "Where the last page ended; it is in its `nextLink`.",
            json!({ "type": "string", "minLength": 1, "maxLength": MAX_CONTINUATION_TOKEN_BYTES }),
        ),
        Parameter::TargetName => ("targetName", "The group, by its literal name.", group_name()),
    };
    let mut parameter = Map::new();
    parameter.insert("name".to_owned(), name.into());
    parameter.insert("in".to_owned(), "query".into());
    parameter.insert("description".to_owned(), description.into());
    parameter.insert("schema".to_owned(), schema);
    if name == "targetName" {
        parameter.insert("required".to_owned(), true.into());
    }
    parameter.into()
}

fn request_body(body: Body) -> Option<Value> {
    match body {
        Body::None => None,
        Body::Message => Some(json!({
            "description": "The message, at most 1 MiB.",
            "content": {
                "application/json": { "schema": {} },
                "text/plain": { "schema": { "type": "string" } },
                "application/octet-stream": { "schema": { "type": "string", "format": "binary" } },
            },
        })),
        Body::Groups => Some(json!({
            "required": true,
            "content": { "application/json": { "schema": schema("Groups") } },
        })),
    }
}

fn responses(row: &Row) -> Map<String, Value> {
    let schema = match row.answer {
        Answer::Empty => None,
        Answer::Object => Some(json!({ "type": "object" })),
        Answer::Schema(name) => Some(schema(name)),
    };
    let mut success = Map::new();
    success.insert("description".to_owned(), success_text(row.success).into());
    success.insert("headers".to_owned(), json!({ "api-supported-versions": supported_versions() }));
    if let Some(schema) = schema {
        success.insert("content".to_owned(), json!({ "application/json": { "schema": schema } }));
    }
    let error = || json!({ "$ref": "#/components/responses/Error" });
    let mut responses = Map::new();
    responses.insert(row.success.to_string(), success.into());
    responses.insert("400".to_owned(), error());
    if row.kind.needs_token() {
        responses.insert("401".to_owned(), json!({ "$ref": "#/components/responses/Unauthorized" }));
    }
    responses.extend(row.refusals.iter().map(|status| (status.to_string(), error())));
    if row.body != Body::None {
        responses.insert("415".to_owned(), error());
    }
    responses
}

const fn success_text(status: u16) -> &'static str {
    match status {
        202 => "It is on its way, whether or not anyone gets it.",
        204 => "It is so, whether or not it was before.",
        _ => "Success.",
    }
}

fn supported_versions() -> Value {
    json!({ "$ref": "#/components/headers/SupportedVersions" })
}

fn error_code() -> Value {
    json!({ "description": "The error's `code`, for answers to HEAD too.", "schema": { "type": "string" } })
}

fn schema(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn group_name() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": MAX_GROUP_NAME_CHARS })
}

fn filter() -> Value {
    json!({ "type": "string", "maxLength": MAX_FILTER_BYTES })
}

fn schemas() -> Value {
    let mut nullable_filter = filter();
    if let Value::Object(filter) = &mut nullable_filter {
        filter.insert("nullable".to_owned(), true.into());
    }
    let mut all = json!({
        "Token": {
            "type": "object",
            "required": ["token"],
            "properties": { "token": { "type": "string" } },
        },
        "Groups": {
            "type": "object",
            "required": ["groups"],
            "properties": {
                "groups": { "type": "array", "minItems": 1, "items": group_name() },
                "filter": nullable_filter,
            },
        },
        "Members": {
            "type": "object",
            "required": ["value"],
            "properties": {
                "value": { "type": "array", "items": schema("Member") },
                "nextLink": { "type": "string", "format": "uri", "nullable": true },
            },
        },
        "Member": {
            "type": "object",
            "required": ["connectionId"],
            "properties": {
                "connectionId": { "type": "string" },
                "userId": { "type": "string", "nullable": true },
            },
        },
        "Error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": { "type": "string" },
                "message": { "type": "string" },
                "target": { "type": "string", "nullable": true },
                "details": { "type": "array", "items": {}, "nullable": true },
                "innererror": { "type": "object", "nullable": true },
            },
        },
    });
    for (name, schema) in management::schemas() {
        if let Value::Object(all) = &mut all {
            all.insert(name.to_owned(), schema);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// `UPDATE_EXPECT=1 cargo test -p webpubsub-protocol --lib openapi` writes the file anew.
    #[test]
    fn the_document_that_is_served_is_the_one_that_the_table_says() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../www/api/openapi.json");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, openapi()).unwrap();
        }
        let served = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(served == openapi(), "www/api/openapi.json is out of date: see this test's comment");
    }

    #[test]
    fn references_are_defined_and_operations_have_unique_names() {
        let document: Value = serde_json::from_str(&openapi()).unwrap();
        let text = openapi();
        for reference in text.split("\"$ref\": \"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
        let names: Vec<_> =
            text.split("\"operationId\": \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!((names.len(), distinct.len()), (TABLE.len() + 22, names.len()));
    }
}
