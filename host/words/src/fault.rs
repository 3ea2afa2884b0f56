use std::error::Error;

/// A fault and what is behind it, in one sentence for the log: `a: b: c`.
pub fn chain(fault: &dyn Error) -> String {
    let mut sentence = fault.to_string();
    let mut source = fault.source();
    while let Some(cause) = source {
        sentence.push_str(": ");
        sentence.push_str(&cause.to_string());
        source = cause.source();
    }
    sentence
}
