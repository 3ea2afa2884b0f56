//! How the answer to a batch is packed: as the batch was.
//!
//! Promises: each message and header is looked at once, whatever there are of others; between two
//! of them others get their turn.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use hilum_answer::{Ack, AckBatch, Refusal, Wanted, write_batches};
use hilum_env::give_way;
use hilum_message::hl7v2::{Batch, BatchMessage, Header, Message as Hl7, Wrapper};

use super::batch::{Member, trailer};
use super::door::FIELD_BYTES_MAX;
use super::said::replies;
use super::{BatchAnswer, Intake, Reply, Stamps};

/// How a batch was packed, for the answer to be packed so too.
pub(super) struct Layout {
    files: Vec<FileLayout>,
    /// Where each header stands, by segment; without one, the first of what is under no FHS.
    places: BTreeMap<Option<usize>, Place>,
    /// Whether anybody wants an answer.
    is_wanted: bool,
    /// What is wrong with a batch as a whole, and said of no message.
    pub(super) faults: Vec<Refusal>,
}

/// Where a header stands.
#[derive(Clone, Copy)]
struct Place {
    /// Which of the files.
    file: usize,
    /// Which of the file's batches; none for that of the file.
    batch: Option<usize>,
}

#[derive(Default)]
struct FileLayout {
    header: Option<Header>,
    batches: Vec<BatchLayout>,
}

struct BatchLayout {
    header: Option<Header>,
    /// Whether the header is a BHS, and not the MSH of the first message.
    is_named: bool,
    /// Which messages, counted from 0.
    messages: Vec<usize>,
    /// Acknowledgements of the batch as a whole.
    acks: Vec<Ack>,
}

impl Intake {
    /// How a batch was packed, and what is said of it as a whole.
    pub(super) async fn layout(&self, whole: &Hl7, batch: &Batch, members: &[Member]) -> Layout {
        let mut layout = Layout {
            files: Vec::new(),
            places: BTreeMap::new(),
            is_wanted: is_wanted(whole, batch, members),
            faults: Vec::new(),
        };
        let mut wrappers = batch.wrappers.iter().peekable();
        for (number, member) in batch.messages.iter().enumerate() {
            give_way().await;
            while let Some(wrapper) = wrappers.next_if(|it| it.segment < member.segments.start) {
                layout.open(whole, wrapper);
            }
            layout.put(number, member, members.get(number).map(|it| &it.header));
        }
        for wrapper in wrappers {
            layout.open(whole, wrapper);
        }
        for (under, refusal) in faults(batch) {
            give_way().await;
            let mut header = under.map_or_else(|| whole.header(), |it| whole.header_at(it));
            if under.is_none() {
                header.control_id = Bytes::new();
            }
            complete(&mut header, members);
            let mut stamp = || self.stamps.stamp();
            let acks = Ack::refuse(Some(&header), &refusal, &mut stamp);
            layout.say(under, header, acks);
            layout.faults.push(refusal);
        }
        layout
    }
}

impl BatchLayout {
    fn under(header: Option<Header>, is_named: bool) -> Self {
        Self { header, is_named, messages: Vec::new(), acks: Vec::new() }
    }
}

impl Layout {
    /// A header of a file or batch.
    fn open(&mut self, whole: &Hl7, wrapper: &Wrapper) {
        let header = whole.header_at(wrapper.segment).detached(FIELD_BYTES_MAX);
        if wrapper.is_file {
            let file = FileLayout { header: Some(header), batches: Vec::new() };
            self.push(Some(wrapper.segment), file);
        } else {
            let file = self.file(wrapper.file.is_some());
            let batch = BatchLayout::under(Some(header), true);
            self.push_batch(Some(wrapper.segment), file, batch);
        }
    }

    /// A message: in the batch that it is under, else in one without a name.
    fn put(&mut self, number: usize, member: &BatchMessage, header: Option<&Header>) {
        let is_named = member.batch.is_some();
        let file = self.file(member.file.is_some());
        let Some(FileLayout { batches, .. }) = self.files.get_mut(file) else { return };
        if batches.last().is_none_or(|it| it.is_named != is_named) {
            batches.push(BatchLayout::under(header.map(|it| it.detached(FIELD_BYTES_MAX)), false));
        }
        if let Some(batch) = batches.last_mut() {
            batch.messages.push(number);
        }
    }

    /// The file that is open, or none: what comes before FHS and after FTS.
    fn file(&mut self, is_in_file: bool) -> usize {
        let fits = |it: &FileLayout| it.header.is_some() == is_in_file;
        if !self.files.last().is_some_and(fits) {
            self.push(None, FileLayout::default());
        }
        self.files.len().saturating_sub(1)
    }

