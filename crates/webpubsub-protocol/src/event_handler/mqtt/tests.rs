//! What handlers are sent of MQTT clients, and what their answers mean.

use super::*;
use crate::event_handler::AnswerUse;

fn pairs(pairs: &[(&str, &str)]) -> UserProperties {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn answer(status: u16, body: &str) -> HandlerAnswer {
    HandlerAnswer { status, body: body.as_bytes().to_vec(), ..HandlerAnswer::default() }
}

fn admission(status: u16, body: &str) -> Result<MqttAdmission, CallFailure> {
    answer(status, body).taken(AnswerUse::MqttAdmission).map(|taken| *taken.admission.unwrap())
}

fn refusal(status: u16, body: &str) -> MqttRefusal {
    match admission(status, body) {
        Ok(MqttAdmission::Refused(refusal)) => refusal,
        Ok(MqttAdmission::Admitted { .. }) => panic!("it is a refusal"),
        Err(failure) => MqttRefusal::of_failure(failure),
    }
}

#[test]
fn the_body_of_connect_has_what_the_packet_says() {
    let properties = pairs(&[("n", "v"), ("n", "\"")]);
    let full = MqttConnect {
        level: 5,
        clean_start: true,
        user_name: Some("u"),
        password: Some(&[0xff, 0]),
        user_properties: &properties,
    };
    assert_eq!(
        full.body(Some("{\"claims\":{}}")),
        r#"{"claims":{},"mqtt":{"protocolVersion":5,"cleanStart":true,"username":"u","password":"/wA=","userProperties":[{"name":"n","value":"v"},{"name":"n","value":"\""}]}}"#
    );
    let bare =
        MqttConnect { level: 4, clean_start: false, user_name: None, password: None, user_properties: &[] };
    assert_eq!(
        bare.body(None),
        r#"{"claims":{},"query":{},"headers":{},"subprotocols":["mqtt"],"clientCertificates":[],"mqtt":{"protocolVersion":4,"cleanStart":false,"username":null,"password":null,"userProperties":null}}"#
    );
}

#[test]
fn the_body_of_disconnected_has_the_packet_and_who_sent_it() {
    let properties = pairs(&[("n", "v")]);
    let end = MqttEnd { reason: Some("r"), is_by_client: true, code: Some(4), user_properties: &properties };
    assert_eq!(
        end.body(),
        r#"{"reason":"r","mqtt":{"initiatedByClient":true,"disconnectPacket":{"code":4,"userProperties":[{"name":"n","value":"v"}]}}}"#
    );
    let by_service = MqttEnd { is_by_client: false, code: Some(141), user_properties: &[], ..end };
    let packet = r#""disconnectPacket":{"code":141,"userProperties":null}"#;
    assert!(by_service.body().contains(packet), "{}", by_service.body());
    let lost = MqttEnd { reason: None, is_by_client: false, code: None, user_properties: &[] };
    assert_eq!(lost.body(), r#"{"reason":null,"mqtt":{"initiatedByClient":false,"disconnectPacket":null}}"#);
}

#[test]
fn a_handlers_code_goes_into_connack() {
    let refused =
        refusal(403, r#"{"mqtt":{"code":138,"reason":"no","userProperties":[{"name":"a","value":"b"}]}}"#);
    assert_eq!((refused.code(5), refused.code(4)), (0x8a, 3));
    assert_eq!(refused.reason.as_deref(), Some("no"));
    assert_eq!(refused.user_properties, pairs(&[("a", "b")]));
    let old = refusal(400, r#"{"mqtt":{"code":2}}"#);
    assert_eq!((old.code(5), old.code(4)), (0x80, 2));
}

#[test]
fn a_code_that_connack_cannot_have_is_unspecified() {
    for code in ["0", "6", "127", "139", "142", "162", "256", "-1", "1.5", "\"138\"", "{}"] {
        let refused = refusal(401, &format!(r#"{{"mqtt":{{"code":{code}}}}}"#));
        assert_eq!((refused.code(5), refused.code(4)), (0x80, 3), "{code}");
    }
}

#[test]
fn without_a_code_the_status_decides() {
    for (status, new, old) in
        [(400, 0x86, 4), (401, 0x87, 5), (403, 0x87, 5), (404, 0x80, 3), (500, 0x80, 3), (302, 0x80, 3)]
    {
        for body in ["", "no", "{}", r#"{"mqtt":null}"#, r#"{"mqtt":{"code":null}}"#] {
            let refused = refusal(status, body);
            assert_eq!((refused.code(5), refused.code(4)), (new, old), "{status} {body}");
        }
    }
    let lost = MqttRefusal::of_failure(CallFailure::TimedOut);
    assert_eq!((lost.code(5), lost.code(4)), (0x80, 3));
}

#[test]
fn a_success_lets_the_client_in_as_the_answer_says() {
    let admitted = admission(
        200,
        r#"{"userId":"u","subprotocol":"mqtt","mqtt":{"userProperties":[{"name":"a","value":"b"},7]}}"#,
    );
    let Ok(MqttAdmission::Admitted { answer, user_properties }) = admitted else { panic!("{admitted:?}") };
    assert_eq!(answer.user.unwrap().unwrap().as_str(), "u");
    assert_eq!(user_properties, pairs(&[("a", "b")]));
    for body in ["", "{}", r#"{"subprotocol":null,"mqtt":null}"#] {
        assert!(matches!(admission(204, body), Ok(MqttAdmission::Admitted { .. })), "{body}");
    }
    let other = r#"{"subprotocol":"json.webpubsub.azure.v1"}"#;
    assert_eq!(admission(200, other), Err(CallFailure::SubprotocolNotOffered));
    assert_eq!(admission(200, "[]"), Err(CallFailure::NotReadable));
}

#[test]
fn any_answer_to_an_event_is_a_publish() {
    let mqtt = pairs(&[("k", "v")]);
    let answer = HandlerAnswer {
        content_type: Some("text/csv".into()),
        mqtt,
        state: Some("s".into()),
        cookies: vec!["c=1".into()],
        ..answer(404, "a,b")
    };
    let taken = answer.taken(AnswerUse::MqttReply).unwrap();
    assert_eq!(taken.failure(), Some(CallFailure::Status(404)));
    assert_eq!((taken.state, taken.cookies), (None, vec![]), "it is no success");
    let reply = *taken.reply.mqtt.unwrap();
    assert_eq!((reply.status, reply.is_success()), (404, false));
    assert_eq!((reply.content_type.as_deref(), reply.payload.as_slice()), (Some("text/csv"), &b"a,b"[..]));
    assert_eq!(reply.user_properties, pairs(&[("k", "v"), ("azure-status-code", "404")]));
    let lost = MqttReply::of_failure(Some(CallFailure::TimedOut));
    assert!(!lost.is_success() && lost.user_properties.is_empty());
}

#[test]
fn user_properties_of_an_event_are_headers() {
    let name = || EventName::parse("e").unwrap();
    let sent = pairs(&[("A", "1"), ("b c", "x"), ("a", "2"), ("d", "é"), ("", "x"), ("e", "\n"), ("f", "")]);
    let request = MqttRequest::new(name(), vec![], None, sent).unwrap();
    assert_eq!(request.headers(), pairs(&[("mqtt-a", "1, 2"), ("mqtt-f", "")]));
    assert_eq!(request.content_type(), "application/octet-stream");
    let many = (0..100).map(|at| (at.to_string(), "v".repeat(1000))).collect();
    assert_eq!(MqttRequest::new(name(), vec![], None, many).unwrap().headers().len(), 8);
    for good in ["text/plain", "application/vnd.x+json; charset=utf-8"] {
        assert_eq!(MqttRequest::new(name(), vec![], Some(good), vec![]).unwrap().content_type(), good);
    }
    for bad in ["", "text", "text/", "/x", "a b/c", "text/plain\r\nx: y", "text/é", "text/plain; x=é"] {
        assert_eq!(MqttRequest::new(name(), vec![], Some(bad), vec![]), Err(NoMediaType), "{bad}");
    }
}
