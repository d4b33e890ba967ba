//! The disk keeps what was synced, and nothing else for sure.

use super::*;

fn wrote(file: u32, offset: u64, bytes: &[u8]) -> Vec<u8> {
    logged(1, file, offset, bytes)
}

fn logged(kind: u32, file: u32, offset: u64, bytes: &[u8]) -> Vec<u8> {
    let mut out = [kind.to_ne_bytes(), file.to_ne_bytes()].concat();
    out.extend(offset.to_ne_bytes());
    out.extend((bytes.len() as u64).to_ne_bytes());
    out.extend(bytes);
    out
}

fn played(entries: &[Vec<u8>]) -> Player {
    let (log, mut at, mut player) = (entries.concat(), 0, Player::new(Image::default()));
    while let Some((entry, end)) = entry(&log, at) {
        player.play(&entry);
        at = end;
    }
    player
}

/// Every file of a hundred images.
fn images(player: &Player, file: usize) -> Vec<Vec<u8>> {
    let mut chance = Chance::new(1, 1);
    (0..100).map(|_| player.image(&mut chance).files[file].clone()).collect()
}

#[test]
fn what_was_synced_is_there_and_what_was_not_may_be_anything() {
    let (old, new) = ([b'o'; 2048], [b'n'; 2048]);
    let player = played(&[wrote(2, 0, &old), logged(2, 2, 0, b""), wrote(2, 2048, &new)]);
    let found = images(&player, 1);
    assert!(found.iter().all(|file| file[..2048] == old), "what was synced is torn");
    let whole = [old, new].concat();
    assert!(found.contains(&whole) && found.contains(&old.to_vec()), "kept whole, or gone whole");
    assert!(found.iter().any(|file| file.len() > 2048 && *file != whole), "torn");
    assert!(found.iter().any(|file| file.len() > 2048 && file.len() < 4096), "short");
}

#[test]
fn a_sync_is_of_one_file_and_of_what_came_before() {
    let player = played(&[wrote(1, 0, b"one"), wrote(2, 0, b"two"), logged(2, 1, 0, b"")]);
    assert!(images(&player, 0).iter().all(|file| file == b"one"));
    assert!(images(&player, 1).iter().any(|file| file.is_empty()));
    let player = played(&[wrote(1, 0, b"one"), logged(2, 1, 0, b""), logged(3, 1, 1, b"")]);
    let found = images(&player, 0);
    assert!(found.contains(&b"o".to_vec()) && found.contains(&b"one".to_vec()));
}

#[test]
fn an_entry_that_a_kill_has_torn_is_the_end() {
    let mut torn = wrote(1, 0, b"one");
    torn.truncate(HEAD + 1);
    let player = played(&[wrote(1, 0, b"all"), logged(2, 1, 0, b""), torn]);
    assert!(images(&player, 0).iter().all(|file| file == b"all"));
}

#[test]
fn moments_are_of_the_time_that_is_asked_for() {
    let disk = Disk::new();
    let log = [wrote(1, 0, b"one"), logged(2, 1, 0, b""), wrote(1, 3, b"two"), logged(2, 1, 0, b"")];
    let synced = (log[0].len() + log[1].len()) as u64;
    fs::write(disk.log(), log.concat()).unwrap();
    let moments = disk.moments(synced, 200, &mut Chance::new(2, 2));
    assert_eq!(moments.len(), 200);
    for (at, image) in &moments {
        assert!(*at >= synced && image.files[0].starts_with(b"one"), "{at}");
    }
    disk.cut(&mut Chance::new(3, 3));
    assert_eq!(fs::read(disk.file()).unwrap(), b"onetwo");
    assert_eq!(fs::read(disk.log()).unwrap().len(), log.concat().len());
}
