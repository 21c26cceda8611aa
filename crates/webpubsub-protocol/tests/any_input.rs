//! Whatever stands in a URL, a header, a role or a body: it is read or refused, never a panic.

use proptest::prelude::*;
use webpubsub_protocol::client::endpoint::{ClientEndpoint, SimpleMode};
use webpubsub_protocol::rest::{Operation, groups_body, message_data, parse_content_type, refuse};
use webpubsub_protocol::role::Role;

/// Pieces that mean something, mixed with ones that do not.
fn url() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "/",
            "//",
            "api",
            "hubs",
            "chat",
            "groups",
            "users",
            "connections",
            ":send",
            ":generateToken",
            ":closeConnections",
            ":addToGroups",
            "permissions",
            "joinLeaveGroup",
            "client",
            "health",
            "?",
            "&",
            "=",
            "%",
            "%2",
            "%2F",
            "%FF",
            "%C3",
            "+",
            ";",
            "#",
            "..",
            "hub",
            "excluded",
            "filter",
            "messageTtlSeconds",
            "reason",
            "maxpagesize",
            "top",
            "continuationToken",
            "targetName",
            "api-version",
            "access_token",
            "awps_connection_id",
            "webpubsub_mode",
            "sendToGroup",
            "group",
            "noEcho",
            "é",
            "\0",
            "\u{10ffff}",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_url_is_read_or_refused(prefix in "(/client|/client/hubs/chat|/api/hubs/chat|/api/hubs/)?", url in url(), method in "HEAD|POST|GET|PUT|DELETE|\\PC{0,3}") {
        let url = prefix + &url;
        let (path, query) = url.split_once('?').map_or((url.as_str(), None), |(path, query)| (path, Some(query)));
        if let Err(refusal) = Operation::parse(&method, path, query) {
            let response = refuse(&refusal, &method);
            prop_assert!((400..500).contains(&response.status));
            prop_assert_eq!(response.body.is_empty(), method == "HEAD");
        }
        if let Ok(endpoint) = ClientEndpoint::parse(path, query) {
            let _ = SimpleMode::parse(&endpoint.query);
        }
    }

    #[test]
    fn any_body_is_read_or_refused(header in "(text/plain|application/json|\\PC{0,8})[;=\" a-z-]{0,12}", body: Vec<u8>) {
        if let Ok(kind) = parse_content_type(Some(&header)) {
            let _ = message_data(&kind, body, &|_, text| String::from_utf8(text.to_vec()).ok());
        }
    }

    #[test]
    fn any_body_of_a_bulk_operation_is_read_or_refused(
        start in "(\\{\"groups\":)?\\PC{0,4}",
        middle in "([\\[\\]{}\",:]|groups|filter|null|true|1|\\PC){0,16}",
        end: Vec<u8>,
    ) {
        let body = [start.as_bytes(), middle.as_bytes(), &end].concat();
        if let Err(refusal) = groups_body(Some("application/json"), body, &|_, _| None) {
            prop_assert_eq!(refuse(&refusal, "POST").status, 400);
        }
    }

    #[test]
    fn any_role_is_read_ignored_or_skipped(rest in "\\PC{0,12}", group in "\\PC{0,12}") {
        for role in ["webpubsub.sendToGroups.", "webpubsub.joinLeaveGroup."] {
            if let Ok(Some(role)) = Role::parse(&format!("{role}{rest}")) {
                prop_assert_eq!(Role::parse(&role.to_string()), Ok(Some(role.clone())));
                if let Role::Groups(_, pattern) = role {
                    let _ = pattern.matches(&group);
                }
            }
        }
    }
}
