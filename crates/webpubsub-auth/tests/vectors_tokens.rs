//! The golden vectors of tokens, which were made without this crate and which the JavaScript
//! suites read too.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a vector file that cannot be read fails the test"
)]

use std::path::Path;

use serde_json::{Value, json};
use webpubsub_auth::{
    AccessKeys, ClientAudience, ClientClaims, Hosts, ServiceAudience, TokenError, verify_client,
    verify_service,
};
use webpubsub_protocol::client::endpoint::ClientEndpoint;
use webpubsub_protocol::name::NameError;
use webpubsub_protocol::time::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

#[test]
fn good_tokens_say_what_their_vectors_say() {
    for vector in read("client") {
        let said = client(&vector).map(|claims| {
            json!({
                "userId": claims.user_id.as_ref().map(|user| user.as_str()),
                "roles": claims.roles,
                "groups": claims.groups.iter().map(|group| group.as_str()).collect::<Vec<_>>(),
            })
        });
        assert_eq!(said.as_ref(), Ok(&vector["expected"]), "{}", vector["name"]);
    }
}

#[test]
fn bad_tokens_are_refused_with_401_for_their_vectors_reason() {
    for vector in read("client-refused") {
        let error = client(&vector).expect_err(&vector["name"].to_string());
        assert_eq!(json!({ "refused": error.to_string() }), vector["expected"], "{}", vector["name"]);
        let (status, why) = error.answer();
        assert!(status == 401 && why.starts_with("The ") && why.ends_with('.'), "{why}");
    }
}

#[test]
fn good_tokens_with_a_bad_group_are_refused_with_400() {
    for vector in read("client-invalid-group") {
        assert!(matches!(client(&vector), Err(TokenError::Group(_))), "{}", vector["name"]);
    }
    assert_eq!(
        TokenError::Group(NameError::Group).answer(),
        (400, "The token contains an invalid group name.")
    );
}

#[test]
fn servers_tokens_are_accepted_where_their_vectors_say() {
    for vector in read("service") {
        let accepted = accepted_hosts(&vector);
        let hosts = Hosts { requested: vector["host"].as_str().unwrap(), accepted: &accepted };
        let expected = ServiceAudience { hosts, path: vector["path"].as_str().unwrap() };
        let verified = verify_service(&keys(), NOW, vector["token"].as_str().unwrap(), &expected);
        assert_eq!(verified.is_ok(), vector["accepted"] == true, "{}: {verified:?}", vector["name"]);
    }
}

fn client(vector: &Value) -> Result<ClientClaims, TokenError> {
    let url = vector["url"].as_str().unwrap_or("/client/hubs/chat");
    let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
    let endpoint = ClientEndpoint::parse(path, query).unwrap();
    let accepted = accepted_hosts(vector);
    let hosts = Hosts { requested: vector["host"].as_str().unwrap_or("example.com"), accepted: &accepted };
    let token = vector["token"].as_str().unwrap();
    verify_client(&keys(), NOW, token, &ClientAudience::of(&endpoint, hosts))
}

fn accepted_hosts(vector: &Value) -> Vec<String> {
    let hosts = vector["acceptedHosts"].as_array().into_iter().flatten();
    hosts.map(|host| host.as_str().unwrap().to_owned()).collect()
}

fn keys() -> AccessKeys {
    AccessKeys::new("0123456789abcdef0123456789abcdef", Some("fedcba9876543210fedcba9876543210")).unwrap()
}

fn read(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/tokens").join(name);
    let text = std::fs::read_to_string(path.with_extension("json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["vectors"].as_array().unwrap().clone()
}
