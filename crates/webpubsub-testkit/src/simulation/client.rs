//! A client: a session, and the application behind it.

use std::collections::VecDeque;

use webpubsub_client_core::{
    AttemptId, CommandId, Delivery, Input, Operation, Options, Receipt, SendError, Session,
};
use webpubsub_protocol::client::Echo;
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::name::ConnectionId;
use webpubsub_shard::ConnectRequest;

use super::message::Message;
use super::random::Random;
use super::words::{GROUPS, Profile, Received, event_name, group_name, user_id};

/// A client: a session, and the application behind it.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) session: Session<u32, Received>,
    pub(super) profile: Profile,
    /// What its session is to take, oldest first.
    pub(super) inputs: VecDeque<Input<u32, Received>>,
    /// Whether its application has it started.
    pub(super) started: bool,
    /// A socket that it waits for.
    pub(super) dial: Option<Dial>,
    /// The socket that it listens to.
    pub(super) socket: Option<usize>,
    /// The connection that it believes to have.
    pub(super) connection: Option<usize>,
    commands: u32,
    ack_ids: u64,
    /// Those of them that it has used for several operations.
    shared: Vec<AckId>,
    jobs: Vec<(CommandId, Job)>,
    failed: Vec<Job>,
}

/// A socket that a session waits for.
#[derive(Debug)]
pub(super) struct Dial {
    pub(super) attempt: AttemptId,
    /// The connection to recover.
    pub(super) recovery: Option<ConnectionId>,
}

/// What an application wants done.
#[derive(Debug)]
struct Job {
    operation: Operation<u32>,
    /// What it publishes, if it does.
    message: Option<u32>,
    /// Whether its ack id is of the application's choice.
    has_own_id: bool,
}

/// Ack ids of the application's choice, apart from those that its session counts.
const OWN_ACK_IDS: u64 = 1 << 40;

/// As what a token admits a client.
pub(super) fn request_of(Profile { subprotocol, user, groups, allowed, .. }: Profile) -> ConnectRequest {
    let roles = ["webpubsub.sendToGroup", "webpubsub.joinLeaveGroup"].map(str::to_owned);
    ConnectRequest {
        user: Some(user_id(user)),
        roles: if allowed { roles.to_vec() } else { Vec::new() },
        groups: (0..GROUPS.len() as u8).filter(|group| groups & (1 << group) != 0).map(group_name).collect(),
        subprotocol,
        ..ConnectRequest::default()
    }
}

impl Client {
    pub(super) fn new(profile: Profile) -> Self {
        let options = Options { subprotocol: profile.subprotocol, ..Options::default() };
        Self {
            session: Session::new(options),
            profile,
            inputs: VecDeque::new(),
            started: false,
            dial: None,
            socket: None,
            connection: None,
            commands: 0,
            ack_ids: OWN_ACK_IDS,
            shared: Vec::new(),
            jobs: Vec::new(),
            failed: Vec::new(),
        }
    }

    /// As what its token admits it.
    pub(super) fn request(&self) -> ConnectRequest {
        request_of(self.profile)
    }

    pub(super) fn command(&mut self) -> CommandId {
        self.commands += 1;
        CommandId(self.commands)
    }

    /// The application starts or stops its client.
    pub(super) fn start_or_stop(&mut self) {
        let input = if self.started { Input::Stop } else { Input::Start { id: self.command() } };
        self.started = !self.started;
        self.inputs.push_back(input);
    }

    /// The application has its client do something; what it publishes is added to the messages.
    pub(super) fn operate(&mut self, random: &mut Random, messages: &mut Vec<Message>) {
        let draw = random.below(10);
        if draw < 2 && !self.failed.is_empty() {
            // What failed is tried again, under the same ack id.
            let job = self.failed.swap_remove(random.below(self.failed.len()));
            return self.submit(job);
        }
        let number = random.below(GROUPS.len()) as u8;
        let group = group_name(number);
        let ack_id = random.chance(500).then(|| {
            self.ack_ids += 1;
            AckId(self.ack_ids)
        });
        if random.chance(200) {
            let data = messages.len() as u32;
            messages.push(Message::new(data, 0, None, None));
            let delivery =
                if random.chance(200) { Delivery::FireAndForget } else { Delivery::Acknowledged { ack_id } };
            let operation = Operation::SendEvent { event: event_name(), data, delivery };
            return self.submit(Job { operation, message: Some(data), has_own_id: ack_id.is_some() });
        }
        let (operation, message) = match draw {
            0 => (Operation::LeaveGroup { group, ack_id }, None),
            1 | 2 => (Operation::JoinGroup { group, ack_id }, None),
            _ => {
                let data = messages.len() as u32;
                messages.push(Message::new(data, 0, Some(number), Some(self.profile.user)));
                let echo = if random.chance(300) { Echo::Skip } else { Echo::Send };
                let delivery = if random.chance(150) {
                    Delivery::FireAndForget
                } else {
                    Delivery::Acknowledged { ack_id }
                };
                (Operation::SendToGroup { group, data, echo, delivery }, Some(data))
            }
        };
        self.submit(Job { operation, message, has_own_id: ack_id.is_some() });
        if let Some(ack_id) = ack_id
            && random.chance(20)
        {
            // An application that uses an ack id twice has one of the operations not done.
            self.shared.push(ack_id);
            let group = group_name(random.below(GROUPS.len()) as u8);
            let operation = Operation::JoinGroup { group, ack_id: Some(ack_id) };
            self.submit(Job { operation, message: None, has_own_id: true });
        }
    }

    fn submit(&mut self, job: Job) {
        let id = self.command();
        self.inputs.push_back(Input::Operate { id, operation: job.operation.clone() });
        self.jobs.push((id, job));
    }

    /// A command is settled; if it is done, the message that was published with it.
    pub(super) fn settle(&mut self, id: CommandId, result: &Result<Receipt, SendError>) -> Option<u32> {
        let at = self.jobs.iter().position(|(known, _)| *known == id)?;
        let (_, job) = self.jobs.swap_remove(at);
        match result {
            Ok(Receipt { ack_id: Some(ack_id), .. }) if !self.shared.contains(ack_id) => job.message,
            Ok(_) => None,
            Err(_) => {
                if job.has_own_id {
                    self.failed.push(job);
                }
                None
            }
        }
    }
}
