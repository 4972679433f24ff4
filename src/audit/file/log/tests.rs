use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn is_write_failure(outcome: &Result<(), AuditError>) -> bool {
    matches!(outcome, Err(AuditError::File { step: Step::Write, .. }))
}

#[test]
fn is_private_and_makes_its_directory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/audit.jsonl");
    let mut log = Log::open(&path, true).unwrap();
    log.append(b"1\n").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(text(&path), "1\n");
}

#[test]
fn ends_a_line_that_a_crash_cut_short() {
    for (before, after) in [
        ("", "1\n"),
        ("0\n", "0\n1\n"),
        ("0\n{\"half", "0\n{\"half\n1\n"),
        ("{", "{\n1\n"),
        ("\n", "\n1\n"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        fs::write(&path, before).unwrap();
        Log::open(&path, false).unwrap().append(b"1\n").unwrap();
        assert_eq!(text(&path), after);
    }
}

#[test]
fn takes_a_half_write_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let mut log = Log::open(&path, false).unwrap();
    log.append(b"1\n").unwrap();
    let outcome = log.file.as_mut().unwrap().append(b"2222\n", false, |file, lines| {
        file.write_all(&lines[..3])?;
        Err(io::ErrorKind::StorageFull.into())
    });
    assert!(is_write_failure(&outcome));
    assert_eq!(text(&path), "1\n");
    log.append(b"3\n").unwrap();
    assert_eq!(text(&path), "1\n3\n");
}

#[test]
fn a_full_disk_is_an_error_and_not_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let full = File::options().append(true).open("/dev/full").unwrap();
    let mut log = Log::of(Path::new("/dev/full"), full);
    let outcome = log.append(b"1\n");
    assert!(is_write_failure(&outcome), "{outcome:?}");
    assert!(outcome.unwrap_err().to_string().contains("No space left"), "says why");
    log.path.clone_from(&path);
    log.append(b"2\n").unwrap();
    assert_eq!(text(&path), "2\n");
}

#[test]
fn follows_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let rotated = folder.path().join("audit.jsonl.1");
    let mut log = Log::open(&path, false).unwrap();
    log.append(b"1\n").unwrap();
    fs::rename(&path, &rotated).unwrap();
    log.append(b"2\n").unwrap();
    assert_eq!((text(&rotated), text(&path)), ("1\n".to_owned(), "2\n".to_owned()));
    fs::remove_file(&path).unwrap();
    log.reopen().unwrap();
    assert_eq!(text(&path), "");
    log.reopen().unwrap();
    log.append(b"3\n").unwrap();
    assert_eq!(text(&path), "3\n");
}

#[test]
fn recovers_when_its_directory_does() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("audit");
    let path = directory.join("audit.jsonl");
    let mut log = Log::open(&path, false).unwrap();
    fs::remove_dir_all(&directory).unwrap();
    fs::write(&directory, "in the way").unwrap();
    for _ in 0..2 {
        let outcome = log.append(b"1\n");
        let refused = matches!(&outcome, Err(AuditError::File { step: Step::Open, .. }));
        assert!(refused, "{outcome:?}");
    }
    fs::remove_file(&directory).unwrap();
    log.append(b"2\n").unwrap();
    assert_eq!(text(&path), "2\n");
}

#[test]
fn is_a_regular_file_of_one_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let log = Log::open(&path, false).unwrap();
    assert!(matches!(Log::open(&path, false), Err(AuditError::Locked)));
    drop(log);
    assert!(Log::open(&path, false).is_ok());
    for other in [folder.path(), Path::new("/dev/null"), Path::new("/dev/full")] {
        assert!(matches!(Log::open(other, false), Err(AuditError::NotAFile)), "{other:?}");
    }
}
