//! A map as a list in order.

use std::borrow::Borrow;

/// A map as a list of its entries, in the order of their keys.
///
/// It has what the standard library's `BTreeMap` has, as far as it is used here. That one is made for more
/// than the few hundred entries of a client, and takes a page several times the bytes to download.
#[derive(Debug, Clone)]
pub(crate) struct SortedMap<K, V>(Vec<(K, V)>);

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    /// Where a key is, or where it belongs.
    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|(known, _)| known.borrow().cmp(key))
    }

    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().and_then(|at| self.0.get(at)).map(|(_, value)| value)
    }

    pub(crate) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let at = self.place(key).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    pub(crate) fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_ok()
    }

    /// Sets a key's value.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.place(&key) {
            Ok(at) => {
                if let Some(entry) = self.0.get_mut(at) {
                    entry.1 = value;
                }
            }
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.remove_entry(key).map(|(_, value)| value)
    }

    pub(crate) fn remove_entry<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<(K, V)>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().map(|at| self.0.remove(at))
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    pub(crate) fn into_values(self) -> impl Iterator<Item = V> {
        self.0.into_iter().map(|(_, value)| value)
    }

    pub(crate) fn retain(&mut self, mut is_kept: impl FnMut(&K, &mut V) -> bool) {
        self.0.retain_mut(|(key, value)| is_kept(key, value));
    }

    /// Takes out the entries that are asked for, one at a time.
    pub(crate) fn extract_if(
        &mut self,
        mut is_taken: impl FnMut(&K, &mut V) -> bool,
    ) -> impl Iterator<Item = (K, V)> {
        self.0.extract_if(.., move |(key, value)| is_taken(key, value))
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::SortedMap;

    #[test]
    fn entries_are_found_replaced_and_removed_by_key() {
        let mut map = SortedMap::default();
        for key in ["m", "a", "z", "m"] {
            map.insert(key.to_owned(), key.len());
        }
        map.insert("a".to_owned(), 7);
        assert_eq!(map.values().copied().collect::<Vec<_>>(), [7, 1, 1]);
        assert!(map.contains_key("z") && !map.contains_key("b"));
        *map.get_mut("z").unwrap() = 9;
        assert_eq!((map.get("z"), map.get("")), (Some(&9), None));
        assert_eq!((map.remove("m"), map.remove("m")), (Some(1), None));
        assert_eq!(map.remove_entry("a"), Some(("a".to_owned(), 7)));
        map.clear();
        assert_eq!(map.values().count(), 0);
    }

    #[test]
    fn entries_are_kept_and_taken_in_the_order_of_keys() {
        let mut map = SortedMap::default();
        for key in [5, 3, 1, 4, 2] {
            map.insert(key, key * 10);
        }
        let taken: Vec<_> = map.extract_if(|key, _| key % 2 == 0).collect();
        assert_eq!(taken, [(2, 20), (4, 40)]);
        map.retain(|key, _| *key > 1);
        for (key, value) in map.iter_mut() {
            *value += key;
        }
        assert_eq!(map.into_values().collect::<Vec<_>>(), [33, 55]);
    }
}
