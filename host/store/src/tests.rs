//! The journal over a disk in memory.

mod ahead;
mod catalogue;
mod crash;
mod damage;
mod duplicates;
mod earlier;
mod limits;
mod releases;
mod soon;
mod steps;
mod world;
