//! One publish to many connections: encoded once for each way of speaking.

use webpubsub_protocol::client::{Encoding, Origin, simple};
use webpubsub_protocol::data::{MessageData, Metadata};
use webpubsub_protocol::id::SequenceId;

use crate::connection::{Slot, Speech};
use crate::directory::Directory;
use crate::output::{Change, Output};
use crate::reliable::{Log, bitmap};

/// A message for many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Publish {
    /// Where it comes from.
    pub(crate) from: Origin,
    /// Its payload.
    pub(crate) data: MessageData,
    /// What rides beside it.
    pub(crate) metadata: Metadata,
}

/// Who receives a message in one encoding.
#[derive(Debug, Default)]
struct Receivers {
    plain: Vec<Slot>,
    numbered: Vec<(Slot, SequenceId)>,
}

impl Receivers {
    fn send(self, encoding: Encoding, publish: &Publish, outputs: &mut Vec<Output>) {
        if self.plain.is_empty() && self.numbered.is_empty() {
            return;
        }
        let frame = encoding.data_frame(&publish.from, &publish.data, &publish.metadata);
        if !self.plain.is_empty() {
            outputs.push(Output::Send { to: self.plain, frame: frame.with(None) });
        }
        if !self.numbered.is_empty() {
            outputs.push(Output::SendNumbered { to: self.numbered, frame });
        }
    }
}

/// Sends a message to these connections, in at most one output for simple clients and two for each
/// encoding, after one row of the log if a reliable connection is among them.
pub(crate) fn fan_out(
    directory: &mut Directory,
    log: &mut Log,
    to: impl IntoIterator<Item = Slot>,
    publish: &Publish,
    outputs: &mut Vec<Output>,
) {
    let (mut simple, mut json, mut protobuf) = (Vec::new(), Receivers::default(), Receivers::default());
    for slot in to {
        let Some(connection) = directory.get_mut(slot) else { continue };
        match &mut connection.speech {
            Speech::Simple(_) => simple.push(slot),
            Speech::Messages { encoding, sequence } => {
                let receivers = match encoding {
                    Encoding::Json => &mut json,
                    Encoding::Protobuf => &mut protobuf,
                };
                match sequence {
                    None => receivers.plain.push(slot),
                    Some(sequence) => receivers.numbered.push((slot, sequence.next())),
                }
            }
        }
    }
    let recipients = bitmap(json.numbered.iter().chain(&protobuf.numbered).map(|(slot, _)| *slot));
    if !recipients.is_empty() {
        outputs.push(Output::Store(Change::Log { row: log.next(), recipients }));
        if log.is_long() {
            bring_bases_forward(directory, log, outputs);
        }
    }
    if !simple.is_empty() {
        outputs.push(Output::Send { to: simple, frame: simple::encode(&publish.data) });
    }
    json.send(Encoding::Json, publish, outputs);
    protobuf.send(Encoding::Protobuf, publish, outputs);
}

/// Writes every reliable connection's count, so that the log's rows are needed no more.
fn bring_bases_forward(directory: &Directory, log: &mut Log, outputs: &mut Vec<Output>) {
    for (slot, connection) in directory.iter() {
        if let Speech::Messages { sequence: Some(sequence), .. } = &connection.speech {
            let (row, received) = (log.newest(), sequence.count());
            outputs.push(Output::Store(Change::Rebase { slot, row, received }));
        }
    }
    outputs.push(Output::Store(Change::TrimLog(log.newest())));
    log.trim();
}
