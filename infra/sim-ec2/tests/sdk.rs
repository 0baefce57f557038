//! The simulation, driven by the SDK that Snapkeep uses.

#[cfg(test)]
mod sdk {
    mod accounts;
    mod archive;
    mod copies;
    mod faults;
    mod images;
    mod instances;
    mod launches;
    mod listing;
    mod recycle_bin;
    mod refusals;
    mod rights;
    mod root_replacement;
    mod snapshots;
    mod stops;
    mod storage;
    mod support;
    mod tags;
    mod volumes;
}
