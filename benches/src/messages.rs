//! Messages to load a gateway with: the sample with a control id and a patient of its own.

use crate::adt_a01;

/// Patients that take turns: lanes are theirs.
const PATIENTS: u64 = 5_000;

/// The sample in the pieces between which control id, patient and type stand.
pub struct Messages {
    before_id: Vec<u8>,
    before_patient: Vec<u8>,
    rest: Vec<u8>,
    prefix: String,
}

impl Messages {
    /// Messages whose control ids begin with `prefix`.
    pub fn new(prefix: &str) -> Self {
        let sample = String::from_utf8_lossy(&adt_a01()).into_owned();
        let (before_id, rest) = sample.split_once("A000000017").unwrap_or((&sample, ""));
        let (before_patient, rest) = rest.split_once("4711170").unwrap_or((rest, ""));
        Self {
            before_id: before_id.into(),
            before_patient: before_patient.into(),
            rest: rest.into(),
            prefix: prefix.to_owned(),
        }
    }

    /// Writes the frame of the message of this number into `out`, in the place of what was there.
    pub fn frame(&self, number: u64, out: &mut Vec<u8>) {
        out.clear();
        out.push(0x0b);
        out.extend_from_slice(&self.before_id);
        out.extend_from_slice(self.prefix.as_bytes());
        out.extend_from_slice(format!("{number:08}").as_bytes());
        out.extend_from_slice(&self.before_patient);
        out.extend_from_slice(format!("{:07}", 4_700_000 + number % PATIENTS).as_bytes());
        out.extend_from_slice(&self.rest);
        out.extend_from_slice(&[0x1c, 0x0d]);
    }

    /// The message of this number without its frame.
    pub fn message(&self, number: u64) -> Vec<u8> {
        let mut frame = Vec::new();
        self.frame(number, &mut frame);
        frame.get(1..frame.len() - 2).unwrap_or_default().to_vec()
    }
}
