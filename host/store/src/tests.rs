//! The journal over a disk in memory.

mod crash;
mod damage;
mod duplicates;
mod limits;
mod steps;
mod world;
