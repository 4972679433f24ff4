mod fixtures;
mod places;
