//! The golden vectors of roles, which the page's tests read too.

use serde_json::{Value, json};
use webpubsub_protocol::role::{PermissionType, Role};

/// Whether a role opens a group to a client that wants to join it; `null` for a role that is passed over.
fn opens(role: &str, group: &str) -> Value {
    match Role::parse(role) {
        Err(_) | Ok(None) => Value::Null,
        Ok(Some(role)) if role.permission() != PermissionType::JoinLeaveGroup => json!(false),
        Ok(Some(Role::Any(_))) => json!(true),
        Ok(Some(Role::Group(_, named))) => json!(named.as_str() == group),
        Ok(Some(Role::Groups(_, pattern))) => json!(pattern.matches(group)),
    }
}

#[test]
fn every_role_opens_what_its_vector_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/roles/groups.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for vector in file["vectors"].as_array().unwrap() {
        let (role, group) = (vector["role"].as_str().unwrap(), vector["group"].as_str().unwrap());
        assert_eq!(opens(role, group), vector["expected"], "{}", vector["name"]);
    }
}
