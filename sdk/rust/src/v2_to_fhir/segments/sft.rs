//! SFT: software that a message went through, as a Device.

use crate::Writer;
use crate::hl7::Segment;
use crate::v2_to_fhir::people::organization;
use crate::v2_to_fhir::{Refs, datatypes, row};

/// `SFT[Device]`, and a reference to it.
pub fn device(w: &mut Writer, key: &str, refs: &mut Refs<'_, '_>, sft: Segment<'_>) -> bool {
    refs.mention(w, key, "Device", None, |w, _| {
        let vendor = organization::xon_string(sft.field(1));
        row("segments/SFT[Device]#2", w.text("manufacturer", vendor));
        let named = w.array("deviceName", |w| {
            w.element_if(|w| {
                w.text("type", Some("manufacturer-name"));
                w.text("name", sft.field(3).text())
            });
        });
        row("segments/SFT[Device]#5", named);
        row("segments/SFT[Device]#6", named);
        row("segments/SFT[Device]#7", w.text("modelNumber", sft.field(4).text()));
        w.array("version", |w| {
            w.element_if(|w| {
                let installed = w.array("extension", |w| {
                    let time = datatypes::date_time(sft.field(6));
                    w.element_if(|w| {
                        w.text("url", Some("http://hl7.org/fhir/5.0/StructureDefinition/extension-Device.version.installDate"));
                        w.text("valueDateTime", time)
                    });
                });
                let version = w.text("value", sft.field(2).text());
                row("segments/SFT[Device]#4", version);
                row("segments/SFT[Device]#9", installed && version);
                row("segments/SFT[Device]#10", installed && version);
                // A version is required to have a value.
                version
            });
        });
        let note = w.array("note", |w| {
            w.element(|w| {
                w.text("text", sft.field(5).text());
            });
        });
        row("segments/SFT[Device]#8", note);
    })
}

/// `SFT[MessageHeader]`: members of `source`.
pub fn header(w: &mut Writer, sft: Segment<'_>) {
    row("segments/SFT[MessageHeader]#2", w.text("version", sft.field(2).text()));
    row("segments/SFT[MessageHeader]#3", w.text("software", sft.field(3).text()));
}
