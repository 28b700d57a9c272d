//! Which files of a growing list are merged, so that there are few of them and each row is written a
//! few times only: the newest ones, as far back as the next older one is not larger than they are
//! together.

use std::path::PathBuf;

use regulars_core::Partition;

use super::{EventRunWriter, Family, History, RunInfo, WholeEventReader};
use crate::StoreError;

/// Position of the first file to merge with all after it, of files of such sizes from the oldest on;
/// `None` when there are no more than `most`.
pub(crate) fn first_to_merge(sizes: &[u64], most: usize) -> Option<usize> {
    if sizes.len() <= most.max(1) {
        return None;
    }
    let mut first = sizes.len() - 2;
    let mut together: u64 = sizes[first..].iter().sum();
    while first > 0 && sizes[first - 1] <= together {
        first -= 1;
        together += sizes[first];
    }
    Some(first)
}

/// Runs of events of one partition that are to be one: works on any thread.
#[derive(Debug)]
pub struct RunMerge {
    dir: PathBuf,
    partition: Partition,
    /// Names of the runs.
    files: Vec<String>,
    /// Name of the run that replaces them.
    into: String,
}

/// Runs that were merged, to be committed.
#[derive(Debug)]
pub struct MergedRuns {
    pub(crate) run: RunInfo,
    pub(crate) dropped: Vec<String>,
}

impl RunMerge {
    /// What is to be merged where a partition has more than `most` runs; `offset` is one that no
    /// earlier merge was planned at.
    pub(crate) fn plan(history: &History, most: usize, offset: u64) -> Vec<Self> {
        let mut merges = Vec::new();
        for partition in Partition::all() {
            let runs: Vec<&RunInfo> = history.runs(Family::Events, partition).collect();
            let rows: Vec<u64> = runs.iter().map(|run| run.rows).collect();
            let Some(first) = first_to_merge(&rows, most) else {
                continue;
            };
            let number = merges.len();
            merges.push(Self {
                dir: history.dir.clone(),
                partition,
                files: runs[first..].iter().map(|run| run.file.clone()).collect(),
                into: format!("events-p{:02}-{offset:012}-{number}.parquet", partition.0),
            });
        }
        merges
    }

    /// Writes the run that replaces them, durably.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn write(self) -> Result<MergedRuns, StoreError> {
        let paths: Vec<PathBuf> = self.files.iter().map(|file| self.dir.join(file)).collect();
        let mut reader = WholeEventReader::open(paths.iter().map(PathBuf::as_path))?;
        let mut writer = EventRunWriter::create(&self.dir, self.into, self.partition)?;
        while let Some(rows) = reader.next_customer()? {
            rows.iter().try_for_each(|row| writer.push(row))?;
        }
        Ok(MergedRuns {
            run: writer.finish()?,
            dropped: self.files,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_files_stay_as_they_are_and_large_ones_are_left_alone() {
        assert_eq!(first_to_merge(&[], 3), None);
        assert_eq!(first_to_merge(&[1, 1, 1], 3), None);
        assert_eq!(first_to_merge(&[1, 1, 1, 1], 3), Some(0));
        assert_eq!(first_to_merge(&[100, 1, 1, 1], 3), Some(1));
        assert_eq!(first_to_merge(&[100, 9, 4, 1], 3), Some(2));
        assert_eq!(first_to_merge(&[9, 8, 4, 5, 1], 3), Some(0));
    }

    #[test]
    fn each_row_is_written_a_few_times_only() {
        let (mut sizes, mut written, count) = (Vec::new(), 0, 4_096);
        for _ in 0..count {
            sizes.push(1_u64);
            written += 1;
            if let Some(first) = first_to_merge(&sizes, 8) {
                let merged = sizes.drain(first..).sum();
                written += merged;
                sizes.push(merged);
            }
            assert!(sizes.len() <= 8, "{sizes:?}");
        }
        assert_eq!(sizes.iter().sum::<u64>(), count);
        assert!(written / count <= 8, "{} times", written / count);
    }
}
