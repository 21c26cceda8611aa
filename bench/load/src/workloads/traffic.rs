//! Messages that are published, so many at once, and what became of them.
//!
//! The next message is published when one has arrived at all its receivers, is acknowledged, and, over
//! HTTP, answered.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::sync::{Mutex, oneshot};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep, timeout};

use super::{AFTERWARDS, Cost, Meter, PATIENCE};
use crate::client::{Client, Event};
use crate::dialect::{self, Incoming};
use crate::error::LoadError;
use crate::figures::{Figures, real};
use crate::plan::{Endpoint, Plan};
use crate::rest::Rest;
use crate::samples::Samples;
use crate::tally::{Delivery, Groups, Tally};

/// Everything that is on its way, and what has arrived.
pub(super) struct Traffic {
    tally: RefCell<Tally>,
    messages: RefCell<Vec<OnItsWay>>,
    times: RefCell<Samples>,
    trouble: RefCell<Option<LoadError>>,
    late: Cell<bool>,
}

struct OnItsWay {
    since: Instant,
    done: Option<oneshot::Sender<()>>,
}

impl Traffic {
    /// None yet, between receivers in these groups.
    pub(super) fn new(receivers: Vec<Groups>) -> Rc<Self> {
        Rc::new(Self {
            tally: RefCell::new(Tally::new(receivers)),
            messages: RefCell::default(),
            times: RefCell::default(),
            trouble: RefCell::default(),
            late: Cell::new(false),
        })
    }

    /// A message to a group that so many answers will come to, from a moment on: its number, and what
    /// resolves when it has arrived.
    pub(super) fn publish(
        &self,
        group: usize,
        answers: u32,
        since: Instant,
    ) -> (usize, oneshot::Receiver<()>) {
        let (done, arrived) = oneshot::channel();
        self.messages.borrow_mut().push(OnItsWay { since, done: Some(done) });
        (self.tally.borrow_mut().publish(group, answers), arrived)
    }

    /// What a receiver has received.
    pub(super) fn receive(&self, receiver: usize, event: Event) {
        match event {
            Ok(Incoming::Message { number, .. }) => {
                let delivery = self.tally.borrow_mut().receive(receiver, number);
                if let Delivery::First { completes } = delivery {
                    self.time(number);
                    self.finish(number, completes);
                }
            }
            other => self.receive_answer(other),
        }
    }

    /// What a publisher that receives no messages has received.
    pub(super) fn receive_answer(&self, event: Event) {
        match event {
            Ok(Incoming::Ack { id, done }) => match usize::try_from(id) {
                Ok(number) if done => self.answer(number),
                _ => self.fail(LoadError::NotDone(id)),
            },
            Ok(_) => {}
            Err(reason) => self.fail(LoadError::Closed(reason)),
        }
    }

    /// An ack or an answer of a message.
    pub(super) fn answer(&self, number: usize) {
        let completes = self.tally.borrow_mut().answer(number);
        self.finish(number, completes);
    }

    /// Notes how long ago a message was published.
    pub(super) fn time(&self, number: usize) {
        if let Some(message) = self.messages.borrow().get(number) {
            self.times.borrow_mut().add(message.since.elapsed());
        }
    }

    fn finish(&self, number: usize, completes: bool) {
        if !completes {
            return;
        }
        if let Some(done) = self.messages.borrow_mut().get_mut(number).and_then(|message| message.done.take())
        {
            // One that is late is not waited for.
            let _ = done.send(());
        }
    }

    /// Ends the workload with an error, and every wait for what is on its way.
    pub(super) fn fail(&self, error: LoadError) {
        self.trouble.borrow_mut().get_or_insert(error);
        self.messages.borrow_mut().iter_mut().for_each(|message| drop(message.done.take()));
    }

    /// Whether it is time to publish the next message: at once until a moment, unless something is wrong.
    pub(super) fn next(&self, until: Instant) -> Option<Instant> {
        let now = Instant::now();
        (now < until && !self.late.get() && self.trouble.borrow().is_none()).then_some(now)
    }

    /// Waits until a message has arrived. One that is very late is lost, and no more are published.
    pub(super) async fn arrival(&self, arrived: oneshot::Receiver<()>) {
        if timeout(PATIENCE, arrived).await.is_err() {
            self.late.set(true);
        }
    }

    fn counts(&self) -> (u64, u64) {
        let tally = self.tally.borrow();
        (tally.published(), tally.delivered())
    }

    /// Does something for a while, then again and measures it.
    pub(super) async fn measure<F>(
        &self,
        plan: &Plan,
        publish_until: impl Fn(Instant) -> F,
    ) -> Result<Measured, LoadError>
    where
        F: Future<Output = Result<(), LoadError>>,
    {
        let publish_for = |seconds: f64| publish_until(Instant::now() + Duration::from_secs_f64(seconds));
        publish_for(plan.warm_up).await?;
        self.times.take();
        let (meter, before) = (Meter::start(plan), self.counts());
        publish_for(plan.seconds).await?;
        let (cost, after) = (meter.stop(), self.counts());
        sleep(AFTERWARDS).await;
        if let Some(trouble) = self.trouble.take() {
            return Err(trouble);
        }
        Ok(Measured {
            cost,
            published: after.0 - before.0,
            delivered: after.1 - before.1,
            times: self.times.take(),
        })
    }

