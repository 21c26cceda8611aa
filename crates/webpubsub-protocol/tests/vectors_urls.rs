//! The golden vectors of clients' URLs, which the JavaScript suites read too.

use serde_json::{Value, json};
use webpubsub_protocol::client::endpoint::{ClientEndpoint, EndpointForm};

#[test]
fn every_url_of_a_client_says_what_its_vector_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/urls/client-endpoints.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for vector in file["vectors"].as_array().unwrap() {
        let url = vector["input"].as_str().unwrap();
        let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
        let said = match ClientEndpoint::parse(path, query) {
            Err(error) => json!({ "refused": error.status() }),
            Ok(endpoint) => json!({
                "hub": endpoint.hub.as_str(),
                "rawHub": endpoint.raw_hub,
                "form": match endpoint.form { EndpointForm::Hubs => "hubs", EndpointForm::Legacy => "legacy", EndpointForm::Mqtt => "mqtt" },
                "accessToken": endpoint.access_token,
                "recovery": endpoint.recovery.map(|recovery| json!({
                    "connectionId": recovery.connection_id,
                    "reconnectionToken": recovery.reconnection_token,
                })),
                "query": endpoint.query,
            }),
        };
        assert_eq!(said, vector["expected"], "{}", vector["name"]);
    }
}
