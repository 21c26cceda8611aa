/// Mutant `number` of these inputs: one of them with a mistake made in it, and often a few more.
///
/// `words` are what tends to stand at the edges of the reader's rules.
pub(crate) fn mutant(inputs: &[Vec<u8>], words: &[&[u8]], seed: u64, number: u64) -> Vec<u8> {
    let mut random = Random::new(seed, number);
    let mut mutant = random.pick(inputs).clone();
    loop {
        make_a_mistake(&mut mutant, inputs, words, &mut random);
        if random.below(2) == 0 {
            return mutant;
        }
    }
}

fn make_a_mistake(mutant: &mut Vec<u8>, inputs: &[Vec<u8>], words: &[&[u8]], random: &mut Random) {
    let at = random.below(mutant.len() + 1);
    let piece = |mutant: &[u8], longest, random: &mut Random| {
        mutant[at..(at + random.below(longest)).min(mutant.len())].to_vec()
    };
    match random.below(16) {
        // A bit flipped.
        0 | 1 => {
            if let Some(byte) = mutant.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        // A byte changed.
        2 | 3 => {
            if let Some(byte) = mutant.get_mut(at) {
                *byte = random.byte();
            }
        }
        // The end cut off.
        4 => mutant.truncate(at),
        // Bytes dropped.
        5 | 6 => drop(mutant.drain(at..(at + random.below(9)).min(mutant.len()))),
        // Bytes from nowhere.
        7 | 8 => {
            let bytes: Vec<u8> = (0..=random.below(4)).map(|_| random.byte()).collect();
            mutant.splice(at..at, bytes);
        }
        // A word.
        9..=11 => drop(mutant.splice(at..at, random.pick(words).iter().copied())),
        // A piece said twice.
        12 | 13 => {
            let piece = piece(mutant, 40, random);
            mutant.splice(at..at, piece);
        }
        // A short piece said often.
        14 => {
            let piece = piece(mutant, 5, random).repeat(random.below(500));
            mutant.splice(at..at, piece);
        }
        // The beginning of one input and the end of another.
        _ => {
            let other = random.pick(inputs);
            mutant.truncate(at);
            mutant.extend_from_slice(&other[random.below(other.len() + 1)..]);
        }
    }
}

/// `SplitMix64`: the same numbers in every run, and others for every mutant.
struct Random(u64);

impl Random {
    fn new(seed: u64, number: u64) -> Self {
        Self(Self(seed).next() ^ number)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("a length");
        usize::try_from(self.next() % bound).expect("less than a length")
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutants(seed: u64) -> Vec<Vec<u8>> {
        let inputs = [b"{\"type\":\"ping\"}".to_vec(), b"".to_vec()];
        (0..1000).map(|number| mutant(&inputs, &[b"null"], seed, number)).collect()
    }

    #[test]
    fn a_mutant_is_the_same_whenever_it_is_made() {
        assert_eq!(mutants(1), mutants(1));
    }

    #[test]
    fn other_seeds_and_other_numbers_make_other_mutants() {
        let distinct = |mut mutants: Vec<Vec<u8>>| {
            mutants.sort();
            mutants.dedup();
            mutants.len()
        };
        assert!(distinct(mutants(1)) > 500);
        let both = [mutants(1), mutants(2)].concat();
        assert!(distinct(both) > distinct(mutants(1)) + 400);
    }
}
