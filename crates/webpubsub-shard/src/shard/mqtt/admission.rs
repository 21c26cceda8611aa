//! Event handlers decide which MQTT clients are let in.

use webpubsub_mqtt::{Connack, Properties, Property, ReasonCode, Version};
use webpubsub_protocol::client::Subprotocol;
use webpubsub_protocol::close::ConnackRefusal;
use webpubsub_protocol::event_handler::connect::ConnectAnswer;
use webpubsub_protocol::event_handler::{
    AnswerUse, CallFailure, Event, MqttAdmission, MqttConnect, MqttRefusal, Physical, Subject, Taken,
};
use webpubsub_protocol::time::Timestamp;

use crate::event_queue::{Attempts, CallId, NO_QUEUE, QueueKind};
use crate::mqtt::{Pending, Stage, Wanted};
use crate::output::Output;
use crate::shard::Shard;
use crate::slot::Slot;
use crate::step::Step;

impl Shard {
    /// Has the handler asked about a client, if one decides, or lets it in.
    pub(super) fn ask_or_admit(&mut self, slot: Slot, wanted: Wanted, step: &mut Step) {
        if self.handler_of(&Event::MqttConnect { body: String::new() }).is_none() {
            return self.admit(slot, &wanted, Properties::default(), step);
        }
        if let Some(pending) = self.mqtt.get_mut(slot) {
            pending.stage = Stage::Answer { call: None, asked: None, wanted, waiting: 0 };
            // CONNECT is there, and the end of a call comes in any case.
            let due = pending.due;
            self.mqtt.timeouts.remove(&(due, slot));
            self.mqtt.asking.push_back(slot);
        }
    }

    /// Asks about the clients that wait for it, as many as may be asked about at once.
    pub(crate) fn ask_about_clients(&mut self, step: &mut Step) {
        while self.events.calls.len() < self.config.sockets.most_calls()
            && let Some(slot) = self.mqtt.asking.pop_front()
        {
            let Some(pending) = self.mqtt.get(slot) else { continue };
            if !matches!(pending.stage, Stage::Answer { call: None, .. }) {
                continue;
            }
            if let Err(failure) = self.ask_about(slot, step) {
                self.decide(slot, Err(failure), step);
            }
        }
    }

    /// Source: docs/spec/mqtt.md#connect-event.
    fn ask_about(&mut self, slot: Slot, step: &mut Step) -> Result<(), CallFailure> {
        let now = step.now;
        let Some(Pending { request, physical, stage: Stage::Answer { wanted, asked, .. }, .. }) =
            self.mqtt.get(slot)
        else {
            return Ok(());
        };
        let (since, attempts) = asked.unwrap_or_else(|| (now, Attempts::new(now, &self.policy)));
        let Wanted { connect, id, .. } = wanted;
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let users: Vec<_> = connect.properties.user().map(own).collect();
        let said = MqttConnect {
            level: connect.version.level(),
            clean_start: connect.clean_start,
            user_name: connect.user_name.as_deref(),
            password: connect.password.as_deref(),
            user_properties: &users,
        };
        let event = Event::MqttConnect { body: said.body(request.connect_body.as_deref()) };
        let subject = Subject {
            connection: id.clone(),
            user: request.user.clone(),
            subprotocol: Subprotocol::Mqtt.name().map(str::to_owned),
            origin: request.origin.clone(),
            state: None,
            cookies: request.cookies.clone(),
            mqtt: Some(Physical { connection: physical.as_str().to_owned(), session: None }),
        };
        if self.breaker_open_until(now, &event).is_some() {
            return Err(CallFailure::BreakerOpen);
        }
        let (call, template) =
            self.call_of(now, (&event, 0, since), subject, &attempts).ok_or(CallFailure::NotValidated)?;
        if let Some(Pending { stage: Stage::Answer { call: its, asked, .. }, .. }) = self.mqtt.get_mut(slot) {
            (*its, *asked) = (Some(call.id), Some((since, attempts)));
        }
        self.begin_call(call, template, (QueueKind::User, NO_QUEUE), step);
        Ok(())
    }

