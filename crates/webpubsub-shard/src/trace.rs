//! What operators see of a shard while they watch: records, filtered and bounded for each of them.
//!
//! Without a watcher nothing is written: whoever has something to record asks [`Trace::is_on`] first.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use webpubsub_protocol::data::MessageData;
use webpubsub_protocol::json::Writer;
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::time::Timestamp;

/// How many operators may watch one shard.
pub const MAX_WATCHERS: usize = 8;

/// How many bytes may wait for a watcher to read. One that leaves more unread is closed.
pub const MAX_UNREAD_TRACE_BYTES: u64 = 1 << 20;

/// For how long records are collected before they are sent.
const WINDOW: Duration = Duration::from_millis(100);

/// How many records of each class a watcher receives of one window.
const MAX_RECORDS: usize = 50;

/// How many bytes of a payload are shown.
const MAX_PAYLOAD_BYTES: usize = 1024;

/// A watcher's number in its shard: small, and reused once it is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WatcherId(pub u32);

/// What a watcher wants to see: what concerns everything that is given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TraceFilter {
    /// This connection.
    pub connection: Option<ConnectionId>,
    /// This user.
    pub user: Option<UserId>,
    /// This group.
    pub group: Option<GroupName>,
    /// Whether payloads are shown.
    pub payloads: bool,
}

/// What kind of thing is recorded. Each has an allotment of its own, so that messages crowd nothing else out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// A message, of which there may be many.
    Message,
    /// Anything else.
    Other,
}

/// Those who watch a shard.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    watchers: Vec<Watcher>,
}

#[derive(Debug)]
struct Watcher {
    id: WatcherId,
    filter: TraceFilter,
    /// When the first of what is collected happened; `None` while there is nothing.
    since: Option<Timestamp>,
    /// Records that are yet to be sent, with commas between.
    records: String,
    /// How many of them there are, of each class.
    counts: [usize; 2],
    /// How many were left out.
    omitted: u64,
}

impl Trace {
    /// Whether there is a watcher.
    pub(crate) const fn is_on(&self) -> bool {
        !self.watchers.is_empty()
    }

    /// Adds a watcher; `None` where there are as many as may be.
    pub(crate) fn watch(&mut self, filter: TraceFilter) -> Option<WatcherId> {
        let is_free = |id: &WatcherId| self.watchers.iter().all(|watcher| watcher.id != *id);
        let id = (0..MAX_WATCHERS as u32).map(WatcherId).find(is_free)?;
        self.watchers.push(Watcher {
            id,
            filter,
            since: None,
            records: String::new(),
            counts: [0; 2],
            omitted: 0,
        });
        Some(id)
    }

    pub(crate) fn unwatch(&mut self, id: WatcherId) {
        self.watchers.retain(|watcher| watcher.id != id);
    }

    /// Takes out all watchers.
    pub(crate) fn clear(&mut self) -> impl Iterator<Item = WatcherId> {
        std::mem::take(&mut self.watchers).into_iter().map(|watcher| watcher.id)
    }

    /// Records something for those that it concerns. `write` makes the record, with the payload or without, and is
    /// called only for watchers that have room for it.
    pub(crate) fn record(
        &mut self,
        now: Timestamp,
        class: Class,
        concerns: &dyn Fn(&TraceFilter) -> bool,
        write: &dyn Fn(bool) -> String,
    ) {
        for watcher in &mut self.watchers {
            if !concerns(&watcher.filter) {
                continue;
            }
            watcher.since.get_or_insert(now);
            let [messages, others] = &mut watcher.counts;
            let count = if class == Class::Message { messages } else { others };
            if *count >= MAX_RECORDS {
                watcher.omitted += 1;
                continue;
            }
            *count += 1;
            if !watcher.records.is_empty() {
                watcher.records.push(',');
            }
            watcher.records.push_str(&write(watcher.filter.payloads));
        }
    }

    /// When something collected is next to be sent.
    pub(crate) fn next_timeout(&self) -> Option<Timestamp> {
        self.watchers.iter().filter_map(|watcher| watcher.since).min().map(|since| since.after(WINDOW))
    }

    /// Takes what is to be sent by now: a frame for each watcher at most, which also says how many shards there are.
    pub(crate) fn take_due(&mut self, now: Timestamp, shards: u16) -> Vec<(WatcherId, String)> {
        let mut frames = Vec::new();
        for watcher in &mut self.watchers {
            if watcher.since.is_some_and(|since| since.after(WINDOW) <= now) {
                let mut frame = Writer::object();
                frame
                    .text("type", "records")
                    .number("shards", shards.into())
                    .number("omitted", watcher.omitted);
                frame.json("records", &["[", &watcher.records, "]"].concat());
                frames.push((watcher.id, frame.finish()));
                watcher.records.clear();
                (watcher.since, watcher.counts, watcher.omitted) = (None, [0; 2], 0);
            }
        }
        frames
    }
}

impl TraceFilter {
    /// Whether it lets through what concerns a connection, its user and a group, as far as there are such.
    pub(crate) fn concerns(
        &self,
        connection: Option<&ConnectionId>,
        user: Option<&UserId>,
        group: Option<&GroupName>,
    ) -> bool {
        self.connection.as_ref().is_none_or(|wanted| connection == Some(wanted))
            && self.user.as_ref().is_none_or(|wanted| user == Some(wanted))
            && self.group.as_ref().is_none_or(|wanted| group == Some(wanted))
    }
}

