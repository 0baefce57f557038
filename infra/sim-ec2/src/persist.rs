//! The state in a file.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Write as _},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::{clock::Clock, config::Config, sim::SimEc2, state::World};

/// The shape of the file. A file of another one is refused rather than misread.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    world: &'a World,
}

#[derive(Deserialize)]
struct Read {
    format: u32,
    world: World,
}

impl SimEc2 {
    /// Writes the state to `path`: whole or not at all, through a file beside it.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let mut file = BufWriter::new(File::create(&beside)?);
        let state = self.settled();
        serde_json::to_writer(&mut file, &Written { format: FORMAT, world: &state.world })?;
        drop(state);
        file.flush()?;
        file.get_ref().sync_all()?;
        fs::rename(&beside, path)
    }

    /// A simulation that goes on from what was saved. Counters, buckets and faults begin anew.
    pub fn load(path: impl AsRef<Path>, config: Config, clock: Clock) -> io::Result<Self> {
        let file = BufReader::new(File::open(path)?);
        let Read { format, world } = serde_json::from_reader(file)?;
        if format != FORMAT {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the file has format {format}, this program reads {FORMAT}"),
            ));
        }
        Ok(Self::with_world(config, clock, world))
    }
}
