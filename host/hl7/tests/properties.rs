//! What holds for any bytes.

use bytes::Bytes;
use hilum_hl7::{Message, Path, Segment};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

mod soup;
use soup::soup;

/// The bytes of a segment that are delimiters, name, or delimiter declaration: no values.
fn frame_of(segment: &Segment<'_>) -> Vec<usize> {
    let declared = |number| segment.declares_in(number).then(|| segment.field(number)).flatten();
    let name = match segment.segment_name().is_unnamed() {
        true => 0..0,
        false => segment.range().start..segment.range().start + 3,
    };
    name.chain(declared(1).into_iter().flatten()).chain(declared(2).into_iter().flatten()).collect()
}

fn whole(message: &Message) -> Result<(), TestCaseError> {
    let mut end = message.prefix().end;
    for (segment, number) in message.segments().zip(1..) {
        prop_assert_eq!(segment.range().start, end);
        prop_assert_eq!(segment.terminator().start, segment.range().end);
        prop_assert_eq!(segment.number(), number);
        let terminator = &message.bytes()[segment.terminator()];
        prop_assert!(terminator.iter().all(|byte| b"\r\n".contains(byte)));
        end = segment.terminator().end;
    }
    prop_assert_eq!(end, message.bytes().len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_return(bytes in vec(any::<u8>(), 0..200)) {
        let _ = Message::parse(bytes.into());
    }

    #[test]
    fn prefix_segments_and_terminators_are_the_input(bytes in soup()) {
        if let Ok(message) = Message::parse(bytes.clone().into()) {
            prop_assert_eq!(&message.bytes()[..], &bytes[..]);
            prop_assert!(message.findings().len() <= 65);
            whole(&message)?;
        }
    }

    #[test]
    fn leaves_are_found_by_place_and_cover_all_that_is_content(bytes in soup()) {
        let Ok(message) = Message::parse(bytes.into()) else { return Ok(()) };
        let mut is_leaf = vec![false; message.bytes().len()];
        let mut last = 0;
        for leaf in message.leaves() {
            prop_assert!(last <= leaf.range.start && leaf.range.start < leaf.range.end);
            last = leaf.range.end;
            is_leaf[leaf.range.clone()].fill(true);
            prop_assert_eq!(message.find(&Path::from(leaf.place)), Some(leaf.range.clone()));
            let printed: Path = leaf.place.to_string().parse().unwrap();
            prop_assert_eq!(message.find(&printed), Some(leaf.range.clone()));
            let _ = message.text(leaf.range);
        }
        for segment in message.segments() {
            let frame = frame_of(&segment);
            let d = segment.delimiters();
            let splits = [Some(d.field), Some(d.component), Some(d.repetition), d.subcomponent];
            for at in segment.range().filter(|at| !is_leaf[*at] && !frame.contains(at)) {
                prop_assert!(splits.contains(&Some(message.bytes()[at])), "byte {} is lost", at);
            }
        }
    }

    #[test]
    fn every_way_of_asking_agrees(
        bytes in soup(),
        name in select(vec!["MSH", "PID", "OBX", "?"]),
        numbers in vec(proptest::option::of(1..4u32), 5),
    ) {
        let Ok(message) = Message::parse(bytes.into()) else { return Ok(()) };
        let path = Path {
            occurrence: numbers[0],
            field: numbers[1],
            repetition: numbers[2],
            component: numbers[3],
            subcomponent: numbers[4],
            ..name.parse().unwrap()
        };
        let all = message.find_all(&path);
        let (occurrence, repetition) = (path.occurrence.or(Some(1)), path.repetition.or(Some(1)));
        let first = message.find_all(&Path { occurrence, ..path });
        prop_assert_eq!(first.first().cloned().flatten(), message.find(&path));
        prop_assert_eq!(message.find(&Path { occurrence, repetition, ..path }), message.find(&path));
        let of_each = Path { occurrence: None, field: None, ..name.parse().unwrap() };
        let occurrences = 1..=u32::try_from(message.count(&of_each)).unwrap();
        let wanted = occurrences.filter(|it| path.occurrence.is_none_or(|wanted| wanted == *it));
        let one_by_one: Vec<_> = wanted
            .flat_map(|it| message.find_all(&Path { occurrence: Some(it), ..path }))
            .collect();
        prop_assert_eq!(one_by_one, all);
    }

    #[test]
    fn what_is_written_by_level_is_read_by_level(
        tree in vec(vec(vec(vec("[a-z]{1,3}", 1..3), 1..3), 1..3), 1..6),
    ) {
        let join = |parts: Vec<String>, with: &str| parts.join(with);
        let fields = tree.iter().map(|field| {
            let repetitions = field.iter().map(|repetition| {
                join(repetition.iter().map(|component| component.join("&")).collect(), "^")
            });
            join(repetitions.collect(), "~")
        });
        let text = format!("MSH|^~\\&|A\rZAA|{}\r", join(fields.collect(), "|"));
        let message = Message::parse(Bytes::from(text)).unwrap();
        for (field, f) in tree.iter().zip(1..) {
            for (repetition, r) in field.iter().zip(1..) {
                for (component, c) in repetition.iter().zip(1..) {
                    for (value, s) in component.iter().zip(1..) {
                        let path: Path = format!("ZAA-{f}[{r}].{c}.{s}").parse().unwrap();
                        let range = message.find(&path).unwrap();
                        prop_assert_eq!(&message.text(range).unwrap(), value);
                    }
                }
            }
        }
        let values: usize = tree.iter().flatten().flatten().map(Vec::len).sum();
        prop_assert_eq!(message.leaves().count(), values + 1);
    }
}

/// Each of these would take minutes if any of it were searched again and again.
#[test]
fn hostile_repetition_costs_no_more_than_its_length() {
    let quarter_million = 1 << 18;
    for piece in [
        "|",
        "~",
        "^",
        "&",
        "\r",
        "\n",
        "\n\r",
        "\\",
        "x\n",
        "a\r",
        "MSH|^~\\&\r",
        "MSH$^~\\&\rMSH|^~\\&\r",
    ] {
        for head in ["MSH|^~\\&|A\rPID|", "MSH|^~\\&|A\nPID|"] {
            let text = format!("{head}{}", piece.repeat(quarter_million / piece.len()));
            let message = Message::parse(Bytes::from(text)).unwrap();
            assert!(whole(&message).is_ok());
            assert!(message.leaves().count() <= message.bytes().len());
            for path in ["PID-1", "PID-999999", "PID-1[999999]", "PID-1.999999", "a", "MSH", "?-1"]
            {
                let path = path.parse().unwrap_or(Path::field_of(hilum_hl7::SegmentName::MSH, 9));
                let _ = (message.find(&path), message.find_all(&path).len(), message.count(&path));
            }
            let _ = message.text(0..message.bytes().len());
        }
    }
}