    /// Notes how many deliveries are missing, and how many there were too many.
    pub(super) fn note(&self, figures: &mut Figures) {
        figures.set("lost", real(self.tally.borrow().lost()));
        figures.set("doubled", real(self.tally.borrow().doubled()));
    }
}

/// What was published and delivered, and what it took.
pub(super) struct Measured {
    cost: Cost,
    published: u64,
    delivered: u64,
    times: Samples,
}

impl Measured {
    /// Notes all figures, under names that begin so.
    pub(super) fn note(&self, figures: &mut Figures, prefix: &str) {
        let Cost { elapsed, cpu } = self.cost;
        figures.rate(&format!("{prefix}publishes_per_second"), self.published, elapsed);
        figures.rate(&format!("{prefix}deliveries_per_second"), self.delivered, elapsed);
        figures.cpu(&format!("{prefix}cpu_us_per_publish"), cpu, self.published);
        figures.cpu(&format!("{prefix}cpu_us_per_delivery"), cpu, self.delivered);
        figures.latency(prefix, &self.times);
    }
}

/// A server that publishes over HTTP to some groups in turn, so many requests at once.
pub(super) struct Server<'a> {
    pub(super) plan: &'a Plan,
    pub(super) traffic: &'a Traffic,
    /// Groups, and where to publish to each.
    pub(super) targets: Vec<(usize, &'a Endpoint)>,
    pub(super) at_once: usize,
    pub(super) pace: Rate,
    pub(super) size: usize,
}

impl Server<'_> {
    /// Publishes until a moment.
    pub(super) async fn publish_until(&self, until: Instant) -> Result<(), LoadError> {
        try_join_all((0..self.at_once).map(|first| self.requests(first, until))).await.map(drop)
    }

    async fn requests(&self, first: usize, until: Instant) -> Result<(), LoadError> {
        let mut rest = Rest::open(&self.plan.address).await?;
        for (group, endpoint) in self.targets.iter().cycle().skip(first) {
            self.pace.wait().await;
            let Some(since) = self.traffic.next(until) else { break };
            let (number, arrived) = self.traffic.publish(*group, 1, since);
            rest.publish(endpoint, dialect::body(number, self.size)).await?;
            self.traffic.answer(number);
            self.traffic.arrival(arrived).await;
        }
        Ok(())
    }
}

/// Clients that publish, each to a group, so many messages on their way at once.
pub(super) struct Publishers<'a> {
    pub(super) plan: &'a Plan,
    pub(super) traffic: &'a Traffic,
    /// Clients, and the number and the name of the group of each.
    pub(super) clients: Vec<(&'a Client, usize, &'a str)>,
    pub(super) at_once: usize,
    pub(super) acks: bool,
    pub(super) pace: Rate,
    pub(super) size: usize,
}

impl Publishers<'_> {
    /// Publishes until a moment.
    pub(super) async fn publish_until(&self, until: Instant) -> Result<(), LoadError> {
        let all = self.clients.iter().flat_map(|client| std::iter::repeat_n(client, self.at_once));
        try_join_all(all.map(|(client, group, name)| self.frames(client, *group, name, until)))
            .await
            .map(drop)
    }

    async fn frames(
        &self,
        client: &Client,
        group: usize,
        name: &str,
        until: Instant,
    ) -> Result<(), LoadError> {
        loop {
            self.pace.wait().await;
            let Some(since) = self.traffic.next(until) else { return Ok(()) };
            let (number, arrived) = self.traffic.publish(group, u32::from(self.acks), since);
            let ack = self.acks.then(|| u64::try_from(number).unwrap_or(u64::MAX));
            client.send(self.plan.dialect.publish(name, dialect::numbered(number, self.size), ack)?);
            self.traffic.arrival(arrived).await;
        }
    }
}

/// How fast messages are published.
pub(super) enum Rate {
    /// As fast as they arrive.
    Full,
    /// So far apart.
    Even(Mutex<Interval>),
}

impl Rate {
    /// So many a second, or as fast as they arrive.
    pub(super) fn new(rate: Option<f64>) -> Self {
        rate.map_or(Self::Full, |rate| {
            let mut ticks = interval(Duration::from_secs_f64(1.0 / rate));
            // The timer's ticks are a millisecond apart: a faster rate is kept on the average.
            let is_fast = rate > 500.0;
            let missed = if is_fast { MissedTickBehavior::Burst } else { MissedTickBehavior::Skip };
            ticks.set_missed_tick_behavior(missed);
            Self::Even(Mutex::new(ticks))
        })
    }

    async fn wait(&self) {
        if let Self::Even(ticks) = self {
            ticks.lock().await.tick().await;
        }
    }
}