/// Begins a record.
pub(crate) fn begin(now: Timestamp, kind: &str) -> Writer {
    let mut record = Writer::object();
    record.number("time", now.as_millis()).text("kind", kind);
    record
}

/// How long a payload is, in bytes.
pub(crate) fn payload_bytes(data: &MessageData) -> usize {
    match data {
        MessageData::Text(text) => text.len(),
        MessageData::Json(json) => json.as_given().len(),
        MessageData::Binary(bytes) | MessageData::Protobuf(bytes) => bytes.len(),
    }
}

/// Writes the first [`MAX_PAYLOAD_BYTES`] of a payload.
pub(crate) fn show_payload(data: &MessageData) -> String {
    let text = match data {
        MessageData::Text(text) => first_of(text).to_owned(),
        MessageData::Json(json) => first_of(json.as_given()).to_owned(),
        MessageData::Binary(bytes) | MessageData::Protobuf(bytes) => {
            STANDARD.encode(bytes.get(..MAX_PAYLOAD_BYTES).unwrap_or(bytes))
        }
    };
    let is_cut = payload_bytes(data) > MAX_PAYLOAD_BYTES;
    let mut shown = Writer::object();
    shown.text("dataType", data.data_type().as_str()).text("data", &text);
    shown.json("isCut", if is_cut { "true" } else { "false" });
    shown.finish()
}

/// The first bytes of a text that are whole characters.
fn first_of(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_PAYLOAD_BYTES)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn record(trace: &mut Trace, now: u64, class: Class, what: &str) {
        trace.record(at(now), class, &|_| true, &|_| what.to_owned());
    }

    fn records(of: &str, omitted: u64) -> String {
        format!(r#"{{"type":"records","shards":4,"omitted":{omitted},"records":[{of}]}}"#)
    }

    #[test]
    fn records_are_sent_a_tenth_of_a_second_later() {
        let mut trace = Trace::default();
        assert!(!trace.is_on());
        record(&mut trace, 0, Class::Other, "0");
        let id = trace.watch(TraceFilter::default()).unwrap();
        assert!(trace.is_on());
        assert_eq!(trace.next_timeout(), None);
        record(&mut trace, 10, Class::Other, "1");
        record(&mut trace, 60, Class::Message, "2");
        assert_eq!(trace.next_timeout(), Some(at(110)));
        assert_eq!(trace.take_due(at(109), 4), []);
        assert_eq!(trace.take_due(at(110), 4), [(id, records("1,2", 0))]);
        assert_eq!((trace.next_timeout(), trace.take_due(at(999), 4)), (None, vec![]));
    }

    #[test]
    fn what_is_beyond_the_allotment_is_counted() {
        let mut trace = Trace::default();
        trace.watch(TraceFilter::default());
        for _ in 0..1000 {
            record(&mut trace, 0, Class::Message, "m");
        }
        record(&mut trace, 1, Class::Other, "o");
        let [(_, frame)] = &trace.take_due(at(100), 4)[..] else { panic!("one frame") };
        assert_eq!(*frame, records(&[&"m,".repeat(50), "o"].concat(), 950));
        record(&mut trace, 200, Class::Message, "m");
        assert_eq!(trace.take_due(at(300), 4)[0].1, records("m", 0), "the next window has its own");
    }

    #[test]
    fn a_record_is_not_written_for_a_watcher_without_room() {
        let mut trace = Trace::default();
        trace.watch(TraceFilter::default());
        let written = std::cell::Cell::new(0);
        for _ in 0..80 {
            let write = |_| {
                written.set(written.get() + 1);
                String::new()
            };
            trace.record(at(0), Class::Message, &|_| true, &write);
        }
        assert_eq!(written.get(), 50);
    }

    #[test]
    fn each_watcher_receives_what_its_filter_lets_through() {
        let mut trace = Trace::default();
        let all = trace.watch(TraceFilter { payloads: true, ..TraceFilter::default() }).unwrap();
        let group = GroupName::parse("g").unwrap();
        let one = trace.watch(TraceFilter { group: Some(group.clone()), ..TraceFilter::default() }).unwrap();
        let write = |payloads: bool| payloads.to_string();
        trace.record(at(0), Class::Other, &|filter| filter.concerns(None, None, None), &write);
        trace.record(at(0), Class::Other, &|filter| filter.concerns(None, None, Some(&group)), &write);
        let frames = trace.take_due(at(100), 4);
        assert_eq!(frames, [(all, records("true,true", 0)), (one, records("false", 0))]);
    }

    #[test]
    fn at_most_eight_watch() {
        let mut trace = Trace::default();
        let all: Vec<_> = (0..MAX_WATCHERS).map(|_| trace.watch(TraceFilter::default()).unwrap()).collect();
        assert_eq!(trace.watch(TraceFilter::default()), None);
        trace.unwatch(all[3]);
        assert_eq!(trace.watch(TraceFilter::default()), Some(all[3]));
        assert_eq!(trace.clear().count(), MAX_WATCHERS);
        assert!(!trace.is_on());
    }

    #[test]
    fn payloads_are_cut_between_characters() {
        let text = MessageData::Text(["x".repeat(1023), "é".to_owned()].concat());
        let shown = format!(r#"{{"dataType":"text","data":"{}","isCut":true}}"#, "x".repeat(1023));
        assert_eq!(show_payload(&text), shown);
        let bytes = MessageData::Binary(vec![0xff; 2]);
        assert_eq!(show_payload(&bytes), r#"{"dataType":"binary","data":"//8=","isCut":false}"#);
        assert_eq!(payload_bytes(&text), 1025);
    }
}
