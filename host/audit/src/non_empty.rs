/// At least one. A change of state comes with `NonEmpty<Record>`, so that there is none without
/// evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NonEmpty<T> {
    first: T,
    rest: Vec<T>,
}

impl<T> NonEmpty<T> {
    /// The one.
    pub fn of(first: T) -> Self {
        Self { first, rest: Vec::new() }
    }

    /// All of `items`; none if there is none.
    pub fn from_vec(mut items: Vec<T>) -> Option<Self> {
        if items.is_empty() {
            return None;
        }
        let rest = items.split_off(1);
        items.pop().map(|first| Self { first, rest })
    }

    /// Adds one at the end.
    pub fn push(&mut self, item: T) {
        self.rest.push(item);
    }

    /// The same with one more at the end.
    #[must_use]
    pub fn and(mut self, item: T) -> Self {
        self.push(item);
        self
    }

    /// The first.
    pub fn first(&self) -> &T {
        &self.first
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// How many. Never 0, which is why there is no `is_empty`.
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        1 + self.rest.len()
    }

    /// All, in order.
    pub fn into_vec(self) -> Vec<T> {
        self.into_iter().collect()
    }
}

impl<T> From<T> for NonEmpty<T> {
    fn from(first: T) -> Self {
        Self::of(first)
    }
}

impl<T> IntoIterator for NonEmpty<T> {
    type Item = T;
    type IntoIter = std::iter::Chain<std::iter::Once<T>, std::vec::IntoIter<T>>;

    fn into_iter(self) -> Self::IntoIter {
        std::iter::once(self.first).chain(self.rest)
    }
}

impl<T> Extend<T> for NonEmpty<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, items: I) {
        self.rest.extend(items);
    }
}
