//! What a shard's task takes, and what it has the shard do with it.

use std::rc::Rc;
use std::{mem, vec};

use webpubsub_protocol::client::Frame;
use webpubsub_service::{Answered, HubView, Offered as Why, ShardAnswer, ShardCall, introduce};
use webpubsub_shard::{Host as _, Input, NextTurn};

use super::ShardTask;
use crate::credit::Loan;
use crate::database::DatabaseError;
use crate::log;
use crate::running::Running;
use crate::shard_host::Waiting;
use crate::shard_message::{Ended, Link, Offered, Seat, ShardMessage, SocketOffer};

impl ShardTask {
    /// Takes what has arrived, until the shard wants to have a turn before more: what that leads to is committed and
    /// leaves before anything else is taken. So one that sends very much keeps nothing of the others waiting, and no
    /// more is on its way to sockets than they take.
    pub(super) fn take(&mut self, running: &mut Running) -> Result<(), DatabaseError> {
        self.arrivals.begin_turn();
        while running.host.next_turn != Some(NextTurn::BeforeMore)
            && let Some(message) = self.arrivals.next()
        {
            self.take_one(running, message)?;
        }
        self.arrivals.end_turn();
        Ok(())
    }

    pub(super) fn take_one(
        &mut self,
        running: &mut Running,
        message: ShardMessage,
    ) -> Result<(), DatabaseError> {
        match message {
            ShardMessage::Frames { seat, messages, loan } => {
                self.take_frames(running, seat, messages, loan)?;
            }
            ShardMessage::Closed { seat, code, reason } => {
                running.of_client(seat, |slot| Input::Closed { slot, code, reason })?;
                running.unwatch(seat);
            }
            ShardMessage::Broken(seat, cause) => {
                running.of_client(seat, |slot| Input::Broken { slot, cause })?;
                running.unwatch(seat);
            }
            ShardMessage::Command(command, reply) => {
                // What was taken before is done before.
                running.driver.catch_up(&mut running.host)?;
                let answer = running.driver.step(&mut running.host, Input::Command(command))?;
                if let Some(answer) = answer.reply {
                    running.host.waiting.push(Waiting::Reply(reply, answer));
                }
            }
            ShardMessage::Offer(offer) => {
                if running.is_known || matches!(offer.call, ShardCall::Recover(..) | ShardCall::Watch(_)) {
                    self.offer(running, *offer)?;
                } else {
                    running.waiting.push(*offer);
                    if running.waiting.len() == 1 {
                        self.introduce();
                    }
                }
            }
            ShardMessage::Call(call, reply) => {
                running.driver.catch_up(&mut running.host)?;
                // One that brings a socket is an offer.
                if let Answered::Answer(answer) = running.object().answer(call)? {
                    running.host.waiting.push(Waiting::Answer(reply, answer));
                }
            }
            ShardMessage::Ended(life, ended) if life == running.host.life => self.ended(running, ended)?,
            // A call of an earlier life may have the id of one that is under way.
            ShardMessage::Ended(..) => {}
            ShardMessage::KeepDelivery(delivery) => {
                running.host.store.object().keep_delivery(&delivery)?;
                running.driver.shard.record_call(running.host.now(), &delivery);
                running.host.next_turn = running.host.next_turn.or(running.driver.shard.next_turn());
            }
            ShardMessage::Stop(done) => {
                running.driver.catch_up(&mut running.host)?;
                running.step(Input::GoAway)?;
                running.stop = Some(done);
            }
        }
        Ok(())
    }

    /// Takes of a client's frames what its share allows, and puts the others back.
    fn take_frames(
        &mut self,
        running: &mut Running,
        seat: Seat,
        mut messages: vec::IntoIter<Frame>,
        loan: Loan,
    ) -> Result<(), DatabaseError> {
        let mut share = self.arrivals.share();
        while share > 0
            && running.host.next_turn != Some(NextTurn::BeforeMore)
            && let Some(frame) = messages.next()
        {
            running.of_client(seat, |from| Input::Frame { from, frame })?;
            share -= 1;
        }
        if messages.len() > 0 {
            self.arrivals.put_back(seat, ShardMessage::Frames { seat, messages, loan });
        }
        Ok(())
    }

    /// Something has ended that this life of the shard has begun.
    fn ended(&self, running: &mut Running, ended: Ended) -> Result<(), DatabaseError> {
        match ended {
            Ended::Relay { to, last, taken } => running.step(Input::Relayed { to, last, taken }),
            Ended::Call { call, result } => {
                running.host.calls.remove(&call);
                running.step(Input::Called { call, result })
            }
            Ended::Introduction(found) => self.introduced(running, found),
        }
    }

    /// Offers a socket to the shard.
    fn offer(&self, running: &mut Running, offer: SocketOffer) -> Result<(), DatabaseError> {
        let SocketOffer { call, socket, unread, reply } = offer;
        running.driver.catch_up(&mut running.host)?;
        running.host.offered = Some((socket, unread));
        let answered = running.object().answer(call)?;
        running.host.offered = None;
        let accepted = match answered {
            Answered::Socket(subprotocol) => match (running.host.newest_seat(), self.itself.upgrade()) {
                (Some(seat), Some(shard)) => Ok((Link::new(shard, seat), subprotocol)),
                // It was closed in the very step.
                _ => Err(Why::Refused),
            },
            Answered::Answer(ShardAnswer::Offered(why)) => Err(why),
            Answered::Answer(_) => Err(Why::Refused),
        };
        let connections = running.driver.shard.connections();
        running.host.waiting.push(Waiting::Offered(reply, Offered { accepted, connections }));
        Ok(())
    }

    /// Asks the hub's directory, once in a life, for what it sent the others before there was this shard, and
    /// has the register know the hub.
    pub(super) fn introduce(&self) {
        let (thread, hub) = (Rc::clone(&self.thread), self.hub.clone());
        let introduced = async move { Ended::Introduction(introduce(&*thread, &hub).await) };
        self.way_back().start(introduced, Ended::Introduction(None));
    }

    fn introduced(&self, running: &mut Running, found: Option<(HubView, bool)>) -> Result<(), DatabaseError> {
        let Some(found) = found else {
            log::failure("asking a hub's directory", &"the directory gave no view");
            // Dropped, they are refused.
            running.waiting.clear();
            return Ok(());
        };
        running.is_known |= running.object().introduced(found)?;
        for offer in mem::take(&mut running.waiting) {
            self.offer(running, offer)?;
        }
        Ok(())
    }
}
