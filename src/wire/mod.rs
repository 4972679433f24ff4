//! Wire formats: the Query protocol, XML.
