//! What a process used: processor time, memory; and what everything else took of the machine.
//!
//! Processor time comes from `/proc/PID/stat`, not from `schedstat`: only the former includes threads that have
//! ended. Its grain of 10 ms is 0.3 % of a measurement of 3 s on one core.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// A process by its number.
pub(crate) type Pid = u32;

/// `USER_HZ`, which the kernel fixes at 100 for user space on every architecture that matters here.
const TICKS_PER_SECOND: u64 = 100;

/// Processor time that all threads of a process used so far, in the kernel and outside.
pub(crate) fn of_process(pid: Pid) -> Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("{path}: has the process ended?"))?;
    fields(&stat, 2).map(from_ticks).with_context(|| format!("{path} is not in the known format: {stat}"))
}

/// Processor time that the calling thread used so far.
pub(crate) fn of_this_thread() -> Result<Duration> {
    let schedstat = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos = schedstat.split_whitespace().next().and_then(|field| field.parse().ok());
    Ok(Duration::from_nanos(nanos.context("/proc/thread-self/schedstat has no first number")?))
}

/// Resident memory of a process, in KiB.
pub(crate) fn resident_kib(pid: Pid) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| path.clone())?;
    field_kib(&status, "VmRSS:").with_context(|| format!("{path} has no VmRSS"))
}

/// Processor time that other processes and other guests of the host took so far, summed over the cores. Of the
/// children of this process, only those that have ended count as its own: take the difference while none runs.
pub(crate) fn of_others() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    let own = fs::read_to_string("/proc/self/stat")?;
    let busy = busy_ticks(&stat).context("/proc/stat is not in the known format")?;
    let own = fields(&own, 4).context("/proc/self/stat is not in the known format")?;
    Ok(from_ticks(busy.saturating_sub(own)))
}

fn from_ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

/// User, nice, system, interrupts and stolen time of all cores; not idle, not waiting for a disk.
fn busy_ticks(stat: &str) -> Option<u64> {
    let columns: Vec<u64> =
        stat.lines().next()?.split_whitespace().skip(1).map_while(|column| column.parse().ok()).collect();
    [0, 1, 2, 5, 6, 7].into_iter().map(|column| columns.get(column)).sum()
}

/// The sum of the first `count` of `utime`, `stime`, and the same two of ended children. The second field of the
/// line is the program's name in parentheses and may contain anything.
fn fields(stat: &str, count: usize) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let times: Vec<u64> =
        after_name.split_whitespace().skip(11).take(count).map_while(|field| field.parse().ok()).collect();
    (times.len() == count).then(|| times.iter().sum())
}

fn field_kib(status: &str, name: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_an_odd_name() {
        let stat = "12 (a) b (c)) S 1 12 12 0 -1 4194304 100 0 0 0 250 31 7 9 20 0 3 0 1 2 3";
        assert_eq!(fields(stat, 2), Some(281));
        assert_eq!(fields(stat, 4), Some(297));
        assert_eq!(fields("nonsense", 2), None);
    }

    #[test]
    fn memory_is_read_by_name() {
        assert_eq!(field_kib("VmHWM:\t 9000 kB\nVmRSS:\t    4120 kB\n", "VmRSS:"), Some(4120));
        assert_eq!(field_kib("", "VmRSS:"), None);
    }

    #[test]
    fn idle_time_is_not_busy() {
        assert_eq!(busy_ticks("cpu  100 20 3 9999 8888 4 5 6 0 0\ncpu0 1 1"), Some(138));
        assert_eq!(busy_ticks("cpu  100 20"), None);
    }

    #[test]
    fn the_machine_answers() {
        assert!(resident_kib(std::process::id()).unwrap() > 100);
        of_process(std::process::id()).unwrap();
        of_this_thread().unwrap();
        of_others().unwrap();
    }
}
