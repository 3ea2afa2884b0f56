//! A list that takes many edits: chunks of about the square root of its length, so that no
//! insertion moves the whole list and no look-up walks it.

use crate::SegmentName;

/// What a list can be searched by.
pub(super) trait Named {
    /// The name of a segment; none for everything below one.
    fn name(&self) -> Option<SegmentName>;
}

pub(super) struct List<T> {
    chunks: Vec<Chunk<T>>,
    len: usize,
    chunk_items: usize,
}

struct Chunk<T> {
    items: Vec<T>,
    /// How many items have which name, by name.
    names: Vec<(SegmentName, usize)>,
}

impl<T: Named> Chunk<T> {
    fn new(items: Vec<T>) -> Self {
        let mut chunk = Self { items: Vec::new(), names: Vec::new() };
        items.iter().for_each(|item| chunk.count(item, true));
        chunk.items = items;
        chunk
    }

    fn count(&mut self, item: &T, more: bool) {
        let Some(name) = item.name() else {
            return;
        };
        match self.names.binary_search_by_key(&name, |it| it.0) {
            Err(at) => self.names.insert(at, (name, usize::from(more))),
            Ok(at) => {
                if let Some((_, count)) = self.names.get_mut(at) {
                    *count = if more { *count + 1 } else { count.saturating_sub(1) };
                }
            }
        }
    }

    fn named(&self, name: SegmentName) -> usize {
        let found = self.names.binary_search_by_key(&name, |it| it.0).ok();
        found.and_then(|at| self.names.get(at)).map_or(0, |it| it.1)
    }
}

impl<T: Named> List<T> {
    pub(super) fn new(items: Vec<T>) -> Self {
        let len = items.len();
        let chunk_items = len.isqrt().max(64);
        let mut chunks = Vec::new();
        let mut items = items.into_iter();
        loop {
            let chunk: Vec<_> = items.by_ref().take(chunk_items).collect();
            if chunk.is_empty() {
                break;
            }
            chunks.push(Chunk::new(chunk));
        }
        Self { chunks, len, chunk_items }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The chunk that an item lies in, and where in it.
    fn locate(&self, index: usize) -> Option<(usize, usize)> {
        let mut before = 0;
        for (at, chunk) in self.chunks.iter().enumerate() {
            if index < before + chunk.items.len() {
                return Some((at, index - before));
            }
            before += chunk.items.len();
        }
        None
    }

    pub(super) fn at(&self, index: usize) -> Option<&T> {
        let (chunk, at) = self.locate(index)?;
        self.chunks.get(chunk)?.items.get(at)
    }

    pub(super) fn at_mut(&mut self, index: usize) -> Option<&mut T> {
        let (chunk, at) = self.locate(index)?;
        self.chunks.get_mut(chunk)?.items.get_mut(at)
    }

    /// Inserts before an item, or at the end.
    pub(super) fn insert(&mut self, index: usize, item: T) {
        let last = self.chunks.len().checked_sub(1);
        let end = last.and_then(|last| Some((last, self.chunks.get(last)?.items.len())));
        let place = self.locate(index).or(end);
        self.len += 1;
        let Some((place, at)) = place else {
            self.chunks.push(Chunk::new(vec![item]));
            return;
        };
        let Some(chunk) = self.chunks.get_mut(place) else {
            return;
        };
        chunk.count(&item, true);
        chunk.items.insert(at.min(chunk.items.len()), item);
        if 2 * self.chunk_items < chunk.items.len() {
            let second = chunk.items.split_off(self.chunk_items);
            *chunk = Chunk::new(std::mem::take(&mut chunk.items));
            self.chunks.insert(place + 1, Chunk::new(second));
        }
    }

    pub(super) fn push(&mut self, item: T) {
        self.insert(self.len, item);
    }

    pub(super) fn remove(&mut self, index: usize) -> Option<T> {
        let (place, at) = self.locate(index)?;
        let chunk = self.chunks.get_mut(place)?;
        let item = chunk.items.remove(at);
        chunk.count(&item, false);
        self.len -= 1;
        if chunk.items.is_empty() {
            self.chunks.remove(place);
        }
        Some(item)
    }

    /// Takes out every item that is not to be kept.
    pub(super) fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        let chunks = std::mem::take(&mut self.chunks);
        *self =
            Self::new(chunks.into_iter().flat_map(|it| it.items).filter(|it| keep(it)).collect());
    }

    /// Where the `number`th item (from 1) with a name stands.
    pub(super) fn find_named(&self, name: SegmentName, number: usize) -> Option<usize> {
        let mut left = number.checked_sub(1)?;
        let mut before = 0;
        for chunk in &self.chunks {
            let named = chunk.named(name);
            if left < named {
                let mut items = chunk.items.iter().enumerate();
                let found = items.by_ref().filter(|it| it.1.name() == Some(name)).nth(left);
                return found.map(|(at, _)| before + at);
            }
            left -= named;
            before += chunk.items.len();
        }
        None
    }

    /// How many items with a name stand before an index.
    pub(super) fn count_named(&self, name: SegmentName, index: usize) -> usize {
        let mut left = index;
        let mut count = 0;
        for chunk in &self.chunks {
            if left < chunk.items.len() {
                let before = chunk.items.iter().take(left);
                return count + before.filter(|it| it.name() == Some(name)).count();
            }
            left -= chunk.items.len();
            count += chunk.named(name);
        }
        count
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| &chunk.items)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Item(SegmentName, usize);

    impl Named for Item {
        fn name(&self) -> Option<SegmentName> {
            Some(self.0)
        }
    }

    proptest! {
        #[test]
        fn it_is_a_plain_list_whatever_is_done_to_it(
            start in 0..300usize,
            steps in proptest::collection::vec((0..4u8, 0..600usize, 0..2usize), 0..400),
        ) {
            let names = [SegmentName::MSH, SegmentName::FHS];
            let mut plain: Vec<_> = (0..start).map(|it| Item(names[it % 2], it)).collect();
            let mut list = List::new(plain.clone());
            for (number, (step, at, name)) in steps.into_iter().enumerate() {
                if step == 0 && at < plain.len() {
                    prop_assert_eq!(list.remove(at), Some(plain.remove(at)));
                } else {
                    let item = Item(names[name], 1_000 + number);
                    list.insert(at, item.clone());
                    plain.insert(at.min(plain.len()), item);
                }
            }
            list.retain(|item| item.1 % 7 != 0);
            plain.retain(|item| item.1 % 7 != 0);
            prop_assert_eq!(list.len(), plain.len());
            prop_assert!(list.iter().eq(plain.iter()));
            for name in names {
                let found = plain.iter().enumerate().filter(|it| it.1.0 == name);
                for (number, (at, item)) in found.enumerate() {
                    prop_assert_eq!(list.find_named(name, number + 1), Some(at));
                    prop_assert_eq!(list.count_named(name, at), number);
                    prop_assert_eq!(list.at(at), Some(item));
                }
            }
        }
    }
}
