//! The simulation, driven by the SDK that Snapkeep uses.

#[cfg(test)]
mod sdk {
    mod faults;
    mod images;
    mod instances;
    mod listing;
    mod snapshots;
    mod storage;
    mod support;
    mod tags;
    mod volumes;
}