    fn push(&mut self, segment: Option<usize>, file: FileLayout) {
        let place = Place { file: self.files.len(), batch: None };
        self.places.entry(segment).or_insert(place);
        self.files.push(file);
    }

    fn push_batch(&mut self, segment: Option<usize>, file: usize, batch: BatchLayout) {
        let Some(FileLayout { batches, .. }) = self.files.get_mut(file) else { return };
        if segment.is_some() {
            self.places.insert(segment, Place { file, batch: Some(batches.len()) });
        }
        batches.push(batch);
    }

    /// What is said about a batch or file as a whole, or about what is under neither.
    fn say(&mut self, under: Option<usize>, header: Header, acks: Vec<Ack>) {
        self.is_wanted = true;
        let place = self.places.get(&under).copied();
        if let Some(Place { file, batch: Some(batch) }) = place {
            let batch = self.files.get_mut(file).and_then(|it| it.batches.get_mut(batch));
            batch.into_iter().for_each(|it| it.acks.extend_from_slice(&acks));
            return;
        }
        let said = BatchLayout { acks, ..BatchLayout::under(Some(header), false) };
        match place {
            Some(Place { file, .. }) => self.push_batch(None, file, said),
            None => self.push(None, FileLayout { batches: vec![said], ..FileLayout::default() }),
        }
    }

    /// The acknowledgements of each message, as the listener answers batches. Nothing, where nobody
    /// wants an answer.
    pub(super) async fn write(
        &self,
        acks: &[Vec<Ack>],
        how: BatchAnswer,
        stamps: &Stamps,
    ) -> Vec<Reply> {
        if !self.is_wanted {
            return Vec::new();
        }
        let mut stamp = || stamps.stamp();
        let of = |batch: &BatchLayout| -> Vec<Ack> {
            let messages = batch.messages.iter().filter_map(|number| acks.get(*number));
            let all = batch.acks.iter().chain(messages.flatten()).cloned();
            all.filter(|ack| how != BatchAnswer::Errors || !ack.code.is_positive()).collect()
        };
        if how == BatchAnswer::Singly {
            let all = self.files.iter().flat_map(|file| &file.batches).flat_map(of);
            return replies(all.collect());
        }
        let mut bytes = Vec::new();
        for file in &self.files {
            give_way().await;
            let mut batches: Vec<AckBatch<'_>> = Vec::new();
            for batch in &file.batches {
                give_way().await;
                let (header, is_named) = (batch.header.as_ref(), batch.is_named);
                batches.push(AckBatch { header, is_named, acks: of(batch) });
            }
            bytes.extend(write_batches(file.header.as_ref(), &batches, &mut stamp));
        }
        vec![Reply { bytes: bytes.into() }]
    }
}

/// What is wrong with a batch or file as a whole, by the segment of its header: segments that are of
/// no message, and a trailer that counts messages where none came. Nothing else would tell the sender.
fn faults(batch: &Batch) -> Vec<(Option<usize>, Refusal)> {
    let strays: BTreeSet<Option<usize>> = batch.strays.iter().map(|it| it.under).collect();
    let mut faults: Vec<_> = strays.iter().map(|under| (*under, Refusal::Stray)).collect();
    let full: BTreeSet<Option<usize>> =
        batch.messages.iter().flat_map(|it| [it.batch, it.file]).collect();
    for wrapper in batch.wrappers.iter().filter(|it| it.is_miscounted) {
        let under = Some(wrapper.segment);
        if !full.contains(&under) && !strays.contains(&under) {
            faults.push((under, Refusal::BatchCount { at: trailer(wrapper.is_file) }));
        }
    }
    faults
}

/// What MSH has and BHS has not.
fn complete(header: &mut Header, members: &[Member]) {
    let Some(first) = members.first().map(|it| &it.header) else { return };
    for (field, of_first) in
        [(&mut header.version, &first.version), (&mut header.processing_id, &first.processing_id)]
    {
        if field.is_empty() {
            *field = of_first.clone();
        }
    }
}

/// Whether anybody wants an answer. Acknowledgements are not answered; and of batches of nothing, only
/// one that has an id and answers none itself, or two gateways would never stop.
fn is_wanted(whole: &Hl7, batch: &Batch, members: &[Member]) -> bool {
    let wants = |it: &Member| !it.passed.is_acknowledgement() && Wanted::of(&it.header).anything;
    let headers = batch.wrappers.iter().map(|it| whole.header_at(it.segment));
    match members {
        [] => {
            let (mut is_named, mut answers) = (false, false);
            headers.for_each(|it| {
                is_named |= !it.control_id.is_empty();
                answers |= !it.reference.is_empty();
            });
            is_named && !answers
        }
        _ => members.iter().any(wants),
    }
}
