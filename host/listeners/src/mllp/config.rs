use hilum_words::config::{Section, Size};

/// The keys of an MLLP listener that others do not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MllpConfig {
    /// Bytes of a frame's content.
    pub frame_bytes_max: usize,
    /// Whether odd framing closes the connection.
    pub strict: bool,
    /// Whether each frame is answered by a commit byte (MLLP release 2), before anything else.
    pub commit_bytes: bool,
}

impl Default for MllpConfig {
    fn default() -> Self {
        Self { frame_bytes_max: 16 << 20, strict: false, commit_bytes: false }
    }
}

impl MllpConfig {
    /// Reads `frame_bytes_max` (16 MiB), `strict` (false) and `commit_bytes` (false). None if one of
    /// them is wrong; the problems say which.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        let before = section.problems().len();
        let frame = section.size("frame_bytes_max");
        if let Some(frame) = frame.as_ref().filter(|it| !(1 << 10..=256 << 20).contains(&it.value))
        {
            frame.problem(section.problems(), "must be from 1 KiB to 256 MiB");
        }
        let standard = Self::default();
        section.default("frame_bytes_max", Size(standard.frame_bytes_max as u64));
        let strict = section.boolean_or("strict", standard.strict);
        let commit_bytes = section.boolean_or("commit_bytes", standard.commit_bytes);
        if section.problems().len() != before {
            return None;
        }
        let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        let frame_bytes_max = frame.map_or(standard.frame_bytes_max, |it| count(it.value));
        Some(Self { frame_bytes_max, strict, commit_bytes })
    }
}