    /// A handler has decided on a client, who may be gone.
    pub(crate) fn take_admission(
        &mut self,
        call: CallId,
        url: &str,
        result: Result<Taken, CallFailure>,
        step: &mut Step,
    ) {
        self.counters.failed_calls += u64::from(result.is_err());
        let Some(slot) = self.mqtt.of_call(call) else { return };
        if let Err(why) = result
            && self.asks_again(step.now, slot, why)
        {
            return;
        }
        if let (Ok(taken), Some(pending)) = (&result, self.mqtt.get_mut(slot)) {
            pending.request.cookies.take(step.now, url, &taken.cookies);
            pending.request.state.clone_from(&taken.state);
        }
        self.decide(slot, result.map(|taken| taken.admission.map(|admission| *admission)), step);
    }

    /// Whether the handler is asked about a client again after this failure, which it is in time then.
    ///
    /// Source: docs/spec/cloudevents.md#retries.
    fn asks_again(&mut self, now: Timestamp, slot: Slot, why: CallFailure) -> bool {
        let Some(Pending { due, stage: Stage::Answer { call, asked: Some((_, attempts)), .. }, .. }) =
            self.mqtt.get_mut(slot)
        else {
            return false;
        };
        let purpose = AnswerUse::MqttAdmission;
        let Some(pause) = attempts.failed(now, &self.policy, why, purpose) else { return false };
        (*call, *due) = (None, now.after(pause));
        let due = *due;
        self.mqtt.timeouts.insert((due, slot));
        true
    }

    /// Lets a client in, or refuses it.
    ///
    /// Source: docs/spec/mqtt.md#connect-event.
    fn decide(&mut self, slot: Slot, result: Result<Option<MqttAdmission>, CallFailure>, step: &mut Step) {
        let Some(pending) = self.mqtt.get_mut(slot) else { return };
        let stage = std::mem::replace(&mut pending.stage, Stage::Connect);
        let Stage::Answer { wanted, .. } = stage else { return };
        let limits = self.config.limits;
        let decided = result.and_then(|admission| {
            let (answer, user_properties) = match admission {
                None => return Ok(Ok(Vec::new())),
                Some(MqttAdmission::Admitted { answer, user_properties }) => (answer, user_properties),
                Some(MqttAdmission::Refused(refusal)) => return Ok(Err(refusal)),
            };
            pending.request.apply(ConnectAnswer { subprotocol: None, ..answer }, None, &limits)?;
            Ok(Ok(user_properties))
        });
        let refusal = match decided {
            Ok(Ok(users)) => {
                return self.admit(slot, &wanted, with_users(Properties::default(), users), step);
            }
            Ok(Err(refusal)) => refusal,
            Err(failure) => {
                let (connection, event) = (wanted.id.clone(), "connect".to_owned());
                step.push(Output::EventFailed { connection, event, failure });
                MqttRefusal::of_failure(failure)
            }
        };
        let version = wanted.connect.version;
        let code = refusal.code(version.level());
        let reason = match version {
            Version::V5 => ReasonCode(code),
            Version::V3_1_1 => ReasonCode::from_return_code(code).unwrap_or(ReasonCode::SERVER_UNAVAILABLE),
        };
        let mut properties = Properties::default();
        if let Some(reason) = &refusal.reason {
            properties.push_text(Property::ReasonString, reason);
        }
        let properties = with_users(properties, refusal.user_properties);
        let connack = Connack { reason, properties, ..Connack::default() };
        self.refuse_with(slot, &wanted.connect, connack, ConnackRefusal::ByHandler, step);
    }
}

fn with_users(mut properties: Properties, users: Vec<(String, String)>) -> Properties {
    for (name, value) in users {
        properties.push_user(name, value);
    }
    properties
}
