mod fixtures;
mod limits;
mod mending;
mod places;
