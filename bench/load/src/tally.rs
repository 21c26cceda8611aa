//! Which messages were published, and who has received them.

/// Every message of a workload, by its number, and what each receiver has seen.
///
/// Receivers, messages and groups are numbered from 0.
#[derive(Debug)]
pub(crate) struct Tally {
    groups: Vec<Groups>,
    /// How many receivers each group has.
    sizes: [u32; MAX_GROUPS],
    messages: Vec<Message>,
    seen: Vec<Bits>,
    delivered: u64,
    doubled: u64,
    strayed: u64,
}

/// How many groups there may be.
const MAX_GROUPS: usize = 128;

/// A set of groups, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Groups(u128);

impl Groups {
    /// These groups; those beyond the last that there may be are left out.
    pub(crate) fn of(groups: impl IntoIterator<Item = usize>) -> Self {
        Self(groups.into_iter().filter(|group| *group < MAX_GROUPS).fold(0, |set, group| set | 1 << group))
    }

    fn contains(self, group: usize) -> bool {
        group < MAX_GROUPS && self.0 & (1 << group) != 0
    }
}

#[derive(Debug)]
struct Message {
    group: usize,
    /// How many receivers are still to see it.
    undelivered: u32,
    /// How many deliveries, acks and answers are still to come.
    open: u32,
}

/// What a delivery was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The receiver's first of this message.
    First {
        /// Whether nothing of it is still to come.
        completes: bool,
    },
    /// One more than there should be.
    Doubled,
    /// A message that was not published, or for another group.
    Stray,
}

impl Tally {
    /// Receivers by their groups.
    pub(crate) fn new(groups: Vec<Groups>) -> Self {
        let seen = groups.iter().map(|_| Bits::default()).collect();
        let mut sizes = [0; MAX_GROUPS];
        for (group, size) in sizes.iter_mut().enumerate() {
            let members = groups.iter().filter(|its| its.contains(group)).count();
            *size = u32::try_from(members).unwrap_or(u32::MAX);
        }
        Self { groups, sizes, messages: Vec::new(), seen, delivered: 0, doubled: 0, strayed: 0 }
    }

    /// A message to a group; it is complete when all its receivers have it and as many `answers` have
    /// come. Returns its number.
    pub(crate) fn publish(&mut self, group: usize, answers: u32) -> usize {
        let undelivered = self.sizes.get(group).copied().unwrap_or_default();
        self.messages.push(Message { group, undelivered, open: undelivered + answers });
        self.messages.len() - 1
    }

    /// A delivery.
    pub(crate) fn receive(&mut self, receiver: usize, number: usize) -> Delivery {
        let (Some(message), Some(seen)) = (self.messages.get_mut(number), self.seen.get_mut(receiver)) else {
            self.strayed += 1;
            return Delivery::Stray;
        };
        if !self.groups.get(receiver).is_some_and(|its| its.contains(message.group)) {
            self.strayed += 1;
            return Delivery::Stray;
        }
        if !seen.insert(number) {
            self.doubled += 1;
            return Delivery::Doubled;
        }
        self.delivered += 1;
        message.undelivered -= 1;
        message.open -= 1;
        Delivery::First { completes: message.open == 0 }
    }

    /// An ack, or an answer; whether nothing of the message is still to come.
    pub(crate) fn answer(&mut self, number: usize) -> bool {
        self.messages.get_mut(number).is_some_and(|message| {
            message.open = message.open.saturating_sub(1);
            message.open == 0
        })
    }

    /// How many messages were published so far.
    pub(crate) fn published(&self) -> u64 {
        u64::try_from(self.messages.len()).unwrap_or(u64::MAX)
    }

    /// How many deliveries there were, each counted once.
    pub(crate) fn delivered(&self) -> u64 {
        self.delivered
    }

    /// How many deliveries are missing.
    pub(crate) fn lost(&self) -> u64 {
        self.messages.iter().map(|message| u64::from(message.undelivered)).sum()
    }

    /// How many deliveries came again, or should not have come.
    pub(crate) fn doubled(&self) -> u64 {
        self.doubled + self.strayed
    }
}

/// A set of numbers.
#[derive(Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    /// Whether the number was not in it before.
    fn insert(&mut self, number: usize) -> bool {
        let (word, bit) = (number / 64, 1 << (number % 64));
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let Some(word) = self.0.get_mut(word) else { return false };
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally<const N: usize>(groups: [usize; N]) -> Tally {
        Tally::new(groups.into_iter().map(|group| Groups::of([group])).collect())
    }

    #[test]
    fn a_message_is_complete_when_all_have_it_and_it_is_answered() {
        let mut tally = tally([0, 0, 1]);
        let number = tally.publish(0, 1);
        assert_eq!(tally.receive(0, number), Delivery::First { completes: false });
        assert_eq!(tally.lost(), 1);
        assert!(!tally.answer(number));
        assert_eq!(tally.receive(1, number), Delivery::First { completes: true });
        assert_eq!((tally.published(), tally.delivered(), tally.lost(), tally.doubled()), (1, 2, 0, 0));
    }

    #[test]
    fn a_second_delivery_to_the_same_receiver_is_doubled() {
        let mut tally = tally([0]);
        let number = tally.publish(0, 0);
        assert_eq!(tally.receive(0, number), Delivery::First { completes: true });
        assert_eq!(tally.receive(0, number), Delivery::Doubled);
        assert_eq!((tally.delivered(), tally.doubled()), (1, 1));
    }

    #[test]
    fn a_delivery_to_another_group_counts_as_one_too_many() {
        let mut tally = tally([0, 1]);
        let number = tally.publish(1, 0);
        assert_eq!(tally.receive(0, number), Delivery::Stray);
        assert_eq!(tally.receive(1, 99), Delivery::Stray);
        assert_eq!((tally.delivered(), tally.doubled(), tally.lost()), (0, 2, 1));
    }

    #[test]
    fn a_receiver_may_be_in_several_groups() {
        let mut tally = Tally::new(vec![Groups::of([0, 1]), Groups::of([0]), Groups::of([MAX_GROUPS])]);
        let (all, some) = (tally.publish(0, 0), tally.publish(1, 0));
        assert_eq!(tally.lost(), 3);
        assert_eq!(tally.receive(0, some), Delivery::First { completes: true });
        assert_eq!(tally.receive(0, all), Delivery::First { completes: false });
        assert_eq!(tally.receive(2, all), Delivery::Stray);
    }

    #[test]
    fn numbers_beyond_a_word_are_distinguished() {
        let mut bits = Bits::default();
        assert!(bits.insert(3) && bits.insert(67) && bits.insert(200));
        assert!(!bits.insert(67) && bits.insert(66));
    }
}
