//! Segment maps of the guide: one file for each segment, one public function for each map.

pub mod al1;
pub mod dg1;
pub mod evn;
pub mod iam;
pub mod in1;
pub mod in3;
mod keys;
pub mod mrg;
pub mod msh;
pub mod nk1;
pub mod nte;
pub mod obr;
pub mod obx;
pub mod orc;
pub mod pd1;
pub mod pid;
pub mod pr1;
pub mod prt;
pub mod pv1;
pub mod pv2;
pub mod rol;
pub mod sft;
pub mod spm;
pub mod tq1;
